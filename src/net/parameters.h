/* parameters.h - ESMTP parameters of MAIL and RCPT (RFC 1870, 3461, 6152), and what may stand in a
 * path.  Pure. */
#ifndef ONEHOP_NET_PARAMETERS_H
#define ONEHOP_NET_PARAMETERS_H

#include "base/buf.h"
#include "wire/envelope.h"

/* Append s as xtext (RFC 3461 4). */
void parameters_xtext(struct buf *out, const char *s);
/* The same backwards, into a.  False: it is none. */
bool parameters_xtext_read(struct arena *a, struct str s, struct str *out) NODISCARD;
/* May it stand between < and >?  Nothing in it ends the path early. */
bool parameters_path_ok(const char *path);
/* The bit of enum rcpt_notify for a word of NOTIFY, its case ignored; 0: there is no such word. */
unsigned parameters_notify(struct str word);
/* Is SMTPUTF8 (RFC 6531) needed for the sender, or for one of e's recipients which[0..n)?  For a
 * local part in UTF-8; a domain has its A-labels.  Not for a raw 8-bit Subject, as cron writes it:
 * relays bounce what says SMTPUTF8 to hosts that lack it, and pass the same on without. */
bool parameters_need_utf8(const struct envelope *e, const size_t *which, size_t n);
/* Append to out what MAIL says to a server that has these (enum caps). */
struct mail_wants {
	uint64_t size;
	bool body_8bit, utf8;
	const char *auth; /* for AUTH= (RFC 4954 section 5), or NULL */
};
void parameters_mail(
    unsigned have, const struct envelope *e, const struct mail_wants *w, struct buf *out);
/* Does e, with these recipients, ask for what RFC 3461 has? */
bool parameters_want_dsn(const struct envelope *e, const size_t *which, size_t n);
/* Append NOTIFY= and ORCPT= when the server (enum caps) takes them and they were asked for. */
void parameters_rcpt(unsigned have, const struct rcpt *r, struct buf *out);
#endif
