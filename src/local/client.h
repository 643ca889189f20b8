/* client.h - the caller's side of onehop-local: start it for one user, hear what became of it. */
#ifndef ONEHOP_LOCAL_CLIENT_H
#define ONEHOP_LOCAL_CLIENT_H

#include "base/trace.h"
#include "conf/conf.h"
#include "mail/message.h"
#include "route/route.h"

/* One local delivery: all that the headers in front of the message need. */
struct local_job {
	const struct route *route; /* transport, user, path */
	const char *sender;        /* "" null */
	/* Original recipients that ended here: route_envelope_to(). */
	const char *const *envelope_to;
	size_t nenvelope_to;
	const char *id; /* of the message, for a pipe's MESSAGE_ID; NULL: none */
	int64_t now;
	/* Asked once, when it has taken so long: true: it is waited for; false: it is not, another
	 * process does (this one was forked). */
	bool (*slow)(void *ctx);
	void *ctx;
	int64_t slow_ms;
};

/* May this process deliver to user?  Asked before anything is sent.  False: TEMP/DOOR as above, or
 * what local_deliver() would say of the user. */
bool local_may_deliver(struct arena *a, const char *user, struct fail *f) NODISCARD;
/* Deliver.  When slow() has said false it is not known what becomes of it, and *f is not set. True:
 * file and directory are synced (or the pipe's program said 0). False: TEMP (try again) or PERM
 * (the program's words are in the text). */
bool local_deliver(
    const struct conf *c, const struct local_job *job, struct message *m, struct fail *f) NODISCARD;

/* The two questions of struct route_env; asker is a struct local_asker.  The probe asks
 * onehop-local what user has in the home; when everybody can see that there is nothing, it is not
 * asked.  Without the right to become user: TEMP/DOOR with the sentence that says which door to
 * open. */
struct local_asker {
	const struct conf *conf;
	struct arena *arena;
};
bool local_probe_for_route(
    void *asker, const char *user, bool skip_forward, struct probe *out, struct fail *f) NODISCARD;
int local_user_exists(void *asker, const char *user);
#endif
