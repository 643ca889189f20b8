/* program.c - where the sister programs are. */
#include "base/program.h"

#include <errno.h>
#include <limits.h>

#include "base/paths.h"

#include "base/banned.h" /* IWYU pragma: keep */

const char *
program_path(struct arena *a, const char *name)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self);

	if (n >= (ssize_t)sizeof self) /* cut off */
		n = 0;
	while (n > 0 && self[n - 1] != '/')
		n--;
	if (n > 0) {
		const char *beside = arena_fmt(a, "%.*s%s", (int)n, self, name);

		/* EACCES: it was there for root, who has given that up (base/module.h) */
		if (access(beside, X_OK) == 0 || errno == EACCES)
			return beside;
	}
	return arena_fmt(a, "%s/%s", PKGLIBEXECDIR, name);
}
