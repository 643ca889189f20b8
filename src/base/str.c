/* str.c - a slice of bytes that somebody else owns. */
#include "base/str.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool
str_ieq(struct str a, struct str b)
{
	return a.n == b.n && str_istarts(a, b);
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

bool
str_istarts(struct str s, struct str prefix)
{
	if (s.n < prefix.n)
		return false;
	for (size_t i = 0; i < prefix.n; i++)
		if (ascii_lower(s.p[i]) != ascii_lower(prefix.p[i]))
			return false;
	return true;
}

bool
str_iends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_istarts(str_skip(s, s.n - suffix.n), suffix);
}

bool
str_8bit(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (ascii_8bit(s.p[i]))
			return true;
	return false;
}

size_t
str_utf8(struct str s)
{
	unsigned char lead = (unsigned char)s.p[0];
	size_t n = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	unsigned second;

	if (n == 1)
		return 1;
	if (lead < 0xc2 || lead > 0xf4 || s.n < n)
		return 0;
	second = (unsigned char)s.p[1];
	if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
	    (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
		return 0;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

/* What turns or hides what stands beside it. */
static bool
is_hidden(unsigned c)
{
	return c == 0x61c || c == 0x180e || c == 0xfeff || (c >= 0x200b && c <= 0x200f) ||
	    (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c >> 8 == 0xe00;
}

unsigned
str_code(struct str s)
{
	size_t n = str_utf8(s);
	unsigned c = n > 0 ? (unsigned char)s.p[0] : 0;

	if (n > 1)
		c &= 0x7fU >> n;
	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)s.p[i] & 0x3f);
	return c;
}

size_t
str_shown(struct str s)
{
	unsigned c = str_code(s);

	return c < 0x20 || (c >= 0x7f && c < 0xa0) || is_hidden(c) ? 0 : str_utf8(s);
}

size_t
str_find(struct str s, char c)
{
	const char *hit = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	return hit != NULL ? (size_t)(hit - s.p) : s.n;
}

struct str
str_skip(struct str s, size_t n)
{
	if (n > s.n)
		n = s.n;
	return n > 0 ? str_at(s.p + n, s.n - n) : s;
}

struct str
str_ltrim(struct str s)
{
	size_t i = 0;

	while (i < s.n && ascii_space(s.p[i]))
		i++;
	return str_skip(s, i);
}

struct str
str_rtrim(struct str s)
{
	while (s.n > 0 && ascii_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

struct str
str_trim(struct str s)
{
	return str_ltrim(str_rtrim(s));
}

struct str
str_cut(struct str *s, char c)
{
	size_t i = str_find(*s, c);
	struct str head = str_at(s->p, i);

	*s = i < s->n ? str_skip(*s, i + 1) : str_at(NULL, 0);
	return head;
}

struct str
str_word(struct str *s)
{
	struct str rest = str_ltrim(*s);
	size_t n = 0;

	while (n < rest.n && !ascii_space(rest.p[n]))
		n++;
	*s = str_skip(rest, n);
	return str_at(rest.p, n);
}

uint64_t
str_hash(struct str s)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a */

	for (size_t i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * UINT64_C(0x100000001b3);
	return h;
}
