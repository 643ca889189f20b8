/* mime.c - the leaves of a body. */
#include "net/mime.h"

#include "base/buf.h"
#include "mail/scan.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	DEPTH_MAX = 8,               /* multiparts within multiparts; deeper ones are sealed */
	BOUNDARY_MAX = 200,          /* octets; RFC 2046 allows 70 */
	PART_HEADER_MAX = 64 * 1024, /* octets; a part with more is sealed */
	READ_SIZE = 64 * 1024
};

struct level {
	char text[BOUNDARY_MAX];
	size_t n;
	bool digest; /* parts are messages unless they say otherwise */
};

struct walk {
	mime_leaf_fn *fn;
	void *ctx;
	struct mime_rest *rest;
	struct level levels[DEPTH_MAX]; /* the multiparts we are in, outermost first */
	size_t depth;
	enum { BETWEEN, IN_HEADER, IN_LEAF } where;
	struct leaf leaf;
	struct buf header;
	/* the line being read */
	uint64_t start, n, odd;
	bool has_8bit, has_nul;
	char prefix[BOUNDARY_MAX + 8];
	size_t prefix_n;
	unsigned utf8_due; /* octets that the UTF-8 sequence still wants */
};

/* The value of a field; empty when there is no such field. */
static struct str
field_value(struct message *m, struct str name)
{
	const struct header *h = message_find(m, name);
	struct str v = h != NULL ? h->text : str_at("", 0);

	(void)str_cut(&v, ':');
	return str_trim(v.p != NULL ? v : str_at("", 0));
}

/* Take the part of a structured value up to ";" off its front, quotes respected. */
static struct str
next_parameter(struct str *rest)
{
	bool quoted = false;
	size_t n;
	struct str p;

	for (n = 0; n < rest->n && (quoted || rest->p[n] != ';'); n++) {
		if (rest->p[n] == '"')
			quoted = !quoted;
		else if (rest->p[n] == '\\' && quoted)
			n++;
	}
	p = str_at(rest->p, n < rest->n ? n : rest->n);
	*rest = str_skip(*rest, n + 1);
	return str_trim(p);
}

/* The boundary parameter; empty when there is none that we understand. */
static struct str
find_boundary(struct str type)
{
	struct str none = str_at("", 0), p;

	(void)next_parameter(&type);
	while (type.n > 0) {
		struct str name;

		p = next_parameter(&type);
		name = str_trim(str_cut(&p, '='));
		if (p.p == NULL || !str_ieq(name, STR("boundary")))
			continue;
		p = str_trim(p);
		if (p.n > 0 && p.p[0] == '"') {
			p = str_skip(p, 1);
			p.n = str_find(p, '"');
		} else {
			p.n = str_find(p, ' ');
			p.n = str_find(p, '\t');
			p.n = str_find(p, '(');
		}
		p = str_rtrim(p);
		return p.n > BOUNDARY_MAX || str_find(p, '\\') < p.n ? none : p;
	}
	return none;
}

static enum leaf_kind
encoding_kind(struct str encoding)
{
	static const struct str plain[] = { { "7bit", 4 }, { "8bit", 4 }, { "binary", 6 },
		{ "", 0 } };

	encoding.n = str_find(encoding, '(');
	encoding = str_rtrim(encoding);
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (str_ieq(encoding, plain[i]))
			return LEAF_PLAIN;
	return str_ieq(encoding, STR("base64")) ? LEAF_BASE64 : LEAF_SEALED;
}

/* What a header says of the body below it.  True: a multipart to look into; it is on the stack. */
static bool
enter(struct walk *w, struct message *m, bool digest, enum leaf_kind *kind)
{
	struct str type = field_value(m, STR("Content-Type")), rest = type, boundary;
	struct level *l = &w->levels[w->depth];

	*kind = encoding_kind(field_value(m, STR("Content-Transfer-Encoding")));
	type = next_parameter(&rest);
	if (!str_istarts(type, STR("multipart/"))) {
		if (str_istarts(type, STR("message/")) || (type.n == 0 && digest))
			*kind = LEAF_SEALED;
		return false;
	}
	boundary = find_boundary(field_value(m, STR("Content-Type")));
	if (*kind != LEAF_PLAIN || boundary.n == 0 || w->depth == DEPTH_MAX ||
	    str_istarts(type, STR("multipart/signed")) ||
	    str_istarts(type, STR("multipart/encrypted"))) {
		*kind = LEAF_SEALED;
		return false;
	}
	memcpy(l->text, boundary.p, boundary.n);
	l->n = boundary.n;
	l->digest = str_istarts(type, STR("multipart/digest"));
	w->depth++;
	return true;
}

bool
mime_fields(struct message *m, struct str header)
{
	while (header.n > 0) {
		size_t n = str_find(header, '\n') + 1;

		while (n < header.n && (header.p[n] == ' ' || header.p[n] == '\t'))
			n += str_find(str_skip(header, n), '\n') + 1;
		if (n > header.n || scan_field_name(str_at(header.p, n)) == SIZE_MAX)
			return false;
		message_append(m, str_at(header.p, n));
		header = str_skip(header, n);
	}
	return true;
}

/* The empty line below a part's header has been read; behind it is the content. */
static void
header_done(struct walk *w)
{
	AUTO_ARENA struct arena a = { NULL };
	struct message part = { .arena = &a };
	bool digest = w->depth > 0 && w->levels[w->depth - 1].digest;
	enum leaf_kind kind = LEAF_SEALED;

	w->where = IN_LEAF;
	if (buf_ok(&w->header) && mime_fields(&part, buf_get(&w->header)) &&
	    enter(w, &part, digest, &kind)) {
		w->where = BETWEEN;
		return;
	}
	w->utf8_due = 0;
	w->leaf = (struct leaf){ .kind = kind,
		.header = buf_get(&w->header),
		.utf8 = true,
		.head = w->leaf.head,
		.head_end = w->start,
		.from = w->start + 1 };
}

static void
leaf_done(struct walk *w, uint64_t to)
{
	if (w->where == IN_LEAF) {
		w->leaf.to = to > w->leaf.from ? to : w->leaf.from;
		w->fn(w->ctx, &w->leaf);
	}
}

/* Which multipart's boundary the line is; DEPTH_MAX: none. */
static size_t
boundary_level(const struct walk *w, bool *closing)
{
	struct str line = str_at(w->prefix, w->prefix_n);

	if (w->n > sizeof w->prefix || !str_starts(line, STR("--")))
		return DEPTH_MAX;
	for (size_t i = w->depth; i-- > 0;) {
		struct str rest = str_skip(line, 2);

		if (!str_starts(rest, str_at(w->levels[i].text, w->levels[i].n)))
			continue;
		rest = str_skip(rest, w->levels[i].n);
		*closing = str_starts(rest, STR("--"));
		if (str_trim(str_skip(rest, *closing ? 2 : 0)).n == 0)
			return i;
	}
	return DEPTH_MAX;
}

/* The line is a boundary of multipart i: what was inside ends. */
static void
at_boundary(struct walk *w, size_t i, bool closing)
{
	leaf_done(w, w->start > 0 ? w->start - 1 : 0);
	w->depth = closing ? i : i + 1;
	w->where = closing ? BETWEEN : IN_HEADER;
	w->leaf.head = w->start + w->n + 1;
	buf_reset(&w->header);
}

static void
count_rest(struct walk *w)
{
	if (w->n > w->rest->longest)
		w->rest->longest = w->n;
	w->rest->has_8bit |= w->has_8bit;
	w->rest->has_nul |= w->has_nul;
}

static void
end_line(struct walk *w)
{
	bool closing = false;
	size_t i = boundary_level(w, &closing);

	w->leaf.utf8 &= w->utf8_due == 0;
	w->utf8_due = 0;
	if (i < DEPTH_MAX) {
		at_boundary(w, i, closing);
		count_rest(w);
	} else if (w->where == IN_LEAF) {
		w->leaf.lines++;
		w->leaf.odd += w->odd;
		w->leaf.has_8bit |= w->has_8bit;
		w->leaf.has_nul |= w->has_nul;
		if (w->n > w->leaf.longest)
			w->leaf.longest = w->n;
	} else {
		if (w->where == IN_HEADER && w->n == 0)
			header_done(w);
		else if (w->where == IN_HEADER)
			buf_char(&w->header, '\n');
		count_rest(w);
	}
	w->start += w->n + 1;
	w->n = w->odd = w->prefix_n = 0;
	w->has_8bit = w->has_nul = false;
}

static void
octet(struct walk *w, unsigned char c)
{
	bool ok = true;

	if (c == '=' || c > '~' || (c < ' ' && c != '\t'))
		w->odd++;
	if (c < 0x80) {
		ok = w->utf8_due == 0;
		w->utf8_due = 0;
	} else if (w->utf8_due > 0) {
		ok = c < 0xc0;
		w->utf8_due--;
	} else {
		ok = c >= 0xc2 && c <= 0xf4;
		w->utf8_due = c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
	}
	w->has_8bit |= c >= 0x80;
	w->has_nul |= c == 0;
	w->leaf.utf8 &= ok;
}

/* Octets of one line. */
static void
line_octets(struct walk *w, struct str s)
{
	size_t room = sizeof w->prefix - w->prefix_n, n = s.n < room ? s.n : room;

	if (n > 0)
		memcpy(w->prefix + w->prefix_n, s.p, n);
	w->prefix_n += n;
	w->n += s.n;
	if (w->where == IN_HEADER)
		buf_put(&w->header, s);
	for (size_t i = 0; i < s.n; i++)
		octet(w, (unsigned char)s.p[i]);
}

static void
walk_octets(struct walk *w, struct str s)
{
	while (s.n > 0) {
		size_t n = str_find(s, '\n');

		line_octets(w, str_at(s.p, n));
		if (n < s.n)
			end_line(w);
		s = str_skip(s, n + 1);
	}
}

static bool
walk_body(struct walk *w, const struct message *m)
{
	char *p = arena_alloc(m->arena, READ_SIZE);

	for (uint64_t at = 0; at < m->body.size;) {
		int64_t got = body_read(&m->body, at, p, READ_SIZE);

		if (got <= 0)
			return false;
		walk_octets(w, str_at(p, (size_t)got));
		at += (uint64_t)got;
	}
	if (w->n > 0) /* a body that does not end in LF */
		end_line(w);
	leaf_done(w, m->body.size);
	return true;
}

bool
mime_walk(const struct message *m, mime_leaf_fn *fn, void *ctx, struct mime_rest *rest)
{
	struct message top = *m;
	struct walk *w = arena_alloc(m->arena, sizeof *w);
	enum leaf_kind kind;
	bool ok;

	*rest = (struct mime_rest){ 0 };
	w->fn = fn;
	w->ctx = ctx;
	w->rest = rest;
	w->header = (struct buf)BUF_INIT(PART_HEADER_MAX);
	w->where = enter(w, &top, false, &kind) ? BETWEEN : IN_LEAF;
	w->leaf = (struct leaf){ .kind = kind, .whole = true, .utf8 = true };
	ok = walk_body(w, m);
	buf_free(&w->header);
	return ok;
}
