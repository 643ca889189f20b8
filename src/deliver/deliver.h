/* deliver.h - one attempt at one message: route, hand over, settle (Exim's deliver.c).
 *
 * What onehop-send does with a submission, and what a queue run does with a waiting message.
 * Remote recipients go first: they are the ones that can fail for the weather. */
#ifndef ONEHOP_DELIVER_DELIVER_H
#define ONEHOP_DELIVER_DELIVER_H

#include "base/trace.h"
#include "conf/conf.h"
#include "msg/message.h"
#include "smtp/smarthost.h"
#include "spool/envelope.h"

struct delivery {
	const struct conf *conf;
	struct arena *arena;
	const struct trace *trace;
	struct smarthost *smarthost; /* may have been warmed */
	int64_t now;
};

/* Every recipient of e gets a state and, when it is not SENT, a fail; one that only had to wait for
 * another stays RCPT_WAITING.  Main log lines go to the trace. */
void deliver(const struct delivery *d, struct envelope *e, struct message *m);
#endif
