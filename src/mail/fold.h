/* fold.h - header fields with lines too long for SMTP (RFC 5322 2.2.3).  Pure. */
#ifndef ONEHOP_MAIL_FOLD_H
#define ONEHOP_MAIL_FOLD_H

#include "base/arena.h"

/* Does a line of the field have more than max octets (LF not counted)? */
bool fold_needed(struct str field, size_t max);
/* The field with its lines broken to at most max octets: in front of a blank where there is one
 * outside quotes, else behind a comma, else in front of a quoted blank; a longer word is cut.
 * Unfolding gives the field again, but for a blank behind such a comma or within such a word. */
struct str fold_field(struct arena *a, struct str field, size_t max);
#endif
