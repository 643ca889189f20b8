/* test_phrase.c - display names and local parts out of free text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/phrase.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct {
	const char *name, *phrase;
} phrases[] = {
	{ "", "" },
	{ " Alice Liddell\n", "Alice Liddell" },
	/* Exim's examples */
	{ "John Q. Smith", "\"John Q. Smith\"" },
	{ "John \"Jack\" Smith", "John \"Jack\" Smith" },
	{ "John \"Jack\" Q. Smith", "John \"Jack\" \"Q.\" Smith" },
	{ "John (Jack) Q. Smith", "\"John (Jack) Q. Smith\"" },
	{ "John (\"Jack\") Q. Smith", "John (\"Jack\") \"Q.\" Smith" },
	{ "John (\\\"Jack\\\") Q. Smith", "\"John (\\\"Jack\\\") Q. Smith\"" },
	{ "John Q. \"Jack\" Smith", "\"John Q.\" \"Jack\" Smith" },
	{ "John (Jack (x)) Smith", "John (Jack (x)) Smith" },
	/* what would break out of the field or the phrase */
	{ "a\r\nBcc: b", "\"a  Bcc: b\"" },
	{ "a.\n\"b\"", "\"a.\" \"b\"" },
	{ "a\tb\x01", "a b " },
	{ "a\\", "\"a\\\\\"" },
	{ "a\\b", "\"a\\b\"" },
	{ "open \"string", "open \"string\"" },
	{ "open \"string\\", "open \"string\\\\\"" },
	{ "\"a\" b\\", "\"a\" \"b\\\\\"" },
	{ "open (comment", "\"open (comment\"" },
	{ "open (\"q\" ((", "open (\"q\" (()))" },
	{ "a) <b@c>", "\"a) <b@c>\"" },
	/* RFC 2047 */
	{ "L\xc3\xa9", "=?UTF-8?Q?L=C3=A9?=" },
	{ "a b_c\xc3\xa9\n=?", "=?UTF-8?Q?a_b=5Fc=C3=A9_=3D=3F?=" },
	{ "\xe9", "=?UTF-8?Q?=E9?=" },
	{ "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
	  "\xa9",
	    "=?UTF-8?Q?=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9=C3=A9?= "
	    "=?UTF-8?Q?=C3=A9?=" },
};

static const struct {
	const char *login, *local;
} locals[] = {
	{ "alice", "alice" },
	{ "alice.l+x", "alice.l+x" },
	{ "CORP\\al", "\"CORP\\\\al\"" },
	{ "al ice", "\"al ice\"" },
	{ ".a", "\".a\"" },
	{ "a.", "\"a.\"" },
	{ "a..b", "a..b" },
	{ "a\"b\n", "\"a\\\"b \"" },
	{ "", "\"\"" },
	{ "\xc3\xa9", "\xc3\xa9" },
};

static void
quotes_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++) {
		AUTO_BUF struct buf b = BUF_INIT(4096);

		buf_str(&b, "");
		phrase_put(&b, str_of(phrases[i].name));
		assert_string_equal(b.n > 0 ? b.p : "", phrases[i].phrase);
	}
}

static void
quotes_local_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof locals / sizeof *locals; i++) {
		AUTO_BUF struct buf b = BUF_INIT(4096);

		local_part_put(&b, str_of(locals[i].login));
		assert_string_equal(b.p, locals[i].local);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quotes_names),
		cmocka_unit_test(quotes_local_parts),
	};

	return cmocka_run_group_tests_name("phrase", tests, NULL, NULL);
}
