/* test_digest.c - SHA-256. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"

/* FIPS 180-4's examples */
static void
digests(void **state)
{
	struct digest d;
	struct fail f = FAIL_INIT;
	char sum[DIGEST_HEX];

	(void)state;
	assert_true(digest_init(&d, &f));
	assert_string_equal(digest_hex(&d, sum),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	digest_update(&d, STR("a"));
	digest_update(&d, STR(""));
	digest_update(&d, STR("bc"));
	assert_string_equal(digest_hex(&d, sum),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(digest_hex(&d, sum),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(digests) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
