/* test_lsearch.c - Exim's table files, quirk by quirk; names in brackets are recorded cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "conf/lsearch.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct {
	const char *name, *text, *key, *value; /* value NULL: not found */
	unsigned line;
} rows[] = {
	{ "plain", "a: b\nc: d\n", "c", "d", 2 },
	{ "rw-case", "Alice: x@y\n", "aLICE", "x@y", 1 },
	{ "rw-first-wins", "a: 1\na: 2\n", "a", "1", 1 },
	{ "rw-no-colon", "a b@c\n", "a", "b@c", 1 },
	{ "auth-space-sep", "smtp.isp.example   user:pass\n", "smtp.isp.example", "user:pass", 1 },
	{ "auth-space-colon-space", "h : user:pass\n", "h", "user:pass", 1 },
	{ "auth-port-key", "h::2525:user:pass\n", "h", ":2525:user:pass", 1 },
	{ "auth-colon-end", "h:user:pass:\n", "h", "user:pass:", 1 },
	{ "auth-special-chars", "h:us$er{x}:p$1\\n}{;\"'%#&<>\n", "h", "us$er{x}:p$1\\n}{;\"'%#&<>",
	    1 },
	{ "auth-crlf", "h:user:pass\r\n", "h", "user:pass", 1 },
	{ "rw-crlf-file", "fax: f@isp.example\r\n", "fax", "f@isp.example", 1 },
	{ "auth-trailing-space", "h:user:pass \t \n", "h", "user:pass", 1 },
	{ "auth-no-newline", "h:user:pass ", "h", "user:pass ", 1 },
	{ "auth-no-newline, CR", "h:user:pass\r", "h", "user:pass\r", 1 },
	{ "auth-comment-blank", "# c\n\n# x:y:z\nh:user:pass\n", "h", "user:pass", 4 },
	{ "comment is no key", "#h: x\n", "#h", NULL, 0 },
	{ "white space first is no key", " h: x\n", "h", NULL, 0 },
	{ "rw-trailing-comment", "fax: f@x # my\n", "fax", "f@x # my", 1 },
	{ "rw-wild-key", "*: all@x\nfa*: f@x\n", "fax", NULL, 0 },
	{ "loc-alias-star", "*: fax\n", "*", "fax", 1 },
	{ "loc-alias-list", "l: a,\n  b,\n\tc\n", "l", "a, b, c", 1 },
	{ "auth-continuation", "h:\n   user:pass\nk: x\n", "h", " user:pass", 1 },
	{ "after a continuation", "h: a\n b\nk: x\n", "k", "x", 3 },
	{ "rw-cont-line-plain", "other: o\nfax:\n   f@isp\n", "fax", " f@isp", 2 },
	{ "rw-cont-line", "fax:\n# c\n   f@isp.example\n", "fax", "", 1 },
	{ "rw-cont-line, half", "fax: a,\n b\n\n  c\n", "fax", "a, b", 1 },
	{ "blanks only end a value", "fax: a\n   \n  c\nx: y\n", "fax", "a", 1 },
	{ "next key after that", "fax: a\n   \n  c\nx: y\n", "x", "y", 4 },
	{ "continuation at the end", "fax: a\n  b", "fax", "a b", 1 },
	{ "loc-alias-chain", "\"a3\": fax\n", "a3", "fax", 1 },
	{ "auth-ip6", "\"2001:db8::1\":u:p\n", "2001:db8::1", "u:p", 1 },
	{ "auth-quoted-key", "\"smtp.isp.example\":user:pass\n", "smtp.isp.example", "user:pass",
	    1 },
	{ "escapes", "\"a\\\"\\\\\\x41\\102\\q\\t\":v\n", "a\"\\ABq\t", "v", 1 },
	{ "short octal", "\"\\1018\": v\n", "A8", "v", 1 },
	{ "quote not closed", "\"ab c: v\n", "ab c: v", "", 1 },
	{ "backslash at the end", "\"ab\\", "ab", "", 1 },
	{ "x without digits", "\"\\xg\": v\n", "\001", NULL, 0 },
	{ "key alone", "h\n", "h", "", 1 },
	{ "key alone, unterminated", "h", "h", "", 1 },
	{ "empty key", ": v\n", "", "v", 1 },
	{ "empty text", "", "h", NULL, 0 },
	{ "prefix is not enough", "alice2: x\n", "alice", NULL, 0 },
};

static void
find(void **state)
{
	AUTO_ARENA struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct lsearch_entry e = { .line = 0 };
		bool found = lsearch_find(str_of(rows[i].text), str_of(rows[i].key), &a, &e);

		if (rows[i].value == NULL) {
			if (found)
				fail_msg("%s: found", rows[i].name);
			continue;
		}
		if (!found || (!str_eq(e.value, str_of(rows[i].value)) || e.line != rows[i].line))
			fail_msg("%s: \"%.*s\" in line %u", rows[i].name, S_ARG(e.value), e.line);
	}
}

static void
walk(void **state)
{
	static const char text[] = "a: 1\n# c\n  lost\nb: 2\n  3\n\"c d\" 4";
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf seen = BUF_INIT(1024);
	struct lsearch t = lsearch_open(STR(text));
	struct lsearch_entry e;

	(void)state;
	while (lsearch_next(&t, &a, &e))
		buf_fmt(&seen, "%u[%.*s]=%.*s;", e.line, S_ARG(e.key), S_ARG(e.value));
	assert_string_equal(seen.p, "1[a]=1;4[b]=2 3;6[c d]=4;");
}

/* Many entries of two lines: the memory they take is of the size of the text. */
static void
linear(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	struct lsearch t;
	struct lsearch_entry e;
	size_t n = 0;

	(void)state;
	while (text.n < 500000)
		buf_str(&text, "key: value,\n  more\n");
	t = lsearch_open(buf_get(&text));
	while (lsearch_next(&t, &a, &e))
		n++;
	assert_int_equal(n, (text.n) / 19);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find),
		cmocka_unit_test(walk),
		cmocka_unit_test(linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
