/* fuzz_caps.c - lines of EHLO from any bytes: the list of mechanisms stays well-formed. */
#include <stdint.h>
#include <stdlib.h>

#include "net/caps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str rest = str_at((const char *)data, size), list;
	struct caps c = { 0 };

	while (rest.p != NULL)
		caps_feed(&c, str_cut(&rest, '\n'));
	list = str_at(c.mechanisms, strnlen(c.mechanisms, sizeof c.mechanisms));
	if (list.n == sizeof c.mechanisms)
		abort();
	while (list.n > 0) {
		struct str word = str_cut(&list, ' ');

		if (word.n == 0 || word.n > 20 || !caps_offers(&c, word))
			abort();
	}
	return 0;
}
