/* redact.h - a secret that a server repeats is not shown (doc/SECURITY 1).
 *
 * Its forms are those in which it leaves: as it is (a token without its mark), in base64 wherever
 * it stands there, in PLAIN's blob; and what secret_left() has been told of. */
#ifndef ONEHOP_CONF_REDACT_H
#define ONEHOP_CONF_REDACT_H

#include "conf/secret.h"

enum { REDACT_RUN = 6 };

/* Make a line of a server's reply fit to be shown, logged and kept.  Of one that belongs to a login
 * the code, the enhanced code and the words of phrases.def stay, all else becomes "***".  Then, in
 * any line, each run of REDACT_RUN octets of a form of the secret is starred, and the whole of a
 * shorter one; in base64 the whole word. */
void secret_show(const struct secret *s, bool login, struct buf *line);
/* This has gone out, too: what shows that we know the secret, in clear (CRAM's digest, SCRAM's
 * proof), or a response in base64. */
void secret_left(struct secret *s, bool base64, struct str sent);
#endif
