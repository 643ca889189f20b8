/* deadletter.h - a message that was refused goes where its owner finds it: ~/dead.letter (mbox). */
#ifndef ONEHOP_FRONT_DEADLETTER_H
#define ONEHOP_FRONT_DEADLETTER_H

#include "mail/message.h"

struct deadletter {
	const char *home;   /* the owner's */
	unsigned uid;       /* ... and his */
	const char *sender; /* for the From line; "" is the null sender */
	int64_t now;
};

enum { DEADLETTER_MAX = 64 << 20 }; /* bytes of the file: what nobody reads does not fill a disk */

/* Append m to home/dead.letter: a regular file of uid with one link, made 0600, not through a
 * symbolic link; synced.  *path (in a) is where it is.  False: *f says why there is no copy. */
bool deadletter_write(const struct deadletter *l, struct arena *a, const struct message *m,
    const char **path, struct fail *f) NODISCARD;
#endif
