/* domain.c - internationalised domain names. */
#include "mail/domain.h"

#include <dlfcn.h>
#include <idn2.h>

#include "base/banned.h" /* IWYU pragma: keep */

struct idn {
	typeof(&idn2_to_ascii_8z) to_ascii;
	typeof(&idn2_strerror) strerror_;
	typeof(&idn2_free) free_;
};

/* The library stays loaded: a second call finds it at once. */
static bool
load(struct idn *idn)
{
	void *lib = dlopen("libidn2.so.0", RTLD_NOW | RTLD_LOCAL);

	if (lib == NULL)
		return false;
	idn->to_ascii = (typeof(idn->to_ascii))dlsym(lib, "idn2_to_ascii_8z");
	idn->strerror_ = (typeof(idn->strerror_))dlsym(lib, "idn2_strerror");
	idn->free_ = (typeof(idn->free_))dlsym(lib, "idn2_free");
	return idn->to_ascii != NULL && idn->strerror_ != NULL && idn->free_ != NULL;
}

bool
domain_to_ascii(struct arena *a, struct str domain, struct str *out, struct fail *f)
{
	struct idn idn;
	char *ascii = NULL;
	int rc;

	if (!str_8bit(domain)) {
		*out = domain;
		return true;
	}
	if (!load(&idn))
		return fail_set(f, FAIL_USER, STAGE_ADDRESS, 0,
		    "domain \"%.*s\" has non-ASCII letters, and libidn2.so.0, which writes them "
		    "for the DNS, cannot be loaded: install it",
		    S_ARG(domain));
	rc = idn.to_ascii(arena_strz(a, domain), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc != IDN2_OK)
		return fail_set(f, FAIL_USER, STAGE_ADDRESS, 0, "domain \"%.*s\": %s",
		    S_ARG(domain), idn.strerror_(rc));
	*out = arena_str(a, str_of(ascii));
	idn.free_(ascii);
	return true;
}
