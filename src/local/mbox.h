/* mbox.h - onto the end of an mbox file, locked as everybody locks (doc/EXIM 12). */
#ifndef ONEHOP_LOCAL_MBOX_H
#define ONEHOP_LOCAL_MBOX_H

#include <sys/types.h>

#include "local/letter.h"

/* What the file PATH.lock says that is made here; one that nobody holds with flock(2) was left by a
 * program that died, and is not waited for. */
#define LOCK_MARK "onehop: held as long as it is locked\n"

struct mbox {
	const char *path;
	mode_t mode;      /* of a new file; bits beyond it are taken from an old one */
	unsigned tries;   /* for each lock */
	unsigned wait_ms; /* between them */
};

/* Append: From_ line, headers, message with its From_ lines quoted, empty line; synced.
 * The file must be regular, the user's own, with one link, not a symbolic link.
 * False: TEMP; the file is as it was. */
bool mbox_deliver(
    struct letter *l, struct arena *a, const struct mbox *m, struct fail *f) NODISCARD;
#endif
