/* test_mailbox.c - one mail address: what is read, what is refused, in Exim's words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/mailbox.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct parsed {
	const char *text;
	const char *local, *domain; /* NULL: refused */
	const char *reason;
};

static const struct parsed table[] = {
	{ "x@far.example", "x", "far.example", NULL },
	{ "fax", "fax", "", NULL },
	{ "ALICE@DEBIAN", "ALICE", "DEBIAN", NULL },
	{ "Ex Ample <x@far.example>", "x", "far.example", NULL },
	{ "\"Liddell, Alice\" <alice@debian>", "alice", "debian", NULL },
	{ "Alice P. Liddell <alice@debian>", "alice", "debian", NULL },
	{ "R\xc3\xa9n\xe9 <bob@debian>", "bob", "debian", NULL },
	{ "(a) alice (b) @ (c) debian (d)", "alice", "debian", NULL },
	{ "a (one (two \\) (three)) still) @b", "a", "b", NULL },
	{ "alice . liddell @ isp . example", "alice.liddell", "isp.example", NULL },
	{ "<alice@debian>", "alice", "debian", NULL },
	{ "< alice@debian >(x) ", "alice", "debian", NULL },
	{ "<@a.example,@b.example:alice@debian>", "alice", "debian", NULL },
	{ "@a.example:alice@debian", "alice", "debian", NULL },
	{ "\"al ice\"@debian", "\"al ice\"", "debian", NULL },
	{ "\"a\\\"b@c\"@debian", "\"a\\\"b@c\"", "debian", NULL },
	{ "\"a\".\"b\".c@debian", "\"a\".\"b\".c", "debian", NULL },
	{ "a\\@b@debian", "a\\@b", "debian", NULL },
	{ "a%b!c+d@e", "a%b!c+d", "e", NULL },
	{ ".a..b.@c", ".a..b.", "c", NULL },
	{ "x@[192.0.2.1]", "x", "[192.0.2.1]", NULL },
	{ "x@[IPv6:2001:db8::1]", "x", "[IPv6:2001:db8::1]", NULL },
	{ "x@my_host", "x", "my_host", NULL },
	{ "\xc3\xa9@b\xc3\xbc"
	  "cher.example",
	    "\xc3\xa9",
	    "b\xc3\xbc"
	    "cher.example",
	    NULL },
	{ "open (comment", "open", "", NULL },
	{ "x@far.example\n", "x", "far.example", NULL },
	{ "\"a\n b\"@c", "\"a b\"", "c", NULL },

	{ "", NULL, NULL, "empty address" },
	{ " (nobody) ", NULL, NULL, "empty address" },
	{ "<>", NULL, NULL, "missing or malformed local part" },
	{ "a@@b", NULL, NULL, "domain missing or malformed" },
	{ "a@", NULL, NULL, "domain missing or malformed" },
	{ "a@b.", NULL, NULL, "domain missing or malformed" },
	{ "a@b..c", NULL, NULL, "domain missing or malformed" },
	{ "a@-b", NULL, NULL, "domain missing or malformed" },
	{ "@b", NULL, NULL, "no local part" },
	{ "@b,@c d@e", NULL, NULL, "colon expected after route list" },
	{ "@b:c", NULL, NULL, "domain missing in source-routed address" },
	{ "<@b:c>", NULL, NULL, "domain missing in source-routed address" },
	{ "<@@b:c@d>", NULL, NULL, "domain missing or malformed" },
	{ "@:c@d", NULL, NULL, "domain missing or malformed" },
	{ "<@b:@c>", NULL, NULL, "missing or malformed local part" },
	{ "\"a", NULL, NULL, "unmatched doublequote in local part" },
	{ "a b", NULL, NULL, "missing or malformed local part (expected word or \"<\")" },
	{ "us: a@b", NULL, NULL, "missing or malformed local part (expected word or \"<\")" },
	{ "<a@b", NULL, NULL, "'>' missing at end of address" },
	{ "<a b>", NULL, NULL, "\"@\" or \".\" expected after \"a\"" },
	{ "<a@b c>", NULL, NULL, "malformed address: c> may not follow <a@b " },
	{ "a@isp.example, b@isp.example", NULL, NULL,
	    "malformed address: , b@isp.example may not follow a@isp.example" },
	{ "f@isp.example # my address", NULL, NULL,
	    "malformed address: # my address may not follow f@isp.example " },
	{ "c@far.example d@far.example", NULL, NULL,
	    "malformed address: d@far.example may not follow c@far.example " },
	{ "x@far.example\ny@far.example", NULL, NULL,
	    "malformed address: y@far.example may not follow x@far.example " },
	{ "<a@b> c", NULL, NULL, "malformed address: c may not follow <a@b> " },
	{ "a;", NULL, NULL, "malformed address: ; may not follow a" },
	{ "x@[192.0.2.1", NULL, NULL, "malformed domain literal" },
	{ "x@[]", NULL, NULL, "malformed domain literal" },
	{ "x@[IPv6:]", NULL, NULL, "malformed domain literal" },
	{ "x@[host]", NULL, NULL, "malformed domain literal" },
	{ "x@[1 2]", NULL, NULL, "malformed domain literal" },
	{ "\"a\nb\"@c", NULL, NULL, "control character in address" },
	{ "\"a\rb\"@c", NULL, NULL, "control character in address" },
	{ "a\\\x01@c", NULL, NULL, "control character in address" },
	{ "a\\>@c", NULL, NULL, "missing or malformed local part" },
	{ "a\\ b@c", NULL, NULL, "missing or malformed local part" },
	{ "\xe9@c", NULL, NULL, "invalid UTF-8 byte sequence" },
	{ "a@\xc3.c", NULL, NULL, "invalid UTF-8 byte sequence" },
	{ "a\xe0\x80\x80@c", NULL, NULL, "invalid UTF-8 byte sequence" },
	{ "a\xed\xa0\x80@c", NULL, NULL, "invalid UTF-8 byte sequence" },
	{ "a\xf0\x80\x80\x80@c", NULL, NULL, "invalid UTF-8 byte sequence" },
	{ "a\xf4\x90\x80\x80@c", NULL, NULL, "invalid UTF-8 byte sequence" },
	{ "a\xe2\x82(@c", NULL, NULL, "invalid UTF-8 byte sequence" },
};

static void
reads_as_exim(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		AUTO_ARENA struct arena a = { 0 };
		const struct parsed *row = &table[i];
		struct fail f = FAIL_INIT;
		struct mailbox m;
		bool ok = mailbox_parse(&a, str_of(row->text), false, &m, &f);

		if (ok != (row->local != NULL))
			fail_msg("%s: %s", row->text, ok ? "accepted" : f.text);
		if (ok) {
			assert_string_equal(arena_strz(&a, m.local), row->local);
			assert_string_equal(arena_strz(&a, m.domain), row->domain);
			assert_true(mailbox_ok(m, &f));
		} else {
			size_t n = strlen(row->reason);

			/* fail_set() cuts blanks at the end */
			assert_string_equal(strstr(f.text, "\": ") + 3,
			    arena_fmt(&a, "%.*s", (int)(row->reason[n - 1] == ' ' ? n - 1 : n),
				row->reason));
			assert_int_equal(f.cls, FAIL_USER);
			assert_int_equal(f.stage, STAGE_ADDRESS);
		}
	}
}

static void
null_sender(void **state)
{
	static const char *const texts[] = { "", " ", "<>", " <> (bounce)", "Nobody <>" };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct fail f = FAIL_INIT;
		struct mailbox m = { .local = STR("x") };

		assert_true(mailbox_parse(&a, str_of(texts[i]), true, &m, &f));
		assert_int_equal(m.local.n, 0);
		assert_int_equal(m.domain.n, 0);
	}
}

/* n times c between before and after. */
static struct str
long_text(struct arena *a, const char *before, char c, size_t n, const char *after)
{
	char *middle = arena_alloc(a, n + 1);

	memset(middle, c, n);
	return str_of(arena_fmt(a, "%s%s%s", before, middle, after));
}

static void
limits(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct fail f = FAIL_INIT;
	struct mailbox m;

	(void)state;
	assert_true(mailbox_parse(&a, long_text(&a, "", 'a', 254, "@b"), false, &m, &f));
	assert_false(mailbox_parse(&a, long_text(&a, "", 'a', 255, "@b"), false, &m, &f));
	assert_non_null(strstr(f.text, "address is ridiculously long: aaaa"));
	assert_true(mailbox_parse(&a, long_text(&a, "a (", 'x', 240, ")@b"), false, &m, &f));
	assert_false(mailbox_parse(&a, long_text(&a, "a (", 'x', 260, ")@b"), false, &m, &f));
	assert_true(mailbox_parse(&a, long_text(&a, "\"", 'x', 100000, "\" <a@b>"), false, &m, &f));
	assert_true(mailbox_parse(&a, long_text(&a, "", '(', 64, ") a@b"), false, &m, &f) == false);
	assert_non_null(strstr(f.text, "empty address"));
	assert_false(mailbox_parse(&a, long_text(&a, "", '(', 65, ""), false, &m, &f));
	assert_non_null(strstr(f.text, "comments are nested too deeply"));
	assert_false(mailbox_parse(
	    &a, long_text(&a, long_text(&a, "a@b", '(', 65, "").p, ')', 65, ""), false, &m, &f));
	assert_false(mailbox_parse(&a, long_text(&a, "a", '(', 65, "@b"), false, &m, &f));
	assert_false(mailbox_parse(&a, long_text(&a, "<", '(', 65, "a@b>"), false, &m, &f));
	assert_false(mailbox_parse(&a, long_text(&a, "<a@b>", '(', 65, ""), false, &m, &f));
	assert_false(mailbox_parse(&a, long_text(&a, "a@[1]", '(', 65, ""), false, &m, &f));
	assert_false(mailbox_parse(&a, long_text(&a, "<@b:", '(', 65, "a@b>"), false, &m, &f));
	assert_false(mailbox_ok(
	    (struct mailbox){ STR("a"), long_text(&a, "", 'b', DOMAIN_MAX + 1, "") }, &f));
}

/* What nothing but mailbox_ok() sees: parts that come ready made (a protocol, a file). */
static void
decides(void **state)
{
	static const struct {
		struct str local, domain;
		bool ok;
	} parts[] = {
		{ { "a", 1 }, { "b", 1 }, true },
		{ { "a", 1 }, { "", 0 }, true },
		{ { "\"a> b\"", 6 }, { "b", 1 }, true },
		{ { "", 0 }, { "b", 1 }, false },
		{ { "a>", 2 }, { "b", 1 }, false },
		{ { "a b", 3 }, { "b", 1 }, false },
		{ { "a@b", 3 }, { "b", 1 }, false },
		{ { "a\"b\"", 4 }, { "b", 1 }, false },
		{ { "\"a\"b", 4 }, { "b", 1 }, false },
		{ { "\"a", 2 }, { "b", 1 }, false },
		{ { "a\\", 2 }, { "b", 1 }, false },
		{ { "\"a\\\"", 4 }, { "b", 1 }, false },
		{ { "a\0", 2 }, { "b", 1 }, false },
		{ { "a", 1 }, { "b\n", 2 }, false },
		{ { "a", 1 }, { "b\0", 2 }, false },
		{ { "a", 1 }, { "b>", 2 }, false },
		{ { "a", 1 }, { "b ", 2 }, false },
		{ { "a", 1 }, { ".b", 2 }, false },
		{ { "a", 1 }, { "b.", 2 }, false },
		{ { "a", 1 }, { "[", 1 }, false },
		{ { "a", 1 }, { "[1]x", 4 }, false },
		{ { "a\x7f", 2 }, { "b", 1 }, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		struct fail f = FAIL_INIT;

		if (mailbox_ok((struct mailbox){ parts[i].local, parts[i].domain }, &f) !=
		    parts[i].ok)
			fail_msg("row %zu: %s", i, f.text);
	}
}

static void
splits(void **state)
{
	static const struct parsed texts[] = {
		{ "a@b", "a", "b", NULL },
		{ "a", "a", "", NULL },
		{ "\"a@b\"", "\"a@b\"", "", NULL },
		{ "\"a@b\"@c", "\"a@b\"", "c", NULL },
		{ "a\\@b", "a\\@b", "", NULL },
		{ "a\\\\@b", "a\\\\", "b", NULL },
		{ "", "", "", NULL },
		{ "@", "", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct mailbox m = mailbox_split(texts[i].text);

		assert_string_equal(arena_strz(&a, m.local), texts[i].local);
		assert_string_equal(arena_strz(&a, m.domain), texts[i].domain);
	}
}

static void
compares_and_writes(void **state)
{
	AUTO_ARENA struct arena a = { 0 };

	(void)state;
	assert_true(mailbox_eq(mailbox_split("x@FAR.example"), mailbox_split("x@far.EXAMPLE")));
	assert_false(mailbox_eq(mailbox_split("X@far.example"), mailbox_split("x@far.example")));
	assert_string_equal(mailbox_text(&a, mailbox_split("x@y")), "x@y");
	assert_string_equal(mailbox_text(&a, mailbox_split("x")), "x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_as_exim),
		cmocka_unit_test(null_sender),
		cmocka_unit_test(limits),
		cmocka_unit_test(decides),
		cmocka_unit_test(splits),
		cmocka_unit_test(compares_and_writes),
	};

	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
