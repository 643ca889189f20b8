/* parameters.h - ESMTP parameters of RCPT (RFC 3461), and what may stand in a path.  Pure. */
#ifndef ONEHOP_SMTP_PARAMETERS_H
#define ONEHOP_SMTP_PARAMETERS_H

#include "base/buf.h"
#include "spool/envelope.h"

/* Append s as xtext (RFC 3461 4). */
void parameters_xtext(struct buf *out, const char *s);
/* The same backwards, into a.  False: it is none. */
bool parameters_xtext_read(struct arena *a, struct str s, struct str *out) NODISCARD;
/* May it stand between < and >?  Nothing in it ends the path early. */
bool parameters_path_ok(const char *path);
/* The bit of enum rcpt_notify for a word of NOTIFY, its case ignored; 0: there is no such word. */
unsigned parameters_notify(struct str word);
/* Append NOTIFY= and ORCPT= when the server (enum caps) takes them and they were asked for. */
void parameters_rcpt(unsigned have, const struct rcpt *r, struct buf *out);
#endif
