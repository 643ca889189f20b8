/* dots.h - the text behind DATA: dots taken off, its end found (RFC 5321 4.5.2).  Pure.
 *
 * SMTP smuggling needs two programs that disagree on where a message ends.  So there is one line
 * end here, that of the client's commands: CRLF, and then a line feed or a carriage return alone
 * neither begins a line nor ends the message; or, for a program that says each command with a
 * bare line feed (no relay does), the line feed. */
#ifndef ONEHOP_FRONT_DOTS_H
#define ONEHOP_FRONT_DOTS_H

#include "base/str.h"

/* Zero it at the start of a message. */
struct dots {
	bool bare_lf; /* the line end is LF, with or without a CR in front */
	bool ended;   /* the lone dot was seen, with its line end */
	/* private */
	enum { DOTS_START, DOTS_DOT, DOTS_DOT_CR, DOTS_TEXT } state;
	bool after_cr; /* the octet before was a CR */
};

/* The next piece of the text, cut off the front of *in; it may be empty.  Ask until *in is empty or
 * the message has ended; what is then left in *in are further commands. */
struct str dots_next(struct dots *d, struct str *in);
#endif
