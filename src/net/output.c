/* output.c - a message in wire form. */
#include "net/output.h"

#include <errno.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	ENOUGH = 48 * 1024,     /* octets that make one call */
	TEXT_CHUNK = 16 * 1024, /* octets taken at once: as they are, */
	CODE_CHUNK = 4 * 1024,  /* and when they may grow threefold */
	WRAP_COLUMN = 76
};

enum manner { AS_LINES, AS_WRAPPED_LINES, AS_FIELD };

static void
end_line(struct output *o, struct buf *out)
{
	buf_add(out, "\r\n", 2);
	o->mid_line = false;
	o->encode.column = 0;
}

/* Octets without a line end. */
static void
put_run(struct output *o, struct buf *out, struct str run)
{
	if (!o->mid_line && o->stuff_dots && run.p[0] == '.')
		buf_char(out, '.');
	buf_put(out, run);
	o->mid_line = true;
	o->after_cr = false;
}

/* Where the run at the front of s ends: at LF, CR, with s, or where it has to be wrapped. */
static size_t
run_length(const struct output *o, struct str s, bool has_cr, enum manner how)
{
	size_t n = str_find(s, '\n');

	if (has_cr)
		n = str_find(str_at(s.p, n), '\r');
	if (how == AS_WRAPPED_LINES && n > WRAP_COLUMN - o->encode.column)
		n = WRAP_COLUMN - o->encode.column;
	return n;
}

/* Whatever a field's text is, its further lines are continuations and none of its lines is empty:
 * it can neither end the header section nor begin another field. */
static void
guard_field(struct output *o, struct buf *out, char c, bool first)
{
	bool eol = c == '\n' || c == '\r';

	if (o->mid_line || (o->after_cr && c == '\n'))
		return;
	if (first ? eol : c != ' ' && c != '\t')
		put_run(o, out, STR(" "));
}

/* LF becomes CRLF; so does CR, with or without LF behind it. */
static void
put_text(struct output *o, struct buf *out, struct str s, enum manner how)
{
	bool has_cr = str_find(s, '\r') < s.n, first = o->at == 0;

	while (s.n > 0) {
		size_t n;
		bool wrapped;

		if (how == AS_FIELD)
			guard_field(o, out, s.p[0], first);
		first = false;
		n = run_length(o, s, has_cr, how);
		if (n > 0)
			put_run(o, out, str_at(s.p, n));
		if (how == AS_WRAPPED_LINES)
			o->encode.column += (unsigned)n;
		if (n == s.n)
			return;
		wrapped = s.p[n] != '\n' && s.p[n] != '\r';
		if (s.p[n] != '\n' || !o->after_cr)
			end_line(o, out);
		o->after_cr = s.p[n] == '\r';
		s = str_skip(s, wrapped ? n : n + 1);
	}
}

static struct str
at_most(struct str s, size_t n)
{
	return str_at(s.p, s.n < n ? s.n : n);
}

static void
put_header(struct output *o, struct buf *out)
{
	const struct header *h = &o->plan.headers[o->header];
	struct str s = at_most(str_skip(h->text, (size_t)o->at), TEXT_CHUNK);

	if (h->type != H_DELETED) {
		put_text(o, out, s, AS_FIELD);
		o->at += s.n;
		if (o->at < h->text.n)
			return;
		if (o->mid_line)
			end_line(o, out);
	}
	o->after_cr = false;
	o->at = 0;
	o->header++;
}

/* The next octets of a piece, n of them or all that are left. */
static bool
piece_octets(struct output *o, const struct piece *p, size_t n, struct str *s, struct fail *f)
{
	const struct body *b = &o->m->body;
	const char *mem = p->mem != NULL ? p->mem : b->fd < 0 ? b->mem : NULL;
	uint64_t at = p->from + o->at;

	if (n > p->to - at)
		n = (size_t)(p->to - at);
	if (mem != NULL) {
		*s = str_at(mem + at, n);
		return true;
	}
	if (o->scratch == NULL)
		o->scratch = arena_alloc(o->m->arena, TEXT_CHUNK);
	for (size_t have = 0; have < n;) {
		int64_t got = body_read(b, at + have, o->scratch + have, n - have);

		if (got <= 0)
			return fail_set(f, FAIL_TEMP, STAGE_DATA, got < 0 ? errno : EIO,
			    "cannot read the message's body back");
		have += (size_t)got;
	}
	*s = str_at(o->scratch, n);
	return true;
}

static bool
put_piece(struct output *o, struct buf *out, struct fail *f)
{
	const struct piece *p = &o->plan.pieces[o->piece];
	bool text = p->kind == PIECE_TEXT || p->kind == PIECE_WRAP, last;
	struct str s = { NULL, 0 };

	if (!piece_octets(o, p, text ? TEXT_CHUNK : CODE_CHUNK, &s, f))
		return false;
	last = p->from + o->at + s.n == p->to;
	if (text)
		put_text(o, out, s, p->kind == PIECE_WRAP ? AS_WRAPPED_LINES : AS_LINES);
	else if (p->kind == PIECE_QP)
		s.n = encode_qp(&o->encode, out, s, last);
	else
		s.n = encode_base64(&o->encode, out, s, last);
	if (!text)
		o->mid_line = o->encode.column > 0;
	o->at += s.n;
	if (last) {
		o->at = 0;
		o->piece++;
	}
	return true;
}

bool
output_next(struct output *o, struct buf *out, bool *more, struct fail *f)
{
	size_t start = out->n;

	while (!o->done && out->n - start < ENOUGH) {
		if (o->header < o->plan.nheaders) {
			put_header(o, out);
		} else if (!o->body_started) {
			end_line(o, out);
			o->body_started = true;
		} else if (o->piece < o->plan.npieces) {
			if (!put_piece(o, out, f))
				return false;
		} else {
			if (o->mid_line)
				end_line(o, out);
			o->done = true;
		}
		if (!buf_ok(out))
			return fail_set(
			    f, FAIL_TEMP, STAGE_DATA, 0, "out of memory while sending the message");
	}
	*more = !o->done;
	return true;
}
