/* test_domain.c - internationalised domain names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/domain.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct {
	const char *domain, *ascii; /* ascii NULL: refused */
} table[] = {
	{ "far.example", "far.example" },
	{ "FAR_1.example", "FAR_1.example" },
	{ "[192.0.2.1]", "[192.0.2.1]" },
	{ "b\xc3\xbc"
	  "cher.example",
	    "xn--bcher-kva.example" },
	{ "B\xc3\x9c"
	  "CHER.example",
	    "xn--bcher-kva.example" },
	{ "stra\xc3\x9f"
	  "e.example",
	    "xn--strae-oqa.example" }, /* non-transitional: not strasse */
	{ "bu\xcc\x88"
	  "cher.example",
	    "xn--bcher-kva.example" },    /* not in NFC */
	{ "\xe2\x98\xba.example", NULL }, /* a symbol */
	{ "\xc3.example", NULL },
};

static void
converts(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct fail f = FAIL_INIT;
		struct str out = STR("untouched");
		bool ok = domain_to_ascii(&a, str_of(table[i].domain), &out, &f);

		assert_int_equal(ok, table[i].ascii != NULL);
		assert_string_equal(arena_strz(&a, out), ok ? table[i].ascii : "untouched");
		if (!ok)
			assert_int_equal(f.stage, STAGE_ADDRESS);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converts),
	};

	return cmocka_run_group_tests_name("domain", tests, NULL, NULL);
}
