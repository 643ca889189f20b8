/* quote.c - "From " at the start of a line. */
#include "mail/quote.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const char from[] = "From ";

void
quote_put(struct quote *q, struct buf *out, struct str s)
{
	while (s.n > 0) {
		size_t n;

		if (!q->in_line && s.p[0] == from[q->held]) {
			s = str_skip(s, 1);
			if (++q->held < sizeof from - 1)
				continue;
			buf_char(out, '>');
		}
		buf_add(out, from, q->held);
		n = str_find(s, '\n');
		q->in_line = n == s.n;
		q->held = 0;
		n += n < s.n;
		buf_add(out, s.p, n);
		s = str_skip(s, n);
	}
}

void
quote_end(const struct quote *q, struct buf *out)
{
	buf_add(out, from, q->held);
}
