/* deadletter.h - a message that was refused goes where its owner finds it: ~/dead.letter (mbox). */
#ifndef ONEHOP_CLI_DEADLETTER_H
#define ONEHOP_CLI_DEADLETTER_H

#include "msg/message.h"

/* Append m to home/dead.letter: a regular file of uid with one link, made 0600, not through a
 * symbolic link; synced.  *path (in a) is where it is.  False: *f says why there is no copy. */
bool deadletter_write(struct arena *a, const char *home, unsigned uid, const char *sender,
    const struct message *m, int64_t now, const char **path, struct fail *f) NODISCARD;
#endif
