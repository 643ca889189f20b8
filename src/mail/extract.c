/* extract.c - the operative address inside one mailbox. */
#include "mail/extract.h"

#include <stdio.h>

#include "base/banned.h" /* IWYU pragma: keep */

static const char empty_address[] = "empty address";

struct parser {
	struct arena *arena;
	struct str in;
	size_t at;
	size_t before_comment; /* where the last run of blanks and comments began */
	size_t start, end;     /* of the active part */
	char out[ADDRESS_MAX]; /* the address without comments and route */
	size_t n;              /* its length; more than fits is counted, not stored */
	size_t domain;         /* where the domain begins in out; 0: unqualified */
	const char *reason;
};

static int
peek(const struct parser *p)
{
	return p->at < p->in.n ? (unsigned char)p->in.p[p->at] : -1;
}

static void
put(struct parser *p, char c)
{
	if (p->n < sizeof p->out)
		p->out[p->n] = c;
	p->n++;
}

static void
take(struct parser *p)
{
	put(p, p->in.p[p->at++]);
}

static struct str
taken(const struct parser *p)
{
	return str_at(p->out, p->n < sizeof p->out ? p->n : sizeof p->out);
}

static bool
refuse(struct parser *p, const char *reason)
{
	p->reason = reason;
	return false;
}

/* The words may quote the item: they become one line. */
static bool
refuse_quoting(struct parser *p, char *reason)
{
	for (char *s = reason; *s != '\0'; s++)
		if (ascii_control(*s))
			*s = ' ';
	return refuse(p, reason);
}

static bool
refuse_the_rest(struct parser *p)
{
	struct str rest = str_skip(p->in, p->at);

	if (rest.n > 32)
		rest.n = 32;
	return refuse_quoting(p,
	    arena_fmt(p->arena, "malformed address: %.*s may not follow %.*s", S_ARG(rest),
		S_ARG(str_at(p->in.p, p->at))));
}

/* The end, controls, the blank, and RFC 5322's specials. */
static bool
ends_atom(int c)
{
	return c <= ' ' || c == 0x7f || strchr("()<>@,;:\\\".[]", c) != NULL;
}

size_t
enclosed_length(struct str s, unsigned *open)
{
	bool comment = s.p[0] == '(';
	size_t i = 1;

	for (*open = 1; i<s.n && * open> 0 && *open <= COMMENT_DEPTH_MAX; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		else if (s.p[i] == (comment ? ')' : '"'))
			--*open;
		else if (comment && s.p[i] == '(')
			++*open;
	}
	return i;
}

/* Exim takes an open comment for one that ends with the text. */
static bool
skip_comment(struct parser *p)
{
	unsigned open;

	p->at += enclosed_length(str_skip(p->in, p->at), &open);
	return open <= COMMENT_DEPTH_MAX || refuse(p, "comments are nested too deeply");
}

/* Blanks and comments.  A comment that is too deep leaves p->reason. */
static void
skip_blanks(struct parser *p)
{
	p->before_comment = p->at;
	for (;;) {
		while (peek(p) >= 0 && ascii_space((char)peek(p)))
			p->at++;
		if (peek(p) != '(' || !skip_comment(p))
			return;
	}
}

static bool
read_quoted(struct parser *p)
{
	struct str s = str_skip(p->in, p->at);
	unsigned open;

	s.n = enclosed_length(s, &open);
	if (open > 0)
		return refuse(p, "unmatched doublequote in local part");
	for (; s.n > 0; s = str_skip(s, 1), p->at++)
		if (!str_starts(s, STR("\n ")) && !str_starts(s, STR("\n\t"))) /* unfolded */
			put(p, s.p[0]);
	return true;
}

static void
read_atom(struct parser *p)
{
	while (!ends_atom(peek(p)) || peek(p) == '\\') {
		bool pair = peek(p) == '\\' && p->at + 1 < p->in.n;

		take(p);
		if (pair)
			take(p);
	}
}

/* Words with dots between them; Exim takes dots anywhere, and several. */
static bool
read_local_part(struct parser *p, bool null_ok)
{
	p->n = p->domain = 0;
	for (;;) {
		size_t word = p->n;

		skip_blanks(p);
		if (peek(p) != '"')
			read_atom(p);
		else if (!read_quoted(p))
			return false;
		skip_blanks(p);
		if (p->reason != NULL)
			return false;
		if (p->n == word && peek(p) != '.')
			return word > 0 || null_ok || refuse(p, "missing or malformed local part");
		if (peek(p) != '.')
			return true;
		while (peek(p) == '.')
			take(p);
	}
}

/* The rest of the grammar of a literal is mailbox_fault()'s. */
static bool
read_literal(struct parser *p)
{
	while (!ends_atom(peek(p)) || peek(p) == '.' || peek(p) == ':')
		take(p);
	if (peek(p) != ']')
		return refuse(p, "malformed domain literal");
	take(p);
	skip_blanks(p);
	return p->reason == NULL;
}

static bool
in_label(int c)
{
	return c >= 0x80 || c == '-' || c == '_' || (c >= 0 && ascii_alnum((char)c));
}

static bool
read_domain(struct parser *p)
{
	skip_blanks(p);
	if (peek(p) == '[') {
		take(p);
		return read_literal(p);
	}
	for (;;) {
		size_t label = p->n;

		while (in_label(peek(p)) && (p->n > label || peek(p) != '-'))
			take(p);
		skip_blanks(p);
		if (p->reason != NULL)
			return false;
		if (p->n == label)
			return refuse(p, "domain missing or malformed");
		if (peek(p) != '.')
			return true;
		take(p);
		skip_blanks(p);
	}
}

/* "@a,@b:", which means nothing any more (RFC 5321 appendix C). */
static bool
skip_route(struct parser *p)
{
	bool commas = false;

	while (peek(p) == '@') {
		p->at++;
		if (!read_domain(p))
			return false;
		if (peek(p) != ',')
			break;
		p->at++;
		commas = true;
		skip_blanks(p);
	}
	if (peek(p) != ':')
		return refuse(p, commas ? "colon expected after route list" : "no local part");
	p->at++;
	skip_blanks(p);
	return p->reason == NULL;
}

/* "@domain" behind the local part that was just read. */
static bool
read_at_domain(struct parser *p)
{
	take(p);
	p->domain = p->n;
	return read_domain(p);
}

static bool
read_addr_spec(struct parser *p, bool routed, int end)
{
	if (!read_local_part(p, false))
		return false;
	if (peek(p) == '@')
		return read_at_domain(p);
	if (peek(p) == end)
		return !routed || refuse(p, "domain missing in source-routed address");
	return refuse_quoting(
	    p, arena_fmt(p->arena, "\"@\" or \".\" expected after \"%.*s\"", S_ARG(taken(p))));
}

static bool
read_angle(struct parser *p, bool null_ok)
{
	bool routed;

	p->start = ++p->at;
	skip_blanks(p);
	routed = peek(p) == '@';
	if (p->reason != NULL || (routed && !skip_route(p)))
		return false;
	if (null_ok && !routed && peek(p) == '>')
		p->n = 0;
	else if (!read_addr_spec(p, routed, '>'))
		return false;
	p->end = p->at;
	if (peek(p) < 0)
		return refuse(p, "'>' missing at end of address");
	if (peek(p) != '>')
		return refuse_the_rest(p);
	p->at++;
	skip_blanks(p);
	return p->reason == NULL;
}

/* Words up to "<", or up to ":" where a group may begin. */
static bool
skip_phrase(struct parser *p, bool group_ok)
{
	while (peek(p) != '<' && !(group_ok && peek(p) == ':'))
		if (!read_local_part(p, false))
			return refuse_quoting(
			    p, arena_fmt(p->arena, "%s (expected word or \"<\")", p->reason));
	return true;
}

/* "local", "local@domain", "@route:local@domain"; true with *is_phrase when it is something else.
 */
static bool
read_bare(struct parser *p, bool *is_phrase)
{
	skip_blanks(p);
	p->start = p->at;
	*is_phrase = false;
	if (p->reason != NULL || !read_local_part(p, true))
		return false;
	if (peek(p) == '@' && p->n == 0) {
		if (!skip_route(p) || !read_addr_spec(p, true, -1))
			return false;
	} else if (peek(p) == '@') {
		if (!read_at_domain(p))
			return false;
	} else if (peek(p) >= 0 && peek(p) != ';') {
		*is_phrase = true;
	} else if (p->n == 0) {
		return refuse(p, empty_address);
	}
	p->end = p->before_comment;
	return true;
}

static bool
read_mailbox(struct parser *p, bool *in_group, bool null_ok)
{
	for (;;) {
		bool is_phrase;

		if (!read_bare(p, &is_phrase))
			return false;
		if (!is_phrase)
			return true;
		if (!skip_phrase(p, in_group != NULL && !*in_group))
			return false;
		if (peek(p) == '<' || in_group == NULL)
			return read_angle(p, null_ok);
		p->at++; /* ":", which cannot come twice: a group does not nest */
		*in_group = true;
	}
}

static bool
check(struct parser *p, struct address *out)
{
	struct str text = taken(p);
	size_t at = p->domain > 0 ? p->domain - 1 : text.n;

	while (p->end > p->start && ascii_space(p->in.p[p->end - 1]))
		p->end--;
	if (p->n > ADDRESS_MAX || p->end - p->start > ADDRESS_MAX)
		return refuse_quoting(p,
		    arena_fmt(p->arena, "address is ridiculously long: %.64s...",
			arena_strz(p->arena, text)));
	text = arena_str(p->arena, text);
	out->active = str_at(p->in.p + p->start, p->end - p->start);
	out->box.local = str_at(text.p, at);
	out->box.domain = str_skip(text, p->domain > 0 ? p->domain : text.n);
	p->reason = p->n > 0 ? mailbox_fault(out->box) : NULL;
	return p->reason == NULL;
}

bool
extract_address(struct arena *a, struct str item, bool *in_group, bool null_ok, struct address *out)
{
	struct parser p = { .arena = a, .in = item };
	bool ok = read_mailbox(&p, in_group, null_ok);

	*out = (struct address){ .used = item.n };
	if (in_group != NULL && *in_group && peek(&p) == ';') {
		*in_group = false;
		out->used = p.at + 1;
	} else if (ok && p.at < item.n) {
		ok = refuse_the_rest(&p);
	}
	if (ok && check(&p, out))
		return true;
	out->box = (struct mailbox){ 0 };
	out->active = str_trim(str_at(item.p, out->used));
	out->bad = true;
	out->empty = p.reason == empty_address;
	out->reason = p.reason;
	return false;
}

/* Where the one octet c of s is; s.n: there is none, or more. */
static size_t
only_one(struct str s, char c)
{
	size_t at = str_find(s, c);

	return str_find(str_skip(s, at + 1), c) == str_skip(s, at + 1).n ? at : s.n;
}

/* Where the address begins that stands alone behind a name, or s.n. */
static size_t
last_word(struct str s)
{
	size_t at = s.n, sign = only_one(s, '@');

	while (at > 0 && !ascii_space(s.p[at - 1]))
		at--;
	return sign > at && sign < s.n && str_find(s, '<') == s.n ? at : s.n;
}

bool
extract_loose(struct arena *a, struct str item, bool author, struct address *out)
{
	struct str all = str_trim(item);
	struct parser p = { .arena = a, .in = all, .at = only_one(all, '<') };
	struct address x = { .used = item.n };
	bool phrase;

	if (p.at < all.n && only_one(all, '>') < all.n) {
		x.name = str_trim(str_at(all.p, p.at));
		if (!read_angle(&p, false))
			return false;
	} else {
		p.at = author ? last_word(all) : all.n;
		x.name = str_trim(str_at(all.p, p.at));
		if (p.at == all.n || !read_bare(&p, &phrase) || phrase)
			return false;
	}
	if (x.name.n == 0 || p.at < all.n || !check(&p, &x))
		return false;
	x.active = all;
	*out = x;
	return true;
}
