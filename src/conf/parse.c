/* parse.c - lines of configuration: name = value, and what quotes, comments and backslashes do.
 *
 *	file    = *(line LF)
 *	line    = [ assignment / section ] [ "#" comment ]
 *	section = "[sender" pattern "]"                     ; own files only
 *	value   = text / "'" text "'" / DQUOTE text DQUOTE  ; own files
 *	        = one word of the shell                     ; Debian's file
 */
#include "conf/conf.h"
#include "conf/debian.h"
#include "conf/table.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { VALUE_MAX = 65536 };

struct conf_line {
	struct str name, value;
	unsigned number;
};

struct conf_section {
	const char *pattern, *file;
	struct conf_line *lines;
	size_t n;
	struct conf_section *next;
};

struct reader {
	struct conf *c;
	struct str rest; /* of the text */
	const char *file;
	unsigned line;  /* of the byte at rest */
	unsigned start; /* of the assignment */
	bool debian;
	struct conf_section *section; /* the lines belong to it, or NULL */
};

static bool
wrong(const struct reader *r, struct fail *f, const char *what)
{
	return fail_conf(f, "%s:%u: %s", r->file, r->start, what);
}

static char
peek(const struct reader *r)
{
	return r->rest.n > 0 ? r->rest.p[0] : '\n';
}

static void
skip(struct reader *r, size_t n)
{
	r->rest = str_skip(r->rest, n);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
skip_blanks(struct reader *r)
{
	while (is_blank(peek(r)))
		skip(r, 1);
}

/* Leaves the newline where it is. */
static void
skip_comment(struct reader *r)
{
	skip(r, str_find(r->rest, '\n'));
}

/* A backslash at the end of a line: the next line goes on.  Blanks behind it are not seen. */
static bool
skip_continuation(struct reader *r)
{
	size_t i = 1;

	if (peek(r) != '\\')
		return false;
	while (i < r->rest.n && is_blank(r->rest.p[i]))
		i++;
	if (i == r->rest.n || r->rest.p[i] != '\n')
		return false;
	skip(r, i + 1);
	r->line++;
	return true;
}

static bool
at_end(struct reader *r)
{
	skip_blanks(r);
	if (peek(r) == '#')
		skip_comment(r);
	return peek(r) == '\n';
}

static size_t
name_length(struct str s)
{
	size_t n = 0;

	while (n < s.n && (ascii_alnum(s.p[n]) || s.p[n] == '_'))
		n++;
	return n;
}

/* $name or ${name} of a variable set above; all other things a shell does with "$" are refused. */
static bool
variable(struct reader *r, struct buf *out, struct fail *f)
{
	bool command = peek(r) == '`';
	const struct conf_macros *m;
	const struct assignment *set;
	bool braces;
	size_t n;

	skip(r, 1);
	braces = peek(r) == '{';
	skip(r, braces ? 1 : 0);
	n = name_length(r->rest);
	if (command || n == 0 || (braces && (n == r->rest.n || r->rest.p[n] != '}')))
		return wrong(
		    r, f, "commands and expansions of the shell are not run here; write the value");
	m = debian_state(r->c);
	set = debian_find(m->variables, m->nvariables, str_at(r->rest.p, n));
	if (set == NULL)
		return fail_conf(
		    f, "%s:%u: $%.*s is not set above", r->file, r->start, (int)n, r->rest.p);
	buf_put(out, set->value);
	skip(r, n + (braces ? 1 : 0));
	return true;
}

/* Text up to the closing quote.  In double quotes a backslash saves a quote and itself, and in
 * Debian's file there are variables. */
static bool
quoted(struct reader *r, struct buf *out, struct fail *f)
{
	struct str saved = r->debian ? STR("\"\\$`") : STR("\"\\");
	char quote = peek(r);
	bool soft = quote == '"';

	skip(r, 1);
	while (peek(r) != quote) {
		if (soft && skip_continuation(r))
			continue;
		if (peek(r) == '\n')
			return wrong(r, f, "the quote is not closed on this line");
		if (soft && r->debian && (peek(r) == '$' || peek(r) == '`')) {
			if (!variable(r, out, f))
				return false;
			continue;
		}
		if (soft && peek(r) == '\\' && r->rest.n > 1 &&
		    str_find(saved, r->rest.p[1]) < saved.n)
			skip(r, 1);
		buf_char(out, peek(r));
		skip(r, 1);
	}
	skip(r, 1);
	return true;
}

static bool
value_plain(struct reader *r, struct buf *out, struct fail *f)
{
	char last = ' ';

	if (peek(r) == '\'' || peek(r) == '"') {
		if (!quoted(r, out, f))
			return false;
		return at_end(r) || wrong(r, f, "there is more behind the closing quote");
	}
	while (peek(r) != '\n' && !(peek(r) == '#' && is_blank(last))) {
		if (skip_continuation(r)) {
			skip_blanks(r);
			continue;
		}
		last = peek(r);
		buf_char(out, last);
		skip(r, 1);
	}
	skip_comment(r);
	while (out->n > 0 && is_blank(out->p[out->n - 1]))
		out->n--;
	return true;
}

/* One piece of a word: a quoted text, a variable, an escaped or a plain character. */
static bool
shell_piece(struct reader *r, struct buf *out, struct fail *f)
{
	switch (peek(r)) {
	case '\'':
	case '"':
		return quoted(r, out, f);
	case '$':
	case '`':
		return variable(r, out, f);
	case '(':
	case ')':
	case ';':
	case '&':
	case '|':
	case '<':
	case '>':
		return fail_conf(f,
		    "%s:%u: \"%c\" outside of quotes is for the shell, which does not "
		    "run here; put the value in '...'",
		    r->file, r->start, peek(r));
	case '\\':
		skip(r, 1);
		break;
	default:
		break;
	}
	if (peek(r) != '\n') {
		buf_char(out, peek(r));
		skip(r, 1);
	}
	return true;
}

static bool
value_shell(struct reader *r, struct buf *out, struct fail *f)
{
	if (peek(r) == '#') {
		skip_comment(r);
		return true;
	}
	while (peek(r) != '\n' && !is_blank(peek(r)))
		if (!skip_continuation(r) && !shell_piece(r, out, f))
			return false;
	return at_end(r) || wrong(r, f, "there is more behind the value; put it in '...'");
}

/* "name" and "no_name" alone, as Exim's switches may be written. */
static bool
lone_switch(struct str *name, struct str *value)
{
	enum conf_option o = conf_find(*name);

	*value = STR("yes");
	if (o == CONF_COUNT && str_istarts(*name, STR("no_"))) {
		*name = str_skip(*name, 3);
		*value = STR("no");
		o = conf_find(*name);
	}
	return o != CONF_COUNT && conf_rows[o].kind == KIND_BOOL;
}

static bool
take(struct reader *r, struct str name, struct str value, struct fail *f)
{
	struct conf_origin where = { r->file, r->start };
	struct conf_section *s = r->section;
	struct conf scratch;

	if (r->debian)
		return debian_set(r->c, name, value, where, f);
	if (s == NULL)
		return conf_set(r->c, name, value, where, f);
	scratch = *r->c;
	if (!conf_set(&scratch, name, value, where, f))
		return false;
	s->lines = arena_grow(r->c->arena, s->lines, s->n, sizeof *s->lines);
	s->lines[s->n++] = (struct conf_line){ arena_str(r->c->arena, name),
		arena_str(r->c->arena, value), r->start };
	return true;
}

static bool
assignment(struct reader *r, struct fail *f)
{
	AUTO_BUF struct buf out = BUF_INIT(VALUE_MAX);
	struct str name, value;

	if (r->debian && str_starts(r->rest, STR("export "))) {
		skip(r, 7);
		skip_blanks(r);
	}
	name = str_at(r->rest.p, name_length(r->rest));
	skip(r, name.n);
	skip_blanks(r);
	if (name.n > 0 && !r->debian && at_end(r) && lone_switch(&name, &value))
		return take(r, name, value, f);
	if (name.n == 0 || peek(r) != '=')
		return wrong(r, f, "a line is name = value, or a comment with # in front");
	skip(r, 1);
	skip_blanks(r);
	if (!(r->debian ? value_shell(r, &out, f) : value_plain(r, &out, f)))
		return false;
	if (!buf_ok(&out))
		return wrong(r, f, "the value is too long");
	return take(r, name, buf_get(&out), f);
}

/* "[sender PATTERN]": an address, "*@domain" or "*". */
static bool
section(struct reader *r, struct fail *f)
{
	struct str line = str_at(r->rest.p, str_find(r->rest, '\n'));
	struct str inside = str_at(line.p + 1, str_find(line, ']') - 1);
	struct conf_section **end = &r->c->sections, *s;

	if (str_find(line, ']') == line.n || !str_starts(inside, STR("sender ")))
		return wrong(r, f, "a section is [sender PATTERN]");
	skip(r, inside.n + 2);
	inside = str_trim(str_skip(inside, 7));
	if (!str_eq(inside, STR("*")) && str_find(inside, '@') == inside.n)
		return wrong(r, f, "a sender pattern is an address, *@domain or *");
	if (!at_end(r))
		return wrong(r, f, "there is more behind the ]");
	s = arena_alloc(r->c->arena, sizeof *s);
	s->pattern = arena_strz(r->c->arena, inside);
	s->file = r->file;
	while (*end != NULL)
		end = &(*end)->next;
	*end = r->section = s;
	return true;
}

static bool
next_line(struct reader *r, struct fail *f)
{
	r->start = r->line;
	if (!at_end(r)) {
		bool ok = peek(r) == '[' && !r->debian ? section(r, f) : assignment(r, f);

		if (!ok)
			return false;
	}
	skip(r, 1);
	r->line++;
	return true;
}

/* text without the carriage returns of line ends and without a byte order mark. */
static struct str
unix_text(struct arena *a, struct str text)
{
	char *to;
	size_t n = 0;

	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_skip(text, 3);
	if (str_find(text, '\r') == text.n)
		return text;
	to = arena_alloc(a, text.n);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != '\r' || (i + 1 < text.n && text.p[i + 1] != '\n'))
			to[n++] = text.p[i];
	return str_at(to, n);
}

bool
conf_parse(struct conf *c, struct str text, const char *file, bool debian, struct fail *f)
{
	struct reader r = { .c = c, .file = file, .line = 1, .debian = debian };

	r.rest = unix_text(c->arena, text);
	while (r.rest.n > 0)
		if (!next_line(&r, f))
			return false;
	return true;
}

static bool
matches(struct str pattern, struct str sender)
{
	if (pattern.n > 0 && pattern.p[0] == '*')
		return sender.n > 0 && str_iends(sender, str_skip(pattern, 1));
	return str_ieq(pattern, sender);
}

bool
conf_apply_sender(struct conf *c, const char *sender, struct fail *f)
{
	for (const struct conf_section *s = c->sections; s != NULL; s = s->next) {
		if (!matches(str_of(s->pattern), str_of(sender)))
			continue;
		for (size_t i = 0; i < s->n; i++) {
			struct conf_origin where = { s->file, s->lines[i].number };

			if (!conf_set(c, s->lines[i].name, s->lines[i].value, where, f))
				return false;
		}
	}
	return true;
}
