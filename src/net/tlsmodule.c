/* tlsmodule.c - tls.h in a program that does not link GnuTLS. */
#include "net/tlsmodule.h"

#include "base/module.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
tls_start(struct stream *s, const struct tls_options *o, struct arena *a, struct tls_info *info,
    struct fail *f)
{
	const struct tls_module *m = module_table(TLS_MODULE, TLS_MODULE_TABLE, STAGE_TLS, f);

	return m != NULL && m->start(s, o, a, info, f);
}

bool
tls_check(const struct conf *c, bool proof, struct arena *a, struct fail *f)
{
	const struct tls_module *m = module_table(TLS_MODULE, TLS_MODULE_TABLE, STAGE_TLS, f);

	return m != NULL && m->check(c, proof, a, f);
}

struct str
tls_channel_binding(struct stream *s, struct arena *a, const char **type)
{
	struct fail f = FAIL_INIT;
	const struct tls_module *m = module_table(TLS_MODULE, TLS_MODULE_TABLE, STAGE_TLS, &f);

	return m != NULL ? m->channel_binding(s, a, type) : STR("");
}
