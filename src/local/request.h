/* request.h - what is said between onehop (or onehop-send) and onehop-local.
 *
 * onehop-local VERB USER, VERB being "probe" or "deliver".  On its standard input: eight
 * hexadecimal digits and a newline, that many bytes of "name value\n" lines, then (deliver) the
 * message: header, empty line, body, LF line ends, exactly as many bytes as the line "size" says; a
 * message that ends early is not delivered.  On its standard output: lines, the last of which is
 * "ok" or "fail ...". Each side treats the other as hostile: sizes are limited, control characters
 * refused. */
#ifndef ONEHOP_LOCAL_REQUEST_H
#define ONEHOP_LOCAL_REQUEST_H

#include "base/buf.h"
#include "base/fail.h"
#include "route/route.h"

enum {
	REQUEST_MAX = 1 << 22, /* octets of the lines */
	REPLY_MAX = 1 << 22,
};

struct local_request {
	bool skip_forward;        /* probe */
	enum transport transport; /* deliver: what follows is for it */
	const char *path;      /* FILE, DIRECTORY, PIPE: as it stands in the user's own .forward */
	const char *maildir;   /* conf's maildir_directory */
	const char *host;      /* primary_hostname, for names in Maildirs and locks */
	const char *qualify;   /* qualify_domain */
	const char *id;        /* of the message, or "" */
	const char *sender;    /* "" null */
	const char *recipient; /* local@domain */
	const char **envelope_to;
	size_t nenvelope_to;
	uint64_t now;  /* seconds, for Delivery-date and From_ */
	uint64_t size; /* of the message */
};

/* Append the lines, with the length in front.  False: a value cannot be said (control character).
 */
bool request_write(const struct local_request *r, struct buf *out, struct fail *f) NODISCARD;
/* Read length and lines from fd; the message is left unread.  All strings are set.  False: TEMP. */
bool request_read(int fd, struct arena *a, struct local_request *r, struct fail *f) NODISCARD;

void reply_probe(struct buf *out, const struct probe *p);
void reply_ok(struct buf *out);
void reply_fail(struct buf *out, const struct fail *why);
/* True: "ok" came; p (may be NULL: nothing but ok is expected) is filled.
 * False: *f is what the other side failed with, or TEMP: it said nothing that makes sense. */
bool reply_read(struct str text, struct arena *a, struct probe *p, struct fail *f) NODISCARD;
#endif
