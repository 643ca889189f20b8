/* watch.h - work with a user's rights in a process of its own: what the user does to that (a
 * signal, a file that never answers, a program that never ends) holds up nobody else. */
#ifndef ONEHOP_LOCAL_WATCH_H
#define ONEHOP_LOCAL_WATCH_H

#include "base/buf.h"
#include "base/fail.h"

struct watched {
	void (*work)(void *ctx, int out); /* writes its reply to out; may become another user */
	void *ctx;
	const char *user; /* for messages */
	unsigned seconds;
};

/* Do it in a child that has our descriptors 0 and 2, a session of its own, and out as descriptor 1.
 * True: it has ended, *reply is what it wrote.  False: TEMP: it was stopped, did not end in time,
 * or wrote more than reply holds: then it is killed, with its session, and not waited for when that
 * does not end it at once (a system call that a file system does not answer); or it said nothing.
 */
bool watch_work(const struct watched *w, struct buf *reply, struct fail *f) NODISCARD;
#endif
