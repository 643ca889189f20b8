/* test_policy.c - what may go over a link: every row is one situation (doc/ARCHITECTURE 6,
 * doc/SECURITY 2). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/policy.h"
#include "wire/told.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { NONE = -1 }; /* no credential */

static const struct row {
	const char *name;
	unsigned tls, verify; /* options */
	bool allow_clear;
	int match; /* enum secret_match or NONE */
	bool only, via_dns, loopback;
	bool encrypted;
	enum tls_verdict verdict;
	bool allowed;
	enum fail_stage stage; /* when it is not */
	const char *says;
} rows[] = {
	{ "no credential, clear", TLS_AUTO, CHOICE_AUTO, false, NONE, 0, 0, 0, false,
	    TLS_UNVERIFIED, true, 0, NULL },
	{ "no credential, unverified", TLS_AUTO, CHOICE_AUTO, false, NONE, 0, 0, 0, true,
	    TLS_UNVERIFIED, true, 0, NULL },
	{ "no credential, tls_verify = yes, unverified", TLS_AUTO, CHOICE_YES, false, NONE, 0, 0, 0,
	    true, TLS_UNVERIFIED, false, STAGE_TLS, "it expired yesterday" },
	{ "no credential, tls_verify = yes, clear", TLS_AUTO, CHOICE_YES, false, NONE, 0, 0, 0,
	    false, TLS_UNVERIFIED, false, STAGE_TLS, "tls_verify" },
	{ "no credential, tls = starttls, clear", TLS_STARTTLS, CHOICE_AUTO, false, NONE, 0, 0, 0,
	    false, TLS_UNVERIFIED, false, STAGE_TLS, "tls = starttls" },
	{ "no credential, tls = starttls, unverified", TLS_STARTTLS, CHOICE_AUTO, false, NONE, 0, 0,
	    0, true, TLS_UNVERIFIED, true, 0, NULL },
	{ "password, clear", TLS_AUTO, CHOICE_AUTO, false, SECRET_CONFIGURED, true, 0, 0, false,
	    TLS_UNVERIFIED, false, STAGE_AUTH, "auth_client_allow_notls_passwords = yes" },
	{ "password, clear, tls_verify = no", TLS_AUTO, CHOICE_NO, false, SECRET_CONFIGURED, true,
	    0, 0, false, TLS_UNVERIFIED, false, STAGE_AUTH, "/etc/p:7" },
	{ "password, clear, tls = off", TLS_OFF, CHOICE_AUTO, false, SECRET_CONFIGURED, true, 0, 0,
	    false, TLS_UNVERIFIED, false, STAGE_AUTH, "used without TLS" },
	{ "password, clear and allowed", TLS_AUTO, CHOICE_AUTO, true, SECRET_CONFIGURED, false, 0,
	    0, false, TLS_UNVERIFIED, true, 0, NULL },
	{ "the walkthrough: canonical name, clear and allowed", TLS_AUTO, CHOICE_AUTO, true,
	    SECRET_CANONICAL, true, true, 0, false, TLS_UNVERIFIED, true, 0, NULL },
	{ "pattern on the configured name, clear and allowed", TLS_AUTO, CHOICE_AUTO, true,
	    SECRET_PATTERN, true, false, 0, false, TLS_UNVERIFIED, true, 0, NULL },
	{ "pattern by way of DNS, clear and allowed", TLS_AUTO, CHOICE_AUTO, true, SECRET_PATTERN,
	    true, true, 0, false, TLS_UNVERIFIED, false, STAGE_AUTH,
	    "write a line for smtp.isp.example itself" },
	{ "password, loopback", TLS_AUTO, CHOICE_AUTO, false, SECRET_CONFIGURED, true, 0, true,
	    false, TLS_UNVERIFIED, true, 0, NULL },
	{ "password, loopback with a certificate of its own", TLS_AUTO, CHOICE_AUTO, false,
	    SECRET_CONFIGURED, true, 0, true, true, TLS_UNVERIFIED, true, 0, NULL },
	{ "password, loopback, tls_verify = yes", TLS_AUTO, CHOICE_YES, false, SECRET_CONFIGURED,
	    true, 0, true, true, TLS_UNVERIFIED, false, STAGE_TLS, NULL },
	{ "password, verified", TLS_AUTO, CHOICE_AUTO, false, SECRET_CONFIGURED, false, 0, 0, true,
	    TLS_VERIFIED, true, 0, NULL },
	{ "password, pinned", TLS_AUTO, CHOICE_AUTO, false, SECRET_CONFIGURED, false, 0, 0, true,
	    TLS_PINNED, true, 0, NULL },
	{ "password, unverified", TLS_AUTO, CHOICE_AUTO, false, SECRET_CONFIGURED, false, 0, 0,
	    true, TLS_UNVERIFIED, false, STAGE_TLS,
	    "the certificate of mx.isp.example is not accepted: it expired yesterday; nothing is "
	    "sent, for there is a password in /etc/p:7" },
	{ "clear passwords allowed: still no bad certificate", TLS_AUTO, CHOICE_AUTO, true,
	    SECRET_CONFIGURED, false, 0, 0, true, TLS_UNVERIFIED, false, STAGE_TLS, NULL },
	{ "password, unverified, tls_verify = no", TLS_AUTO, CHOICE_NO, false, SECRET_CONFIGURED,
	    false, 0, 0, true, TLS_UNVERIFIED, true, 0, NULL },
	{ "pattern by way of DNS, verified, other lines", TLS_AUTO, CHOICE_AUTO, false,
	    SECRET_PATTERN, false, true, 0, true, TLS_VERIFIED, false, STAGE_AUTH,
	    "the certificate does not prove that name" },
	{ "pattern by way of DNS, pinned, other lines", TLS_AUTO, CHOICE_AUTO, false,
	    SECRET_PATTERN, false, true, 0, true, TLS_PINNED, true, 0, NULL },
	{ "pattern by way of DNS, verified, the only line", TLS_AUTO, CHOICE_AUTO, false,
	    SECRET_PATTERN, true, true, 0, true, TLS_VERIFIED, true, 0, NULL },
	{ "canonical name, verified", TLS_AUTO, CHOICE_AUTO, false, SECRET_CANONICAL, false, true,
	    0, true, TLS_VERIFIED, true, 0, NULL },
};

static struct secret
credential(int match, bool only)
{
	struct secret s = {
		.key = "mx.isp.example", .where = "/etc/p:7", .only = only, .seen_in = "/db/seen.x"
	};

	if (match != NONE) {
		s.login = STR("user");
		s.password = STR("pass");
		s.match = match == SECRET_PATTERN ? SECRET_PATTERN :
		    match == SECRET_CANONICAL     ? SECRET_CANONICAL :
						    SECRET_CONFIGURED;
	}
	return s;
}

static void
each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		const struct secret secret = credential(r->match, r->only);
		const struct conf c = { .hosts_avoid_tls = "",
			.tls = r->tls,
			.tls_verify = r->verify,
			.auth_client_allow_notls_passwords = r->allow_clear };
		const struct link l = { .host = "mx.isp.example",
			.where = "mx.isp.example (192.0.2.25) port 587",
			.configured = "smtp.isp.example",
			.ip = "192.0.2.25",
			.secret = &secret,
			.via_dns = r->via_dns,
			.loopback = r->loopback,
			.tls = r->encrypted,
			.verdict = r->verdict,
			.why = "expired yesterday" };
		struct fail f = FAIL_INIT;

		if (policy_allows(&c, &l, &f) != r->allowed)
			fail_msg("%s: %s", r->name, f.text);
		if (!r->allowed && (f.cls != FAIL_TEMP || f.stage != r->stage))
			fail_msg("%s: class %d stage %d", r->name, (int)f.cls, (int)f.stage);
		if (r->says != NULL && strstr(f.text, r->says) == NULL)
			fail_msg("%s: says '%s'", r->name, f.text);
	}
}

static void
when_tls_starts(void **state)
{
	static const struct {
		unsigned tls, port;
		bool submissions, offered, implicit, starttls;
	} when[] = {
		{ TLS_AUTO, 25, false, true, false, true },
		{ TLS_AUTO, 25, false, false, false, false },
		{ TLS_AUTO, 465, false, false, true, false },
		{ TLS_AUTO, 587, true, false, true, false },
		{ TLS_STARTTLS, 25, false, true, false, true },
		{ TLS_STARTTLS, 465, false, true, true, true }, /* nobody offers it there */
		{ TLS_STARTTLS, 2465, true, false, true, false },
		{ TLS_IMPLICIT, 587, false, true, true, false },
		{ TLS_OFF, 465, true, true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof when / sizeof when[0]; i++) {
		const struct conf c = { .hosts_avoid_tls = "", .tls = when[i].tls };
		const struct link l = { .port = when[i].port,
			.submissions = when[i].submissions,
			.offered = when[i].offered };

		if (policy_implicit(&c, &l) != when[i].implicit ||
		    policy_starttls(&c, &l) != when[i].starttls)
			fail_msg("row %zu", i);
	}
}

/* hosts_avoid_tls: who is in it gets no STARTTLS, unless TLS is demanded; and a name that DNS gave
 * does not undo what was seen of a host before. */
static void
avoided(void **state)
{
	static const struct {
		unsigned tls;
		const char *list;
		bool starttls, allowed_after_tls;
	} what[] = {
		{ TLS_AUTO, "", true, false },
		{ TLS_AUTO, "other.example", true, false },
		{ TLS_AUTO, "*", false, true },
		{ TLS_AUTO, "smtp.isp.example", false, true },
		{ TLS_AUTO, "mx.isp.example", false, false },
		{ TLS_AUTO, "192.0.2.25", false, false },
		{ TLS_STARTTLS, "*", true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
		struct secret secret = credential(SECRET_CONFIGURED, false);
		const struct conf c = { .hosts_avoid_tls = what[i].list,
			.tls = what[i].tls,
			.auth_client_allow_notls_passwords = true };
		const struct link l = { .host = "mx.isp.example",
			.where = "mx.isp.example (192.0.2.25) port 587",
			.configured = "smtp.isp.example",
			.ip = "192.0.2.25",
			.secret = &secret,
			.offered = true };
		struct fail f = FAIL_INIT;

		if (policy_starttls(&c, &l) != what[i].starttls ||
		    (policy_seen(&c, &l) == SEEN_TLS) != what[i].starttls)
			fail_msg("row %zu", i);
		secret.seen = SEEN_TLS;
		if (policy_allows(&c, &l, &f) != what[i].allowed_after_tls)
			fail_msg("row %zu: %s", i, f.text);
	}
}

/* A password that may go out in clear, to a host that was otherwise in an earlier run. */
static void
changed_hosts(void **state)
{
	static const struct {
		unsigned tls, seen;
		bool encrypted, private, loopback;
		const char *says; /* NULL: it is allowed */
	} what[] = {
		{ TLS_AUTO, SEEN_TLS, false, false, false,
		    "mx.isp.example offered TLS before and does not now, so the password of "
		    "/etc/p:7 is not sent to it in clear; if that is as it should be, remove "
		    "/db/seen.x" },
		{ TLS_AUTO, SEEN_TLS, true, false, false, NULL },
		{ TLS_AUTO, SEEN_TLS, false, true, true, NULL },
		{ TLS_OFF, SEEN_TLS, false, false, false, NULL },
		{ TLS_AUTO, SEEN_PRIVATE, false, false, false,
		    "had a private address before and has none now" },
		{ TLS_OFF, SEEN_PRIVATE, false, false, false, "remove /db/seen.x" },
		{ TLS_AUTO, SEEN_PRIVATE, false, true, false, NULL },
		{ TLS_AUTO, SEEN_PRIVATE, true, false, false, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
		struct secret secret = credential(SECRET_CONFIGURED, false);
		const struct conf c = { .hosts_avoid_tls = "",
			.tls = what[i].tls,
			.auth_client_allow_notls_passwords = true };
		const struct link l = { .host = "mx.isp.example",
			.where = "mx.isp.example (192.0.2.25) port 587",
			.secret = &secret,
			.loopback = what[i].loopback,
			.private = what[i].private,
			.tls = what[i].encrypted,
			.verdict = TLS_VERIFIED };
		struct fail f = FAIL_INIT;

		secret.seen = what[i].seen;
		if (policy_allows(&c, &l, &f) != (what[i].says == NULL))
			fail_msg("row %zu: %s", i, f.text);
		if (what[i].says != NULL &&
		    (f.cls != FAIL_TEMP || strstr(f.text, what[i].says) == NULL))
			fail_msg("row %zu says '%s'", i, f.text);
	}
}

static void
what_is_remembered(void **state)
{
	static const struct {
		bool clear;
		int match;
		bool offered, tls, private;
		unsigned seen;
	} what[] = {
		{ true, SECRET_CONFIGURED, true, false, false, SEEN_TLS },
		{ true, SECRET_CONFIGURED, false, true, true, SEEN_TLS | SEEN_PRIVATE },
		{ true, SECRET_CONFIGURED, false, false, true, SEEN_PRIVATE },
		{ true, SECRET_CONFIGURED, false, false, false, 0 },
		{ true, NONE, true, true, true, 0 },
		{ false, SECRET_CONFIGURED, true, true, true, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
		const struct secret secret = credential(what[i].match, true);
		const struct conf c = { .hosts_avoid_tls = "",
			.auth_client_allow_notls_passwords = what[i].clear };
		const struct link l = { .secret = &secret,
			.offered = what[i].offered,
			.tls = what[i].tls,
			.private = what[i].private };

		if (policy_seen(&c, &l) != what[i].seen)
			fail_msg("row %zu", i);
	}
}

static void
reference_names(void **state)
{
	static const struct {
		int match;
		bool only;
		const char *names[2];
	} what[] = {
		{ NONE, true, { "smtp.isp.example", NULL } },
		{ SECRET_CONFIGURED, false, { "smtp.isp.example", NULL } },
		{ SECRET_PATTERN, true, { "smtp.isp.example", NULL } },
		{ SECRET_CANONICAL, true, { "smtp.isp.example", "mx.isp.example" } },
		{ SECRET_CANONICAL, false, { "mx.isp.example", NULL } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
		const struct secret secret = credential(what[i].match, what[i].only);
		const struct link l = { .configured = "smtp.isp.example", .secret = &secret };
		const char *names[2];

		assert_int_equal(policy_names(&l, names), what[i].names[1] != NULL ? 2 : 1);
		assert_string_equal(names[0], what[i].names[0]);
		if (what[i].names[1] != NULL)
			assert_string_equal(names[1], what[i].names[1]);
	}
}

/* TLS does not work (doc/EXIM 16): only where nothing speaks for it. */
static void
goes_clear(void **state)
{
	static const struct {
		const char *name, *value; /* an option that is set, or NULL */
		unsigned port, seen;
		bool login, submissions, goes;
	} what[] = {
		{ NULL, NULL, 25, 0, false, false, true },
		{ "tls", "auto", 587, SEEN_TLS | SEEN_NO_PIPELINING, false, false, true },
		{ NULL, NULL, 25, 0, true, false, false },
		{ NULL, NULL, 25, SEEN_STARTTLS, false, false, false },
		{ NULL, NULL, 465, 0, false, false, false },
		{ NULL, NULL, 587, 0, false, true, false },
		{ "tls", "starttls", 25, 0, false, false, false },
		{ "tls", "implicit", 25, 0, false, false, false },
		{ "tls_verify", "yes", 25, 0, false, false, false },
		{ "tls_verify", "no", 25, 0, false, false, false },
		{ "tls_trust_file", "/x", 25, 0, false, false, false },
		{ "tls_fingerprint", "aa", 25, 0, false, false, false },
		{ "tls_certificate", "/x", 25, 0, false, false, false },
		{ "tls_priority", "NORMAL", 25, 0, false, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
		AUTO_ARENA struct arena a = { NULL };
		const struct secret secret = { .none = !what[i].login, .seen = what[i].seen };
		const struct link l = { .secret = &secret,
			.port = what[i].port,
			.submissions = what[i].submissions,
			.offered = true };
		struct conf c;
		struct fail f = FAIL_INIT;

		conf_init(&c, &a);
		if (what[i].name != NULL &&
		    !conf_set(&c,
			&(struct assignment){
			    str_of(what[i].name), str_of(what[i].value), { "x", 1 } },
			&f))
			fail_msg("row %zu: %s", i, f.text);
		if (policy_goes_clear(&c, &l) != what[i].goes)
			fail_msg("row %zu", i);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(when_tls_starts),
		cmocka_unit_test(avoided),
		cmocka_unit_test(changed_hosts),
		cmocka_unit_test(what_is_remembered),
		cmocka_unit_test(reference_names),
		cmocka_unit_test(goes_clear),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
