/* parse.c - lines of configuration: name = value, and what quotes, comments and backslashes do.
 *
 *	file    = *(line LF)
 *	line    = [ assignment / section ] [ "#" comment ]
 *	section = "[sender" pattern "]"                     ; own files only
 *	value   = text / "'" text "'" / DQUOTE text DQUOTE  ; own files
 *	        = one word of the shell                     ; Debian's file, where ";" or a blank
 *	                                                    ; may part several assignments
 */
#include "conf/debian.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { VALUE_MAX = 65536 };

struct conf_section {
	const char *pattern;
	struct assignments lines;
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

static char
next(struct reader *r)
{
	char c = peek(r);

	skip(r, 1);
	return c;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\f' || c == '\v';
}

static void
skip_blanks(struct reader *r)
{
	while (is_blank(peek(r)))
		skip(r, 1);
}

/* Skip a comment, up to the newline that ends it. */
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

static bool
at_expansion(const struct reader *r)
{
	return peek(r) == '$' || peek(r) == '`';
}

/* $name or ${name} of a variable set above; all other things a shell does with "$" are refused. */
static bool
variable(struct reader *r, struct buf *out, struct fail *f)
{
	bool command = next(r) == '`', braces = peek(r) == '{';
	const struct assignment *set;
	struct str name;

	skip(r, braces ? 1 : 0);
	name = conf_name(r->rest);
	skip(r, name.n);
	if (command || name.n == 0 || (braces && next(r) != '}'))
		return fail_conf(
		    f, "commands and expansions of the shell are not run here; write the value");
	set = assignments_find(&r->c->macros->variables, name);
	if (set == NULL)
		return fail_conf(f, "$%.*s is not set above", S_ARG(name));
	buf_put(out, set->value);
	return true;
}

/* Is name = value next? */
static bool
at_assignment(const struct reader *r)
{
	struct str name = conf_name(r->rest), behind = str_skip(r->rest, name.n);

	return name.n > 0 && str_starts(behind, STR("="));
}

/* The shell's quotes go on over lines.  Another assignment there says that one was forgotten. */
static bool
goes_on_quoted(struct reader *r)
{
	struct reader ahead = *r;

	if (!r->debian || r->rest.n == 0)
		return false;
	skip(&ahead, 1);
	if (at_assignment(&ahead))
		return false;
	r->line++;
	return true;
}

/* Text up to the closing quote.  In double quotes a backslash saves a quote and itself, and in
 * Debian's file there are variables. */
static bool
quoted(struct reader *r, struct buf *out, struct fail *f)
{
	struct str saved = r->debian ? STR("\"\\$`") : STR("\"\\");
	char quote = next(r);
	bool soft = quote == '"';

	while (peek(r) != quote) {
		if (soft && skip_continuation(r))
			continue;
		if (peek(r) == '\n' && !goes_on_quoted(r))
			return fail_conf(f, "the quote is not closed on this line");
		if (soft && r->debian && at_expansion(r)) {
			if (!variable(r, out, f))
				return false;
			continue;
		}
		if (soft && peek(r) == '\\' && r->rest.n > 1 &&
		    str_find(saved, r->rest.p[1]) < saved.n)
			skip(r, 1);
		buf_char(out, next(r));
	}
	skip(r, 1);
	return true;
}

/* A "#" in front or behind a blank begins a comment. */
static bool
value_plain(struct reader *r, struct buf *out, struct fail *f)
{
	if (peek(r) == '\'' || peek(r) == '"') {
		if (!quoted(r, out, f))
			return false;
		return at_end(r) || fail_conf(f, "there is more behind the closing quote");
	}
	while (
	    peek(r) != '\n' && !(peek(r) == '#' && (out->n == 0 || is_blank(out->p[out->n - 1])))) {
		if (skip_continuation(r))
			skip_blanks(r);
		else
			buf_char(out, next(r));
	}
	skip_comment(r);
	while (out->n > 0 && is_blank(out->p[out->n - 1]))
		out->n--;
	return true;
}

static bool
no_shell(char c, struct fail *f)
{
	return fail_conf(f,
	    "\"%c\" outside of quotes is for the shell, which does not run here; put the value in "
	    "'...'",
	    c);
}

static bool
at_export(const struct reader *r)
{
	struct str word = conf_name(r->rest);

	return (str_eq(word, STR("export")) || str_eq(word, STR("readonly"))) &&
	    word.n < r->rest.n && is_blank(r->rest.p[word.n]);
}

/* One piece of a word: a quoted text, a variable, an escaped or a plain character. */
static bool
shell_piece(struct reader *r, struct buf *out, struct fail *f)
{
	struct str syntax = STR("();&|<>");

	if (peek(r) == '\'' || peek(r) == '"')
		return quoted(r, out, f);
	if (at_expansion(r))
		return variable(r, out, f);
	if (str_find(syntax, peek(r)) < syntax.n)
		return no_shell(peek(r), f);
	if (peek(r) == '\\')
		skip(r, 1);
	if (peek(r) != '\n')
		buf_char(out, next(r));
	return true;
}

static bool
value_shell(struct reader *r, struct buf *out, struct fail *f)
{
	bool semicolon;

	if (peek(r) == '#') {
		skip_comment(r);
		return true;
	}
	while (peek(r) != '\n' && peek(r) != ';' && !is_blank(peek(r)))
		if (!skip_continuation(r) && !shell_piece(r, out, f))
			return false;
	do
		skip_blanks(r);
	while (skip_continuation(r));
	semicolon = peek(r) == ';';
	skip(r, semicolon ? 1 : 0);
	if (at_end(r) || at_assignment(r) || (semicolon && at_export(r)))
		return true;
	return semicolon ? no_shell(';', f) :
			   fail_conf(f, "there is more behind the value; put it in '...'");
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
	struct assignment one = { name, value, { r->file, r->start } };
	enum conf_option o = conf_find(name);
	struct conf scratch;

	if (r->debian)
		return debian_set(r->c, &one, f);
	if (r->section == NULL)
		return conf_set(r->c, &one, f);
	if (o != CONF_COUNT && (conf_rows[o].who & WHO_SITE) != 0)
		return fail_conf(f,
		    "%.*s is a user's, whatever sender he names: it stands above the sections",
		    S_ARG(name));
	scratch = *r->c;
	return conf_set(&scratch, &one, f) &&
	    (assignments_add(r->c->arena, &r->section->lines, &one) ||
		fail_conf(f, "there are too many lines in this section"));
}

/* "export a b='c'": what names alone is passed over.  True when that was all. */
static bool
skip_export(struct reader *r)
{
	if (!at_export(r))
		return false;
	do {
		skip(r, conf_name(r->rest).n);
		skip_blanks(r);
	} while (conf_name(r->rest).n > 0 && !at_assignment(r));
	if (peek(r) == ';')
		skip(r, 1);
	return !at_assignment(r);
}

static bool
assignment(struct reader *r, struct fail *f)
{
	AUTO_BUF struct buf out = BUF_INIT(VALUE_MAX);
	struct str name, value;

	if (r->debian && skip_export(r))
		return true;
	name = conf_name(r->rest);
	skip(r, name.n);
	skip_blanks(r);
	if (name.n > 0 && !r->debian && at_end(r) && lone_switch(&name, &value))
		return take(r, name, value, f);
	if (name.n == 0 || next(r) != '=')
		return fail_conf(f, "a line is name = value, or a comment with # in front");
	skip_blanks(r);
	if (!(r->debian ? value_shell(r, &out, f) : value_plain(r, &out, f)))
		return false;
	if (!buf_ok(&out))
		return fail_conf(f, "%.*s is longer than %d bytes", S_ARG(name), (int)VALUE_MAX);
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
		return fail_conf(f, "a section is [sender PATTERN]");
	skip(r, inside.n + 2);
	inside = str_trim(str_skip(inside, 7));
	if (!str_eq(inside, STR("*")) && str_find(inside, '@') == inside.n)
		return fail_conf(f, "a sender pattern is an address, *@domain or *");
	if (!at_end(r))
		return fail_conf(f, "there is more behind the ]");
	s = arena_alloc(r->c->arena, sizeof *s);
	s->pattern = arena_strz(r->c->arena, inside);
	while (*end != NULL)
		end = &(*end)->next;
	*end = r->section = s;
	return true;
}

/* text without the carriage returns of line ends. */
static struct str
unix_text(struct arena *a, struct str text)
{
	char *to;
	size_t n = 0;

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
	bool ok = true;

	for (r.rest = unix_text(c->arena, text); r.rest.n > 0; r.line++) {
		do
			r.start = r.line;
		while (!at_end(&r) &&
		    (ok = peek(&r) == '[' && !debian ? section(&r, f) : assignment(&r, f)) &&
		    debian);
		if (!ok) {
			fail_prefix(f, "%s:%u", file, r.start);
			return false;
		}
		skip(&r, 1);
	}
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
conf_depends_on_sender(const struct conf *c)
{
	return c->sections != NULL;
}

const char *
conf_sender_key(const struct conf *c, struct arena *a, const char *sender)
{
	const char *key = "";
	unsigned n = 0;

	for (const struct conf_section *s = c->sections; s != NULL; s = s->next, n++)
		if (matches(str_of(s->pattern), str_of(sender)))
			key = arena_fmt(a, "%s %u", key, n);
	return key;
}

size_t
conf_sections(const struct conf *c)
{
	size_t n = 0;

	for (const struct conf_section *s = c->sections; s != NULL; s = s->next)
		n++;
	return n;
}

bool
conf_with_section(const struct conf *c, size_t n, struct conf *out, struct fail *f)
{
	const struct conf_section *s = c->sections;

	while (n-- > 0)
		s = s->next;
	*out = *c;
	for (size_t i = 0; i < s->lines.n; i++)
		if (!conf_set(out, &s->lines.list[i], f))
			return false;
	return true;
}

bool
conf_apply_sender(struct conf *c, const char *sender, struct fail *f)
{
	for (const struct conf_section *s = c->sections; s != NULL; s = s->next)
		for (size_t i = 0; i < s->lines.n; i++)
			if (matches(str_of(s->pattern), str_of(sender)) &&
			    !conf_set(c, &s->lines.list[i], f))
				return false;
	return true;
}
