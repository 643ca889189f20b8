/* plan.c - what has to be done to a message before it leaves. */
#include "mail/fold.h"
#include "net/mime.h"
#include "net/output.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	SIZE_ADDITION = 1024, /* Exim's: room for what servers add */
	SHORTEST_LINE = 73,   /* at least so many octets stand before a line end that we make */
	BASE64_LINE = 57
};

struct plan {
	struct message m;     /* a copy, whose headers are ours */
	struct piece *pieces; /* so far */
	size_t n;
	uint64_t planned; /* octets of the body that are in them */
	bool all_7bit;
	struct output_plan *out;
};

static void
add_piece(struct plan *p, struct piece piece)
{
	if (piece.from == piece.to)
		return;
	p->pieces = arena_grow(p->m.arena, p->pieces, p->n, sizeof *p->pieces);
	p->pieces[p->n++] = piece;
}

static void
add_text(struct plan *p, uint64_t to)
{
	add_piece(p, (struct piece){ .kind = PIECE_TEXT, .from = p->planned, .to = to });
	p->planned = to;
}

/* An upper bound of what the leaf becomes, line ends as CRLF. */
static uint64_t
size_as(const struct leaf *l, bool base64)
{
	uint64_t n = l->to - l->from + l->lines;

	if (base64)
		return (n / BASE64_LINE + 1) * 78;
	if (l->kind == LEAF_PLAIN)
		n += 2 * l->odd + 3 * l->lines + 2;
	return n + 3 * (n / SHORTEST_LINE + 1);
}

/* Give the header of a leaf the encoding, and the type that it has by default. */
static void
set_encoding(struct message *h, const struct leaf *l, bool base64)
{
	struct str name = STR("Content-Transfer-Encoding");
	struct header *old;

	while ((old = message_find(h, name)) != NULL)
		old->type = H_DELETED;
	if (l->whole && message_find(h, STR("MIME-Version")) == NULL)
		message_append(h, STR("MIME-Version: 1.0\n"));
	if (message_find(h, STR("Content-Type")) == NULL)
		message_append(h,
		    !l->has_8bit ? STR("Content-Type: text/plain; charset=us-ascii\n") :
			l->utf8  ? STR("Content-Type: text/plain; charset=utf-8\n") :
				   STR("Content-Type: text/plain; charset=unknown-8bit\n"));
	message_append(h,
	    base64 ? STR("Content-Transfer-Encoding: base64\n") :
		     STR("Content-Transfer-Encoding: quoted-printable\n"));
}

/* Put the part's new header in the place of the old one. */
static void
replace_part_header(struct plan *p, const struct leaf *l, bool base64)
{
	AUTO_BUF struct buf text = BUF_INIT((size_t)2 * HEADER_MAX);
	struct message part = { .arena = p->m.arena };
	struct str copy;

	if (!mime_fields(&part, arena_str(part.arena, l->header)))
		return;
	set_encoding(&part, l, base64);
	for (size_t i = 0; i < part.nheaders; i++)
		if (part.headers[i].type != H_DELETED)
			buf_put(&text, part.headers[i].text);
	copy = arena_str(part.arena, buf_get(&text));
	add_text(p, l->head);
	add_piece(p, (struct piece){ .kind = PIECE_TEXT, .mem = copy.p, .to = copy.n });
	p->out->size += copy.n;
	p->planned = l->head_end;
}

/* mime_walk() calls it for each leaf. */
static void
plan_leaf(void *ctx, const struct leaf *l)
{
	struct plan *p = ctx;
	bool too_long = l->longest > LINE_MAX_OCTETS;
	bool plain = l->kind == LEAF_PLAIN;
	bool change = (too_long && l->kind != LEAF_SEALED) ||
	    (plain && (l->has_nul || (p->all_7bit && l->has_8bit)));
	bool base64 = l->odd > (l->to - l->from) / 6; /* then it is shorter */
	struct piece piece = { .from = l->from, .to = l->to };

	if (!change) {
		p->out->long_lines |= too_long;
		p->out->needs_8bit |= l->has_8bit;
		p->out->has_nul |= l->has_nul;
		return;
	}
	if (l->kind == LEAF_BASE64) {
		piece.kind = PIECE_WRAP;
		base64 = false;
	} else {
		if (l->whole)
			set_encoding(&p->m, l, base64);
		else
			replace_part_header(p, l, base64);
		piece.kind = base64 ? PIECE_BASE64 : PIECE_QP;
	}
	p->out->size += size_as(l, base64) - (l->to - l->from);
	add_text(p, l->from);
	add_piece(p, piece);
	p->planned = l->to;
}

static bool
is_signed(struct message *m)
{
	return message_find(m, STR("DKIM-Signature")) != NULL ||
	    message_find(m, STR("DomainKey-Signature")) != NULL;
}

static void
plan_body(struct plan *p)
{
	const struct body *b = &p->m.body;
	struct mime_rest rest;

	p->out->size += b->size + b->lines;
	if (is_signed(&p->m) ||
	    (b->longest_line <= LINE_MAX_OCTETS && !b->has_nul && !(p->all_7bit && b->has_8bit))) {
		p->out->needs_8bit = b->has_8bit;
		p->out->has_nul = b->has_nul;
		p->out->long_lines = b->longest_line > LINE_MAX_OCTETS;
	} else if (mime_walk(&p->m, plan_leaf, p, &rest)) {
		p->out->needs_8bit |= rest.has_8bit;
		p->out->has_nul |= rest.has_nul;
		p->out->long_lines |= rest.longest > LINE_MAX_OCTETS;
	}
	add_text(p, b->size);
}

static size_t
count_lines(struct str s)
{
	size_t n = 0;

	for (size_t i = str_find(s, '\n'); i < s.n; i = str_find(s, '\n')) {
		s = str_skip(s, i + 1);
		n++;
	}
	return n;
}

static void
plan_headers(struct plan *p)
{
	for (size_t i = 0; i < p->m.nheaders; i++) {
		struct header *h = &p->m.headers[i];

		if (h->type == H_DELETED)
			continue;
		if (fold_needed(h->text, LINE_MAX_OCTETS))
			h->text = fold_field(p->m.arena, h->text, LINE_MAX_OCTETS);
		p->out->size += h->text.n + count_lines(h->text);
	}
}

struct output_plan
output_plan(const struct message *m, bool server_8bit)
{
	struct output_plan out = { .size = 1 + SIZE_ADDITION };
	struct plan p = { .m = *m, .all_7bit = !server_8bit, .out = &out };

	p.m.headers = arena_array(m->arena, m->nheaders + 4, sizeof *p.m.headers);
	if (m->nheaders > 0)
		memcpy(p.m.headers, m->headers, m->nheaders * sizeof *p.m.headers);
	plan_body(&p);
	plan_headers(&p);
	out.headers = p.m.headers;
	out.nheaders = p.m.nheaders;
	out.pieces = p.pieces;
	out.npieces = p.n;
	return out;
}
