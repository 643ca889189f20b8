/* dots.c - the text behind DATA. */
#include "front/dots.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Up to and with the first line end that has a dot, or nothing, behind it. */
static struct str
text(struct dots *d, struct str *in)
{
	struct str s = *in;
	size_t at = 0;
	bool starts = false;

	while (at < s.n && !(starts && s.p[at] == '.')) {
		size_t n = str_find(str_skip(s, at), '\n');
		bool cr = n > 0 ? s.p[at + n - 1] == '\r' : at == 0 && d->after_cr;

		starts = at + n < s.n && (d->bare_lf || cr);
		at += n < s.n - at ? n + 1 : n;
	}
	d->state = starts ? DOTS_START : DOTS_TEXT;
	d->after_cr = s.p[at - 1] == '\r';
	*in = str_skip(s, at);
	return str_at(s.p, at);
}

struct str
dots_next(struct dots *d, struct str *in)
{
	char c;

	if (in->n == 0 || d->ended)
		return str_at("", 0);
	c = in->p[0];
	if (d->state == DOTS_START && c == '.') {
		d->state = DOTS_DOT;
	} else if (d->state == DOTS_DOT && c == '\r') {
		d->state = DOTS_DOT_CR;
	} else if (c == '\n' && (d->state == DOTS_DOT_CR || (d->state == DOTS_DOT && d->bare_lf))) {
		d->ended = true;
	} else if (d->state == DOTS_DOT_CR) {
		/* the CR that was held back; c is looked at again */
		d->state = DOTS_TEXT;
		d->after_cr = true;
		return STR("\r");
	} else {
		d->after_cr = d->after_cr && d->state == DOTS_TEXT;
		return text(d, in);
	}
	*in = str_skip(*in, 1);
	return str_at("", 0);
}
