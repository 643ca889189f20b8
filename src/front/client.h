/* client.h - the SMTP client at the other end of standard input and output.
 *
 * Replies are held back while there is more to read (RFC 2920), and every wait has a deadline. */
#ifndef ONEHOP_FRONT_CLIENT_H
#define ONEHOP_FRONT_CLIENT_H

#include <stdint.h>

#include "base/buf.h"

enum client_state {
	CLIENT_HERE,
	CLIENT_LOST,    /* the end of input, or an error */
	CLIENT_LATE,    /* a deadline has passed */
	CLIENT_ENDLESS, /* a line of CLIENT_LINE_MAX octets that does not end */
};

enum { CLIENT_LINE_MAX = 1 << 20 };

struct client {
	int in, out;
	uint64_t line_timeout, data_timeout; /* seconds: for a command, for the next octets */
	enum client_state state;
	bool broken; /* CLIENT_LOST by an error of reading, not by the end */
	bool batch;  /* only what is wrong is said */
	int refused; /* the last reply from 400 up, 0: none */
	struct buf replies;
	size_t pos, len;
	char buf[8192];
};

/* What BUF_INIT() is to a buf; client_free() it. */
void client_init(struct client *c, int in, int out);
void client_free(struct client *c);
/* The next line without its line end.  *crlf: that was CRLF, not a bare LF.  *whole: it fitted
 * into line->max, else only its first octets are in line.  False: there is none, see state (what
 * came without a line end is dropped). */
bool client_line(struct client *c, struct buf *line, bool *crlf, bool *whole) NODISCARD;
/* The next octets, 1 to max, valid until the next call; what is not wanted of them is given back
 * by client_unread() (its length).  False: see state. */
bool client_octets(struct client *c, uint64_t max, struct str *out) NODISCARD;
void client_unread(struct client *c, size_t n);
/* One reply (in a batch, if it is from 400 up); text that is long becomes several lines, what is
 * not printable ASCII '?'. dsn may be NULL.  more: further lines of the same reply follow. */
void client_reply(struct client *c, int code, bool more, const char *dsn, const char *fmt, ...)
    PRINTF(5, 6);
/* Write what is held back.  False: the client has gone. */
bool client_flush(struct client *c) NODISCARD;
#endif
