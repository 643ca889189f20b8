/* test_reply.c - replies line by line: what is taken, what ends the connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/reply.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* One row is one reply: its lines, what the last feed says, code, enhanced code. */
static const struct row {
	const char *name, *lines[4];
	enum reply_step want;
	int code;
	unsigned enh[3];
} rows[] = {
	{ "plain", { "250 ok" }, REPLY_DONE, 250, { 0, 0, 0 } },
	{ "bare code (RFC 5321 4.2)", { "250" }, REPLY_DONE, 250, { 0, 0, 0 } },
	{ "bare code and blank", { "250 " }, REPLY_DONE, 250, { 0, 0, 0 } },
	{ "enhanced", { "550 5.1.1 no such user" }, REPLY_DONE, 550, { 5, 1, 1 } },
	{ "enhanced alone", { "421 4.3.2" }, REPLY_DONE, 421, { 4, 3, 2 } },
	{ "three digits", { "550 5.999.123 x" }, REPLY_DONE, 550, { 5, 999, 123 } },
	{ "enhanced of the last line", { "550-5.1.1 a", "550 5.7.1 b" }, REPLY_DONE, 550,
	    { 5, 7, 1 } },
	{ "enhanced on the first line only", { "550-5.1.1 a", "550 b" }, REPLY_DONE, 550,
	    { 0, 0, 0 } },
	{ "multi-line", { "250-a", "250-SIZE 10", "250 b" }, REPLY_DONE, 250, { 0, 0, 0 } },
	{ "goes on", { "250-a", "250-b" }, REPLY_MORE, 250, { 0, 0, 0 } },
	{ "code changes inside", { "250-a", "251 b" }, REPLY_BAD, 0, { 0, 0, 0 } },
	{ "bad separator", { "250+a" }, REPLY_BAD, 0, { 0, 0, 0 } },
	{ "tab as separator", { "250\ta" }, REPLY_BAD, 0, { 0, 0, 0 } },
	{ "1xx is no SMTP", { "150 a" }, REPLY_BAD, 0, { 0, 0, 0 } },
	{ "6xx is no SMTP", { "650 a" }, REPLY_BAD, 0, { 0, 0, 0 } },
	{ "short", { "25" }, REPLY_BAD, 0, { 0, 0, 0 } },
	{ "empty", { "" }, REPLY_BAD, 0, { 0, 0, 0 } },
	{ "letters", { "2x0 a" }, REPLY_BAD, 0, { 0, 0, 0 } },
	{ "letters behind", { "25x a" }, REPLY_BAD, 0, { 0, 0, 0 } },
	{ "carriage return inside", { "250 a\rb" }, REPLY_BAD, 0, { 0, 0, 0 } },
	{ "line feed inside", { "250 a\nb" }, REPLY_BAD, 0, { 0, 0, 0 } },
	{ "four digits are no status", { "250 2.0000.0 x" }, REPLY_DONE, 250, { 0, 0, 0 } },
	{ "two parts are no status", { "250 2.0 x" }, REPLY_DONE, 250, { 0, 0, 0 } },
	{ "letters glued to it", { "250 2.0.0x" }, REPLY_DONE, 250, { 0, 0, 0 } },
	{ "class 3 is no status", { "350 3.0.0 x" }, REPLY_DONE, 350, { 0, 0, 0 } },
	{ "no third part", { "250 2.1. x" }, REPLY_DONE, 250, { 0, 0, 0 } },
};

static void
each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct reply r = { 0 };
		enum reply_step got = REPLY_BAD;

		for (int k = 0; k < 4 && rows[i].lines[k] != NULL; k++)
			got = reply_feed(&r, str_of(rows[i].lines[k]));
		if (got != rows[i].want)
			fail_msg("%s: step %d, want %d", rows[i].name, (int)got, (int)rows[i].want);
		if (got == REPLY_BAD)
			continue;
		if (r.code != rows[i].code || memcmp(r.enh, rows[i].enh, sizeof r.enh) != 0)
			fail_msg(
			    "%s: %d %u.%u.%u", rows[i].name, r.code, r.enh[0], r.enh[1], r.enh[2]);
	}
}

static void
nul_is_refused(void **state)
{
	struct reply r = { 0 };

	(void)state;
	assert_int_equal(reply_feed(&r, STR("250 a\0b")), REPLY_BAD);
	assert_int_equal(r.lines, 0);
}

static void
endless_replies_end(void **state)
{
	static char line[REPLY_LINE_MAX + 1];
	struct reply r = { 0 };
	unsigned n = 0;

	(void)state;
	while (reply_feed(&r, STR("250-x")) == REPLY_MORE)
		n++;
	assert_int_equal(n, REPLY_LINES_MAX);

	memset(line, 'x', sizeof line);
	line[0] = '2';
	line[1] = '5';
	line[2] = '0';
	line[3] = '-';
	r = (struct reply){ 0 };
	assert_int_equal(reply_feed(&r, str_at(line, sizeof line)), REPLY_BAD);
	for (n = 0; reply_feed(&r, str_at(line, REPLY_LINE_MAX)) == REPLY_MORE; n++)
		;
	assert_int_equal(n, REPLY_MAX / REPLY_LINE_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(nul_is_refused),
		cmocka_unit_test(endless_replies_end),
	};

	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
