/* fuzz_output.c - what leaves is lines of CRLF, doubled dots, and the message that came in.
 *
 * To reach lines over 998 octets with short inputs, an octet 1 stands for 999 x. */
#include <stdlib.h>

#include "base/b64.h"
#include "front/intake.h"
#include "net/output.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_MAX = 1 << 14, WIRE_MAX = 1 << 20 };

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
send_all(const struct message *m, struct output_plan plan, bool stuff, struct buf *wire)
{
	struct output o = { .m = m, .plan = plan, .stuff_dots = stuff };
	struct fail f = FAIL_INIT;
	bool more = true;

	while (more) {
		size_t before = wire->n;

		must(output_next(&o, wire, &more, &f));
		must(wire->n - before <= 65536);
	}
}

/* Every CR has its LF and every LF its CR; returns the dots doubled. */
static size_t
check_wire(struct str wire, bool stuffed, bool long_lines)
{
	size_t dots = 0;

	while (wire.n > 0) {
		size_t n = str_find(wire, '\n');
		struct str line = str_at(wire.p, n);

		must(n > 0 && n < wire.n && str_find(line, '\r') == n - 1);
		if (stuffed && line.p[0] == '.') {
			must(line.p[1] == '.');
			line = str_skip(line, 1);
			dots++;
		}
		must(long_lines || line.n - 1 <= LINE_MAX_OCTETS);
		wire = str_skip(wire, n + 1);
	}
	return dots;
}

static int
hex(char c)
{
	return ascii_digit(c) ? c - '0' : c - 'A' + 10;
}

static void
decode_qp(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '=') {
			buf_char(out, s.p[i]);
			continue;
		}
		must(s.n - i > 2);
		if (s.p[i + 1] != '\r')
			buf_char(out, (char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2])));
		i += 2;
	}
}

/* What a receiver makes of a piece, with CRLF. */
static void
decode(struct buf *out, const struct piece *p, struct str s)
{
	AUTO_BUF struct buf code = BUF_INIT(WIRE_MAX);

	if (p->kind == PIECE_QP) {
		decode_qp(out, s);
		return;
	}
	for (size_t i = 0; i < s.n; i++)
		if (p->kind == PIECE_TEXT || (s.p[i] != '\r' && s.p[i] != '\n'))
			buf_char(&code, s.p[i]);
	if (p->kind == PIECE_BASE64)
		must(b64_decode(out, buf_get(&code)));
	else
		buf_put(out, buf_get(&code));
}

static void
check_piece(const struct message *m, const struct piece *p)
{
	AUTO_BUF struct buf wire = BUF_INIT(WIRE_MAX), got = BUF_INIT(WIRE_MAX);
	AUTO_BUF struct buf want = BUF_INIT(WIRE_MAX);
	struct output_plan plan = { .pieces = p, .npieces = 1 };
	struct str is,
	    was = str_at(
		(p->mem != NULL ? p->mem : m->body.mem) + p->from, (size_t)(p->to - p->from));

	for (size_t i = 0; i < was.n; i++) {
		if (was.p[i] == '\n' && p->kind == PIECE_WRAP)
			continue;
		buf_str(&want, was.p[i] == '\n' ? "\r" : "");
		buf_char(&want, was.p[i]);
	}
	send_all(m, plan, false, &wire);
	is = str_skip(buf_get(&wire), 2);
	if (p->kind != PIECE_WRAP &&
	    (was.n == 0 || was.p[was.n - 1] != '\n' || p->kind == PIECE_BASE64))
		is.n -= 2; /* what ends a message that does not end in LF */
	decode(&got, p, is);
	must(buf_ok(&got) && str_eq(buf_get(&got), buf_get(&want)));
}

static void
check_message(const struct message *m, bool server_8bit)
{
	AUTO_BUF struct buf wire = BUF_INIT(WIRE_MAX), again = BUF_INIT(WIRE_MAX);
	struct output_plan plan = output_plan(m, server_8bit);
	uint64_t at = 0;
	size_t dots;

	send_all(m, plan, true, &wire);
	dots = check_wire(buf_get(&wire), true, plan.long_lines);
	must(wire.n - dots <= plan.size);
	send_all(m, output_plan(m, server_8bit), false, &again);
	must(again.n == wire.n - dots);
	(void)check_wire(buf_get(&again), false, plan.long_lines);
	for (size_t i = 0; i < plan.npieces; i++) {
		const struct piece *p = &plan.pieces[i];

		must(p->from < p->to &&
		    (p->mem != NULL || (p->from >= at && p->to <= m->body.size)));
		at = p->mem != NULL ? at : p->to;
		check_piece(m, p);
	}
	must(at == m->body.size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
	struct message m = { .arena = &a };
	struct intake_options o = { 0 };
	struct intake *in = intake_new(&m, &o);
	struct fail f = FAIL_INIT;
	struct str from;
	bool done;

	for (size_t i = 0; i < size; i++) {
		for (size_t k = 0; data[i] == 1 && k < 999; k++)
			buf_char(&text, 'x');
		if (data[i] != 1)
			buf_char(&text, (char)data[i]);
	}
	if (!buf_ok(&text))
		return 0;
	must(intake_feed(in, buf_get(&text), &done, &f) && intake_end(in, &from, &f));
	check_message(&m, true);
	check_message(&m, false);
	return 0;
}
