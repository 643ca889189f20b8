/* forward.h - what a user has set up at home: .forward, procmail, maildrop.
 *
 * Called as that user.  .forward must be a regular file of the user's own with one link, not
 * writable by others, at most 64 KiB (doc/EXIM 11). */
#ifndef ONEHOP_LOCAL_FORWARD_H
#define ONEHOP_LOCAL_FORWARD_H

#include "local/become.h"
#include "route/route.h"

enum { FORWARD_MAX = 64 * 1024 };

/* The text of a .forward, without its file: what it asks for.  :include: files are read.
 * name is for messages.  False: TEMP. */
bool forward_parse(struct arena *a, struct str text, const char *name, struct probe *out,
    struct fail *f) NODISCARD;
/* What the user-level routers find.  False: TEMP with what to do about it. */
bool forward_probe(struct arena *a, const struct user *u, bool skip_forward, struct probe *out,
    struct fail *f) NODISCARD;
/* Does the user's .forward ask for this very file, directory or pipe?  False: TEMP. */
bool forward_asks(struct arena *a, const struct user *u, enum transport t, const char *text,
    struct fail *f) NODISCARD;
#endif
