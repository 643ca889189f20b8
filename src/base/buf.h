/* buf.h - growing byte buffer with a hard limit and a sticky error.
 *
 * Appending past max, or running out of memory, sets .bad and keeps the
 * contents; later appends do nothing.  Test buf_ok() once, at the end. */
#ifndef ONEHOP_BASE_BUF_H
#define ONEHOP_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"
#include "base/str.h"

struct buf {
	char *p;    /* never NULL after the first append; p[n] == 0 */
	size_t n;   /* bytes in use, may include NUL bytes */
	size_t cap; /* bytes allocated */
	size_t max; /* limit on n */
	bool bad;
};

#define BUF_INIT(limit) \
	{ \
		.max = (limit) \
	}
#define AUTO_BUF __attribute__((cleanup(buf_free)))

void buf_add(struct buf *b, const void *p, size_t n);
/* Append what people may be shown of s (str_shown()); tabs stay, and '?' stands for the rest. */
void buf_shown(struct buf *b, struct str s);
void buf_put(struct buf *b, struct str s);
void buf_str(struct buf *b, const char *s);
void buf_char(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) PRINTF(2, 3);
/* Room for n more octets behind what is in use, to be filled and then counted; NULL: .bad. */
char *buf_room(struct buf *b, size_t n) NODISCARD;
void buf_filled(struct buf *b, size_t n);
void buf_reset(struct buf *b);
void buf_wipe(struct buf *b); /* zero the bytes (secrets), keep it usable */
void buf_free(struct buf *b);
bool buf_ok(const struct buf *b) NODISCARD;
/* What is in it, valid until the next append. */
static inline struct str
buf_get(const struct buf *b)
{
	return str_at(b->n > 0 ? b->p : "", b->n);
}
#endif
