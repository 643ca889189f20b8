/* fuzz_srv.c - what a name server answers to a question for SRV records. */
#include <stdint.h>
#include <stdlib.h>

#include "net/lookup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target t[4];
	size_t n = 0;

	if (!lookup_parse_srv(data, size, t, 4, &n))
		return 0;
	if (n > 4)
		abort();
	for (size_t i = 0; i < n; i++)
		if (t[i].name[0] == '\0' || t[i].port == 0 ||
		    (i > 0 && t[i].priority < t[i - 1].priority))
			abort();
	return 0;
}
