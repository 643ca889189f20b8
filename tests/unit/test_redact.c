/* test_redact.c - what is shown of a server's reply: the words of a list, and nothing of the
 * secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/b64.h"
#include "conf/redact.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct {
	const char *login, *password, *line, *shown;
	bool reply; /* it belongs to a login */
} cases[] = {
	{ "user", "p4ss", "535 p4ss P4Ss xp4ssp4ss and p4s", "535 **** **** x******** and p4s",
	    false },
	/* alone, behind one octet or two, in PLAIN's blob */
	{ "user", "p4ss", "535 cDRzcw== AHVzZXIAcDRzcw== eHA0c3M= eHlwNHNz.",
	    "535 ******== **************== *******= ********.", false },
	{ "user", "", "535 what there is not", "535 what there is not", false },
	{ "user", "*", "535 a*b**c", "535 a*b**c", false },
	{ "user", "p4ss", "", "", false },
	/* runs of six, wherever it is cut */
	{ "user", "Hunter2-Secret+p", "535-Hunter2-", "535-********", false },
	{ "user", "Hunter2-Secret+p", "535 Secret+p Hunte hunter SECRET+",
	    "535 ******** Hunte ****** *******", false },
	{ "user", "Hunter2-Secret+p", "535 AHVzZXIASHVudGVyMi1TZWNyZX",
	    "535 **************************", false },
	{ "user", "Hunter2-Secret+p", "250 Hunt3r2 Secre +p", "250 Hunt3r2 Secre +p", false },
	/* a token goes out without its mark */
	{ "user", "oauth:ya29.TokenOfMine",
	    "535 oauth: ya29.TokenOfMine "
	    "dXNlcj11c2VyAWF1dGg9QmVhcmVyIHlhMjkuVG9rZW5PZk1pbmUBAQ==",
	    "535 oauth: **************** "
	    "******************************************************==",
	    false },
	/* the walkthrough's and other servers' own words */
	{ "user", "p4ss", "504 Unknown authentication mechanism",
	    "504 Unknown authentication mechanism", true },
	{ "user", "p4ss", "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6",
	    "535 5.7.8 Error: authentication failed: UGFzc3dvcmQ6", true },
	{ "user", "p4ss",
	    "535-5.7.8 Username and Password not accepted. For more information, go to",
	    "535-5.7.8 Username and Password not accepted. For more information, go to", true },
	{ "user", "p4ss",
	    "535 5.7.8  https://support.google.com/mail/?p=BadCredentials a640c23a62f3a-4b "
	    "- gsmtp",
	    "535 5.7.8 https://support.google.com/mail/?p=BadCredentials *** - gsmtp", true },
	{ "user", "p4ss",
	    "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled "
	    "for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. "
	    "[FR0P281CA0092.DEUP281.PROD.OUTLOOK.COM]",
	    "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled "
	    "for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. "
	    "***",
	    true },
	{ "user", "p4ss",
	    "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.",
	    "535 5.7.139 Authentication unsuccessful, basic authentication is disabled.", true },
	{ "user", "p4ss",
	    "534-5.7.9 Application-specific password required. For more information, go to",
	    "534-5.7.9 Application-specific password required. For more information, go to", true },
	{ "user", "p4ss", "535 Incorrect authentication data", "535 Incorrect authentication data",
	    true },
	{ "user", "p4ss", "535 5.7.0 (#MBR1212) Incorrect username or password",
	    "535 5.7.0 (#MBR1212) Incorrect username or password", true },
	{ "user", "p4ss", "535 Authentication Credentials Invalid",
	    "535 Authentication Credentials Invalid", true },
	{ "user", "p4ss", "535 authorization failed (#5.7.0)", "535 authorization failed (#5.7.0)",
	    true },
	{ "user", "p4ss", "454 4.7.0 Too many login attempts, please try again later.",
	    "454 4.7.0 Too many login attempts, please try again later.", true },
	/* all else is starred */
	{ "user", "p4ss", "535 5.7.8 user me@isp.example of 192.0.2.1 is 0wned",
	    "535 5.7.8 user *** of *** is ***", true },
	{ "user", "p4ss", "334 cj1hYmMscz1kZWYsaT00MDk2", "334 ***", true },
	{ "user", "p4ss", "334 VXNlcm5hbWU6", "334 VXNlcm5hbWU6", true },
	{ "user", "p4ss", "235", "235", true },
	{ "user", "p4ss", "535 5.7.8.9 5.7.8 ....", "535 ***", true },
	{ "user", "p4ss", "235-", "235-", true },
	{ "user", "p4ss", "no code", "no code", true },
	/* the secret in listed words, too */
	{ "user", "password", "535 Username and Password not accepted",
	    "535 Username and ******** not accepted", true },
	{ "user", "no", "535 Authentication not done, no", "535 Authentication **t *** **", true },
};

static void
redact(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct secret s = { .login = str_of(cases[i].login),
			.password = str_of(cases[i].password) };
		AUTO_BUF struct buf line = BUF_INIT(1024);

		buf_str(&line, cases[i].line);
		secret_show(&s, cases[i].reply, &line);
		if (!str_eq(buf_get(&line), str_of(cases[i].shown)))
			fail_msg("case %zu: '%.*s'", i, S_ARG(buf_get(&line)));
	}
	for (size_t before = 0; before < 5; before++) {
		const struct secret s = { .login = STR("user"), .password = STR("p4ss") };
		AUTO_BUF struct buf line = BUF_INIT(1024);

		b64_encode(&line, str_at(&"user login=p4ss end"[before], 19 - before));
		secret_show(&s, false, &line);
		assert_int_equal(strspn(line.p, "*="), line.n);
	}
}

/* What goes out besides the password is a form of it. */
static void
redact_what_left(void **state)
{
	struct secret s = { .login = STR("user"), .password = STR("p4ss") };
	AUTO_BUF struct buf line = BUF_INIT(1024);

	(void)state;
	secret_left(&s, true, STR("dXNlciBiOTEzYTYwMmM3ZWRhN2E0OTViNGU2ZTczMzRkMzg5MA=="));
	secret_left(&s, false, STR("b913a602c7eda7a495b4e6e7334d3890"));
	buf_str(&line, "535 b913a602c7eda7a495b4e6e7334d3890 B913A6 b913a 495b4e6 dXNlciBiOTEz");
	secret_show(&s, false, &line);
	assert_string_equal(
	    line.p, "535 ******************************** ****** b913a ******* ************");
	buf_reset(&line);
	buf_str(&line, "250 user");
	secret_show(&s, false, &line);
	assert_string_equal(line.p, "250 user");
	secret_wipe(&s);
	assert_null(s.left.p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redact),
		cmocka_unit_test(redact_what_left),
	};

	return cmocka_run_group_tests_name("redact", tests, NULL, NULL);
}
