/* lsearch.c - Exim's table files. */
#include "conf/lsearch.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct lsearch
lsearch_open(struct str text)
{
	return (struct lsearch){ .rest = text, .line = 1 };
}

/* White space at the end is cut with the newline; a last line without one keeps it. */
static struct str
next_line(struct lsearch *t)
{
	size_t n = str_find(t->rest, '\n');
	struct str line = str_at(t->rest.p, n);

	if (n < t->rest.n)
		line = str_rtrim(line);
	t->rest = str_skip(t->rest, n + 1);
	t->line++;
	return line;
}

static bool
is_comment(struct str line)
{
	return line.n == 0 || line.p[0] == '#';
}

static unsigned
digit_of(char c)
{
	if (ascii_digit(c))
		return (unsigned)(c - '0');
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 99;
}

/* Up to max digits of the base at *i: the character they stand for. */
static char
digits(struct str s, size_t *i, unsigned base, unsigned max)
{
	unsigned v = 0;

	for (; max > 0 && *i < s.n && digit_of(s.p[*i]) < base; max--, (*i)++)
		v = v * base + digit_of(s.p[*i]);
	return (char)(v & 0xff);
}

/* What stands behind a backslash at *i; *i is moved past it. */
static char
escape(struct str s, size_t *i)
{
	static const char letters[] = "bfnrtv", values[] = "\b\f\n\r\t\v";
	size_t k = str_find(str_of(letters), s.p[*i]);

	if (digit_of(s.p[*i]) < 8)
		return digits(s, i, 8, 3);
	(*i)++;
	if (s.p[*i - 1] == 'x')
		return digits(s, i, 16, 2);
	return k < sizeof letters - 1 ? values[k] : s.p[*i - 1];
}

/* The key at the start of line; returns how long it is there. */
static size_t
read_key(struct str line, struct arena *a, struct str *key)
{
	size_t i = 0, n = 0;
	char *p;

	if (line.p[0] != '"') {
		while (i < line.n && line.p[i] != ':' && !ascii_space(line.p[i]))
			i++;
		*key = str_at(line.p, i);
		return i;
	}
	p = arena_alloc(a, line.n);
	for (i = 1; i < line.n && line.p[i] != '"';) {
		if (line.p[i] == '\\' && ++i < line.n)
			p[n++] = escape(line, &i);
		else if (i < line.n)
			p[n++] = line.p[i++];
	}
	*key = str_at(p, n);
	return i < line.n ? i + 1 : i;
}

/* May key stand at the start of line?  Most that do not are told by the first letter. */
static bool
may_have(struct str line, struct str key)
{
	return key.n == 0 || line.p[0] == '"' || ascii_lower(line.p[0]) == ascii_lower(key.p[0]);
}

/* The next line with a key; with wanted, those that cannot have it are passed over.  The value is
 * what is left of the line. */
static bool
next_key(struct lsearch *t, const struct str *wanted, struct arena *a, struct lsearch_entry *e)
{
	while (t->rest.n > 0) {
		unsigned number = t->line;
		struct str line = next_line(t);

		if (is_comment(line) || ascii_space(line.p[0]) ||
		    (wanted != NULL && !may_have(line, *wanted)))
			continue;
		e->line = number;
		e->value = str_ltrim(str_skip(line, read_key(line, a, &e->key)));
		if (e->value.n > 0 && e->value.p[0] == ':')
			e->value = str_ltrim(str_skip(e->value, 1));
		return true;
	}
	return false;
}

static bool
has_continuation(const struct lsearch *t)
{
	struct lsearch ahead = *t;
	struct str line;

	if (t->rest.n == 0)
		return false;
	line = next_line(&ahead);
	return !is_comment(line) && ascii_space(line.p[0]);
}

/* Exim never forgets that it saw a comment or an empty line: what follows is no longer part of
 * the value [rw-cont-line], and next_key() passes over it. */
static void
read_continuations(struct lsearch *t, struct arena *a, struct lsearch_entry *e)
{
	struct lsearch end = *t;
	size_t n = e->value.n;
	char *p;

	while (has_continuation(&end))
		(void)next_line(&end);
	if (end.rest.n == t->rest.n)
		return;
	p = arena_alloc(a, n + t->rest.n - end.rest.n);
	memcpy(p, e->value.p, n);
	while (t->rest.n > end.rest.n) {
		struct str more = str_ltrim(next_line(t));

		p[n++] = ' ';
		memcpy(p + n, more.p, more.n);
		n += more.n;
	}
	e->value = str_at(p, n);
}

bool
lsearch_next(struct lsearch *t, struct arena *a, struct lsearch_entry *e)
{
	if (!next_key(t, NULL, a, e))
		return false;
	read_continuations(t, a, e);
	return true;
}

bool
lsearch_find(struct str text, struct str key, struct arena *a, struct lsearch_entry *e)
{
	struct lsearch t = lsearch_open(text);

	while (next_key(&t, &key, a, e)) {
		if (!str_ieq(e->key, key))
			continue;
		read_continuations(&t, a, e);
		return true;
	}
	return false;
}
