/* quote.h - "From " at the start of a line becomes ">From ", so that an mbox stays one.  Pure. */
#ifndef ONEHOP_MAIL_QUOTE_H
#define ONEHOP_MAIL_QUOTE_H

#include "base/buf.h"

/* Zero it where a line starts. */
struct quote {
	size_t held; /* octets of "From " at the start of the line that are not written yet */
	bool in_line;
};

/* Append the next octets of a text, in pieces of any size, and then its end. */
void quote_put(struct quote *q, struct buf *out, struct str s);
void quote_end(const struct quote *q, struct buf *out);
#endif
