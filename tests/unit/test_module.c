/* test_module.c - loading onehop-tls.so, and what is said when that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/module.h"
#include "base/paths.h"
#include "net/tlsmodule.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* The test lies two directories below the programs. */
#define BESIDE "../../" TLS_MODULE

static void
loads_its_own(void **state)
{
	struct fail f = FAIL_INIT;
	const struct tls_module *m = module_table(BESIDE, TLS_MODULE_TABLE, STAGE_TLS, &f);

	(void)state;
	if (m == NULL) {
		fail_msg("%s", f.text);
		return;
	}
	assert_string_equal(m->version, PACKAGE_VERSION);
	assert_non_null(m->start);
	assert_ptr_equal(m, module_table(BESIDE, TLS_MODULE_TABLE, STAGE_TLS, &f));
}

static void
refuses_others(void **state)
{
	struct fail f = FAIL_INIT;

	(void)state;
	assert_null(module_table(BESIDE, "no_such_table", STAGE_AUTH, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(f.stage, STAGE_AUTH);
	assert_non_null(strstr(f.text, "no_such_table"));
	assert_null(module_table("onehop-none.so", TLS_MODULE_TABLE, STAGE_TLS, &f));
	assert_non_null(strstr(f.text, PKGLIBEXECDIR "/onehop-none.so"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loads_its_own),
		cmocka_unit_test(refuses_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
