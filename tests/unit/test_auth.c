/* test_auth.c - the ladder of mechanisms, line by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/auth.h"
#include "script.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define PLAIN_LINE "C: AUTH PLAIN AHVzZXIAcGFzcw=="
#define LOGIN_LINES \
	"C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: dXNlcg==", "S: 334 UGFzc3dvcmQ6", "C: cGFzcw=="
#define CRAM_LINE "S: 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"
#define LONG_TOKEN \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define LONG_TOKEN_BLOB \
	"dXNlcj11c2VyAWF1dGg9QmVhcmVyIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1" \
	"Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAx" \
	"MjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk" \
	"ZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5" \
	"YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1" \
	"Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAx" \
	"MjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNk" \
	"ZWYBAQ=="
#define CRAM_REPLY "C: dXNlciAyMjRmOGFmMWJmOWJjZjI2ZjRlZjAzMjllMDYxNDA1Yw=="
#define BAD "S: 535 5.7.8 bad"
#define CONN "+" /* what follows is another connection */

/* One row is one login; user:pass unless it says otherwise. */
static const struct row {
	const char *name, *offers;
	const char *lines[32];
	const char *auth; /* the mechanism that must win, or NULL */
	const char *says; /* in the failure */
	const char *log;  /* in the trace */
	const char *login, *password;
	const char *mechanisms;  /* auth_mechanisms */
	bool clear, allow_clear; /* no TLS; and allowed */
	bool certificate;
	unsigned refusals;
} rows[] = {
	{ "plain", "PLAIN LOGIN", { PLAIN_LINE, "S: 235 ok" }, .auth = "plain",
	    .log = ">> AUTH PLAIN ****************\n" },
	{ "235 in two lines", "PLAIN", { PLAIN_LINE, "S: 235-2.7.0 ok", "s: 235 2.7.0 welcome" },
	    .auth = "plain" },
	{ "walkthrough: 504, then LOGIN", "LOGIN PLAIN",
	    { PLAIN_LINE, "S: 504 Unknown authentication mechanism", LOGIN_LINES, "S: 235 OK" },
	    .auth = "login",
	    .log = ("## plain authenticator failed H=smtp.isp.example [192.0.2.25] 504 Unknown "
		    "authentication mechanism\n>> AUTH LOGIN\n<< 334 VXNlcm5hbWU6\n>> ********\n"
		    "<< 334 UGFzc3dvcmQ6\n>> ********\n<< 235 OK\n"),
	    .clear = true, .allow_clear = true, .refusals = 1 },
	{ "all refused", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 535 5.7.8 bad", LOGIN_LINES, "S: 535 5.7.8 bad" },
	    .says = ("smtp.isp.example refused the login of /etc/p:7 with PLAIN, LOGIN: SMTP error "
		     "from remote mail server after ********: 535 5.7.8 bad; check the password, "
		     "or set auth_mechanisms"),
	    .refusals = 2 },
	{ "538", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 538 5.7.11 need TLS", "C: AUTH LOGIN", "S: 538 5.7.11 need TLS" },
	    .says = "538", .clear = true, .allow_clear = true, .refusals = 1 },
	{ "454 ends it", "PLAIN", { PLAIN_LINE, "S: 454 4.7.0 later" },
	    .says = "after AUTH PLAIN ****************: 454 4.7.0 later" },
	{ "454, and the server stays: it ends it, too", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 454 4.7.0 later", "C: QUIT", "S: 221 bye" },
	    .says = "after AUTH PLAIN ****************: 454 4.7.0 later" },
	{ "454 behind a refusal: both are said", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", CRAM_LINE, CRAM_REPLY, BAD, PLAIN_LINE, "S: 454 4.7.0 later" },
	    .says = "refused the login of /etc/p:7 with CRAM-MD5, PLAIN: SMTP error from remote",
	    .refusals = 1 },
	{ "432: only after another mechanism", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", "S: 432 4.7.12 transition needed", PLAIN_LINE, "S: 235 ok" },
	    .auth = "plain" },
	{ "534: too weak", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", "S: 534 5.7.9 too weak", PLAIN_LINE, "S: 235 ok" },
	    .auth = "plain" },
	{ "503: nobody says that the login is done", "PLAIN",
	    { PLAIN_LINE, "S: 503 5.5.1 already authenticated" }, .says = "503", .refusals = 1 },
	{ "no answer in time", "PLAIN LOGIN", { PLAIN_LINE, "T" }, .says = "did not answer" },

	/* the server hangs up over a mechanism */
	{ "504 and gone", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 504 no", "C: AUTH LOGIN", "X", CONN, LOGIN_LINES, "S: 235 ok" },
	    .auth = "login", .refusals = 1 },
	{ "535 and gone", "CRAM-MD5 PLAIN LOGIN",
	    { "C: AUTH CRAM-MD5", CRAM_LINE, CRAM_REPLY, "S: 535 5.7.8 failed", PLAIN_LINE, "X",
		CONN, PLAIN_LINE, "S: 235 ok" },
	    .auth = "plain", .refusals = 1 },
	{ "535 in three lines, and reset", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 535-5.7.8 no", "s: 535-5.7.8 no", "s: 535 5.7.8 no", "C: AUTH LOGIN",
		"R", CONN, LOGIN_LINES, "S: 235 ok" },
	    .auth = "login", .refusals = 1 },
	{ "535 and gone, seen when the next is said", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 535 5.7.8 no", "E", CONN, LOGIN_LINES, "S: 235 ok" }, .auth = "login",
	    .refusals = 1 },
	{ "454 and gone", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 454 4.7.0 later", "C: QUIT", "X", CONN, LOGIN_LINES, "S: 235 ok" },
	    .auth = "login" },
	{ "421", "PLAIN LOGIN", { PLAIN_LINE, "S: 421 bye", CONN, LOGIN_LINES, "S: 235 ok" },
	    .auth = "login", .refusals = 1 },
	{ "421, and nothing else is offered", "PLAIN", { PLAIN_LINE, "S: 421 bye" },
	    .says = "421 bye", .refusals = 1 },
	{ "gone", "PLAIN LOGIN", { PLAIN_LINE, "X", CONN, LOGIN_LINES, "S: 235 ok" },
	    .auth = "login", .refusals = 1 },
	{ "reset", "PLAIN LOGIN", { PLAIN_LINE, "R", CONN, LOGIN_LINES, "S: 235 ok" },
	    .auth = "login", .refusals = 1 },
	{ "gone before any proof", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", "X", CONN, PLAIN_LINE, "S: 235 ok" }, .auth = "plain" },
	{ "gone each time: the words of the refusal are said", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 535 5.7.8 rejected", "C: AUTH LOGIN", "X", CONN, "C: AUTH LOGIN",
		"X" },
	    .says = ("refused the login of /etc/p:7 with PLAIN, LOGIN: SMTP error from remote mail "
		     "server after AUTH PLAIN ****************: 535 5.7.8 rejected"),
	    .refusals = 1 },
	{ "gone over the only one", "PLAIN", { PLAIN_LINE, "X" },
	    .says = "Remote host closed connection in response to AUTH PLAIN ****************",
	    .refusals = 1 },

	/* what a prompt says does not count */
	{ "LOGIN: prompts without a word", "LOGIN",
	    { "C: AUTH LOGIN", "S: 334", "C: dXNlcg==", "S: 334", "C: cGFzcw==", "S: 235 ok" },
	    .auth = "login" },
	{ "LOGIN: prompts in clear", "LOGIN",
	    { "C: AUTH LOGIN",
		"S: 334 Username:", "C: dXNlcg==", "S: 334 Password:", "C: cGFzcw==", "S: 235 ok" },
	    .auth = "login" },
	{ "LOGIN: prompts of other words, without a blank", "LOGIN",
	    { "C: AUTH LOGIN", "S: 334-x", "s: 334 d2hvIGFyZSB5b3U/", "C: dXNlcg==", "S: 334 ",
		"C: cGFzcw==", "S: 235 ok" },
	    .auth = "login" },
	{ "LOGIN: the password is asked for first", "LOGIN",
	    { "C: AUTH LOGIN", "S: 334 UGFzc3dvcmQ6", "C: dXNlcg==", "S: 334 VXNlcm5hbWU6",
		"C: cGFzcw==", "S: 235 ok" },
	    .auth = "login" },
	{ "LOGIN: yes after the name", "LOGIN",
	    { "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: dXNlcg==", "S: 235 ok" },
	    .auth = "login" },
	{ "LOGIN: no after the name", "LOGIN",
	    { "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: dXNlcg==", "S: 535 no such user" },
	    .says = "535 no such user" },
	{ "LOGIN: third prompt", "LOGIN", { LOGIN_LINES, "S: 334 bW9yZQ==", "C: *", "S: 501 ok" },
	    .says = "with LOGIN: it asks on after all of LOGIN was said: 334" },
	{ "LOGIN: cancelled, and it hangs up", "LOGIN",
	    { LOGIN_LINES, "S: 334 bW9yZQ==", "C: *", "S: 421 bye" }, .says = "it asks on",
	    .refusals = 1 },
	{ "PLAIN: the first response was not looked at", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 334 ", "C: AHVzZXIAcGFzcw==", "S: 235 ok" }, .auth = "plain" },
	{ "PLAIN: nor this one, with words", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 334 bW9yZQ==", "C: AHVzZXIAcGFzcw==", "S: 235 ok" },
	    .auth = "plain" },
	{ "PLAIN: it asks on and on", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 334", "C: AHVzZXIAcGFzcw==", "S: 334", "C: *", "S: 501 cancelled",
		LOGIN_LINES, "S: 235 ok" },
	    .auth = "login",
	    .log = ("## plain authenticator cancelled authentication H=smtp.isp.example "
		    "[192.0.2.25] it asks on") },
	{ "a long token goes behind AUTH", "XOAUTH2",
	    { "C: AUTH XOAUTH2", "S: 334 ", "C: " LONG_TOKEN_BLOB, "S: 235 ok" }, .auth = "xoauth2",
	    .password = "oauth:" LONG_TOKEN },

	{ "CRAM-MD5 (RFC 2195)", "PLAIN CRAM-MD5",
	    { "C: AUTH CRAM-MD5", CRAM_LINE, "C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw",
		"S: 235 ok" },
	    .auth = "cram_md5", .login = "tim", .password = "tanstaaftanstaaf" },
	{ "CRAM-MD5: a challenge with blanks and without its padding", "CRAM-MD5",
	    { "C: AUTH CRAM-MD5",
		"S: 334  PDE4OTYuNjk3MTcwOTUyQHBv c3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+= ",
		"C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw", "S: 235 ok" },
	    .auth = "cram_md5", .login = "tim", .password = "tanstaaftanstaaf" },
	{ "CRAM-MD5 refused, PLAIN taken", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", "S: 504 no", PLAIN_LINE, "S: 235 ok" }, .auth = "plain" },
	{ "CRAM-MD5: challenge that is not base64", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", "S: 334 <1@x>", "C: *", "S: 501 ok", PLAIN_LINE, "S: 235 ok" },
	    .auth = "plain",
	    .log = "cram_md5 authenticator cancelled authentication H=smtp.isp.example" },
	{ "CRAM-MD5: it asks on", "CRAM-MD5",
	    { "C: AUTH CRAM-MD5", CRAM_LINE, CRAM_REPLY, "S: 334 ", "C: *", "S: 501 ok" },
	    .says = "asks on" },

	/* what our side cannot do is no word of the server's */
	{ "CRAM-MD5 with octets that are no UTF-8: PLAIN", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", CRAM_LINE, "C: *", "S: 501 cancelled",
		"C: AUTH PLAIN AHVzZXIAcOT8", "S: 235 ok" },
	    .auth = "plain", .password = "p\xe4\xfc", .log = "## CRAM-MD5 is left out: " },
	{ "and nothing else is offered", "CRAM-MD5",
	    { "C: AUTH CRAM-MD5", CRAM_LINE, "C: *", "S: 501 cancelled" },
	    .says =
		("the login of /etc/p:7 cannot be used with CRAM-MD5: it has octets that are no "
		 "UTF-8; check the password, or set auth_mechanisms"),
	    .password = "p\xe4\xfc" },
	{ "and the server hangs up on the cancel", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", CRAM_LINE, "C: *", "X", CONN, "C: AUTH PLAIN AHVzZXIAcOT8",
		"S: 235 ok" },
	    .auth = "plain", .password = "p\xe4\xfc" },
	{ "a login that is no UTF-8, with SCRAM", "SCRAM-SHA-1 SCRAM-SHA-256 PLAIN",
	    { "C: AUTH PLAIN AOQAcGFzcw==", "S: 235 ok" }, .auth = "plain", .login = "\xe4",
	    .log = "## SCRAM-SHA-256 is left out: " },
	{ "a character that SASLprep refuses", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", CRAM_LINE, "C: *", "S: 501 cancelled",
		"C: AUTH PLAIN AHVzZXIAcAEx", "S: 235 ok" },
	    .auth = "plain", .password = "p\0011",
	    .log = "## CRAM-MD5 is left out: it has a character that SASLprep (RFC 4013) refuses" },
	{ "a refusal counts for more than what our side cannot do", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", CRAM_LINE, "C: *", "S: 501 cancelled",
		"C: AUTH PLAIN AHVzZXIAcOT8", BAD },
	    .password = "p\xe4\xfc",
	    .says = "refused the login of /etc/p:7 with PLAIN: ", .refusals = 1 },

	{ "no more than three refusals", "PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1",
	    { "C: AUTH LOGIN", "S: 334", "C: dXNlcg==", "S: 334", "C: cGFzcw==", BAD, PLAIN_LINE,
		BAD, "C: AUTH CRAM-MD5", CRAM_LINE, CRAM_REPLY, BAD },
	    .mechanisms = "LOGIN PLAIN CRAM-MD5 SCRAM-SHA-1",
	    .says = "535 5.7.8 bad; auth_mechanisms = SCRAM-SHA-1 would try that alone",
	    .refusals = 3 },
	{ "a refusal without a proof is none of the three", "PLAIN LOGIN CRAM-MD5",
	    { "C: AUTH CRAM-MD5", "S: 504 no", PLAIN_LINE, BAD, "C: AUTH LOGIN", "S: 504 no" },
	    .says = "with CRAM-MD5, PLAIN, LOGIN", .refusals = 1 },
	{ "order of the administrator", "PLAIN LOGIN CRAM-MD5", { LOGIN_LINES, "S: 235 ok" },
	    .auth = "login", .mechanisms = "unknown login  plain" },
	{ "nothing offered", "", { NULL },
	    .says = ("smtp.isp.example does not offer AUTH, and mail is not sent to it without the "
		     "login of /etc/p:7") },
	{ "nothing usable", "GSSAPI NTLM", { NULL }, .says = "offers the logins GSSAPI NTLM" },
	{ "not over a clear link", "PLAIN LOGIN CRAM-MD5", { NULL }, .says = "none of them",
	    .clear = true },
	{ "token: OAUTHBEARER", "OAUTHBEARER PLAIN XOAUTH2",
	    { ("C: AUTH OAUTHBEARER "
	       "bixhPXVzZXIsAWhvc3Q9c210cC5pc3AuZXhhbXBsZQFhdXRoPUJlYXJlciB0b2sBAQ=="),
		"S: 235 ok" },
	    .auth = "oauthbearer", .password = "oauth:tok" },
	{ "token refused with an explanation", "OAUTHBEARER XOAUTH2",
	    { ("C: AUTH OAUTHBEARER "
	       "bixhPXVzZXIsAWhvc3Q9c210cC5pc3AuZXhhbXBsZQFhdXRoPUJlYXJlciB0b2sBAQ=="),
		"S: 334 eyJzdGF0dXMiOiI0MDEifQ==", "C: AQ==", "S: 535 5.7.8 expired",
		"C: AUTH XOAUTH2 dXNlcj11c2VyAWF1dGg9QmVhcmVyIHRvawEB",
		"S: 334 eyJzdGF0dXMiOiI0MDEifQ==", "C: ", "S: 535 5.7.8 expired" },
	    .says = "535 5.7.8 expired", .password = "oauth:tok", .refusals = 2 },
	{ "a token is no password", "PLAIN LOGIN", { NULL }, .says = "none of them",
	    .password = "oauth:tok" },
	{ "EXTERNAL", "PLAIN EXTERNAL", { "C: AUTH EXTERNAL dXNlcg==", "S: 235 ok" },
	    .auth = "external", .certificate = true },
	{ "EXTERNAL asks again", "EXTERNAL",
	    { "C: AUTH EXTERNAL =", "S: 334 ", "C: ", "S: 235 ok" }, .auth = "external",
	    .login = "", .password = "", .certificate = true },
	{ "EXTERNAL without a login", "PLAIN EXTERNAL", { "C: AUTH EXTERNAL =", "S: 535 no" },
	    .says = "refused the login of tls_certificate", .login = "", .password = "",
	    .certificate = true },
	{ "no certificate: no EXTERNAL", "EXTERNAL PLAIN", { PLAIN_LINE, "S: 235 ok" },
	    .auth = "plain" },
	{ "PLUS without a channel binding is left out", "SCRAM-SHA-256-PLUS PLAIN",
	    { PLAIN_LINE, "S: 235 ok" }, .auth = "plain" },
};

static void
keep_trace(void *ctx, enum trace_kind kind, struct str line)
{
	static const char *const marks[] = { [TRACE_LOG] = "##",
		[TRACE_NOTE] = "--",
		[TRACE_OUT] = ">>",
		[TRACE_IN] = "<<",
		[TRACE_DEBUG] = "//" };

	buf_fmt(ctx, "%s %.*s\n", marks[kind], S_ARG(line));
}

/* One connection after the other, as net/hop.c makes them. */
static bool
play(const struct row *row, struct login *a, struct session *s, const struct trace *trace,
    struct fail *f)
{
	const char *lines[sizeof row->lines / sizeof row->lines[0] + 1];
	size_t at = 0;
	bool ok = false, more = true;

	while (more) {
		struct script sc;
		struct stream stream;
		size_t n = 0;

		memset(lines, 0, sizeof lines);
		while (row->lines[at] != NULL && row->lines[at][0] != '+')
			lines[n++] = row->lines[at++];
		more = row->lines[at] != NULL;
		at += more;
		script_open(&stream, &sc, lines);
		session_init(s, &stream, a->conf, trace);
		s->host = "smtp.isp.example";
		s->ip = "192.0.2.25";
		s->tls = !row->clear;
		(void)snprintf(s->caps.mechanisms, sizeof s->caps.mechanisms, "%s", row->offers);
		ok = auth_login(s, a, f);
		if (!script_done(&sc))
			fail_msg("%s: %s (%s)", row->name, sc.why, f->text);
		if (a->again != more)
			fail_msg("%s: another connection: %d (%s)", row->name, a->again, f->text);
		session_free(s);
		stream_close(&stream);
	}
	return ok;
}

static void
check_row(const struct row *row)
{
	AUTO_ARENA struct arena arena = { 0 };
	AUTO_BUF struct buf shown = BUF_INIT(1 << 16);
	const struct trace trace = { keep_trace, &shown };
	struct secret secret = { .login = str_of(row->login != NULL ? row->login : "user"),
		.password = str_of(row->password != NULL ? row->password : "pass"),
		.where = "/etc/p:7" };
	struct fail f = FAIL_INIT;
	struct session s;
	struct conf c;
	struct login a = { .conf = &c, .secret = &secret, .secure = !row->clear };
	bool ok;

	conf_init(&c, &arena);
	c.primary_hostname = "me";
	c.auth_client_allow_notls_passwords = row->allow_clear;
	c.auth_mechanisms = row->mechanisms != NULL ? row->mechanisms : "";
	c.tls_certificate = row->certificate ? "/etc/cert.pem" : "";
	ok = play(row, &a, &s, &trace, &f);
	if (ok != (row->auth != NULL) || (ok && strcmp(s.auth, row->auth) != 0))
		fail_msg("%s: %s (%s)", row->name, ok ? s.auth : "no", f.text);
	if (!ok && (f.cls != FAIL_TEMP || f.stage != STAGE_AUTH))
		fail_msg("%s: class %d stage %d", row->name, (int)f.cls, (int)f.stage);
	if (row->says != NULL && strstr(f.text, row->says) == NULL)
		fail_msg("%s: says '%s'", row->name, f.text);
	if (row->log != NULL && strstr(shown.p, row->log) == NULL)
		fail_msg("%s: shows '%s'", row->name, shown.p);
	if (shown.n > 0 && (strstr(shown.p, "AHVzZXIA") || strstr(shown.p, "cGFzcw")))
		fail_msg("%s: shows the password: %s", row->name, shown.p);
	if (a.refusals != row->refusals)
		fail_msg("%s: %u refusals", row->name, a.refusals);
	buf_free(&secret.left);
}

static void
each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_row(&rows[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
