/* test_hostlist.c - dc_smarthost as Debian writes it, and as people do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mail/hostlist.h"
#include "mail/hostmatch.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const struct {
	const char *text, *want; /* "kind name port" of each; NULL or "!words": refused, so */
} cases[] = {
	{ "smtp.isp.example", "n smtp.isp.example 0" },
	{ "smtp.isp.example::587", "n smtp.isp.example 587" },
	{ "smtp.isp.example:587", "n smtp.isp.example 587" },
	{ "smtp.isp.example :  587", "n smtp.isp.example 587" },
	{ "a::25:b::26", "n a 25,n b 26" },
	{ "a::25 : b", "n a 25,n b 0" },
	{ "a:25:b", "n a 25,n b 0" },
	{ "a:b", "n a 0,n b 0" },
	{ "a;b", "n a 0,n b 0" },
	{ " a ; b::465 ;; ", "n a 0,n b 465" },
	{ ":a::", NULL },
	{ "a:::b", NULL },
	{ "a.", "n a. 0" },
	{ "192.0.2.1", "a 192.0.2.1 0" },
	{ "192.0.2.1::587", "a 192.0.2.1 587" },
	{ "192.0.2.1:587", "a 192.0.2.1 587" },
	{ "[192.0.2.1]", "a 192.0.2.1 0" },
	{ "[192.0.2.1]::587", "a 192.0.2.1 587" },
	{ "[192.0.2.1]:587", "a 192.0.2.1 587" },
	{ "[192.0.2.1]::587:[192.0.2.2]", "a 192.0.2.1 587,a 192.0.2.2 0" },
	{ "2001::db8::::1", "a 2001:db8::1 0" },
	{ "2001:db8::1", "a 2001:db8::1 0" },
	{ "2001:db8::1; b", "a 2001:db8::1 0,n b 0" },
	{ "::1", "a ::1 0" },
	{ "[2001::db8::::1]::587", "a 2001:db8::1 587" },
	{ "[2001:db8::1]::587", "a 2001:db8::1 587" },
	{ "[2001:db8::1]:587", "a 2001:db8::1 587" },
	{ "[::1]", "a ::1 0" },
	{ "[fe80::1%eth0]::25", "a fe80::1%eth0 25" },
	/* as Postfix has it */
	{ "[smtp.isp.example]::2525", "n smtp.isp.example 2525" },
	{ "[smtp.isp.example]:587", "n smtp.isp.example 587" },
	{ "[smtp.isp.example]", "n smtp.isp.example 0" },
	{ "[a]:25:[b]::26; [192.0.2.1] : 27", "n a 25,n b 26,a 192.0.2.1 27" },
	{ "[ a ]:25", "n a 25" },
	{ "[b\xc3\xbc"
	  "cher.example]:587",
	    "n xn--bcher-kva.example 587" },
	{ "h 587", "n h 587" },
	{ "h  587; b", "n h 587,n b 0" },
	{ "192.0.2.1 587", "a 192.0.2.1 587" },
	{ "fade::25", "n fade 25" }, /* an address to the eye, a host with a port to Exim */
	{ "lmtp:/run/dovecot/lmtp", "l /run/dovecot/lmtp 0" },
	{ "unix:/run/relay; a", "u /run/relay 0,n a 0" },
	{ "a:lmtp:/run/x", "n a 0,l /run/x 0" },
	{ "lmtp://run/x; unix:///run/y", "l //run/x 0,u ///run/y 0" },
	{ "unix:/run/x:25", NULL },
	{ "srv:isp.example", "s isp.example 0" },
	{ "SRV:isp.example;b", "s isp.example 0,n b 0" },
	{ "srv::25", "n srv 25" },
	{ "srv", "n srv 0" },
	{ "b\xc3\xbc"
	  "cher.example::587",
	    "n xn--bcher-kva.example 587" },
	{ "", NULL },
	{ " ; : ", NULL },
	{ "587", NULL },
	{ "a::0", NULL },
	{ "a::65536", NULL },
	{ "a::smtp", "!\"smtp\" is not a port: write its number, 25" },
	{ "a::submission", "!write its number, 587" },
	{ "a:submissions", "!write its number, 465" },
	{ "a:smtp", "n a 0,n smtp 0" }, /* which may be a host's */
	{ "[a]:smtps", "!write its number, 465" },
	{ "smtps://a", "!\"smtps://a\" is not a host: write a::465" },
	{ "smtps://a:465/", "!write a::465" },
	{ "submissions://a::2465", "!write a::2465, and tls = implicit" },
	{ "smtp://a:2525", "!write a::2525" },
	{ "smtp://user@a", "!write a::25" },
	{ "submission://a", "!write a::587" },
	{ "https://a/", "!write its name and ::port" },
	{ "smtps://", "!write its name and ::port" },
	{ "a; smtps://b:2465", "!write b::2465, and tls = implicit" },
	{ "{{ exim4_smarthost }}", "!template that was not filled in" },
	{ "${SMARTHOST}", "!template that was not filled in" },
	{ "@SMARTHOST@::587", "!template that was not filled in" },
	{ "%smarthost%", "!template that was not filled in" },
	{ "<smarthost>", "!template that was not filled in" },
	{ "a, b", "!has a comma in it: separate hosts by \";\"" },
	{ "h 587 25", "!has a blank in it" },
	{ "h::25 587", NULL },
	{ "h 0", NULL },
	{ "h 65536", NULL },
	{ "a::", NULL },
	{ "a::25:587", NULL },
	{ "a b", NULL },
	{ "a byname", NULL },
	{ "-a", NULL },
	{ "a..b", NULL },
	{ "a/MX", NULL },
	{ "user@a", NULL },
	{ "192.0.2.256", NULL },
	{ "192.0.2", NULL },
	{ "[192.0.2.1", NULL },
	{ "[]", NULL },
	{ "[a:b]", "!neither an address nor a name in brackets" },
	{ "[a]587", "!a port stands behind" },
	{ "[a b]", "!has a blank in it" },
	{ "[192.0.2.1]x", NULL },
	{ "[192.0.2.1]::", NULL },
	{ "[fe80::1%]", NULL },
	{ "[fe80::1%e$h]", NULL },
	{ "lmtp:host", NULL },
	{ "unix:", NULL },
	{ "srv:", NULL },
	{ "srv:-x", NULL },
	{ "\xff", NULL },
};

static void
reads_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_ARENA struct arena a = { 0 };
		AUTO_BUF struct buf got = BUF_INIT(4096);
		struct fail f = FAIL_INIT;
		struct host *h = NULL;
		size_t n = 0;
		bool ok = hostlist_parse(&a, cases[i].text, &h, &n, &f);
		bool refused = cases[i].want == NULL || cases[i].want[0] == '!';

		for (size_t k = 0; ok && k < n; k++)
			buf_fmt(&got, "%s%c %s %u", k > 0 ? "," : "", "nalus"[h[k].kind], h[k].name,
			    h[k].port);
		if (ok == refused || (ok && !str_eq(buf_get(&got), str_of(cases[i].want))))
			fail_msg(
			    "\"%s\": got \"%.*s\" %s", cases[i].text, S_ARG(buf_get(&got)), f.text);
		if (!ok) {
			if (cases[i].want != NULL && strstr(f.text, cases[i].want + 1) == NULL)
				fail_msg("\"%s\": %s", cases[i].text, f.text);
			assert_int_equal(f.cls, FAIL_USER);
			assert_int_equal(f.stage, STAGE_CONFIG);
			assert_int_equal(n, 0);
		}
	}
}

/* Exim's host lists, for mx.isp.example [192.0.2.25], which is configured as smtp.isp.example, and
 * for its address 2001:db8::25. */
static void
finds_hosts(void **state)
{
	static const struct {
		const char *list;
		bool v4, v6;
	} what[] = {
		{ "", false, false },
		{ "*", true, true },
		{ "smtp.isp.example", true, true },
		{ "a : MX.isp.example", true, true },
		{ "*.isp.example", true, true },
		{ "*.example.isp", false, false },
		{ "isp.example", false, false },
		{ "192.0.2.25", true, false },
		{ "[192.0.2.25]; b", true, false },
		{ "192.0.2.24", false, false },
		{ "192.0.2.0/24", true, false },
		{ "192.0.2.26/31:192.0.2.24/31", true, false },
		{ "192.0.3.0/24", false, false },
		{ "0.0.0.0/0", true, false },
		{ "192.0.2.25/x", false, false },
		{ "2001:db8::25", false, true },
		{ "2001::db8::::/32", false, true },
		{ "[2001:db8:8000::]/33", false, false },
		{ "<; a ; 2001:db8::/32", false, true },
		{ "<, a, 192.0.2.25", true, false },
		{ "b; 2001:db8::25 ; c", false, true },
		{ "!192.0.2.25 : *", false, true },
		{ "! *.isp.example : *", false, false },
		{ "+relay_hosts : net-lsearch;/x", false, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(what); i++) {
		bool v4 =
		    hostmatch_has(what[i].list, "smtp.isp.example", "mx.isp.example", "192.0.2.25");
		bool v6 = hostmatch_has(
		    what[i].list, "smtp.isp.example", "mx.isp.example", "2001:db8::25");

		if (v4 != what[i].v4 || v6 != what[i].v6)
			fail_msg("\"%s\": %d %d", what[i].list, v4, v6);
	}
}

static void
has_limits(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct fail f = FAIL_INIT;
	struct host *h = NULL;
	size_t n = 0;
	char text[8192];

	(void)state;
	for (size_t i = 0; i < 64; i++)
		memcpy(text + 2 * i, "a;", 3);
	assert_true(hostlist_parse(&a, text, &h, &n, &f));
	assert_int_equal(n, 64);
	memcpy(text + 128, "b", 2);
	assert_false(hostlist_parse(&a, text, &h, &n, &f));

	memset(text, 'a', 64);
	text[64] = '\0';
	assert_false(hostlist_parse(&a, text, &h, &n, &f));
	for (size_t i = 1; i < 127; i++)
		memcpy(text + 2 * i - 1, ".b", 2);
	text[253] = '\0';
	assert_true(hostlist_parse(&a, text, &h, &n, &f));
	text[253] = 'b';
	text[254] = '\0';
	assert_false(hostlist_parse(&a, text, &h, &n, &f));

	memcpy(text, "unix:/", 7);
	memset(text + 6, 'x', 106);
	text[112] = '\0';
	assert_true(hostlist_parse(&a, text, &h, &n, &f));
	text[112] = 'x';
	text[113] = '\0';
	assert_false(hostlist_parse(&a, text, &h, &n, &f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lists),
		cmocka_unit_test(finds_hosts),
		cmocka_unit_test(has_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
