/* run.h - the queue run: waiting messages, one after the other, over one connection. */
#ifndef ONEHOP_DELIVER_RUN_H
#define ONEHOP_DELIVER_RUN_H

#include "base/trace.h"
#include "conf/conf.h"
#include "log/logfile.h"
#include "spool/spool.h"

struct run {
	const struct conf *conf;
	const struct environment *env;
	struct spool spool;
	const struct trace *trace;
	struct logfile *log; /* its id is the message's in turn */
};

enum run_which { RUN_DUE, RUN_ALL, RUN_FROZEN };

/* Try every message that which names, oldest first.  Returns at once (true) when another run is at
 * work.  What fails stays in the queue: false (TEMP) only when the spool cannot be read. */
bool run_queue(struct run *r, enum run_which which, struct fail *f) NODISCARD;
/* Try this one now, frozen or not.  False: USER: no such message; TEMP: another process has it. */
bool run_message(struct run *r, const char *id, struct fail *f) NODISCARD;
/* End it: all that wait are refused for this reason, the sender gets a bounce. */
bool run_give_up(struct run *r, const char *id, const char *reason, struct fail *f) NODISCARD;
/* At most n due messages, after a submission that went well. */
void run_along(struct run *r, size_t n);
#endif
