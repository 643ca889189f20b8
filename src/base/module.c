/* module.c - a part of ours that is loaded when it is needed. */
#include "base/module.h"

#include <dlfcn.h>

#include "base/program.h"

#include "base/banned.h" /* IWYU pragma: keep */

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
