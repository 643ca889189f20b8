/* maildir.h - into a Maildir: tmp, fsync, new, fsync of the directory (doc/EXIM 12). */
#ifndef ONEHOP_LOCAL_MAILDIR_H
#define ONEHOP_LOCAL_MAILDIR_H

#include "local/letter.h"

/* The Maildir that the option maildir_directory means for this home ("$home" is replaced).
 * NULL: not absolute. */
const char *maildir_path(struct arena *a, const char *option, const char *home);
/* Deliver, making what is missing of path, tmp, new and cur with mode 0700.  The file is
 * new/SECS.IMESSAGE-IDHRECIPIENT_0.HOST, 0600, and never visible before it is whole and on the
 * disk; one that is there already, and as large, is this delivery's, made by an earlier try. False:
 * TEMP; nothing is left behind. */
bool maildir_deliver(struct letter *l, struct arena *a, const char *path, struct fail *f) NODISCARD;
#endif
