/* local.h - the caller's side of onehop-local: start it for one user, hear what became of it. */
#ifndef ONEHOP_LOCAL_LOCAL_H
#define ONEHOP_LOCAL_LOCAL_H

#include "base/trace.h"
#include "conf/conf.h"
#include "msg/message.h"
#include "route/route.h"

/* One local delivery: all that the headers in front of the message need. */
struct local_job {
	const struct route *route;         /* transport, user, path */
	const char *sender;                /* "" null */
	const char *const *envelope_to;    /* original recipients that ended here */
	size_t nenvelope_to;
	int64_t now;
};

/* route_env.probe: asks onehop-local what user has in the home.  Without the right to become user:
 * TEMP/DOOR with the sentence that says which door to open. */
bool local_probe(const struct conf *c, struct arena *a, const char *user, bool skip_forward,
    struct probe *out, struct fail *f) NODISCARD;
/* Deliver.  True: file and directory are synced (or the pipe's program said 0).
 * False: TEMP (try again) or PERM (the program's words are in the text). */
bool local_deliver(const struct conf *c, const struct local_job *job, struct message *m,
    struct fail *f) NODISCARD;
#endif
