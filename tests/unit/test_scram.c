/* test_scram.c - SCRAM against libgsasl's server side, also one that lies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <gsasl.h>

#include "base/b64.h"
#include "net/auth.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct server {
	Gsasl *library;
	Gsasl_session *session;
	const char *password;
	enum { PROOF_334, PROOF_IN_235, PROOF_NONE } how;
	char field;        /* of what it says: this one is false; 0: all is true */
	const char *value; /* so */
	bool deaf;         /* does not look at what comes with AUTH */
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

/* Put value in the place of what the field has; "e" is instead of the signature. */
static void
tell(const struct server *sv, struct str said, struct buf *out)
{
	if (sv->field == 'e' && str_starts(said, STR("v=")))
		said = STR("e=");
	while (said.p != NULL) {
		struct str field = str_cut(&said, ',');

		if (field.p[0] == sv->field || (sv->field == 'e' && field.p[0] == 'e'))
			buf_fmt(out, "%c=%s", sv->field, sv->value);
		else
			buf_put(out, field);
		if (said.p != NULL)
			buf_char(out, ',');
	}
}

static void
step(struct server *sv, struct str b64)
{
	AUTO_BUF struct buf raw = BUF_INIT(4096), told = BUF_INIT(4096), reply = BUF_INIT(4096);
	char *said = NULL;
	size_t n = 0;
	int rc;

	assert_true(b64_decode(&raw, b64));
	rc = gsasl_step(sv->session, raw.p, raw.n, &said, &n);
	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE) {
		buf_str(&sv->out, "535 5.7.8 wrong\r\n");
		return;
	}
	tell(sv, str_at(said, n), &told);
	b64_encode(&reply, buf_get(&told));
	if (rc == GSASL_OK && sv->how == PROOF_IN_235)
		buf_fmt(&sv->out, "235 2.7.0 %.*s\r\n", S_ARG(buf_get(&reply)));
	else if (rc == GSASL_OK && (sv->how == PROOF_NONE || n == 0))
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
		if (sv->deaf)
			buf_str(&sv->out, "334 \r\n");
		else
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
	struct login login = { .conf = &c, .secret = &secret, .secure = true };
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
	ok = auth_login(&s, &login, f);
	session_free(&s);
	stream_close(&stream);
	buf_free(&secret.left);
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
	static const struct {
		struct server sv;
		bool plus;
		const char *says; /* NULL: it is taken */
	} cases[] = {
		{ { .how = PROOF_IN_235 }, false, NULL },
		{ { .deaf = true }, false, NULL },
		{ { .field = 'i', .value = "4096" }, false, NULL },
		{ { .how = PROOF_NONE }, false, "before it had shown" },
		{ { .how = PROOF_NONE }, true, "before it had shown" },
		{ { .field = 'v', .value = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }, false,
		    "its signature or nonce is wrong" },
		{ { .field = 'v', .value = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }, true,
		    "its signature or nonce is wrong" },
		{ { .field = 'v', .value = "AAAA", .how = PROOF_IN_235 }, false,
		    "its signature or nonce is wrong" },
		{ { .field = 'v', .value = "*" }, false, "could not parse" },
		{ { .field = 'e', .value = "invalid-proof" }, false, "with invalid-proof;" },
		{ { .field = 'e', .value = "channel-bindings-dont-match" }, true,
		    "may be somebody else's" },
		{ { .field = 'e', .value = "pencil" }, false, "with a word that SCRAM has not" },
		{ { .field = 'r', .value = "abc" }, false, "its signature or nonce is wrong" },
		{ { .field = 'i', .value = "4095" }, false, "4095 rounds" },
		{ { .field = 'i', .value = "0" }, false, "0 rounds" },
		{ { .field = 'i', .value = "1000001" }, false, "1000001 rounds" },
		{ { .field = 'i', .value = "-5000" }, false, "0 rounds" },
		{ { .field = 's', .value = "" }, false, "no salt" },
		{ { .field = 's', .value = "***" }, false, "rror" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct server sv = cases[i].sv;
		struct fail f = FAIL_INIT;
		bool ok;

		sv.password = "pencil";
		ok = scram(&sv,
		    cases[i].plus ? "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN" :
				    "SCRAM-SHA-256 CRAM-MD5 PLAIN",
		    cases[i].plus, &f);
		if (ok != (cases[i].says == NULL) || (!ok && strstr(f.text, cases[i].says) == NULL))
			fail_msg("case %zu: %s", i, f.text);
		assert_true(ok ||
		    (f.cls == FAIL_TEMP && f.stage == STAGE_AUTH &&
			strstr(f.text, "does not prove") != NULL));
		assert_int_equal(sv.attempts, 1); /* no other mechanism */
		assert_null(strstr(f.text, "pencil"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scram_both_ways),
		cmocka_unit_test(scram_wrong_password_is_one_attempt),
		cmocka_unit_test(scram_server_must_prove_itself),
	};

	return cmocka_run_group_tests_name("scram", tests, NULL, NULL);
}
