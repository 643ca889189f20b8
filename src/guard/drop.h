/* drop.h - whose rights the process that talks to the network has.  Private to guard/. */
#ifndef ONEHOP_GUARD_DROP_H
#define ONEHOP_GUARD_DROP_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/trace.h"

struct drop_to {
	const char *name; /* of a user that is there, or will do without an entry */
	uid_t uid;
	gid_t gid;
	bool keeps_groups;
	bool elsewhere; /* cannot be become here */
};

/* Whom root becomes: onehop-net, else onehop, else nobody (65534 where even that has no name);
 * token: onehop, in all its groups, who may have been given the use of one.  Asks NSS and /proc. */
void drop_find(bool token, struct drop_to *to);
/* Root becomes that user, for good, and whoever calls has no capability any more; a line of -d to t
 * says who it is now.  What a change of user resets is set again: the end with the parent, no core,
 * no tracer.  Where root can become nobody else (a user namespace with root alone, a container
 * without CAP_SETUID or CAP_SETGID) it stays, without capabilities: no more than who owns its
 * files. False, with errno: rights of root are left. */
bool drop_rights(const struct drop_to *to, const struct trace *t) NODISCARD;
#endif
