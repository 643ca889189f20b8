/* module.c - a part of ours that is loaded when it is needed. */
#include "base/module.h"

#include <dlfcn.h>
#include <sys/stat.h>

#include "base/program.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* May everybody read the file, and go through all directories above it? */
static bool
is_public(struct arena *a, const char *path)
{
	char *at = arena_strz(a, str_of(path));
	struct stat st;
	bool ok = stat(at, &st) == 0 && (st.st_mode & S_IROTH) != 0;

	for (size_t n = strlen(at); ok && n > 1; n--) {
		if (at[n - 1] != '/')
			continue;
		at[n - 1] = '\0';
		ok = stat(at, &st) == 0 && (st.st_mode & S_IXOTH) != 0;
	}
	return ok;
}

void
module_keep(const char *file)
{
	AUTO_ARENA struct arena a = { 0 };
	const char *path = program_path(&a, file);

	if (!is_public(&a, path))
		(void)dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

const void *
module_table(const char *file, const char *symbol, enum fail_stage at, struct fail *f)
{
	AUTO_ARENA struct arena a = { 0 };
	const char *path = program_path(&a, file);
	void *so = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	const void *table = so != NULL ? dlsym(so, symbol) : NULL;
	const char *version;

	if (table == NULL) {
		const char *why = dlerror();

		(void)fail_set(
		    f, FAIL_TEMP, at, 0, "cannot load %s: %s", path, why != NULL ? why : symbol);
		return NULL;
	}
	memcpy(&version, table, sizeof(version));
	if (strcmp(version, PACKAGE_VERSION) == 0)
		return table;
	(void)fail_set(f, FAIL_TEMP, at, 0,
	    "%s is of version %s, this program of %s: install both again", path, version,
	    PACKAGE_VERSION);
	return NULL;
}
