/* redact.c - a password that the server repeats is not shown. */
#include "base/b64.h"
#include "conf/secret.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { BASE64_LEAST = 3 };

static bool
is_base64(char c)
{
	return ascii_alnum(c) || c == '+' || c == '/';
}

/* The words of base64 with what in them. */
static void
star_words(struct buf *line, struct str what)
{
	char *at = line->p, *end = line->p + line->n;

	while (what.n > 0 && line->n > 0 &&
	    (at = memmem(at, (size_t)(end - at), what.p, what.n)) != NULL) {
		char *from = at;

		at += what.n;
		while (at < end && is_base64(*at))
			at++;
		while (from > line->p && is_base64(from[-1]))
			from--;
		memset(from, '*', (size_t)(at - from));
	}
}

/* The octet in two digits at s; -1: it is none. */
static int
hex_octet(struct str s)
{
	static const char digits[] = "0123456789abcdef";
	const char *high = s.n >= 2 ? strchr(digits, ascii_lower(s.p[0])) : NULL;
	const char *low = high != NULL ? strchr(digits, ascii_lower(s.p[1])) : NULL;

	return low == NULL || *low == '\0' || *high == '\0' ?
	    -1 :
	    (int)((high - digits) * 16 + (low - digits));
}

/* How many octets of s spell what, in any case, each of its own as it is or as mark and two digits
 * (mark 0: as two digits all along); 0: it begins with something else. */
static size_t
spelt(struct str s, struct str what, char mark)
{
	size_t at = 0, digits = mark != '\0';

	for (size_t i = 0; i < what.n; i++) {
		struct str rest = str_skip(s, at);

		if (rest.n == 0)
			return 0;
		if (mark != '\0' && ascii_lower(rest.p[0]) == ascii_lower(what.p[i]))
			at++;
		else if ((mark == '\0' || rest.p[0] == mark) &&
		    hex_octet(str_skip(rest, digits)) == (unsigned char)what.p[i])
			at += digits + 2;
		else
			return 0;
	}
	return at;
}

/* As it is, and as URLs, xtext (RFC 3461 4), quoted-printable and plain digits have it. */
static void
star(struct buf *line, struct str what)
{
	static const char marks[] = { '%', '+', '=', '\0' };

	for (size_t m = 0; m < sizeof marks; m++)
		for (size_t i = 0; i < line->n; i++)
			memset(line->p + i, '*', spelt(str_skip(buf_get(line), i), what, marks[m]));
}

/* Whole words of base64 that have it in them: how it looks there hangs on how many octets stand
 * before it, and but for its ends on nothing else. */
static void
star_base64(struct buf *line, struct str what)
{
	AUTO_BUF struct buf plain = BUF_INIT((size_t)2 * SECRET_MAX);
	AUTO_BUF struct buf text = BUF_INIT((size_t)4 * SECRET_MAX);

	for (size_t before = 0; before < 3; before++) {
		size_t first = (before * 8 + 5) / 6, end = (before + what.n) * 8 / 6;

		buf_add(&plain, "\0\0", before);
		buf_put(&plain, what);
		b64_encode(&text, buf_get(&plain));
		if (end >= first + BASE64_LEAST)
			star_words(line, str_at(text.p + first, end - first));
		buf_wipe(&plain);
		buf_wipe(&text);
	}
}

void
secret_redact(const struct secret *s, struct buf *line)
{
	star_base64(line, s->password);
	star(line, s->password);
}
