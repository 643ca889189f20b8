/* test_scan.c - field names, their types, From_ lines, and the list of fields, and a large body. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/scan.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void
finds_field_names(void **state)
{
	static const struct {
		struct str line;
		size_t n;
	} rows[] = {
		{ { "To: x\n", 6 }, 2 },
		{ { "A-B : 2\n", 8 }, 3 },
		{ { "A\t \t: 2\n", 8 }, 1 },
		{ { "!#$%: 3\n", 8 }, 4 },
		{ { "X-\xc3\xa4: 4\n", 8 }, 4 },
		{ { ":5\n", 3 }, 0 },
		{ { "X\n : 5\n", 7 }, 1 }, /* the colon on the continuation */
		{ { "X y: 1\n", 7 }, SIZE_MAX },
		{ { " X: 1\n", 6 }, SIZE_MAX },
		{ { " : 1\n", 5 }, SIZE_MAX },
		{ { "\n", 1 }, SIZE_MAX },
		{ { "", 0 }, SIZE_MAX },
		{ { "To\n", 3 }, SIZE_MAX },
		{ { "To", 2 }, SIZE_MAX },
		{ { "T\0o: x\n", 7 }, SIZE_MAX },
		{ { "T\x7fo: x\n", 7 }, SIZE_MAX },
		{ { "T\x01: x\n", 6 }, SIZE_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (scan_field_name(rows[i].line) != rows[i].n)
			fail_msg("row %zu: %zu", i, scan_field_name(rows[i].line));
}

static void
knows_types(void **state)
{
	static const struct {
		const char *name;
		enum header_type type;
		bool resent;
	} rows[] = {
		{ "Bcc", H_BCC, false },
		{ "cc", H_CC, false },
		{ "FROM", H_FROM, false },
		{ "Message-ID", H_ID, false },
		{ "Received", H_RECEIVED, false },
		{ "Reply-To", H_REPLYTO, false },
		{ "Sender", H_SENDER, false },
		{ "tO", H_TO, false },
		{ "Resent-To", H_TO, true },
		{ "RESENT-bcc", H_BCC, true },
		{ "Resent-Message-Id", H_ID, true },
		{ "Resent-Reply-To", H_OTHER, true },
		{ "Reply-To", H_REPLYTO, false },
		{ "Resent-", H_OTHER, true },
		{ "Resent", H_OTHER, false },
		{ "X-To", H_OTHER, false },
		{ "Too", H_OTHER, false },
		{ "T", H_OTHER, false },
		{ "", H_OTHER, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool resent = !rows[i].resent;
		enum header_type type = scan_type(str_of(rows[i].name), &resent);

		if (type != rows[i].type || resent != rows[i].resent)
			fail_msg("%s: '%c' %d", rows[i].name, (int)type, resent);
	}
}

static void
takes_from_lines(void **state)
{
	static const struct {
		const char *line, *address;
	} rows[] = {
		{ "From ph10 Fri Jan  5 12:35 GMT 1996\n", "ph10" },
		{ "From ph10 Fri, 7 Jan 97 14:00:00 GMT\n", "ph10" },
		{ "From a@b 7 Jan 1997 14:00:00 GMT\n", "a@b" },
		{ "From a@b Jan 5 1:2\n", "a@b" },
		{ "From a@b Jan 5 1:2", "a@b" },
		{ "From  \ta@b  Mon\t Jan  5\t12:35\n", "a@b" },
		{ "From <> Mon Jan  1 00:00:00 2024\n", "<>" },
		{ "From a@b\n Mon Jan  1 00:00:00 2024\n", "a@b" },
		{ "From a@b Jan, 5 Jan 97 12:35\n", "a@b" },
		{ "From: ph10 Fri Jan  5 12:35 GMT 1996\n", NULL },
		{ ">From ph10 Fri Jan  5 12:35 GMT 1996\n", NULL },
		{ " From ph10 Fri Jan  5 12:35 GMT 1996\n", NULL },
		{ "from ph10 Fri Jan  5 12:35 GMT 1996\n", NULL },
		{ "From ph10 Fri Jan 123 12:35\n", NULL },
		{ "From ph10 Fri Jan  5 12.35\n", NULL },
		{ "From ph10 Fri Jan  5 123:35\n", NULL },
		{ "From ph10 Fri Jan  5 12:\n", NULL },
		{ "From ph10 Fri Jan  5\n", NULL },
		{ "From ph10 Friday Jan  5 12:35\n", NULL },
		{ "From ph10 7 Jan 7 14:00\n", NULL },
		{ "From ph10 7 Jan 197 14:00\n", NULL },
		{ "From ph10 7 Jan 19777 14:00\n", NULL },
		{ "From ph10 x Jan 1977 14:00\n", NULL },
		{ "From ph10\n", NULL },
		{ "From ph10", NULL },
		{ "From \n", NULL },
		{ "From", NULL },
		{ "From me to you: hello\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct str got = scan_from_line(str_of(rows[i].line));
		const char *want = rows[i].address;

		if ((got.p == NULL) != (want == NULL) ||
		    (want != NULL && !str_eq(got, str_of(want))))
			fail_msg("%s: %.*s", rows[i].line, (int)got.n, got.n > 0 ? got.p : "");
	}
}

static void
keeps_fields(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct message m = { .arena = &a, .body = { .mem = "b\n", .size = 2, .fd = -1 } };
	char octets[8];

	(void)state;
	message_prepend(&m, STR("B: 1\n"));
	for (size_t i = 0; i < 20; i++)
		message_append(&m, STR("C: 2\n"));
	assert_false(m.resent);
	message_prepend(&m, STR("Resent-To : x\n"));
	message_append(&m, STR("to: last\n y\n"));
	message_append(&m, STR("To: never seen\n"));
	assert_true(m.resent);
	assert_int_equal(m.nheaders, 24);
	assert_true(str_eq(m.headers[0].name, STR("Resent-To")));
	assert_true(str_eq(m.headers[1].name, STR("B")));
	assert_int_equal(m.headers[0].type, H_TO);
	assert_ptr_equal(message_find(&m, STR("TO")), &m.headers[22]);
	assert_null(message_find(&m, STR("T")));
	assert_int_equal(message_size(&m), 14 + 5 + 100 + 12 + 15 + 1 + 2);
	m.headers[22].type = H_DELETED;
	assert_ptr_equal(message_find(&m, STR("To")), &m.headers[23]);
	assert_int_equal(message_size(&m), 14 + 5 + 100 + 15 + 1 + 2);
	message_append(&m, STR("no field\n"));
	assert_int_equal(m.headers[24].name.n, 0);

	assert_int_equal(body_read(&m.body, 1, octets, sizeof octets), 1);
	assert_int_equal(octets[0], '\n');
	assert_int_equal(body_read(&m.body, 2, octets, sizeof octets), 0);
	assert_int_equal(body_read(&m.body, UINT64_MAX, octets, sizeof octets), 0);
	body_close(&m.body);
}

/* A body that is longer than 32 bits say. */
static void
reads_beyond_4_gib(void **state)
{
	const uint64_t size = UINT64_C(5) << 30;
	FILE *f = tmpfile();
	struct body b = { .size = size - 7, .start = 7 };
	char end[8] = "";

	(void)state;
	assert_non_null(f);
	b.fd = fileno(f);
	assert_int_equal(pwrite(b.fd, "the end", 7, (off_t)size - 7), 7);
	assert_int_equal(body_read(&b, size - 14, end, sizeof end), 7);
	assert_string_equal(end, "the end");
	assert_int_equal(body_read(&b, size - 7, end, sizeof end), 0);
	assert_int_equal(fclose(f), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_field_names),
		cmocka_unit_test(knows_types),
		cmocka_unit_test(takes_from_lines),
		cmocka_unit_test(keeps_fields),
		cmocka_unit_test(reads_beyond_4_gib),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
