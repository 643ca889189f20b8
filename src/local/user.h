/* user.h - a local user, and what anybody may know of one. */
#ifndef ONEHOP_LOCAL_USER_H
#define ONEHOP_LOCAL_USER_H

#include "base/arena.h"
#include "base/fail.h"

/* Debian's conditions for the routers procmail and maildrop. */
#define PROCMAIL "/usr/bin/procmail"
#define PROCMAILRC "/etc/procmailrc"
#define MAILDROP "/usr/bin/maildrop"

struct user {
	const char *name, *home, *shell;
	unsigned uid, gid;
};

/* The passwd entry.  1 found, 0 no such user (f: PERM), -1: the user database does not answer
 * (f: TEMP). */
int user_find(struct arena *a, const char *name, struct user *u, struct fail *f) NODISCARD;
/* May this process act as u? */
bool user_may_become(const struct user *u);
/* True: it is certain that there is no .forward, and nothing for procmail and maildrop to do, so
 * that nobody has to become the user to find out.  Anybody may ask. */
bool user_has_no_filter(struct arena *a, const struct user *u);
#endif
