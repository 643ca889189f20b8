/* request.h - what is said between onehop (or onehop-send) and onehop-local.
 *
 * onehop-local VERB USER, VERB being "probe", "deliver" or "spool"; or, where the caller may not
 * become that user, LOCAL_SOCKET, behind which a superserver starts "onehop-local serve" as root
 * for each connection of user onehop: then a frame with VERB and USER comes first.  On its standard
 * input: a frame with the request, then (deliver, spool) the message: header, empty line, body, LF
 * line ends, exactly as many octets as the request says; a message that ends early is not
 * delivered. On its standard output: a frame with the reply.  A frame is eight decimal digits and
 * that many octets: fields as wire/record.h has them.  Each side treats the other as hostile:
 * sizes are limited, control characters refused. */
#ifndef ONEHOP_WIRE_REQUEST_H
#define ONEHOP_WIRE_REQUEST_H

#include "base/buf.h"
#include "base/fail.h"
#include "route/route.h"

#define LOCAL_SOCKET "/run/onehop/local"

enum {
	FRAME_LENGTH = 8,    /* digits in front */
	FRAME_MAX = 1 << 22, /* octets of the fields */
};

/* So long onehop-local waits for what a user controls: what he has at home; his programs (an hour,
 * local/pipe.h), locks and file systems.  Then it ends that, and says so: whoever asks waits
 * ANSWER_SECONDS more. */
enum { PROBE_SECONDS = 60, DELIVER_SECONDS = 3600 + 300, ANSWER_SECONDS = 120 };

struct local_request {
	bool skip_forward;        /* probe */
	enum transport transport; /* deliver: what follows is for it */
	const char *path;         /* FILE, DIRECTORY, PIPE: as it stands in the user's .forward */
	const char *maildir;      /* conf's maildir_directory */
	const char *host;         /* primary_hostname, for names in Maildirs and locks */
	const char *qualify;      /* qualify_domain */
	const char *id;           /* of the message, or "" */
	const char *sender;       /* "" null */
	const char *recipient;    /* local@domain */
	const char *const *envelope_to;
	size_t nenvelope_to;
	uint64_t now;  /* seconds, for Delivery-date and From_ */
	uint64_t size; /* of the message */
};

/* Read a frame.  False: it ended early, is too long, or has control characters. */
bool frame_read(int fd, struct arena *a, struct str *fields) NODISCARD;

/* The frame in front, for LOCAL_SOCKET.  Reading: false when it is none. */
void opening_write(const char *verb, const char *user, struct buf *out);
bool opening_read(int fd, struct arena *a, const char **verb, const char **user) NODISCARD;
/* Append the frame.  False: PERM: a value cannot be said (control character). */
bool request_write(const struct local_request *r, struct buf *out, struct fail *f) NODISCARD;
/* Read the frame; the message is left unread.  All strings are set.  False: TEMP. */
bool request_read(int fd, struct arena *a, struct local_request *r, struct fail *f) NODISCARD;

/* Append the frame that says done; what a probe found goes along (NULL: nothing was asked). */
void reply_ok(struct buf *out, const struct probe *p);
void reply_fail(struct buf *out, const struct fail *why);
/* True: it is done; p (may be NULL) is filled.
 * False: *f is what the other side failed with, or TEMP: it said nothing that makes sense. */
bool reply_read(struct str fields, struct arena *a, struct probe *p, struct fail *f) NODISCARD;
#endif
