/* test_encode.c - quoted-printable, base64, and the folding of header fields. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/fold.h"
#include "net/encode.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void
encodes(void **state)
{
	static const struct {
		struct str in;
		const char *qp, *base64;
	} rows[] = {
		{ { "", 0 }, "", "" },
		{ { "a\n", 2 }, "a\r\n", "YQ0K" },
		{ { "a", 1 }, "a", "YQ==" },
		{ { "=\t \n x\t", 7 }, "=3D\t=20\r\n x=09", "PQkgDQogeAk=" },
		{ { ".a.\n.\n", 6 }, "=2Ea.\r\n=2E\r\n", "LmEuDQouDQo=" },
		{ { "\0\x7f\xff\r\n", 5 }, "=00=7F=FF=0D\r\n", "AH//DQ0K" },
		{ { "1234567890123456789012345678901234567890123456789012345678901234567890123.",
		      74 },
		    "1234567890123456789012345678901234567890123456789012345678901234567890123=\r\n"
		    "=2E",
		    "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3"
		    "\r\nODkwMTIzNDU2Nzg5MDEyMy4=" },
		{ { "12345678901234567890123456789012345678901234567890123456\nx", 58 },
		    "12345678901234567890123456789012345678901234567890123456\r\nx",
		    "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTYN"
		    "\r\nCng=" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_BUF struct buf qp = BUF_INIT(4096), base64 = BUF_INIT(4096);
		struct encode e = { 0 };

		assert_int_equal(encode_qp(&e, &qp, rows[i].in, true), rows[i].in.n);
		e = (struct encode){ 0 };
		assert_int_equal(encode_base64(&e, &base64, rows[i].in, true), rows[i].in.n);
		if (!str_eq(buf_get(&qp), str_of(rows[i].qp)))
			fail_msg("row %zu: \"%s\"", i, qp.p);
		if (!str_eq(buf_get(&base64), str_of(rows[i].base64)))
			fail_msg("row %zu: \"%s\"", i, base64.p);
	}
}

/* A blank is encoded when a line end follows it, which may come with the next octets only; and a
 * base64 line is written when it is full. */
static void
leaves_what_it_cannot_decide(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(4096);
	struct encode e = { 0 };

	(void)state;
	assert_int_equal(encode_qp(&e, &out, STR("a "), false), 1);
	assert_int_equal(encode_qp(&e, &out, STR(" \nb"), false), 2);
	assert_int_equal(encode_qp(&e, &out, STR("b"), true), 1);
	assert_string_equal(out.p, "a=20\r\nb");
	buf_reset(&out);
	e = (struct encode){ 0 };
	assert_int_equal(encode_base64(&e, &out, STR("abc"), false), 0);
	assert_int_equal(encode_base64(&e, &out, STR("abcd"), true), 4);
	assert_string_equal(out.p, "YWJjZA==");
}

static void
folds(void **state)
{
	static const struct {
		const char *field, *folded; /* to 20 octets a line */
	} rows[] = {
		{ "Subject: twenty octs\n", "Subject: twenty octs\n" },
		{ "Subject: a bc def ghij klmno\n", "Subject: a bc def\n ghij klmno\n" },
		{ "Subject: 1234567890 twenty-one\n", "Subject: 1234567890\n twenty-one\n" },
		{ "S: a\n bb cc dd ee ff gg hh ii\n", "S: a\n bb cc dd ee ff gg\n hh ii\n" },
		{ "T: a@b,c@d,e@f,g@h,i@j,k@l\n", "T: a@b,c@d,e@f,g@h,\n i@j,k@l\n" },
		{ "T: \"a b c d e f g\" h@i.example\n", "T: \"a b c d e f g\"\n h@i.example\n" },
		{ "T: \"a b c d e f g h i j k l\" m\n", "T: \"a b c d e f g h\n i j k l\" m\n" },
		{ "T: \"\\\" b,c,d,e\\\", g h i j k l\" m\n",
		    "T: \"\\\" b,c,d,e\\\", g\n h i j k l\" m\n" },
		{ "X: 123456789012345678901234567890123456789012\n",
		    "X: 12345678901234567\n 8901234567890123456\n 789012\n" },
		{ "X: 1234567890123456\xc3\xa4\xc3\xa4\n",
		    "X: 1234567890123456\n \xc3\xa4\xc3\xa4\n" },
		{ "X: 123456789012345\xc3\xa4\xc3\xa4\n",
		    "X: 123456789012345\xc3\xa4\n \xc3\xa4\n" },
		{ "X: a                             b\n",
		    "X: a                \n             b\n" },
		{ "X: 1234567890 45678                     \n",
		    "X: 1234567890\n 45678              \n       \n" },
		{ "X: 1234567890,456,8901234\n \n", "X: 1234567890,456,\n 8901234\n \n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct str got = fold_field(&a, str_of(rows[i].field), 20);

		if (!str_eq(got, str_of(rows[i].folded)))
			fail_msg("row %zu: \"%.*s\"", i, S_ARG(got));
		assert_false(fold_needed(got, 20));
		assert_int_equal(fold_needed(str_of(rows[i].field), 20),
		    strcmp(rows[i].field, rows[i].folded) != 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes),
		cmocka_unit_test(leaves_what_it_cannot_decide),
		cmocka_unit_test(folds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
