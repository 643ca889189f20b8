/* test_auth.c - the ladder of mechanisms, line by line; SCRAM against libgsasl's server side. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gsasl.h>

#include "base/b64.h"
#include "script.h"
#include "smtp/auth.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define PLAIN_LINE "C: AUTH PLAIN AHVzZXIAcGFzcw=="
#define LOGIN_LINES \
	"C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: dXNlcg==", "S: 334 UGFzc3dvcmQ6", "C: cGFzcw=="
#define CRAM_LINE "S: 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+"

/* One row is one login; user:pass unless it says otherwise. */
static const struct row {
	const char *name, *offers;
	const char *lines[24];
	const char *auth; /* the mechanism that must win, or NULL */
	const char *says; /* in the failure */
	const char *log;  /* in the trace */
	const char *login, *password;
	const char *mechanisms;  /* auth_mechanisms */
	bool clear, allow_clear; /* no TLS; and allowed */
	bool certificate;
} rows[] = {
	{ "plain", "PLAIN LOGIN", { PLAIN_LINE, "S: 235 ok" }, "plain", NULL,
	    ">> AUTH PLAIN ****************\n", NULL, NULL, NULL, false, false, false },
	{ "walkthrough: 504, then LOGIN", "LOGIN PLAIN",
	    { PLAIN_LINE, "S: 504 Unknown authentication mechanism", LOGIN_LINES, "S: 235 OK" },
	    "login", NULL,
	    ("## plain authenticator failed H=smtp.isp.example [192.0.2.25] 504 Unknown "
	     "authentication mechanism\n>> AUTH LOGIN\n<< 334 VXNlcm5hbWU6\n>> ********\n"
	     "<< 334 UGFzc3dvcmQ6\n>> ********\n<< 235 OK\n"),
	    NULL, NULL, NULL, true, true, false },
	{ "all refused", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 535 5.7.8 bad", LOGIN_LINES, "S: 535 5.7.8 bad" }, NULL,
	    ("smtp.isp.example refused the login of /etc/p:7: SMTP error from remote mail server "
	     "after ********: 535 5.7.8 bad"),
	    NULL, NULL, NULL, NULL, false, false, false },
	{ "538", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 538 5.7.11 need TLS", "C: AUTH LOGIN", "S: 538 5.7.11 need TLS" },
	    NULL, "538", NULL, NULL, NULL, NULL, true, true, false },
	{ "454 ends it", "PLAIN LOGIN", { PLAIN_LINE, "S: 454 4.7.0 later" }, NULL,
	    "after AUTH PLAIN ****************: 454 4.7.0 later", NULL, NULL, NULL, NULL, false,
	    false, false },
	{ "421 ends it", "PLAIN LOGIN", { PLAIN_LINE, "S: 421 bye" }, NULL, "421 bye", NULL, NULL,
	    NULL, NULL, false, false, false },
	{ "lost", "PLAIN LOGIN", { PLAIN_LINE, "X" }, NULL,
	    "Remote host closed connection in response to AUTH PLAIN ****************", NULL, NULL,
	    NULL, NULL, false, false, false },
	{ "PLAIN: a real question", "PLAIN LOGIN", { PLAIN_LINE, "S: 334 bW9yZQ==" }, NULL,
	    "334 bW9yZQ==", NULL, NULL, NULL, NULL, false, false, false },
	{ "PLAIN: an empty question is cancelled", "PLAIN LOGIN",
	    { PLAIN_LINE, "S: 334 ", "C: *", "S: 501 cancelled", LOGIN_LINES, "S: 235 ok" },
	    "login", NULL,
	    ("## plain authenticator cancelled authentication H=smtp.isp.example [192.0.2.25] "
	     "Invalid base64 string in server response \"334\"\n"),
	    NULL, NULL, NULL, false, false, false },
	{ "LOGIN: yes after the name", "LOGIN",
	    { "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: dXNlcg==", "S: 235 ok" }, "login", NULL,
	    NULL, NULL, NULL, NULL, false, false, false },
	{ "LOGIN: no after the name", "LOGIN",
	    { "C: AUTH LOGIN", "S: 334 VXNlcm5hbWU6", "C: dXNlcg==", "S: 535 no such user" }, NULL,
	    "535 no such user", NULL, NULL, NULL, NULL, false, false, false },
	{ "LOGIN: prompt that is not base64", "LOGIN",
	    { "C: AUTH LOGIN", "S: 334 Username:", "C: *", "S: 501 ok" }, NULL, "501 ok",
	    "in server response \"334 Username:\"", NULL, NULL, NULL, false, false, false },
	{ "LOGIN: cancelled, and it hangs up", "LOGIN",
	    { "C: AUTH LOGIN", "S: 334 Username:", "C: *", "S: 421 bye" }, NULL, "421 bye", NULL,
	    NULL, NULL, NULL, false, false, false },
	{ "LOGIN: third prompt", "LOGIN", { LOGIN_LINES, "S: 334 bW9yZQ==" }, NULL,
	    "after ********: 334 bW9yZQ==", NULL, NULL, NULL, NULL, false, false, false },
	{ "CRAM-MD5 (RFC 2195)", "PLAIN CRAM-MD5",
	    { "C: AUTH CRAM-MD5", CRAM_LINE, "C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw",
		"S: 235 ok" },
	    "cram_md5", NULL, NULL, "tim", "tanstaaftanstaaf", NULL, false, false, false },
	{ "CRAM-MD5 refused, PLAIN taken", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", "S: 504 no", PLAIN_LINE, "S: 235 ok" }, "plain", NULL, NULL, NULL,
	    NULL, NULL, false, false, false },
	{ "CRAM-MD5: challenge that is not base64", "CRAM-MD5 PLAIN",
	    { "C: AUTH CRAM-MD5", "S: 334 <1@x>" }, NULL, "334 <1@x>", NULL, NULL, NULL, NULL,
	    false, false, false },
	{ "order of the administrator", "PLAIN LOGIN CRAM-MD5", { LOGIN_LINES, "S: 235 ok" },
	    "login", NULL, NULL, NULL, NULL, "unknown login  plain", false, false, false },
	{ "nothing offered", "", { NULL }, NULL,
	    ("smtp.isp.example does not offer AUTH, and mail is not sent to it without the login "
	     "of "
	     "/etc/p:7"),
	    NULL, NULL, NULL, NULL, false, false, false },
	{ "nothing usable", "GSSAPI NTLM", { NULL }, NULL, "offers the logins GSSAPI NTLM", NULL,
	    NULL, NULL, NULL, false, false, false },
	{ "not over a clear link", "PLAIN LOGIN CRAM-MD5", { NULL }, NULL, "none of them", NULL,
	    NULL, NULL, NULL, true, false, false },
	{ "token: OAUTHBEARER", "OAUTHBEARER PLAIN XOAUTH2",
	    { ("C: AUTH OAUTHBEARER "
	       "bixhPXVzZXIsAWhvc3Q9c210cC5pc3AuZXhhbXBsZQFhdXRoPUJlYXJlciB0b2sBAQ=="),
		"S: 235 ok" },
	    "oauthbearer", NULL, NULL, NULL, "oauth:tok", NULL, false, false, false },
	{ "token refused with an explanation", "OAUTHBEARER XOAUTH2",
	    { ("C: AUTH OAUTHBEARER "
	       "bixhPXVzZXIsAWhvc3Q9c210cC5pc3AuZXhhbXBsZQFhdXRoPUJlYXJlciB0b2sBAQ=="),
		"S: 334 eyJzdGF0dXMiOiI0MDEifQ==", "C: AQ==", "S: 535 5.7.8 expired",
		"C: AUTH XOAUTH2 dXNlcj11c2VyAWF1dGg9QmVhcmVyIHRvawEB",
		"S: 334 eyJzdGF0dXMiOiI0MDEifQ==", "C: ", "S: 535 5.7.8 expired" },
	    NULL, "535 5.7.8 expired", NULL, NULL, "oauth:tok", NULL, false, false, false },
	{ "a token is no password", "PLAIN LOGIN", { NULL }, NULL, "none of them", NULL, NULL,
	    "oauth:tok", NULL, false, false, false },
	{ "EXTERNAL", "PLAIN EXTERNAL", { "C: AUTH EXTERNAL dXNlcg==", "S: 235 ok" }, "external",
	    NULL, NULL, NULL, NULL, NULL, false, false, true },
	{ "EXTERNAL without a login", "PLAIN EXTERNAL", { "C: AUTH EXTERNAL =", "S: 535 no" }, NULL,
	    "refused the login of tls_certificate", NULL, "", "", NULL, false, false, true },
	{ "no certificate: no EXTERNAL", "EXTERNAL PLAIN", { PLAIN_LINE, "S: 235 ok" }, "plain",
	    NULL, NULL, NULL, NULL, NULL, false, false, false },
	{ "PLUS without a channel binding is left out", "SCRAM-SHA-256-PLUS PLAIN",
	    { PLAIN_LINE, "S: 235 ok" }, "plain", NULL, NULL, NULL, NULL, NULL, false, false,
	    false },
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

static void
check_row(const struct row *row)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf shown = BUF_INIT(1 << 16);
	const struct trace trace = { keep_trace, &shown };
	struct secret secret = { .login = str_of(row->login != NULL ? row->login : "user"),
		.password = str_of(row->password != NULL ? row->password : "pass"),
		.where = "/etc/p:7" };
	struct fail f = FAIL_INIT;
	struct script sc;
	struct stream stream;
	struct session s;
	struct conf c;
	bool ok;

	conf_init(&c, &a);
	c.primary_hostname = "me";
	c.auth_client_allow_notls_passwords = row->allow_clear;
	c.auth_mechanisms = row->mechanisms != NULL ? row->mechanisms : "";
	c.tls_certificate = row->certificate ? "/etc/cert.pem" : "";
	script_open(&stream, &sc, row->lines);
	session_init(&s, &stream, &c, &trace);
	s.host = "smtp.isp.example";
	s.ip = "192.0.2.25";
	s.tls = !row->clear;
	(void)snprintf(s.caps.mechanisms, sizeof s.caps.mechanisms, "%s", row->offers);
	ok = auth_login(&s, &c, &secret, !row->clear, &f);
	if (!script_done(&sc))
		fail_msg("%s: %s", row->name, sc.why);
	if (ok != (row->auth != NULL) || (ok && strcmp(s.auth, row->auth) != 0))
		fail_msg("%s: %s (%s)", row->name, ok ? s.auth : "no", f.text);
	if (ok ? f.cls != FAIL_NONE : f.cls != FAIL_TEMP || f.stage != STAGE_AUTH)
		fail_msg("%s: class %d stage %d", row->name, (int)f.cls, (int)f.stage);
	if (row->says != NULL && strstr(f.text, row->says) == NULL)
		fail_msg("%s: says '%s'", row->name, f.text);
	if (row->log != NULL && strstr(shown.p, row->log) == NULL)
		fail_msg("%s: shows '%s'", row->name, shown.p);
	if (shown.n > 0 && (strstr(shown.p, "AHVzZXIA") || strstr(shown.p, "cGFzcw")))
		fail_msg("%s: shows the password: %s", row->name, shown.p);
	session_free(&s);
	stream_close(&stream);
}

static void
each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_row(&rows[i]);
}

/* --- a server that computes --- */

struct server {
	Gsasl *library;
	Gsasl_session *session;
	const char *password;
	bool hasty; /* says 235 before it has proved anything */
	bool liar;  /* proves with another password */
	int attempts;
	struct buf in, out;
	bool used_plus;
};

static int
ask_server(Gsasl *library, Gsasl_session *session, Gsasl_property p)
{
	const struct server *sv = gsasl_callback_hook_get(library);

	if (p != GSASL_PASSWORD)
		return GSASL_NO_CALLBACK;
	gsasl_property_set(session, p, sv->password);
	return GSASL_OK;
}

static void
step(struct server *sv, struct str b64)
{
	AUTO_BUF struct buf raw = BUF_INIT(4096), reply = BUF_INIT(4096);
	char *said = NULL;
	size_t n = 0;
	int rc;

	assert_true(b64_decode(&raw, b64));
	rc = gsasl_step(sv->session, raw.p, raw.n, &said, &n);
	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE) {
		buf_str(&sv->out, "535 5.7.8 wrong\r\n");
		return;
	}
	if (sv->liar && n > 2 && said[0] == 'v')
		said[5] = said[5] == 'A' ? 'B' : 'A';
	b64_encode(&reply, str_at(said, n));
	if (sv->hasty || (rc == GSASL_OK && n == 0))
		buf_str(&sv->out, "235 ok\r\n");
	else
		buf_fmt(&sv->out, "334 %.*s\r\n", S_ARG(buf_get(&reply)));
	gsasl_free(said);
}

static int
server_write(struct stream *s, const void *p, size_t n)
{
	struct server *sv = s->ctx;
	struct str rest, line, word;
	static const char binding[] = "YmluZGluZw==";

	buf_reset(&sv->in);
	buf_add(&sv->in, p, n);
	rest = buf_get(&sv->in);
	line = str_rtrim(str_cut(&rest, '\n'));
	if (str_eq(line, STR("*"))) {
		buf_str(&sv->out, "501 cancelled\r\n");
	} else if (!str_starts(line, STR("AUTH "))) {
		if (line.n == 0)
			buf_str(&sv->out, "235 ok\r\n"); /* the proof is taken note of */
		else
			step(sv, line);
	} else {
		char name[64];

		line = str_skip(line, 5);
		word = str_cut(&line, ' ');
		(void)snprintf(name, sizeof name, "%.*s", S_ARG(word));
		sv->attempts++;
		if (sv->session != NULL)
			gsasl_finish(sv->session);
		assert_int_equal(gsasl_server_start(sv->library, name, &sv->session), GSASL_OK);
		sv->used_plus = strstr(name, "PLUS") != NULL;
		if (sv->used_plus)
			gsasl_property_set(sv->session, GSASL_CB_TLS_EXPORTER, binding);
		step(sv, line);
	}
	return 0;
}

static ptrdiff_t
server_read(struct stream *s, void *p, size_t n)
{
	struct server *sv = s->ctx;
	size_t len = sv->out.n < n ? sv->out.n : n;

	memcpy(p, sv->out.p, len);
	buf_reset(&sv->out);
	return (ptrdiff_t)len;
}

static void
server_close(struct stream *s)
{
	struct server *sv = s->ctx;

	gsasl_finish(sv->session);
	gsasl_done(sv->library);
	buf_free(&sv->in);
	buf_free(&sv->out);
}

static const struct stream_ops server_ops = { server_read, server_write, server_close };

static bool
scram(struct server *sv, const char *offers, bool binding, struct fail *f)
{
	AUTO_ARENA struct arena a = { 0 };
	struct secret secret = {
		.login = STR("user"), .password = STR("pencil"), .where = "/etc/p:7"
	};
	struct stream stream = { 0 };
	struct session s;
	struct conf c;
	bool ok;

	sv->in.max = sv->out.max = 1 << 16;
	assert_int_equal(gsasl_init(&sv->library), GSASL_OK);
	gsasl_callback_set(sv->library, ask_server);
	gsasl_callback_hook_set(sv->library, sv);
	stream_init(&stream, &server_ops, sv, -1);
	conf_init(&c, &a);
	session_init(&s, &stream, &c, NULL);
	s.host = "smtp.isp.example";
	s.tls = true;
	if (binding) {
		s.binding = STR("binding");
		s.binding_type = "tls-exporter";
	}
	(void)snprintf(s.caps.mechanisms, sizeof s.caps.mechanisms, "%s", offers);
	ok = auth_login(&s, &c, &secret, true, f);
	session_free(&s);
	stream_close(&stream);
	return ok;
}

static void
scram_both_ways(void **state)
{
	static const struct {
		const char *offers;
		bool binding, plus;
	} good[] = {
		{ "SCRAM-SHA-256", false, false },
		{ "SCRAM-SHA-1", false, false },
		{ "SCRAM-SHA-1 SCRAM-SHA-256 PLAIN", false, false },
		{ "SCRAM-SHA-256 SCRAM-SHA-256-PLUS", true, true },
		{ "SCRAM-SHA-1-PLUS PLAIN", true, true },
		/* over TLS there is a binding, whether the server uses it or not */
		{ "SCRAM-SHA-256", true, false },
		{ "SCRAM-SHA-1", true, false },
		{ "SCRAM-SHA-256 PLAIN", true, false },
		{ "SCRAM-SHA-256 SCRAM-SHA-1-PLUS", true, false },
	};
	struct fail f = FAIL_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct server sv = { .password = "pencil" };

		if (!scram(&sv, good[i].offers, good[i].binding, &f))
			fail_msg("%s: %s", good[i].offers, f.text);
		assert_int_equal(sv.attempts, 1);
		assert_int_equal(sv.used_plus, good[i].plus);
	}
}

static void
scram_wrong_password_is_one_attempt(void **state)
{
	struct server sv = { .password = "pen" };
	struct fail f = FAIL_INIT;

	(void)state;
	assert_false(scram(&sv, "SCRAM-SHA-256 SCRAM-SHA-1", false, &f));
	assert_int_equal(sv.attempts, 1);
	assert_non_null(strstr(f.text, "535 5.7.8 wrong"));
}

static void
scram_server_must_prove_itself(void **state)
{
	struct server hasty = { .password = "pencil", .hasty = true };
	struct server liar = { .password = "pencil", .liar = true };
	struct fail f = FAIL_INIT;

	(void)state;
	assert_false(scram(&hasty, "SCRAM-SHA-256", false, &f));
	assert_non_null(strstr(f.text, "before it had shown"));
	assert_false(scram(&liar, "SCRAM-SHA-256", false, &f));
	assert_non_null(strstr(f.text, "server's part of the login is wrong"));
	assert_int_equal(f.cls, FAIL_TEMP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(scram_both_ways),
		cmocka_unit_test(scram_wrong_password_is_one_attempt),
		cmocka_unit_test(scram_server_must_prove_itself),
	};

	return cmocka_run_group_tests_name("auth", tests, NULL, NULL);
}
