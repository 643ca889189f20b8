/* become.h - from root, or from nobody in particular, to one local user, for good. */
#ifndef ONEHOP_LOCAL_BECOME_H
#define ONEHOP_LOCAL_BECOME_H

#include "local/user.h"

/* Become the user, with group mail when mail_group (and that group exists): only from uid 0, or
 * when we are the user already (then nothing changes).  uid 0 is never become. False: TEMP/DOOR
 * without the right, TEMP/LOCAL when the system refuses or could be undone. */
bool become_user(const struct user *u, bool mail_group, struct fail *f) NODISCARD;
#endif
