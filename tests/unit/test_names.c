/* test_names.c - mail name, host name, local domains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "conf/names.h"

#include "base/banned.h" /* IWYU pragma: keep */

static void
mailname(void **state)
{
	static const struct {
		const char *text, *name;
	} rows[] = {
		{ "debian\n", "debian" },
		{ "debian", "debian" },
		{ "Mail.Name.EXAMPLE trailing words\nsecond.example\n",
		    "mail.name.example" },                          /* rw-mailname-junk */
		{ "  Foo_bar.Example.org\tx\n", "foo" },            /* conf-mailname */
		{ "user@Mail.Example\n", "user@mail.example" },     /* conf-mailname-at */
		{ "m\xc3\xa4il.example\n", "m\xc3\xa4il.example" }, /* conf-mailname-utf8 */
		{ "", "" },                                         /* conf-mailname-empty */
		{ "\ndebian\n", "" },
		{ "debian\r\n", "debian" },
		{ "#  comment here\n", "# comment" }, /* conf-mailname-comment */
		{ "mail-1.example.\n", "mail-1.example." },
	};
	AUTO_ARENA struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct str name = mailname_parse(&a, str_of(rows[i].text));

		if (!str_eq(name, str_of(rows[i].name)))
			fail_msg("\"%s\": \"%.*s\"", rows[i].text, S_ARG(name));
	}
}

static void
hosts(void **state)
{
	static const char text[] = "# 127.0.0.1 box\n127.0.0.1\tlocalhost\n"
				   "127.0.1.1 box.home.example box  # box.comment\n"
				   "192.0.2.1 short other\n192.0.2.1 late.example other\n"
				   "192.0.2.2 alias alias.example\n192.0.2.3";
	static const struct {
		const char *node, *name;
	} rows[] = {
		{ "box", "box.home.example" }, /* sub-hostname-fqdn */
		{ "BOX", "box.home.example" },
		{ "other", "other" }, /* the first line that has it decides, as in the resolver */
		{ "alias", "alias.example" },
		{ "192.0.2.3", NULL },
		{ "nosuch", NULL },
		{ "box.comment", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct str name;
		bool found = hostname_from(STR(text), str_of(rows[i].node), &name);

		if (found != (rows[i].name != NULL) ||
		    (found && !str_eq(name, str_of(rows[i].name))))
			fail_msg("%s", rows[i].node);
	}
}

/* Whatever this machine is called: the answer begins with it and can stand in EHLO. */
static void
own_name(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	const char *name = hostname_find(&a, "/etc");
	struct utsname u;

	(void)state;
	assert_int_equal(uname(&u), 0);
	assert_true(domain_is_plain(str_of(name)));
	assert_non_null(hostname_find(&a, "/nonexistent"));
}

static void
plain(void **state)
{
	(void)state;
	assert_true(domain_is_plain(STR("a-b.example")));
	assert_true(domain_is_plain(STR("\xc3\xa4.example")));
	assert_false(domain_is_plain(STR("")));
	assert_false(domain_is_plain(STR("a b")));
	assert_false(domain_is_plain(STR("a\nb")));
	assert_false(domain_is_plain(STR("a@b")));
	assert_false(domain_is_plain(STR("a>b")));
	assert_false(domain_is_plain(STR("a\0b")));
}

static void
local(void **state)
{
	static const struct {
		const char *list, *domain;
		bool is;
	} rows[] = {
		{ "", "localhost", true },
		{ "", "LOCALHOST", true },
		{ "", "Debian", true },
		{ "", "", false },
		{ "", "mail.name", false },                   /* loc-mailname-notlocal */
		{ "a.example", "a.example", true },           /* loc-localdomain-other */
		{ "a.example:b.example", "B.example", true }, /* loc-localdomain-colon */
		{ "a.example ; b.example:c.example", "b.example", true }, /* conf-hostnames */
		{ "a.example ; b.example:c.example", "c.example", true },
		{ "*.x", "a.x", true },
		{ "*.x", "x", false },
		{ "*", "anything", true },
		{ "!b.x:*.x", "b.x", false },
		{ "! b.x:*.x", "c.x", true },
		{ "@:localhost:", "other", false },
		{ "@:localhost:", "debian", true },
		{ ":;:", "x", false },
	};
	struct conf c = { .primary_hostname = "debian", .qualify_domain = "mail.name" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		c.local_domains = rows[i].list;
		if (domain_is_local(&c, str_of(rows[i].domain)) != rows[i].is)
			fail_msg("\"%s\" in \"%s\"", rows[i].domain, rows[i].list);
	}
	assert_true(domain_is_mailname(&c, STR("MAIL.name")));
	assert_false(domain_is_mailname(&c, STR("debian")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailname),
		cmocka_unit_test(hosts),
		cmocka_unit_test(own_name),
		cmocka_unit_test(plain),
		cmocka_unit_test(local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
