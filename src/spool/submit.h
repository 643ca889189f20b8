/* submit.h - the submission protocol: how onehop hands a finished message to onehop-send.
 *
 * The same through every door (DESIGN 2).  A record is one letter, a 32-bit big-endian length and
 * that many bytes.  The reader treats the writer as hostile: sizes, counts, addresses and
 * header shapes are checked again.
 *
 *   to onehop-send                          from onehop-send
 *   V version "2", flags (v d), connect now, T kind + line: transcript and log (base/trace.h)
 *   C (empty): connect to the smarthost     R verdict on one recipient, in order
 *     now, the message comes                  (TRACE_TAKEN: is it safe should Z not come?)
 *                                           Z the end; a fail for the whole, if any
 *   E envelope
 *   R one recipient (repeated)
 *   H one header field (repeated)
 *   B body bytes, at most 64 KiB (repeated), or F (empty): the body is the file whose
 *     descriptor came with this record (SCM_RIGHTS)
 *   G go: the message is complete; the body's properties
 * A connection that ends before G means: forget it, the caller still owns the message. */
#ifndef ONEHOP_SPOOL_SUBMIT_H
#define ONEHOP_SPOOL_SUBMIT_H

#include "base/buf.h"
#include "base/trace.h"
#include "msg/message.h"
#include "spool/envelope.h"

enum {
	SUBMIT_RECORD_MAX = HEADER_MAX + 4096,
	SUBMIT_FIELD_MAX = 64 * 1024,
	SUBMIT_RECIPIENTS_MAX = 50000
};

enum submit_flags { SUBMIT_VERBOSE = 1, SUBMIT_DEBUG = 2 };

/* --- the caller's side (onehop); fd is a connected stream socket --- */
struct submit_hello {
	enum submit_flags flags;
	bool connect_now;
	unsigned delivery; /* enum conf_delivery; above it: as the configuration says */
};
bool submit_hello(int fd, const struct submit_hello *h, struct fail *f) NODISCARD;
/* False: TEMP: the other side has gone; submit_result() may have its reason.  USER: more recipients
 * than SUBMIT_RECIPIENTS_MAX, or something is too long. */
bool submit_message(int fd, const struct envelope *e, struct message *m, struct fail *f) NODISCARD;
/* The same behind records that are held already. */
struct record_out;
bool submit_put(
    struct record_out *o, const struct envelope *e, struct message *m, struct fail *f) NODISCARD;
/* Hear transcript lines (to t) and verdicts (into e->rcpts, strings in a) until Z.  *stays: the
 * other side goes on with other mail, it is not to be waited for.
 * False: TEMP: the other side went away or said that all of it failed; recipients that
 * have a verdict keep it. */
bool submit_result(int fd, struct envelope *e, struct arena *a, const struct trace *t, bool *stays,
    struct fail *f) NODISCARD;
/* The payload of Z: false when it says that all failed. */
bool submit_end(struct str payload, bool *stays, struct fail *f) NODISCARD;

/* --- the other side (onehop-send) --- */
bool submit_accept(int fd, struct submit_hello *h, struct fail *f) NODISCARD;
/* The first record behind it: true when it is Q, whose payload is then in payload: read with
 * spool/control.h (empty when it was cut off).  It is not taken off the socket when it is another.
 */
bool submit_is_control(int fd, struct buf *payload);
/* Reads to G.  Every address has passed mailbox_ok(), every header field scan_field_name().
 * False: USER (hostile or broken frame) or TEMP (connection ended): nothing was accepted, e has no
 * recipients. */
bool submit_receive(
    int fd, struct arena *a, struct envelope *e, struct message *m, struct fail *f) NODISCARD;
/* The same from a process of onehop's own, which hands on what was accepted before. */
bool submit_receive_own(
    int fd, struct arena *a, struct envelope *e, struct message *m, struct fail *f) NODISCARD;
/* One T record, if it can be written. */
void submit_line(int fd, enum trace_kind kind, struct str line);
/* A trace that writes T records to fd. */
struct submit_trace {
	int fd;
	enum submit_flags flags;
};
struct trace submit_trace(struct submit_trace *t);
/* stays: there is more to do behind this, nothing of which concerns the caller. */
bool submit_verdicts(int fd, const struct envelope *e, const struct fail *whole, bool stays,
    struct fail *f) NODISCARD;
#endif
