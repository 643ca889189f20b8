/* test_rates.c - rate_limit: what is taken, and who has had his share. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool/rates.h"
#include "spool_fixture.h"

enum { ALICE = 1001, BOB = 1002, LINE = 21 };

static void
values(void **state)
{
	static const struct {
		const char *text;
		uint64_t most, seconds;
	} good[] = { { "no", 0, 0 }, { "NO", 0, 0 }, { "100/1h", 100, 3600 }, { "1/1s", 1, 1 },
		{ "10000/31d", 10000, 31L * 86400 }, { "5 / 1h30m", 5, 5400 } };
	static const char *const bad[] = { "", "100", "/", "100/", "/1h", "0/1h", "100/0", "-1/1h",
		"10001/1h", "1/31d1s", "1/2/3h", "yes", "100/1x", "99999999999999999999/1h",
		"1.5/1h" };
	struct rate r;

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
		struct fail f = FAIL_INIT;

		assert_true(rate_parse(&r, str_of(good[i].text), &f));
		assert_int_equal(r.most, good[i].most);
		assert_int_equal(r.seconds, good[i].seconds);
	}
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct fail f = FAIL_INIT;

		r.most = 7;
		if (rate_parse(&r, str_of(bad[i]), &f))
			fail_msg("%s is taken", bad[i]);
		assert_int_equal(fail_exit_code(&f), 78);
		assert_int_equal(r.most, 7);
	}
}

static const struct rate three = { 3, 3600 };

static enum rates_found
take(const struct fixture *p, unsigned uid, uint64_t now)
{
	const struct ages a = { .count = now, .again = 1 };

	return rates_ask(&p->s, uid, &three, &a, true);
}

static off_t
size_of(const struct fixture *p, const char *name)
{
	struct stat st;

	return fstatat(p->s.db, name, &st, 0) == 0 ? st.st_size : -1;
}

/* In no hour, wherever it begins, are there more than three. */
static void
three_in_each_hour(void **state)
{
	const struct fixture *p = *state;
	uint64_t sent[64];
	size_t n = 0;

	for (uint64_t now = 50000; now < 50000 + 10 * 3600; now += 777) {
		enum rates_found found = take(p, ALICE, now);

		assert_int_equal(
		    found, n >= 3 && now - sent[n - 3] < 3600 ? RATES_OVER : RATES_ROOM);
		if (found == RATES_ROOM)
			sent[n++] = now;
	}
	assert_true(n >= 28 && n <= 32);
	assert_int_equal(size_of(p, "rate.1001"), 3 * LINE);
}

static void
each_for_himself(void **state)
{
	const struct fixture *p = *state;
	const struct ages a = { .count = 50000, .again = 1 };

	for (int i = 0; i < 5; i++)
		assert_int_equal(rates_ask(&p->s, ALICE, &three, &a, false), RATES_ROOM);
	for (int i = 0; i < 3; i++)
		assert_int_equal(take(p, ALICE, 50000), RATES_ROOM);
	assert_int_equal(rates_ask(&p->s, ALICE, &three, &a, false), RATES_OVER);
	assert_int_equal(take(p, BOB, 50000), RATES_ROOM);
}

/* The configuration was changed: fewer, and more. */
static void
another_limit(void **state)
{
	const struct fixture *p = *state;
	const struct ages a = { .count = 50100, .again = 1 };
	const struct rate two = { 2, 3600 }, four = { 4, 3600 }, minute = { 2, 60 };

	for (int i = 0; i < 3; i++)
		assert_int_equal(take(p, ALICE, 50000), RATES_ROOM);
	assert_int_equal(rates_ask(&p->s, ALICE, &two, &a, true), RATES_OVER);
	assert_int_equal(rates_ask(&p->s, ALICE, &minute, &a, true), RATES_ROOM);
	assert_int_equal(rates_ask(&p->s, ALICE, &four, &a, true), RATES_ROOM);
	assert_int_equal(rates_ask(&p->s, ALICE, &four, &a, true), RATES_OVER);
}

/* The wall clock went back: ages begin again, and so does the hour of those who have sent. */
static void
a_clock_that_jumps(void **state)
{
	const struct fixture *p = *state;
	const struct ages back = { .count = 90000, .again = 90000 };
	const struct ages later = { .count = 93600, .again = 90000 };

	for (int i = 0; i < 3; i++)
		assert_int_equal(take(p, ALICE, 50000), RATES_ROOM);
	assert_int_equal(rates_ask(&p->s, ALICE, &three, &back, true), RATES_OVER);
	assert_int_equal(rates_ask(&p->s, ALICE, &three, &later, true), RATES_ROOM);
	/* moments of a count that was lost, which are yet to come */
	fixture_put(p->s.db, "rate.1002",
	    "00000000000000700000\n00000000000000700000\n00000000000000700000\n");
	assert_int_equal(take(p, BOB, 3000), RATES_OVER);
	assert_int_equal(take(p, BOB, 3601), RATES_ROOM);
}

/* A line that is none counts for nothing, and is the next to be used: the limit holds from there.
 */
static void
damage(void **state)
{
	static const char *const texts[] = { "x", "\n\n\n", "0000000000000005000",
		"00000000000000000000\n", "nonsense nonsense nonsense nonsense nonsense nonsense",
		"0000000000000004999x\n-0000000000000050000\n" };
	const struct fixture *p = *state;

	for (unsigned i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char name[32];

		(void)snprintf(name, sizeof name, "rate.%u", i);
		fixture_put(p->s.db, name, texts[i]);
		for (int n = 0; n < 4; n++)
			assert_int_equal(take(p, i, 50000), n < 3 ? RATES_ROOM : RATES_OVER);
	}
	fixture_put(p->s.db, "rate.77",
	    "00000000000000050000\n0000000000000005\x80"
	    "000\n00000000000000050000\n");
	assert_int_equal(take(p, 77, 50001), RATES_ROOM);
	assert_int_equal(take(p, 77, 50001), RATES_OVER);
	assert_int_equal(size_of(p, "rate.77"), 3 * LINE);
}

static void
no_file(void **state)
{
	const struct fixture *p = *state;

	assert_int_equal(mkdirat(p->s.db, "rate.1001", 0700), 0);
	assert_int_equal(take(p, ALICE, 50000), RATES_UNKNOWN);
	assert_int_equal(symlinkat("/etc/passwd", p->s.db, "rate.1002"), 0);
	assert_int_equal(take(p, BOB, 50000), RATES_UNKNOWN);
	assert_int_equal(mkfifoat(p->s.db, "rate.5", 0600), 0);
	assert_int_equal(take(p, 5, 50000), RATES_UNKNOWN);
	assert_int_equal(symlinkat("/dev/full", p->s.db, "rate.6"), 0);
	assert_int_equal(take(p, 6, 50000), RATES_UNKNOWN);
}

/* Many at once: none is counted twice, and none is not. */
static void
in_one_moment(void **state)
{
	const struct fixture *p = *state;
	const struct rate forty = { 40, 3600 };
	const struct ages a = { .count = 50000, .again = 1 };
	int room = 0;

	for (int i = 0; i < 8; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			int got = 0;

			for (int n = 0; n < 10; n++)
				got += rates_ask(&p->s, ALICE, &forty, &a, true) == RATES_ROOM;
			_exit(got);
		}
		assert_true(pid > 0);
	}
	for (int i = 0; i < 8; i++) {
		int status;

		assert_true(wait(&status) > 0);
		room += WEXITSTATUS(status);
	}
	assert_int_equal(room, 40);
	assert_int_equal(size_of(p, "rate.1001"), 40 * LINE);
}

static void
files_of_long_ago_go(void **state)
{
	const struct fixture *p = *state;
	struct ages a = { .count = 50000 + RATE_SECONDS_MAX - 1, .again = 1 };
	int held;

	assert_int_equal(take(p, ALICE, 50000), RATES_ROOM);
	assert_int_equal(take(p, BOB, 50001), RATES_ROOM);
	fixture_put(p->s.db, "host.x", "");
	rates_sweep(&p->s, &a);
	assert_int_equal(size_of(p, "rate.1001"), LINE);
	a.count++;
	held = openat(p->s.db, "rate.1001", O_RDONLY);
	assert_int_equal(flock(held, LOCK_EX), 0);
	rates_sweep(&p->s, &a);
	assert_int_equal(size_of(p, "rate.1001"), LINE);
	(void)close(held);
	rates_sweep(&p->s, &a);
	assert_int_equal(size_of(p, "rate.1001"), -1);
	assert_int_equal(size_of(p, "rate.1002"), LINE);
	assert_int_equal(size_of(p, "host.x"), 0);
}

/* A name in db/ that is another file's, too: it is neither written to nor given away. */
static void
a_link_to_another_file(void **state)
{
	const struct fixture *p = *state;

	fixture_put(p->s.db, "host.x", "");
	assert_int_equal(linkat(p->s.db, "host.x", p->s.db, "rate.1001", 0), 0);
	assert_int_equal(take(p, ALICE, 50000), RATES_UNKNOWN);
	assert_int_equal(size_of(p, "host.x"), 0);
	assert_int_equal(unlinkat(p->s.db, "host.x", 0), 0);
	assert_int_equal(take(p, ALICE, 50000), RATES_ROOM);
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_set_up, fixture_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		FILE_TEST(three_in_each_hour),
		FILE_TEST(each_for_himself),
		FILE_TEST(another_limit),
		FILE_TEST(a_clock_that_jumps),
		FILE_TEST(damage),
		FILE_TEST(no_file),
		FILE_TEST(in_one_moment),
		FILE_TEST(files_of_long_ago_go),
		FILE_TEST(a_link_to_another_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
