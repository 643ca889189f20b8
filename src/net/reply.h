/* reply.h - one SMTP reply from a byte stream (RFC 5321 section 4.2).
 *
 * Pure: no I/O, no allocation.  The caller reads lines and feeds them. */
#ifndef ONEHOP_NET_REPLY_H
#define ONEHOP_NET_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/str.h"

enum {
	REPLY_LINE_MAX = 4096,
	REPLY_LINES_MAX = 128,
	REPLY_MAX = 65536,
	REPLY_WORDS_MAX = 2 * REPLY_MAX, /* the lines of a reply joined into one */
};

enum reply_step {
	REPLY_MORE, /* continuation line taken: feed the next */
	REPLY_DONE, /* last line taken: r is complete */
	REPLY_BAD,  /* not SMTP: drop the connection */
};

struct reply {
	int code;       /* 200..599 */
	unsigned lines; /* lines taken so far */
	size_t bytes;
	unsigned enh[3]; /* RFC 3463 x.y.z of the last line, all 0 if absent */
};

/* Take one line without its CRLF.  Start with a zeroed struct. */
enum reply_step reply_feed(struct reply *r, struct str line) NODISCARD;
#endif
