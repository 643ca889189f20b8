/* letter.h - the message on its way into a mailbox: what is put in front, and the rest copied. */
#ifndef ONEHOP_LOCAL_LETTER_H
#define ONEHOP_LOCAL_LETTER_H

#include "base/buf.h"
#include "local/become.h"
#include "wire/request.h"

enum { LETTER_HEAD_MAX = 1 << 22, LETTER_CHUNK = 8192 };

struct letter {
	int fd;        /* the message is read from here */
	uint64_t left; /* octets of it that are not read yet */
	const struct local_request *rq;
	const struct user *user;
	int64_t sec; /* the clock */
};

/* "From SENDER DATE\n" of an mbox. */
void letter_from_line(const struct letter *l, struct buf *out);
/* Return-path, Envelope-to, Delivery-date.  Returns where in *out the last one begins, which is the
 * one that another try has otherwise. */
size_t letter_head(const struct letter *l, struct buf *out);
/* Up to n octets of the message; *got == 0 at its end.  False: TEMP: it ended before its size. */
bool letter_read(struct letter *l, void *p, size_t n, size_t *got, struct fail *f) NODISCARD;
/* All that is left of it to a file; quote_from: mail/quote.h.  False: TEMP; a part may have been
 * written. */
bool letter_copy(struct letter *l, int to, bool quote_from, struct fail *f) NODISCARD;
/* Append b.  False: TEMP (also when b went bad). */
bool letter_write(int to, const struct buf *b, struct fail *f) NODISCARD;
/* Make the name path last: sync the directory that it stands in.  True without doing so where we
 * may write and not read.  False: TEMP. */
bool letter_sync_directory(struct arena *a, const char *path, struct fail *f) NODISCARD;
#endif
