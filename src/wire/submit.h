/* submit.h - the submission protocol: how onehop hands a finished message to onehop-send (all
 * letters and their fields: wire/PROTOCOL).
 *
 * The same through every door (doc/ARCHITECTURE 2).  A record is one letter, a 32-bit big-endian
 * length and that many bytes.  The reader treats the writer as hostile: sizes, counts, addresses
 * and header shapes are checked again.
 *
 *   to onehop-send                          from onehop-send
 *   V version "2", flags (v d), connect     T kind + line: transcript and log (base/trace.h)
 *     to the smarthost now, delivery mode     or a word: serving, id, safe, unsafe
 *   E envelope                              R verdict on one recipient, in order
 *   R one recipient (repeated)              Z the end: a fail for the whole, if any; stays, busy
 *   H one header field (repeated)
 *   B body bytes, at most 64 KiB (repeated), or F (empty): the body is the file whose
 *     descriptor came with this record (SCM_RIGHTS)
 *   G go: the message is complete; the body's properties
 *   the octet SUBMIT_LEAVES, no record: he does not wait for Z, and counts on safe
 * A connection that ends before G means: forget it, the caller still owns the message.
 *
 * Who has the message?  safe: it is not the caller's any more, whatever comes, should Z not come,
 * either; unsafe: it is his again.  Before any of the two it is his.
 *
 * Two words say that a caller may come again with the same message, and when he may not:
 *   serving  the first record: somebody is there.
 *   busy     Z with a fail and 1 in the field busy: nothing was taken, for the reason in the fail.
 * Where there is no word the end of the connection speaks (submit_untaken()): before G was sent
 * whole, or with a part of what was sent unread (ECONNRESET: G is the last of it), nothing was
 * taken.  An end that comes when all was read says nothing: the message may have been delivered.
 *
 * A third, id, says the one that the message has got, which another user than onehop-send's does
 * not choose, before anything is taken.
 *
 * None of these words needs to be understood, so any onehop works with any onehop-send that says
 * "2": to an onehop that does not know them serving is "not safe yet", which it took for granted,
 * and busy is a failure for now in words; and an onehop-send that says neither is told by how it
 * ends. */
#ifndef ONEHOP_WIRE_SUBMIT_H
#define ONEHOP_WIRE_SUBMIT_H

#include "base/buf.h"
#include "base/trace.h"
#include "mail/message.h"
#include "wire/envelope.h"

enum {
	SUBMIT_RECORD_MAX = HEADER_MAX + 4096,
	SUBMIT_FIELD_MAX = 64 * 1024,
	SUBMIT_RECIPIENTS_MAX = 50000,
	SUBMIT_ENVELOPE_MAX = 4 << 20, /* octets of all its addresses and what stands with them */
	SUBMIT_FIELDS_MAX = 10000      /* of the header */
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
 * than SUBMIT_RECIPIENTS_MAX, or something is too long.  What submit_has_room() says. */
bool submit_message(int fd, const struct envelope *e, struct message *m, struct fail *f) NODISCARD;
/* The same behind records that are held already. */
struct record_out;
bool submit_put(
    struct record_out *o, const struct envelope *e, struct message *m, struct fail *f) NODISCARD;
/* The header has so many fields, the recipients so many octets.  False: USER, exit 65: more than
 * SUBMIT_FIELDS_MAX, SUBMIT_ENVELOPE_MAX. */
bool submit_has_room(size_t fields, size_t envelope, struct fail *f) NODISCARD;
/* What is heard of the other side.  Make it with SUBMIT_TALK(). */
struct submit_talk {
	int fd;
	bool (*wait)(void *ctx, int fd); /* as struct record_in has it */
	void *ctx;
	bool serving;    /* it said so */
	bool ended;      /* Z came */
	bool busy;       /* and said that nothing was taken */
	bool stays;      /* and that it goes on with other mail: it is not to be waited for */
	bool unread;     /* it left, and did not read all that it was given */
	char id[ID_MAX]; /* under which the message goes there; "": as it was given */
};
#define SUBMIT_TALK(door) \
	{ \
		.fd = (door) \
	}
/* Hear transcript lines (to t) and verdicts (into e->rcpts, strings in a) until Z.
 * False: TEMP: the other side went away or said that all of it failed; recipients that
 * have a verdict keep it. */
bool submit_result(struct submit_talk *talk, struct envelope *e, struct arena *a,
    const struct trace *t, struct fail *f) NODISCARD;
/* Is this T the word serving?  Then it is noted. */
bool submit_is_serving(struct submit_talk *talk, struct str payload);
/* The payload of Z: false when it says that all failed. */
bool submit_end(struct submit_talk *talk, struct str payload, struct fail *f) NODISCARD;
/* It failed.  Is it certain that the other side took nothing?  given: it was sent all. */
bool submit_untaken(const struct submit_talk *talk, bool given);

/* --- the other side (onehop-send) --- */
bool submit_accept(int fd, struct submit_hello *h, struct fail *f) NODISCARD;
/* The first record behind it: true when it is Q, whose payload is then in payload: read with
 * wire/control.h (empty when it was cut off).  It is not taken off the socket when it is another.
 */
bool submit_is_control(int fd, struct buf *payload);
/* Reads to G; wait as struct record_in has it.  Every address has passed mailbox_ok(), every header
 * field scan_field_name().
 * False: USER (hostile or broken frame) or TEMP (connection ended): nothing was accepted, e has no
 * recipients. */
bool submit_receive(int fd, bool (*wait)(void *ctx, int fd), struct arena *a, struct envelope *e,
    struct message *m, struct fail *f) NODISCARD;
/* The same from a process of onehop's own, which hands on what was accepted before. */
bool submit_receive_own(
    int fd, struct arena *a, struct envelope *e, struct message *m, struct fail *f) NODISCARD;
/* One T record; false: it cannot be written. */
bool submit_line(int fd, enum trace_kind kind, struct str line);
/* What the caller hears while it goes on: a trace that writes T records to fd, and the words, each
 * if it can be written. */
struct submit_trace {
	int fd;
	enum submit_flags flags;
	bool taken; /* he has been told that his message is not his any more */
};
struct trace submit_trace(struct submit_trace *t);
void submit_serving(int fd);
void submit_named(const struct submit_trace *t, const char *id);
/* Safe or unsafe. */
void submit_safe(struct submit_trace *t, bool safe);
enum submit_ending {
	SUBMIT_DONE,
	SUBMIT_STAYS, /* there is more to do behind this, nothing of which concerns the caller */
	SUBMIT_BUSY,  /* nothing was taken; whole says why */
};
/* After the verdicts, nothing more is said: has the other end read them?  False: it is gone and has
 * not.  Waits until it hangs up, and for SUBMIT_HEARD_SECONDS at most; one that still has not read
 * may do so. */
enum { SUBMIT_HEARD_SECONDS = 5 };
/* Has the other end hung up without a word?  A caller who is told to stop and does not wait any
 * longer says SUBMIT_LEAVES when he goes away with the success that safe promised. */
#define SUBMIT_LEAVES "k"
bool submit_gone(int fd);
bool submit_heard(int fd);
bool submit_verdicts(int fd, const struct envelope *e, const struct fail *whole,
    enum submit_ending how, struct fail *f) NODISCARD;
#endif
