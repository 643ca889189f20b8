/* redact.c - a secret that a server repeats is not shown. */
#include "conf/redact.h"

#include "base/b64.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	BASE64_LEAST = 3,
	LEFT_MAX = 1 << 17,
	FORM_MAX = 4 * SECRET_MAX,
	CODE = 3,      /* digits of a reply's code */
	WORD_MAX = 80, /* octets of a word of the list */
};

/* ------------------------------------------------------------------ the words of a login's reply
 */

static const char *const phrases[] = {
#define PHRASE(text) text,
#include "conf/phrases.def"
#undef PHRASE
};

static bool
is_listed(struct str word)
{
	for (size_t i = 0; i < sizeof phrases / sizeof phrases[0]; i++) {
		struct str rest = str_of(phrases[i]), one;

		while ((one = str_word(&rest)).n > 0)
			if (str_ieq(one, word))
				return true;
	}
	return false;
}

static bool
is_mark(char c)
{
	return strchr("\"'()<>[].,:;!?-", c) != NULL;
}

/* Is s one of the words that may be shown, as it is or without the punctuation around it? */
static bool
is_word(struct str s)
{
	struct str core = s;

	while (core.n > 0 && is_mark(core.p[0]))
		core = str_skip(core, 1);
	while (core.n > 0 && is_mark(core.p[core.n - 1]))
		core.n--;
	if (core.n == 0)
		return s.n <= 2;
	return s.n <= WORD_MAX && (is_listed(s) || is_listed(core));
}

/* "5.7.8" */
static bool
is_status(struct str s)
{
	size_t dots = 0, digits = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && digits == 0)
			return false;
		dots += s.p[i] == '.';
		digits = s.p[i] == '.' ? 0 : digits + 1;
		if ((s.p[i] != '.' && !ascii_digit(s.p[i])) || digits > CODE)
			return false;
	}
	return dots == 2 && digits > 0 && s.p[1] == '.';
}

static void
keep_words(struct buf *line)
{
	AUTO_BUF struct buf out = BUF_INIT(line->max);
	struct str rest = buf_get(line), word;
	bool starred = false;

	for (size_t i = 0; i < CODE && rest.n > 0 && ascii_digit(rest.p[0]); i++) {
		buf_char(&out, rest.p[0]);
		rest = str_skip(rest, 1);
	}
	if (out.n == CODE && rest.n > 0 && rest.p[0] == '-') {
		buf_char(&out, '-');
		rest = str_skip(rest, 1);
	}
	for (bool first = true; (word = str_word(&rest)).n > 0; first = false) {
		bool listed = (first && is_status(word)) || is_word(word);

		if (!listed && starred)
			continue;
		if (out.n > 0 && !(first && out.p[out.n - 1] == '-'))
			buf_char(&out, ' ');
		buf_put(&out, listed ? word : STR("***"));
		starred = !listed;
	}
	buf_wipe(line);
	buf_put(line, buf_get(&out));
	buf_wipe(&out);
}

/* ------------------------------------------------------------------ the secret in any line */

struct form {
	struct str text;
	bool base64; /* else its case does not count */
};

static bool
is_base64(char c)
{
	return ascii_alnum(c) || c == '+' || c == '/';
}

static bool
same(const struct form *f, struct str a, struct str b)
{
	return f->base64 ? str_eq(a, b) : str_ieq(a, b);
}

static bool
has_run(const struct form *f, struct str run)
{
	for (size_t i = 0; i + run.n <= f->text.n; i++)
		if (same(f, str_at(f->text.p + i, run.n), run))
			return true;
	return false;
}

/* Mark what is to be starred: runs, and the word of base64 about them. */
static void
mark(const struct form *f, struct str line, char *marks)
{
	size_t run = f->text.n < REDACT_RUN ? f->text.n : REDACT_RUN;

	for (size_t i = 0; run > 0 && i + run <= line.n; i++) {
		size_t from = i, end = i + run;

		if (!has_run(f, str_at(line.p + i, run)))
			continue;
		while (f->base64 && from > 0 && is_base64(line.p[from - 1]))
			from--;
		while (f->base64 && end < line.n && is_base64(line.p[end]))
			end++;
		memset(marks + from, '*', end - from);
	}
}

/* How it looks in base64 hangs on how many octets stand before it, and but for its ends on nothing
 * else. */
static void
mark_base64(struct str what, struct str line, char *marks)
{
	AUTO_BUF struct buf plain = BUF_INIT(FORM_MAX), text = BUF_INIT(FORM_MAX);

	for (size_t before = 0; before < 3; before++) {
		size_t first = (before * 8 + 5) / 6, end = (before + what.n) * 8 / 6;

		buf_add(&plain, "\0\0", before);
		buf_put(&plain, what);
		b64_encode(&text, buf_get(&plain));
		if (end >= first + BASE64_LEAST && buf_ok(&text))
			mark(&(struct form){ str_at(text.p + first, end - first), true }, line,
			    marks);
		buf_wipe(&plain);
		buf_wipe(&text);
	}
}

static void
mark_blob(const struct secret *s, struct str line, char *marks)
{
	AUTO_BUF struct buf plain = BUF_INIT(FORM_MAX), text = BUF_INIT(FORM_MAX);

	buf_char(&plain, '\0');
	buf_put(&plain, s->login);
	buf_char(&plain, '\0');
	buf_put(&plain, s->password);
	b64_encode(&text, buf_get(&plain));
	mark(&(struct form){ str_at(text.p, str_find(buf_get(&text), '=')), true }, line, marks);
	buf_wipe(&plain);
	buf_wipe(&text);
}

static void
mark_left(const struct secret *s, struct str line, char *marks)
{
	struct str rest = buf_get(&s->left);

	while (rest.n > 0) {
		struct str one = str_cut(&rest, '\n');

		if (one.n > 1)
			mark(&(struct form){ str_skip(one, 1), one.p[0] == 'b' }, line, marks);
	}
}

static void
star(const struct secret *s, struct buf *line)
{
	AUTO_BUF struct buf marks = BUF_INIT(line->max);
	struct str what = s->password, text = buf_get(line);
	char *at;

	if (str_starts(what, SECRET_TOKEN_MARK))
		what = str_skip(what, SECRET_TOKEN_MARK.n);
	if (what.n == 0 || text.n == 0 || (at = buf_room(&marks, text.n)) == NULL)
		return;
	memset(at, 0, text.n);
	mark(&(struct form){ what, false }, text, at);
	mark_base64(what, text, at);
	mark_blob(s, text, at);
	mark_left(s, text, at);
	for (size_t i = 0; i < text.n; i++)
		if (at[i] != '\0')
			line->p[i] = '*';
}

/* ------------------------------------------------------------------ both */

void
secret_show(const struct secret *s, bool login, struct buf *line)
{
	if (login)
		keep_words(line);
	star(s, line);
}

void
secret_left(struct secret *s, bool base64, struct str sent)
{
	s->left.max = LEFT_MAX;
	buf_char(&s->left, base64 ? 'b' : 'c');
	buf_put(&s->left, str_at(sent.p, base64 ? str_find(sent, '=') : sent.n));
	buf_char(&s->left, '\n');
}
