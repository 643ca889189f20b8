/* credstore.c - a passwd.client that is a credential. */
#include "conf/credstore.h"

#include <unistd.h>

#include "base/banned.h" /* IWYU pragma: keep */

/* In the order in which systemd looks for ImportCredential=. */
static const char *const stores[] = { "/run/credentials/@system", "/etc/credstore",
	"/run/credstore", "/usr/local/lib/credstore", "/usr/lib/credstore",
	"/run/credentials/@encrypted", "/etc/credstore.encrypted", "/run/credstore.encrypted",
	"/usr/local/lib/credstore.encrypted", "/usr/lib/credstore.encrypted" };

static const char *
in(struct arena *a, const char *directory)
{
	const char *path = arena_fmt(a, "%s/passwd.client", directory);

	return access(path, F_OK) == 0 ? path : NULL;
}

const char *
credstore_not_given(const struct conf *c, struct arena *a)
{
	const char *found = NULL;

	if (c->home != NULL || c->passwd_client[0] != '\0' ||
	    (c->credentials != NULL && in(a, c->credentials) != NULL))
		return NULL;
	for (size_t i = 0; found == NULL && i < sizeof stores / sizeof stores[0]; i++)
		found = in(a, stores[i]);
	return found;
}
