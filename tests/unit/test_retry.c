/* test_retry.c - Exim's retry rules: what is taken, and when it is tried again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/retry.h"

#define MINUTE UINT64_C(60)
#define HOUR UINT64_C(3600)
#define DAY UINT64_C(86400)

static const char usual[] = "F,2h,15m; G,16h,1h,1.5; F,4d,6h";

static struct retry
rule(const char *text)
{
	struct retry r;
	struct fail f = FAIL_INIT;

	assert_true(retry_parse(&r, str_of(text), &f));
	return r;
}

static void
good_rules(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		uint64_t cutoff, interval, factor;
	} cases[] = {
		{ "F,2h,15m", 1, 2 * HOUR, 15 * MINUTE, 1000 },
		{ "* * F,2h,15m;", 1, 2 * HOUR, 15 * MINUTE, 1000 },
		{ " *  * G , 16h , 1h , 1.5 ; ", 1, 16 * HOUR, HOUR, 1500 },
		{ "H,1d,90,2", 1, DAY, 90, 2000 },
		{ "H,1d,90,1.25", 1, DAY, 90, 1250 },
		{ "H,1d,90,1.025", 1, DAY, 90, 1025 },
		{ usual, 3, 2 * HOUR, 15 * MINUTE, 1000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct retry r = rule(cases[i].text);

		assert_int_equal(r.n, cases[i].n);
		assert_int_equal(r.part[0].cutoff, cases[i].cutoff);
		assert_int_equal(r.part[0].interval, cases[i].interval);
		assert_int_equal(r.part[0].factor, cases[i].factor);
	}
}

static void
bad_rules(void **state)
{
	static const char *const cases[] = { "", ";", "F", "F,2h", "F,2h,", "F,2h,15m,1",
		"f,2h,15m", "X,2h,15m", "FF,2h,15m", "F,0,15m", "F,2h,0", "F,2x,15m", "G,2h,15m",
		"G,2h,15m,", "G,2h,15m,0.9", "G,2h,15m,1.", "G,2h,15m,1.0000", "G,2h,15m,1001",
		"G,2h,15m,1.x", "G,2h,15m,-2", "F,2h,15m;;F,3h,1h", "* F,2h,15m", "*@x * F,2h,15m",
		("F,1,1;F,1,1;F,1,1;F,1,1;F,1,1;F,1,1;F,1,1;F,1,1;F,1,1;"
		 "F,1,1;F,1,1;F,1,1;F,1,1;F,1,1;F,1,1;F,1,1;F,1,1") };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct retry r;
		struct fail f = FAIL_INIT;

		assert_false(retry_parse(&r, str_of(cases[i]), &f));
		assert_int_equal(f.cls, FAIL_USER);
		assert_int_equal(f.stage, STAGE_CONFIG);
	}
}

static void
it_is_found_with_file_and_line(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct conf c;
	struct fail f = FAIL_INIT;

	(void)state;
	conf_init(&c, &a);
	assert_true(conf_parse(&c, STR("retry = F,1h,5m\n"), "x.conf", false, &f));
	assert_false(conf_parse(&c, STR("\nretry = every hour\n"), "x.conf", false, &f));
	assert_non_null(strstr(f.text, "x.conf:2"));
	assert_non_null(strstr(f.text, "\"every hour\""));
}

/* doc/EXIM 17.2: every 15 min for 2 h; then 1 h, 1.5 h, 2.25 h ... until 16 h; then 6 h. */
static void
the_usual_times(void **state)
{
	static const uint64_t then[] = { 3600, 5400, 8100, 12150, 18225, 27337, 21600 };
	struct retry r = rule(usual);
	uint64_t age = 0, last = 0;

	(void)state;
	for (size_t i = 0; i < 8; i++) {
		last = retry_interval(&r, age, last);
		assert_int_equal(last, 15 * MINUTE);
		age += last;
	}
	for (size_t i = 0; i < sizeof then / sizeof then[0]; i++) {
		last = retry_interval(&r, age, last);
		assert_int_equal(last, then[i]);
		age += last;
	}
	assert_int_equal(retry_interval(&r, 400 * DAY, last), 6 * HOUR);
	assert_int_equal(retry_longest(&r), DAY);
	assert_int_equal(retry_interval(&r, UINT64_MAX, UINT64_MAX), 6 * HOUR);
	assert_int_equal(retry_interval(&r, 3 * HOUR, UINT64_MAX), DAY);
}

static void
random_intervals_stay_in_their_bounds(void **state)
{
	struct retry r = rule("H,1d,1h,2"), days = rule("F,30d,3d"), slow = rule("G,30d,3d,2");
	bool differ = false;

	(void)state;
	for (uint64_t age = 0; age < DAY; age += 601) {
		uint64_t next = retry_interval(&r, age, 4 * HOUR);

		assert_true(next >= HOUR && next <= 8 * HOUR);
		differ |= next != retry_interval(&r, age + 1, 4 * HOUR);
	}
	assert_true(differ);
	assert_int_equal(retry_interval(&days, 0, 0), DAY);
	assert_int_equal(retry_longest(&days), DAY);
	assert_int_equal(retry_interval(&slow, 0, 4 * DAY), DAY);
}

static void
the_end_needs_age_and_tries(void **state)
{
	struct retry r = rule(usual), few = rule("F,1h,30m"), one = rule("F,1h,2h");

	(void)state;
	assert_false(retry_is_over(&r, 4 * DAY, 9));
	assert_false(retry_is_over(&r, 4 * DAY - 1, 1000));
	assert_true(retry_is_over(&r, 4 * DAY, 10));
	assert_false(retry_is_over(&few, 400 * DAY, 1));
	assert_true(retry_is_over(&few, HOUR, 2));
	assert_true(retry_is_over(&one, HOUR, 1));
	assert_false(retry_is_over(&one, HOUR, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_rules),
		cmocka_unit_test(bad_rules),
		cmocka_unit_test(it_is_found_with_file_and_line),
		cmocka_unit_test(the_usual_times),
		cmocka_unit_test(random_intervals_stay_in_their_bounds),
		cmocka_unit_test(the_end_needs_age_and_tries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
