/* errand.h - the courier's own side: what runs in the confined process.  Of
 * send/courier.c, which has the protocol, and of -bV. */
#ifndef ONEHOP_NET_ERRAND_H
#define ONEHOP_NET_ERRAND_H

#include "base/trace.h"
#include "conf/conf.h"

struct errand {
	const struct conf *conf;
	bool everything; /* trace lines besides the log's are wanted */
};

/* The exit status of a process that could not give up root's rights is this and the errno. */
enum { ERRAND_STAYS_ROOT = 100 };

/* From here on this process has the rights that talking to the network needs (guard/confine.h); a
 * line of -d to t for each part of the confinement: that it is there, or why it is not.  False,
 * with errno: it has rights of root. */
bool errand_confine(const struct conf *c, struct arena *a, const struct trace *t) NODISCARD;
/* Of resolve_ask(): the same for a process that looks a name up. */
int errand_names(int fd);
/* Be confined, then do what is asked on fd until its end; errand: a struct errand.  The exit status
 * of the process. */
int errand_serve(void *errand, int fd);
#endif
