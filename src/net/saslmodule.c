/* saslmodule.c - sasl.h in a program that does not link libgsasl. */
#include "net/saslmodule.h"

#include "base/module.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct sasl_module *
module(struct fail *f)
{
	return module_table(SASL_MODULE, SASL_MODULE_TABLE, STAGE_AUTH, f);
}

bool
sasl_check(struct fail *f)
{
	return module(f) != NULL;
}

struct sasl *
sasl_new(const char *mechanism, const struct sasl_login *who, struct fail *f)
{
	const struct sasl_module *m = module(f);

	return m != NULL ? m->new (mechanism, who, f) : NULL;
}

bool
sasl_step(struct sasl *x, struct str challenge, struct buf *out, bool *done, struct fail *f)
{
	const struct sasl_module *m = module(f);

	return m != NULL && m->step(x, challenge, out, done, f);
}

void
sasl_free(struct sasl *x)
{
	struct fail f = FAIL_INIT;
	const struct sasl_module *m = x != NULL ? module(&f) : NULL;

	if (m != NULL)
		m->free(x);
}
