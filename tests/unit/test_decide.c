/* test_decide.c - what becomes of a message, and who hears it: a row for each case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "send/decide.h"

#include "base/banned.h" /* IWYU pragma: keep */

static void
keepers(void **state)
{
	static const struct {
		struct tried t;
		enum keeper keeper;
	} rows[] = {
		/* rcpts, sent, refused, safe, reached, stopped */
		{ { 1, 1, 0, false, true, false }, KEEPER_NOBODY },
		{ { 1, 1, 0, true, true, false }, KEEPER_SPOOL }, /* attempt_finish() removes it */
		{ { 2, 2, 0, false, true, false }, KEEPER_NOBODY },
		{ { 1, 1, 0, false, false, false }, KEEPER_NOBODY }, /* :blackhole: */
		{ { 1, 0, 1, false, false, false }, KEEPER_CALLER },
		{ { 1, 0, 1, true, false, false }, KEEPER_CALLER },
		{ { 2, 0, 2, false, false, false }, KEEPER_CALLER },
		{ { 2, 0, 2, true, false, true }, KEEPER_CALLER },
		{ { 1, 0, 1, false, true, false }, KEEPER_SPOOL }, /* a list: some of it took it */
		{ { 1, 0, 1, true, true, false }, KEEPER_SPOOL },
		{ { 2, 1, 1, false, true, false }, KEEPER_SPOOL },
		{ { 2, 1, 1, true, true, false }, KEEPER_SPOOL },
		{ { 2, 0, 1, false, false, false }, KEEPER_SPOOL },
		{ { 2, 0, 1, true, false, false }, KEEPER_SPOOL },
		{ { 2, 1, 0, false, true, false }, KEEPER_SPOOL },
		{ { 1, 0, 0, false, false, false }, KEEPER_SPOOL },
		{ { 1, 0, 0, true, false, false }, KEEPER_SPOOL },
		{ { 1, 0, 0, false, false, true }, KEEPER_STOPPED },
		{ { 2, 0, 0, false, false, true }, KEEPER_STOPPED },
		{ { 1, 0, 0, true, false, true }, KEEPER_SPOOL }, /* exit 0 was said, or may be */
		{ { 1, 0, 0, false, true, true }, KEEPER_SPOOL },
		{ { 2, 1, 0, false, true, true }, KEEPER_SPOOL },
		{ { 2, 2, 0, false, true, true }, KEEPER_NOBODY },
		{ { 2, 1, 1, false, false, true }, KEEPER_STOPPED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (decide_keeper(&rows[i].t) != rows[i].keeper)
			fail_msg("row %zu: %d", i, (int)decide_keeper(&rows[i].t));
}

static void
giving_up(void **state)
{
	enum { HOUR = 3600, FOUR = 96 * HOUR, FIVE = 120 * HOUR, SIX = 144 * HOUR, ENOUGH = 100 };
	static const struct {
		struct patience own, hosts;
		bool with_hosts, over;
	} rows[] = {
		{ { 0, 0 }, { 0, 0 }, false, false },
		{ { FIVE, ENOUGH }, { 0, 0 }, false, true },
		{ { FIVE, 1 }, { 0, 0 }, false, false }, /* it was off, and hardly tried */
		{ { HOUR, ENOUGH }, { 0, 0 }, false, false },
		{ { FOUR - 1, ENOUGH }, { 0, 0 }, false, false },
		{ { FOUR, ENOUGH }, { 0, 0 }, false, true },
		{ { FIVE, 0 }, { FIVE, ENOUGH }, true, true },
		{ { FIVE, ENOUGH }, { FIVE, 1 }, true, false },
		{ { FIVE, ENOUGH }, { HOUR, ENOUGH }, true, false }, /* it went down anew */
		{ { HOUR, 1 }, { FIVE, ENOUGH }, true, false },      /* it came when it was down */
		{ { FIVE, 1 }, { SIX, ENOUGH }, true, true },
		{ { SIX, 1 }, { FIVE, ENOUGH }, true, true },
	};
	struct retry rule;
	struct fail f = FAIL_INIT;

	(void)state;
	assert_true(retry_parse(&rule, STR("F,2h,15m; G,16h,1h,1.5; F,4d,6h"), &f));
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (decide_give_up(&rule, rows[i].own,
			rows[i].with_hosts ? &rows[i].hosts : NULL) != rows[i].over)
			fail_msg("row %zu", i);
}

static void
who_is_told(void **state)
{
	static const struct {
		unsigned notify;
		bool failure, delay, success;
	} asked[] = {
		{ 0, true, true, true },
		{ NOTIFY_NEVER, false, false, false },
		{ NOTIFY_FAILURE, true, false, false },
		{ NOTIFY_DELAY, false, true, false },
		{ NOTIFY_SUCCESS, false, false, true },
		{ NOTIFY_FAILURE | NOTIFY_DELAY, true, true, false },
		{ NOTIFY_SUCCESS | NOTIFY_FAILURE, true, false, true },
	};
	static const struct {
		size_t refused, wanted;
		const char *sender;
		enum bounce what;
	} bounces[] = {
		{ 0, 0, "a@b", BOUNCE_NONE },
		{ 0, 0, "", BOUNCE_NONE },
		{ 1, 1, "a@b", BOUNCE_SENDER },
		{ 2, 1, "a@b", BOUNCE_SENDER },
		{ 1, 0, "a@b", BOUNCE_SILENT },
		{ 1, 0, "", BOUNCE_SILENT },
		{ 1, 1, "", BOUNCE_FREEZE },
		{ 3, 2, "", BOUNCE_FREEZE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
		assert_int_equal(decide_wants(asked[i].notify, NOTIFY_FAILURE), asked[i].failure);
		assert_int_equal(decide_wants(asked[i].notify, NOTIFY_DELAY), asked[i].delay);
		assert_int_equal(decide_wants(asked[i].notify, NOTIFY_SUCCESS), asked[i].success);
	}
	for (size_t i = 0; i < sizeof bounces / sizeof bounces[0]; i++)
		assert_int_equal(
		    decide_bounce(bounces[i].refused, bounces[i].wanted, bounces[i].sender),
		    bounces[i].what);
}

static void
warnings(void **state)
{
	static const struct {
		uint64_t waited, every;
		unsigned had;
		bool may;
		unsigned then;
	} rows[] = {
		{ 0, 100, 0, true, 0 },
		{ 99, 100, 0, true, 0 },
		{ 100, 100, 0, true, 1 },
		{ 101, 100, 0, true, 1 },
		{ 100, 100, 0, false, 0 },
		{ 1000, 0, 0, true, 0 },
		{ 1000, 0, 3, true, 3 },
		{ 199, 100, 1, true, 1 },
		{ 200, 100, 1, true, 2 },
		{ 1000, 100, 1, true, 10 }, /* one for all that were missed */
		{ 100, 100, 5, true, 5 },   /* a clock was set */
		{ 1000, 100, 2, false, 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (decide_warnings(rows[i].waited, rows[i].every, rows[i].had, rows[i].may) !=
		    rows[i].then)
			fail_msg("row %zu", i);
}

static void
of_one(void **state)
{
	static const struct {
		enum route_outcome outcome;
		enum rcpt_state state;
	} routed[] = {
		{ ROUTE_DELIVER, RCPT_WAITING },
		{ ROUTE_PARENT, RCPT_WAITING },
		{ ROUTE_DISCARD, RCPT_SENT },
		{ ROUTE_FAIL, RCPT_REFUSED },
		{ ROUTE_DEFER, RCPT_RETRY },
	};
	static const struct {
		enum fail_class cls;
		enum rcpt_state state;
	} failed[] = {
		{ FAIL_TEMP, RCPT_RETRY },
		{ FAIL_PERM, RCPT_REFUSED },
		{ FAIL_USER, RCPT_REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof routed / sizeof routed[0]; i++)
		assert_int_equal(decide_routed(routed[i].outcome), routed[i].state);
	for (size_t i = 0; i < sizeof failed / sizeof failed[0]; i++)
		assert_int_equal(
		    decide_failed(&(struct fail){ .cls = failed[i].cls }), failed[i].state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_one),
		cmocka_unit_test(keepers),
		cmocka_unit_test(giving_up),
		cmocka_unit_test(who_is_told),
		cmocka_unit_test(warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
