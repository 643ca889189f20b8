/* sasl.c - the SASL mechanisms that need computing, by libgsasl. */
#include "smtp/sasl.h"

#include <gsasl.h>

#include "base/b64.h"
#include "base/module.h"
#include "smtp/load.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { PROPERTY_MAX = 4096 };

struct sasl {
	Gsasl *library;
	Gsasl_session *session;
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
	    set_binding(x, who))
		return x;
	sasl_free(x);
	(void)fail_set(f, FAIL_TEMP, STAGE_AUTH, 0, "libgsasl cannot do %s: %s", mechanism,
	    rc == GSASL_OK ? "the login is too long" : gsasl_strerror(rc));
	return NULL;
}

bool
sasl_step(struct sasl *x, struct str challenge, struct buf *out, bool *done, struct fail *f)
{
	char *said = NULL;
	size_t n = 0;
	int rc = gsasl_step(x->session, challenge.p, challenge.n, &said, &n);

	if (rc != GSASL_OK && rc != GSASL_NEEDS_MORE)
		return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0,
		    "the server's part of the login is wrong: %s", gsasl_strerror(rc));
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
