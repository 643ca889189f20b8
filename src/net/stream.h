/* stream.h - a connection, whatever carries it.
 *
 * Kinds: a socket (net/socket.c), TLS over a socket (net/tls.c), a written dialogue
 * (tests/unit/script.c).  Blocking, with one absolute deadline for each phase: a byte a second
 * does not extend it.  No kind is known above this header. */
#ifndef ONEHOP_NET_STREAM_H
#define ONEHOP_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"

struct stream;

struct stream_ops {
	/* Read 1..n bytes; 0 at end of stream; -1 with errno (ETIMEDOUT at the deadline). */
	ptrdiff_t (*read)(struct stream *s, void *p, size_t n);
	/* Write all n bytes; 0 or -1 with errno. */
	int (*write)(struct stream *s, const void *p, size_t n);
	void (*close)(struct stream *s);
};

struct stream {
	const struct stream_ops *ops; /* NULL: closed, or never opened */
	void *ctx;                    /* owned by the kind */
	int fd;                       /* socket below, or -1 */
	int64_t deadline_ms; /* of the current phase, CLOCK_MONOTONIC (base/clock.h); 0: none */
	int64_t final_ms;    /* of the whole run; never exceeded; 0: none */
	unsigned turns;      /* write -> wait for the server, for tests/bench */
	bool wrote;          /* since the last read: the next read is a turn */
	const char
	    *why; /* what the kind knows beyond errno ("The TLS connection was ..."), or NULL */
	size_t in_pos, in_len;
	char in[4096];
};

/* A stream of this kind, with nothing read, no deadline, no turns. */
void stream_init(struct stream *s, const struct stream_ops *ops, void *ctx, int fd);
/* Start a phase of at most seconds (cut by final_ms). */
void stream_phase(struct stream *s, uint64_t seconds);
/* The text of the failure when the other side has closed the connection: Exim's words. */
#define STREAM_CLOSED "Remote host closed connection"
/* And when the deadline has passed. */
#define STREAM_LATE "the server did not answer in time"
/* Next line without its CRLF (a bare LF is taken too) into *line, valid until the next call.
 * Lines over line->max, a closed connection and a passed deadline fail: TEMP at that stage. */
bool stream_line(struct stream *s, struct buf *line, enum fail_stage at, struct fail *f) NODISCARD;
/* Write all of b.  False: TEMP at that stage; what has been sent is not known. */
bool stream_send(
    struct stream *s, const struct buf *b, enum fail_stage at, struct fail *f) NODISCARD;
/* Bytes read but not yet asked for.  Must be 0 when TLS starts (CVE-2011-0411 and its kind). */
size_t stream_pending(const struct stream *s);
/* Close it, whatever it is; a second call does nothing. */
void stream_close(struct stream *s);
#endif
