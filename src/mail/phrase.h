/* phrase.h - making parts of a mailbox out of free text (a full name, a login).  Pure. */
#ifndef ONEHOP_MAIL_PHRASE_H
#define ONEHOP_MAIL_PHRASE_H

#include "base/buf.h"

/* Append name as the display name of a mailbox: as it is, with the words quoted that need it
 * (RFC 5322 3.2.5), or as encoded words (RFC 2047, UTF-8, Q) when it has 8-bit bytes; the choice
 * is Exim's.  Control characters become blanks: a name cannot add a field. */
void phrase_put(struct buf *out, struct str name);
/* Append a local part, quoted if it is not dots and atoms (RFC 5322 3.4.1). */
void local_part_put(struct buf *out, struct str local);
#endif
