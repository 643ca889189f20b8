/* trust.c - of a file of many certificates, the few that are needed.  Of onehop-tls.so. */
#include "net/trust.h"

#include <stdint.h>

#include "base/banned.h" /* IWYU pragma: keep */

/* 0..63, or -1.  (Not base/b64.c: here line ends are passed over, and it is the hot loop.) */
static inline int
value(char c)
{
	if (ascii_alpha(c))
		return c >= 'a' ? c - 'a' + 26 : c - 'A';
	if (ascii_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool
decode(struct str text, struct buf *der)
{
	char out[3 * 256] = "";
	size_t n = 0, got = 0;
	uint32_t v = 0;

	for (size_t i = 0; i < text.n && text.p[i] != '='; i++) {
		int d = value(text.p[i]);

		if (d < 0 && !ascii_space(text.p[i]))
			return false;
		if (d < 0)
			continue;
		v = v << 6 | (uint32_t)d;
		if (++got % 4 != 0)
			continue;
		out[n++] = (char)(v >> 16);
		out[n++] = (char)(v >> 8);
		out[n++] = (char)v;
		if (n == sizeof(out)) {
			buf_add(der, out, n);
			n = 0;
		}
	}
	if (got % 4 == 2 || got % 4 == 3)
		out[n++] = (char)(v >> (got % 4 == 2 ? 4 : 10));
	if (got % 4 == 3)
		out[n++] = (char)(v >> 2);
	buf_add(der, out, n);
	return got % 4 != 1 && buf_ok(der);
}

/* Where needle begins in s, or s.n. */
static size_t
find(struct str s, struct str needle)
{
	const char *hit = s.n > 0 ? memmem(s.p, s.n, needle.p, needle.n) : NULL;

	return hit != NULL ? (size_t)(hit - s.p) : s.n;
}

bool
trust_next(struct str *rest, struct buf *der)
{
	const struct str begin = STR("-----BEGIN CERTIFICATE-----"), end = STR("-----END");

	for (;;) {
		struct str body = str_skip(*rest, find(*rest, begin));

		if (body.n == 0)
			break;
		body = str_skip(body, begin.n);
		body.n = find(body, end);
		*rest = str_at(body.p + body.n, (size_t)(rest->p + rest->n - (body.p + body.n)));
		buf_reset(der);
		if (decode(body, der))
			return true;
	}
	*rest = str_skip(*rest, rest->n);
	return false;
}

bool
trust_holds(struct str der, const struct str *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].n > 0 && find(der, names[i]) < der.n)
			return true;
	return false;
}
