/* fuzz_lsearch.c - any bytes as a table file: every entry lies where it says, and is found. */
#include <stdint.h>
#include <stdlib.h>

#include "conf/map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a = { 0 };
	struct str text = str_at((const char *)data, size);
	const struct map map = { .path = "/etc/map", .text = text };
	struct lsearch t = lsearch_open(text);
	struct lsearch_entry e, found;
	unsigned last = 0, n = 0;

	while (lsearch_next(&t, &a, &e)) {
		must(e.line > last && e.key.n <= size && e.value.n <= size);
		last = e.line;
		if (++n > 64)
			continue;
		must(lsearch_find(text, e.key, &a, &found));
		must(found.line <= e.line && str_ieq(found.key, e.key));
		must(found.line < e.line || str_eq(found.value, e.value));
		(void)!map_find_partial(&map, e.value, &a, &found);
	}
	return 0;
}
