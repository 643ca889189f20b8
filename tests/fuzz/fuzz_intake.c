/* fuzz_intake.c - any octets make the same message, however they are cut into reads. */
#include <stdlib.h>

#include "front/intake.h"
#include "mail/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static bool
has(struct str s, char c)
{
	return str_find(s, c) < s.n;
}

static void
check_message(const struct message *m, struct str body)
{
	struct body again = { .fd = -1 };
	uint64_t column = 0;

	for (size_t i = 0; i < m->nheaders; i++) {
		struct str t = m->headers[i].text;

		must(t.n > 1 && t.p[t.n - 1] == '\n' && !has(t, '\r') && !has(t, '\0'));
		must(scan_field_name(t) == m->headers[i].name.n);
		while ((t = str_skip(t, str_find(t, '\n') + 1)).n > 0)
			must(t.p[0] == ' ' || t.p[0] == '\t');
	}
	must(!has(body, '\r') && (body.n == 0 || body.p[body.n - 1] == '\n'));
	body_count(&again, body, &column);
	must(again.lines == m->body.lines && again.longest_line == m->body.longest_line);
	must(again.has_8bit == m->body.has_8bit && again.has_nul == m->body.has_nul);
}

/* The message in s, given in one read or in two. */
static struct str
take(struct message *m, struct str s, size_t cut, enum intake_dot dot, struct str *from)
{
	struct intake_options o = { .dot = dot };
	struct intake *in = intake_new(m, &o);
	struct fail f = FAIL_INIT;
	bool done;

	must(intake_feed(in, str_at(s.p, cut), &done, &f));
	must(intake_feed(in, str_skip(s, cut), &done, &f));
	must(intake_end(in, from, &f));
	must(m->body.fd == -1);
	return str_at(m->body.mem, (size_t)m->body.size);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a = { NULL };
	struct message one = { .arena = &a }, two = { .arena = &a };
	struct str s, from_one, from_two, body_one, body_two;
	enum intake_dot dot;

	if (size < 3 || size > HEADER_MAX / 4)
		return 0;
	dot = (enum intake_dot)(data[0] % 3);
	s = str_at((const char *)data + 3, size - 3);
	body_one = take(&one, s, s.n, dot, &from_one);
	body_two = take(&two, s, (size_t)(data[1] << 8 | data[2]) % (s.n + 1), dot, &from_two);
	check_message(&one, body_one);
	must(str_eq(body_one, body_two));
	must(one.nheaders == two.nheaders && str_eq(from_one, from_two));
	for (size_t i = 0; i < one.nheaders; i++)
		must(str_eq(one.headers[i].text, two.headers[i].text));
	return 0;
}
