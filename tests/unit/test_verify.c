/* test_verify.c - which certificates are good enough, and what is said of the others. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/tls.h"
#include "net/trust.h"
#include "tlsserver.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const struct {
	struct server server;
	const char *names[3];
	enum tls_verdict verdict;
	const char *say; /* the name, or a part of why */
} judgements[] = {
	{ { .cert = GOOD }, { "smtp.isp.example" }, TLS_VERIFIED, "smtp.isp.example" },
	{ { .cert = GOOD }, { "SMTP.isp.example." }, TLS_VERIFIED, "SMTP.isp.example." },
	{ { .cert = GOOD }, { "other", "smtp.isp.example" }, TLS_VERIFIED, "smtp.isp.example" },
	{ { .cert = GOOD }, { "mx1.pool.example" }, TLS_VERIFIED, "mx1.pool.example" },
	{ { .cert = GOOD }, { "192.0.2.25" }, TLS_VERIFIED, "192.0.2.25" },
	{ { .cert = GOOD }, { "192.0.2.26" }, TLS_UNVERIFIED, "not for 192.0.2.26" },
	{ { .cert = GOOD }, { "isp.example" }, TLS_UNVERIFIED,
	    "is for smtp.isp.example, *.pool.example and 1 more, not for isp.example" },
	{ { .cert = GOOD }, { NULL }, TLS_UNVERIFIED, "not for any name" },
	{ { .cert = BEHIND_MIDDLE, .middle = MIDDLE }, { "smtp.isp.example" }, TLS_VERIFIED,
	    "smtp.isp.example" },
	{ { .cert = BEHIND_MIDDLE }, { "smtp.isp.example" }, TLS_UNVERIFIED,
	    "authority that is not trusted" },
	{ { .cert = GOOD, .middle = OTHER_ROOT }, { "smtp.isp.example" }, TLS_VERIFIED,
	    "smtp.isp.example" },
	{ { .cert = IP_AS_NAME }, { "192.0.2.25" }, TLS_UNVERIFIED,
	    "has 192.0.2.25 as a host name, where an address does not count: it must stand in an "
	    "IP address field (subjectAltName = IP:192.0.2.25)" },
	{ { .cert = IP_AS_NAME }, { "2001:db8::25" }, TLS_UNVERIFIED, "IP:2001:db8::25" },
	{ { .cert = IP_AS_CN }, { "192.0.2.25" }, TLS_UNVERIFIED, "IP:192.0.2.25" },
	{ { .cert = NAME_AS_CN }, { "smtp.isp.example" }, TLS_UNVERIFIED,
	    "has smtp.isp.example as its common name alone, which does not count: it must stand in "
	    "a host name field (subjectAltName = DNS:smtp.isp.example)" },
	{ { .cert = NAME_AS_CN }, { "other", "SMTP.isp.example" }, TLS_UNVERIFIED, "DNS:SMTP.isp" },
	{ { .cert = NAME_AS_CN }, { "other" }, TLS_UNVERIFIED, "not for other" },
	{ { .cert = NAME_AND_IP }, { "smtp.isp.example" }, TLS_UNVERIFIED, "common name alone" },
	{ { .cert = NAME_AND_IP }, { "192.0.2.25" }, TLS_VERIFIED, "192.0.2.25" },
	{ { .cert = IP_AS_NAME }, { "192.0.2.26" }, TLS_UNVERIFIED,
	    "192.0.2.25, 2001:db8::25, not for 192.0.2.26" },
	{ { .cert = IP_AS_NAME }, { "smtp.isp.example" }, TLS_VERIFIED, "smtp.isp.example" },
	{ { .cert = WRONG_NAME }, { "a", "b" }, TLS_UNVERIFIED,
	    "is for mail.evil, not for a or b" },
	{ { .cert = MANY_NAMES }, { "a" }, TLS_UNVERIFIED,
	    "is for a.example, b.example, c.example and 1 more" },
	{ { .cert = EXPIRED }, { "smtp.isp.example" }, TLS_UNVERIFIED, "expired on 2" },
	{ { .cert = FUTURE }, { "smtp.isp.example" }, TLS_UNVERIFIED, "is not valid before 2" },
	{ { .cert = BEHIND_OLD, .middle = OLD_MIDDLE }, { "smtp.isp.example" }, TLS_UNVERIFIED,
	    "is vouched for by one that expired on 2" },
	{ { .cert = SELF_SIGNED }, { "smtp.isp.example" }, TLS_UNVERIFIED,
	    "is self-signed; its SHA-256 fingerprint is " },
	{ { .cert = ENDLESS }, { "smtp.isp.example" }, TLS_UNVERIFIED, "is self-signed" },
	{ { .cert = FOREIGN }, { "smtp.isp.example" }, TLS_UNVERIFIED,
	    "authority that is not trusted; its SHA-256" },
	{ { .cert = FOREIGN, .middle = OTHER_ROOT }, { "smtp.isp.example" }, TLS_UNVERIFIED,
	    "authority that is not trusted" },
	{ { .cert = CLIENT }, { "smtp.isp.example" }, TLS_UNVERIFIED, "not one for a server" },
};

static void
judges_certificates(void **state)
{
	struct conf c = server_conf();

	(void)state;
	for (size_t i = 0; i < COUNT(judgements); i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct stream s;
		struct tls_info info = { .why = NULL };
		struct fail f = FAIL_INIT;
		size_t n = 0;
		pid_t pid = server_start(&judgements[i].server, &s);
		const char *said;

		while (judgements[i].names[n] != NULL)
			n++;
		if (!tls_start(&s, &(struct tls_options){ &c, judgements[i].names, n, NULL }, &a,
			&info, &f))
			fail_msg("case %zu: %s", i, f.text);
		server_finish(&s, pid);
		said = info.verdict == TLS_VERIFIED ? info.name : info.why;
		if (info.verdict != judgements[i].verdict ||
		    strstr(said, judgements[i].say) == NULL)
			fail_msg("case %zu: %u \"%s\"", i, (unsigned)info.verdict, said);
		if (info.verdict == TLS_UNVERIFIED)
			assert_null(info.name);
		else
			assert_string_equal(info.why, "");
	}
}

static void
pins(void **state)
{
	static const struct {
		int cert;
		const char *before, *sep, *after;
		bool upper, taken;
		int keep; /* characters of the fingerprint; 0: all */
	} cases[] = {
		{ SELF_SIGNED, "", ":", "", true, true, 0 },
		{ SELF_SIGNED, "", "", "", false, true, 0 },
		{ EXPIRED, "00:11, ", ":", " ", false, true, 0 },
		{ SELF_SIGNED, "zz;", ":", ";zz", true, true, 0 },
		{ SELF_SIGNED, "", ":", "0", true, false, 0 },
		{ SELF_SIGNED, "0", "", "", true, false, 0 },
		{ SELF_SIGNED, "x", "", "", true, false, 0 },
		{ SELF_SIGNED, "00 ", "-", "", true, false, 0 },
		{ SELF_SIGNED, "", "", "", true, false, 62 }, /* a part is no fingerprint */
		{ SELF_SIGNED, "", "", "", true, false, 63 },
		{ SELF_SIGNED, ": :: ", "", "", true, false, 2 },
	};
	const char *name[] = { "elsewhere" };
	struct conf c = server_conf();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct server w = { .cert = cases[i].cert };
		struct tls_info info = { .why = NULL };
		struct fail f = FAIL_INIT;
		struct stream s;
		char print[97];
		pid_t pid = server_start(&w, &s);

		cert_fingerprint(&server_cert[w.cert], cases[i].sep, cases[i].upper, print);
		c.tls_fingerprint = arena_fmt(&a, "%s%.*s%s", cases[i].before,
		    cases[i].keep > 0 ? cases[i].keep : 96, print, cases[i].after);
		assert_true(
		    tls_start(&s, &(struct tls_options){ &c, name, 1, NULL }, &a, &info, &f));
		server_finish(&s, pid);
		assert_int_equal(info.verdict, cases[i].taken ? TLS_PINNED : TLS_UNVERIFIED);
		if (cases[i].taken)
			continue;
		cert_fingerprint(&server_cert[w.cert], ":", true, print);
		assert_non_null(strstr(info.why, print));
	}
}

/* A pin is a decision: a good chain does not make up for it. */
static void
pins_before_chains(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct server w = { .cert = GOOD };
	const char *name[] = { "smtp.isp.example" };
	struct conf c = server_conf();
	struct tls_info info = { .why = NULL };
	struct fail f = FAIL_INIT;
	struct stream s;
	pid_t pid = server_start(&w, &s);

	(void)state;
	c.tls_fingerprint = "00";
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1, NULL }, &a, &info, &f));
	server_finish(&s, pid);
	assert_int_equal(info.verdict, TLS_UNVERIFIED);
	assert_non_null(strstr(info.why, "tls_fingerprint"));
	assert_string_equal(info.peer, "CN=smtp.isp.example");

	c = server_conf();
	c.tls_trust_file = "/nonexistent/trust";
	pid = server_start(&w, &s);
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1, NULL }, &a, &info, &f));
	server_finish(&s, pid);
	assert_int_equal(info.verdict, TLS_UNVERIFIED);
	assert_non_null(strstr(info.why, "/nonexistent/trust"));

	c.tls_trust_file = "system"; /* does not know the test's root */
	pid = server_start(&w, &s);
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1, NULL }, &a, &info, &f));
	server_finish(&s, pid);
	assert_int_equal(info.verdict, TLS_UNVERIFIED);
	assert_non_null(strstr(info.why, "not trusted"));
}

static void
reads_pem(void **state)
{
	static const struct {
		const char *text, *want; /* certificates, "," between */
	} cases[] = {
		{ "", "" },
		{ "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n", "abc," },
		{ "-----BEGIN CERTIFICATE-----\r\nYW\r\nJj\r\nZA==\r\n-----END CERTIFICATE-----",
		    "abcd," },
		{ "-----BEGIN CERTIFICATE-----YWJjZGU=-----END", "abcde," },
		{ "-----BEGIN CERTIFICATE-----\nYWJ\n-----END CERTIFICATE-----\n", "ab," },
		{ "-----BEGIN CERTIFICATE-----\nYWJjY\n-----END CERTIFICATE-----\n", "" },
		{ "-----BEGIN CERTIFICATE-----\nYW*j\n-----END-----BEGIN CERTIFICATE-----YWJj",
		    "abc," },
		{ "-----BEGIN CERTIFICATE-----\n+/+/\n-----END\n-----BEGIN "
		  "CERTIFICATE-----\neg==\n-----END",
		    "\xfb\xff\xbf,z," },
		{ "-----BEGIN CERTIFICATE-----", "," },
		{ "-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_BUF struct buf der = BUF_INIT(CERTIFICATE_MAX), got = BUF_INIT(1024);
		struct str rest = str_of(cases[i].text);

		while (trust_next(&rest, &der)) {
			buf_put(&got, buf_get(&der));
			buf_char(&got, ',');
		}
		if (!str_eq(buf_get(&got), str_of(cases[i].want)))
			fail_msg("case %zu: \"%.*s\"", i, S_ARG(buf_get(&got)));
		assert_int_equal(rest.n, 0);
	}
}

static void
finds_names(void **state)
{
	const struct str names[] = { { "", 0 }, { NULL, 0 }, STR("bcd"), STR("x") };

	(void)state;
	assert_true(trust_holds(STR("abcde"), names, COUNT(names)));
	assert_true(trust_holds(STR("x"), names, COUNT(names)));
	assert_false(trust_holds(STR("abde"), names, COUNT(names)));
	assert_false(trust_holds(STR(""), names, COUNT(names)));
	assert_false(trust_holds(STR("abcde"), names, 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_certificates),
		cmocka_unit_test(pins),
		cmocka_unit_test(pins_before_chains),
		cmocka_unit_test(reads_pem),
		cmocka_unit_test(finds_names),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, server_set_up, server_tear_down);
}
