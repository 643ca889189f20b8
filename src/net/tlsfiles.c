/* tlsfiles.c - what the tls_ options name, read before the rights to read it are given up. */
#include "net/tlsfiles.h"

#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
tls_is_token(const char *value)
{
	return str_starts(str_of(value), STR("pkcs11:"));
}

bool
tls_names_trust(const struct conf *c)
{
	return c->tls_trust_file[0] != '\0' && strcmp(c->tls_trust_file, "system") != 0;
}

static void
read_one(const char *path, struct arena *a, struct tls_file *out)
{
	struct fail f = FAIL_INIT;

	if (path[0] != '\0' && !file_read(a, path, &out->text, &f))
		out->why = arena_strz(a, str_of(f.text));
}

void
tls_files_read(const struct conf *c, struct arena *a, struct tls_files *out)
{
	*out = (struct tls_files){ .trust = { .why = NULL } };
	if (tls_names_trust(c))
		read_one(c->tls_trust_file, a, &out->trust);
	if (tls_is_token(c->tls_certificate) || tls_is_token(c->tls_privatekey))
		return;
	read_one(c->tls_certificate, a, &out->certificate);
	read_one(c->tls_privatekey, a, &out->privatekey);
}
