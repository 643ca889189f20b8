/* digest.c - SHA-256. */
#include "base/digest.h"

#include <dlfcn.h>
#include <nettle/sha2.h>

#include "base/banned.h" /* IWYU pragma: keep */

_Static_assert(sizeof(struct sha256_ctx) <= sizeof((struct digest *)0)->state, "");

bool
digest_init(struct digest *d, struct fail *f)
{
	void *lib = dlopen("libnettle.so.8", RTLD_NOW | RTLD_LOCAL);
	void (*init)(void *state) = NULL;

	*d = (struct digest){ .update = NULL };
	if (lib != NULL) {
		init = (typeof(init))dlsym(lib, "nettle_sha256_init");
		d->update = (typeof(d->update))dlsym(lib, "nettle_sha256_update");
		d->finish = (typeof(d->finish))dlsym(lib, "nettle_sha256_digest");
	}
	if (init == NULL || d->update == NULL || d->finish == NULL)
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0,
		    "libnettle.so.8, which computes checksums, cannot be loaded: install it");
	init(d->state);
	return true;
}

void
digest_update(struct digest *d, struct str s)
{
	d->update(d->state, s.n, (const unsigned char *)s.p);
}

const char *
digest_hex(struct digest *d, char out[DIGEST_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[SHA256_DIGEST_SIZE];

	d->finish(d->state, sizeof sum, sum);
	for (size_t i = 0; i < sizeof sum; i++) {
		out[2 * i] = digits[sum[i] >> 4];
		out[2 * i + 1] = digits[sum[i] & 15];
	}
	out[DIGEST_HEX - 1] = '\0';
	return out;
}
