/* sasl.c - the SASL mechanisms that need computing, by libgsasl. */
#include "net/sasl.h"

#include <gsasl.h>

#include "base/b64.h"
#include "base/module.h"
#include "base/num.h"
#include "net/saslmodule.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { PROPERTY_MAX = 4096 };

struct sasl {
	Gsasl *library;
	Gsasl_session *session;
	bool scram;
};

static bool
set(struct sasl *x, Gsasl_property p, struct str value)
{
	return value.n <= PROPERTY_MAX &&
	    gsasl_property_set_raw(x->session, p, value.p, value.n) == GSASL_OK;
}

static bool
set_binding(struct sasl *x, const struct sasl_login *who)
{
	AUTO_BUF struct buf b64 = BUF_INIT(PROPERTY_MAX);
	bool exporter = str_eq(str_of(who->binding_type), STR("tls-exporter"));

	if (who->binding.n == 0)
		return true;
	b64_encode(&b64, who->binding);
	return set(x, exporter ? GSASL_CB_TLS_EXPORTER : GSASL_CB_TLS_UNIQUE, buf_get(&b64));
}

struct sasl *
sasl_new(const char *mechanism, const struct sasl_login *who, struct fail *f)
{
	struct sasl *x = calloc(1, sizeof *x);
	int rc = GSASL_MALLOC_ERROR;

	if (x != NULL && (rc = gsasl_init(&x->library)) == GSASL_OK &&
	    (rc = gsasl_client_start(x->library, mechanism, &x->session)) == GSASL_OK &&
	    set(x, GSASL_AUTHID, who->login) && set(x, GSASL_PASSWORD, who->password) &&
	    set_binding(x, who)) {
		x->scram = str_starts(str_of(mechanism), STR("SCRAM-"));
		return x;
	}
	sasl_free(x);
	(void)fail_set(f, FAIL_TEMP, STAGE_AUTH, 0, "libgsasl cannot do %s: %s", mechanism,
	    rc == GSASL_OK ? "the login is too long" : gsasl_strerror(rc));
	return NULL;
}

/* ------------------------------------------------------------------ what libgsasl lets pass */

/* The words in which RFC 5802 7 has the server refuse; binds: what TLS binds us to is another. */
static const struct {
	const char *word;
	bool binds;
} refusals[] = {
	{ "channel-bindings-dont-match", true },
	{ "server-does-support-channel-binding", true },
	{ "channel-binding-not-supported", true },
	{ "unsupported-channel-binding-type", true },
	{ "invalid-encoding", false },
	{ "extensions-not-supported", false },
	{ "invalid-proof", false },
	{ "unknown-user", false },
	{ "invalid-username-encoding", false },
	{ "no-resources", false },
	{ "other-error", false },
};

static bool
refused(struct str word, struct fail *f)
{
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
		if (str_eq(word, str_of(refusals[i].word)))
			return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0, "it refuses, with %s%s",
			    refusals[i].word,
			    refusals[i].binds ?
				": the other end of the TLS connection may be somebody else's" :
				"");
	return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0, "it refuses, with a word that SCRAM has not");
}

/* "r=NONCE,s=SALT,i=ROUNDS" (the nonce is libgsasl's to check).  Few rounds or no salt make what we
 * answer a cheap way to the password; too many are work without end. */
static bool
check_first(struct str said, struct fail *f)
{
	uint64_t rounds = 0;
	bool salted = false;

	while (said.p != NULL) {
		struct str field = str_cut(&said, ',');

		if (str_starts(field, STR("s=")))
			salted = field.n > 2;
		else if (str_starts(field, STR("i=")) &&
		    !num_parse(str_skip(field, 2), UINT32_MAX, &rounds))
			rounds = 0;
	}
	if (!salted)
		return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0, "it gives no salt");
	if (rounds < SASL_ROUNDS_MIN || rounds > SASL_ROUNDS_MAX)
		return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0,
		    "it asks for %ju rounds of hashing; %d to %d are given", (uintmax_t)rounds,
		    SASL_ROUNDS_MIN, SASL_ROUNDS_MAX);
	return true;
}

static bool
check(const struct sasl *x, struct str challenge, struct fail *f)
{
	if (!x->scram || challenge.n == 0)
		return true;
	if (str_starts(challenge, STR("e=")))
		return refused(str_skip(challenge, 2), f);
	return str_starts(challenge, STR("v=")) || check_first(challenge, f);
}

/* ------------------------------------------------------------------ a step */

/* What libgsasl says of the server's part; all else is about ours. */
static bool
is_theirs(int rc)
{
	return rc == GSASL_AUTHENTICATION_ERROR || rc == GSASL_MECHANISM_PARSE_ERROR ||
	    rc == GSASL_BASE64_ERROR || rc == GSASL_MECHANISM_CALLED_TOO_MANY_TIMES;
}

static bool
theirs(int rc, struct fail *f)
{
	return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0, "%s",
	    rc == GSASL_AUTHENTICATION_ERROR ? "its signature or nonce is wrong" :
					       gsasl_strerror(rc));
}

static bool
is_utf8(const char *z)
{
	struct str s = str_of(z);

	while (s.n > 0 && str_utf8(s) > 0)
		s = str_skip(s, str_utf8(s));
	return s.n == 0;
}

static bool
ours(const struct sasl *x, int rc, struct fail *f)
{
	const char *login = gsasl_property_fast(x->session, GSASL_AUTHID);
	const char *password = gsasl_property_fast(x->session, GSASL_PASSWORD);

	if (rc != GSASL_SASLPREP_ERROR)
		return fail_set(f, FAIL_USER, STAGE_AUTH, 0, "%s", gsasl_strerror(rc));
	return fail_set(f, FAIL_USER, STAGE_AUTH, 0, "it has %s",
	    is_utf8(login) && is_utf8(password) ? "a character that SASLprep (RFC 4013) refuses" :
						  "octets that are no UTF-8");
}

bool
sasl_step(struct sasl *x, struct str challenge, struct buf *out, bool *done, struct fail *f)
{
	bool asked = challenge.n > 0; /* else the server was asked nothing yet */
	char *said = NULL;
	size_t n = 0;
	int rc;

	if (!check(x, challenge, f))
		return false;
	rc = gsasl_step(x->session, challenge.p, challenge.n, &said, &n);
	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
		return asked && is_theirs(rc) ? theirs(rc, f) : ours(x, rc, f);
	buf_add(out, said, n);
	if (said != NULL)
		explicit_bzero(said, n);
	gsasl_free(said);
	*done = rc == GSASL_OK;
	return true;
}

void
sasl_free(struct sasl *x)
{
	if (x == NULL)
		return;
	if (x->session != NULL)
		gsasl_finish(x->session);
	if (x->library != NULL)
		gsasl_done(x->library);
	free(x);
}

MODULE_EXPORT const struct sasl_module onehop_sasl = {
	.version = PACKAGE_VERSION, .new = sasl_new, .step = sasl_step, .free = sasl_free
};
