/* output.h - a message on its way out: line ends, dots, long lines.
 *
 * One writer for SMTP and LMTP.  A stray CR never leaves (SMTP smuggling), dots are doubled,
 * and what the wire cannot carry does not lose the mail: header fields over 998 octets are folded,
 * a part of the body with such lines, NUL, or 8-bit text for a server without 8BITMIME is
 * re-encoded (quoted-printable or base64) where MIME allows it without touching a signed part.
 * Elsewhere long lines and 8-bit text are sent as they are, as Exim does, and NUL cannot be sent.
 */
#ifndef ONEHOP_NET_OUTPUT_H
#define ONEHOP_NET_OUTPUT_H

#include "base/buf.h"
#include "mail/message.h"
#include "net/encode.h"

enum { LINE_MAX_OCTETS = 998 }; /* RFC 5321 4.5.3.1.6 without CRLF */

/* A stretch of the body on the wire. */
struct piece {
	enum {
		PIECE_TEXT,   /* as it is */
		PIECE_WRAP,   /* base64 with long lines: broken into lines of 76 octets */
		PIECE_QP,     /* encoded */
		PIECE_BASE64, /* encoded */
	} kind;
	const char *mem;   /* text that stands in for body octets (a part's header), or NULL */
	uint64_t from, to; /* octets of the body, or of mem */
};

/* What has to be done to the message for this server; decided once, before the first octet.
 * Its memory is the message's arena; the message itself is not changed. */
struct output_plan {
	const struct header *headers; /* as they leave: folded, Content-Transfer-Encoding set */
	size_t nheaders;
	const struct piece *pieces; /* the body, in order */
	size_t npieces;
	bool long_lines; /* lines over 998 octets are left in: log it */
	bool needs_8bit; /* 8-bit octets are left in the body */
	bool has_nul;    /* NUL is left in it: servers cut the line there, it must not go */
	uint64_t size; /* for SIZE=: as Exim's, and at least the octets sent but for doubled dots */
};

/* server_8bit: the server offers 8BITMIME. */
struct output_plan output_plan(const struct message *m, bool server_8bit);

struct output {
	const struct message *m;
	struct output_plan plan;
	bool stuff_dots; /* DATA; false for BDAT */
	/* private */
	size_t header, piece; /* where we are: a field, behind the fields a piece */
	uint64_t at;          /* octets of it that are out */
	struct encode encode;
	char *scratch; /* what was read from the body's file */
	bool mid_line, after_cr, body_started, done;
};

/* Append the next piece (at most about 64 KiB) in wire form to out; *more is false when all has
 * been given (the final "." is the session's).  False: the body could not be read: TEMP/DATA. */
bool output_next(struct output *o, struct buf *out, bool *more, struct fail *f) NODISCARD;
#endif
