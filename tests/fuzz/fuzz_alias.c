/* fuzz_alias.c - redirection lists from any bytes: it ends, and no item says more than it may. */
#include <stdlib.h>

#include "route/alias.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
check(const struct alias_item *it)
{
	if (it->kind == ALIAS_BAD)
		must(it->reason != NULL);
	else if (!alias_is_verdict(it->kind))
		must(it->text.n > 0);
	if (it->kind == ALIAS_PIPE || it->kind == ALIAS_FILE || it->kind == ALIAS_DIRECTORY)
		for (size_t i = 0; i < it->text.n; i++)
			must(!ascii_control(it->text.p[i]) || it->text.p[i] == '\t');
	if (it->kind == ALIAS_FILE || it->kind == ALIAS_DIRECTORY || it->kind == ALIAS_INCLUDE)
		must(it->text.p[0] == '/');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a = { NULL };
	struct alias_list l = alias_list_open(str_at((const char *)data, size));
	struct alias_item it;
	size_t n = 0;

	while (alias_list_next(&l, &a, &it)) {
		must(++n <= size);
		check(&it);
	}
	return 0;
}
