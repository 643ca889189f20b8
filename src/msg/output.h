/* output.h - a message on its way out: line ends, dots, long lines.
 *
 * One writer for SMTP and LMTP.  A stray CR never leaves (SMTP smuggling), dots are doubled,
 * and a line over 998 octets does not lose the mail: header fields are folded, a text body is
 * re-encoded (quoted-printable or base64) where MIME allows it without touching a signed part,
 * otherwise it is sent as it is and the caller is told so. */
#ifndef ONEHOP_MSG_OUTPUT_H
#define ONEHOP_MSG_OUTPUT_H

#include "base/buf.h"
#include "msg/message.h"

enum { LINE_MAX_OCTETS = 998 }; /* RFC 5321 4.5.3.1.6 without CRLF */

/* What has to be done to the message for this server; decided once, before the first octet. */
struct output_plan {
	enum { BODY_AS_IS, BODY_QP, BODY_BASE64 } encode;
	bool long_lines;  /* lines over 998 octets are left in: log it */
	bool needs_8bit;  /* 8-bit octets are left in the body */
	uint64_t size;    /* an upper bound of the octets on the wire, for SIZE= */
};

/* server_8bit: the server offers 8BITMIME.  Headers in m may be replaced (folded, CTE changed). */
struct output_plan output_plan(struct message *m, bool server_8bit);

struct output {
	const struct message *m;
	struct output_plan plan;
	bool stuff_dots; /* DATA; false for BDAT */
	/* private */
	size_t header;
	uint64_t at;
	unsigned column;
	bool body_started, line_start, done;
};

/* Append the next piece (at most about 64 KiB) in wire form to out; *more is false when all has been
 * given (the final "." is the session's).  False: the body could not be read: TEMP/DATA. */
bool output_next(struct output *o, struct buf *out, bool *more, struct fail *f) NODISCARD;
#endif
