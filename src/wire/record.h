/* record.h - the records of the submission protocol: a letter, a length, that many bytes.
 *
 * A payload is a row of NUL-terminated fields, numbers in decimal; wire/request.c uses them too.
 */
#ifndef ONEHOP_WIRE_RECORD_H
#define ONEHOP_WIRE_RECORD_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"

#define SUBMIT_PROTOCOL "2"
/* T with this for its kind is no line but a word about the message (wire/PROTOCOL 1). */
#define SUBMIT_WORD "5"
#define SUBMIT_SERVING SUBMIT_WORD "serving"
#define SUBMIT_NAMED SUBMIT_WORD "id " /* an id is behind it */
#define SUBMIT_SAFE SUBMIT_WORD "1"
#define SUBMIT_UNSAFE SUBMIT_WORD "0"

/* *f: the other side went away (TEMP), or said what it may not (USER).  Both return false. */
bool record_gone(struct fail *f);
bool record_broken(struct fail *f, const char *what);

/* Write one record. */
bool record_put(int fd, char letter, struct str payload, struct fail *f) NODISCARD;
bool record_put_buf(int fd, char letter, const struct buf *b, struct fail *f) NODISCARD;
/* Write an empty one that a descriptor comes along with. */
bool record_pass(int fd, char letter, int passed, struct fail *f) NODISCARD;
/* Many of them: held until there is no room for another, or record_flush(). */
struct record_out {
	int fd;
	size_t n;
	char held[4096];
};
void record_begin(struct record_out *o, int fd);
bool record_hold(struct record_out *o, char letter, struct str payload, struct fail *f) NODISCARD;
bool record_flush(struct record_out *o, struct fail *f) NODISCARD;
/* Of descriptors that come along regular files alone are kept.
 * Read one record; its payload is in b (emptied first).  *passed becomes a descriptor that came
 * along (the caller's; an earlier one is closed).  False: the end, an error, or too long. */
bool record_get(int fd, char *letter, struct buf *b, int *passed) NODISCARD;
/* The same where what comes along is a socket. */
bool record_get_socket(int fd, char *letter, struct buf *b, int *passed) NODISCARD;
/* The next of a row behind which nothing is said that another reads: octets are read ahead. */
struct record_in {
	int fd, passed; /* passed: -1 at first */
	/* Asked before each read, which may block: false is the end.  NULL: nobody is asked. */
	bool (*wait)(void *ctx, int fd);
	void *ctx;
	bool unread; /* the end: the other side has left, and not read all that it was given */
	size_t pos, len;
	unsigned char ahead[4096];
};
#define AUTO_RECORDS __attribute__((cleanup(record_close)))
void record_close(struct record_in *in); /* a descriptor that nobody took */
bool record_next(struct record_in *in, char *letter, struct buf *b) NODISCARD;

/* Append a field to a payload; NULL is the empty one. */
void record_add(struct buf *b, const char *z);
void record_add_number(struct buf *b, uint64_t v);
/* Take the next field off a payload: as a slice, as a number (0 when it is none), as a string
 * in the arena where an empty one is NULL, or is "". */
struct str record_field(struct str *rest);
uint64_t record_number(struct str *rest);
const char *record_optional(struct str *rest, struct arena *a);
const char *record_text(struct str *rest, struct arena *a);
/* A whole failure as a row of fields; one that makes no sense is read as TEMP/DOOR. */
void record_add_fail(struct buf *b, const struct fail *f);
void record_fail(struct str *rest, struct fail *out);
#endif
