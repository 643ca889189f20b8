/* test_ages.c - no jump of a clock makes anything old; what is known of hosts and bounces. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool/hosts.h"
#include "wire/told.h"

#define HOUR INT64_C(3600)
#define DAY INT64_C(86400)
static const int64_t y2026 = 1795500000;

/* ------------------------------------------------------------------ the clock */

struct clocks {
	struct ages_seen seen;
	struct ages a;
};

static struct clocks
begin(void)
{
	struct clocks c = { .seen = { y2026, 1000, "boot-1" }, .a = { .wall = 0 } };

	c.a = ages_step(&c.a, &c.seen, &c.seen);
	return c;
}

static void
look(struct clocks *c, int64_t wall, int64_t boottime, const char *boot)
{
	struct ages_seen now = { .wall = wall, .boottime = boottime };

	(void)snprintf(now.boot, sizeof now.boot, "%s", boot);
	c->a = ages_step(&c->a, &c->seen, &now);
	c->seen = now;
}

static void
steps(void **state)
{
	static const struct {
		const char *what;
		int64_t wall, boottime;
		const char *boot;
		uint64_t passed;
		bool again;
	} cases[] = {
		{ "half an hour", 1800, 1800, "boot-1", 1800, false },
		{ "nothing", 0, 0, "boot-1", 0, false },
		{ "the wall clock is set by 20 s", 20, 0, "boot-1", 0, false },
		{ "and back", -20, 0, "boot-1", 0, false },
		{ "to 2045", INT64_C(600000000), 1800, "boot-1", 1800, false },
		{ "to 1970", -y2026 + 1, 1800, "boot-1", 0, true },
		{ "an hour back", -HOUR, 1800, "boot-1", 0, true },
		{ "suspended for 5 h", 5 * HOUR, 5 * HOUR, "boot-1", 5 * HOUR, false },
		{ "suspended for a week", 7 * DAY, 7 * DAY, "boot-1", AGES_STEP, false },
		{ "both are faked", 400 * DAY, 400 * DAY, "boot-1", AGES_STEP, false },
		{ "boottime alone goes back", 1800, -500, "boot-1", 0, false },
		{ "boottime alone is faked", 1800, 400 * DAY, "boot-1", 1800, false },
		{ "booted, off for an hour", HOUR, -990, "boot-2", HOUR, false },
		{ "booted, off for a month", 30 * DAY, -990, "boot-2", AGES_STEP, false },
		{ "booted in 1970", -y2026 + 1, -990, "boot-2", 0, true },
		{ "there is no boot id", 2 * HOUR, -990, "", 2 * HOUR, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct clocks c = begin();
		uint64_t before;

		look(&c, y2026 + DAY, 1000 + DAY, "boot-1");
		before = c.a.count;
		look(
		    &c, y2026 + DAY + cases[i].wall, 1000 + DAY + cases[i].boottime, cases[i].boot);
		if (c.a.count - before != cases[i].passed ||
		    (c.a.again == c.a.count) != (cases[i].again))
			fail_msg("%s: %ju passed, again %d", cases[i].what,
			    (uintmax_t)(c.a.count - before), c.a.again == c.a.count);
		assert_int_equal(c.a.wall, y2026 + DAY + cases[i].wall);
	}
}

/* The wall clock of a machine without a battery: 1970 at each boot, then NTP. */
static void
no_battery(void **state)
{
	struct clocks c = begin();
	uint64_t then = c.a.count;

	(void)state;
	for (int64_t day = 1; day <= 30; day++) {
		char boot[16];

		(void)snprintf(boot, sizeof boot, "boot-%d", (int)day + 1);
		look(&c, 10, 10, boot);
		look(&c, y2026 + day * DAY, 40, boot);
		assert_true(ages_since(&c.a, then) <= 40);
	}
}

static void
since(void **state)
{
	const struct ages a = { .count = 1000, .again = 600, .wall = 1 };

	(void)state;
	assert_int_equal(ages_since(&a, 0), 0);
	assert_int_equal(ages_since(&a, 900), 100);
	assert_int_equal(ages_since(&a, 100), 400);
	assert_int_equal(ages_since(&a, 5000), 400);
	assert_int_equal(ages_since(&a, 1000), 0);
}

/* Whatever the clocks do, nothing is older than the time that really passed, and 6 h for each
 * boot; and when they behave, nothing is younger. */
static void
nothing_gets_old(void **state)
{
	unsigned seed = 20261124;

	(void)state;
	for (int trial = 0; trial < 200; trial++) {
		struct clocks c = begin();
		uint64_t then = c.a.count;
		int64_t real = 0, offset = 0, up = 0, boots = 1;

		for (int i = 0; i < 100; i++) {
			char boot[24];
			int64_t pause = rand_r(&seed) % (8 * HOUR);

			real += pause;
			up += pause;
			if (rand_r(&seed) % 3 == 0)
				offset += (int64_t)(rand_r(&seed) % (40 * DAY)) - 20 * DAY;
			if (rand_r(&seed) % 10 == 0) {
				up = rand_r(&seed) % 60;
				boots++;
			}
			(void)snprintf(boot, sizeof boot, "boot-%d", (int)boots);
			look(&c, y2026 + real + offset, 1000 + up, boot);
			assert_true(
			    ages_since(&c.a, then) <= (uint64_t)(real + (boots - 1) * AGES_STEP));
			assert_true(c.a.again <= c.a.count);
		}
	}
}

/* ------------------------------------------------------------------ the files */

struct fixture {
	struct spool spool; /* first: the tests see it alone */
	char path[32];
};

static int
set_up(void **state)
{
	static struct fixture x;

	(void)snprintf(x.path, sizeof x.path, "/tmp/test_ages.XXXXXX");
	if (mkdtemp(x.path) == NULL)
		return -1;
	x.spool = (struct spool){ .path = x.path };
	x.spool.db = open(x.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = &x;
	return x.spool.db >= 0 ? 0 : -1;
}

static int
remove_file(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

static int
tear_down(void **state)
{
	struct fixture *x = *state;

	(void)close(x->spool.db);
	return nftw(x->path, remove_file, 4, FTW_DEPTH | FTW_PHYS);
}

static void
put(const struct spool *s, const char *name, const char *text)
{
	int fd = openat(s->db, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(close(fd), 0);
}

static void
the_clock_is_kept(void **state)
{
	static const char *const damaged[] = { "", "x", "5", "5 5 5", "5 5 7 8 b\n",
		"5 6 7 8 21 b\n", "0 0 7 8 28 b\n", "5 5 0 8 15 b\n", "5 5 7 8 19 b c\n",
		"-5 5 7 8 19 b\n", "99999999999999999999 5 7 8 19 b\n",
		"5 5 7 8 19 bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n", /* what a
											 flipped bit
											 would make
											 old */
		"9050 40 100 1 498 b\n", "50 0 100 1 498 b\n", "50 40 500 1 498 b\n" };
	const struct spool *s = *state;
	struct ages a = ages_now(s), b;
	struct stat st;

	assert_true(a.count > 0 && a.again == a.count && a.wall > y2026 / 2);
	assert_int_equal(fstatat(s->db, "clock", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	b = ages_now(s);
	assert_int_equal(b.again, a.again);
	assert_true(b.count >= a.count && b.count <= a.count + 60);
	/* a wall clock that was behind: real time since the boot still bounds it */
	put(s, "clock", "50 40 100 1 498 another-boot\n");
	a = ages_now(s);
	assert_int_equal(a.count, 50 + AGES_STEP);
	assert_int_equal(a.again, 40);
	put(s, "clock", "50 40 9000000000 1 36000000098 another-boot\n");
	a = ages_now(s);
	assert_int_equal(a.count, 50);
	assert_int_equal(a.again, 50);
	for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
		put(s, "clock", damaged[i]);
		a = ages_now(s);
		assert_int_equal(a.again, a.count);
		assert_int_equal(a.count, (uint64_t)a.wall);
	}
}

static const struct retry rule = { .part = { { 'F', 7200, 900, 1000 } }, .n = 1 };

static void
hosts_are_remembered(void **state)
{
	const struct spool *s = *state;
	struct ages a = { .count = 5000, .again = 1, .wall = y2026 };
	struct host_record r;
	struct fail f = FAIL_INIT;

	(void)fail_set(&f, FAIL_TEMP, STAGE_CONNECT, 0, "Connection refused");
	hosts_read(s, "a.example:b", &r);
	assert_true(r.tries == 0 && r.error[0] == '\0' && hosts_due(&r, &a, &rule));
	hosts_note(s, "a.example:b", &f, &a, &rule);
	a.count += 10;
	a.wall += 10;
	hosts_note(s, "a.example:b", &f, &a, &rule);
	hosts_read(s, "a.example:b", &r);
	assert_int_equal(r.tries, 2);
	assert_int_equal(r.first_failed, 5000);
	assert_int_equal(r.last_try, y2026 + 10);
	assert_int_equal(r.next_try, y2026 + 910);
	assert_string_equal(r.error, "Connection refused");
	assert_false(hosts_due(&r, &a, &rule));
	a.wall += 900;
	assert_true(hosts_due(&r, &a, &rule));
	a.wall = y2026 - DAY; /* set back: not a day of silence */
	assert_true(hosts_due(&r, &a, &rule));
	hosts_read(s, "a.example;b", &r); /* another list */
	assert_int_equal(r.tries, 0);
	hosts_note(s, "a.example:b", NULL, &a, &rule);
	hosts_read(s, "a.example:b", &r);
	assert_true(r.tries == 0 && r.first_failed == 0 && r.next_try == 0);
	assert_int_equal(r.last_success, a.wall);
}

static void
what_was_seen_of_a_host_is_remembered(void **state)
{
	const struct spool *s = *state;
	AUTO_ARENA struct arena a = { NULL };
	const char *file;
	int64_t t = y2026, day = INT64_C(24) * 3600;

	assert_int_equal(hosts_seen(s, "smtp.isp.example", t, &a, &file), 0);
	hosts_saw(s, "smtp.isp.example", t, SEEN_TLS);
	hosts_saw(s, "smtp.isp.example", t, SEEN_PRIVATE);
	assert_int_equal(hosts_seen(s, "smtp.isp.example", t, &a, &file), SEEN_TLS | SEEN_PRIVATE);
	assert_int_equal(hosts_seen(s, "smtp.isp", t, &a, &file), 0);
	hosts_saw(s, "../x", t, SEEN_NO_PIPELINING | SEEN_STARTTLS | SEEN_TLS);
	assert_int_equal(hosts_seen(s, "../x", t, &a, &file),
	    SEEN_NO_PIPELINING | SEEN_STARTTLS | SEEN_STARTTLS_TODAY | SEEN_TLS);
	assert_string_equal(strrchr(file, '/'), "/seen...%2Fx");
	t += day;
	assert_int_equal(hosts_seen(s, "../x", t, &a, &file), SEEN_STARTTLS | SEEN_TLS);
	hosts_saw(s, "../x", t, SEEN_NO_CHUNKING); /* which does not make the others newer */
	t += 29 * day - 1;
	assert_int_equal(hosts_seen(s, "../x", t, &a, &file), SEEN_STARTTLS | SEEN_TLS);
	assert_int_equal(hosts_seen(s, "../x", t + 1, &a, &file), SEEN_TLS);
	assert_int_equal(hosts_seen(s, "../x", t - 365 * day, &a, &file), SEEN_TLS);
	assert_int_equal(unlinkat(s->db, strrchr(file, '/') + 1, 0), 0);
	assert_int_equal(hosts_seen(s, "../x", t, &a, &file), 0);
}

static void
intervals_grow(void **state)
{
	const struct retry grow = { .part = { { 'G', 10 * DAY, HOUR, 2000 } }, .n = 1 };
	const struct spool *s = *state;
	struct ages a = { .count = 5000, .again = 1, .wall = y2026 };
	struct host_record r;
	struct fail f = FAIL_INIT;
	int64_t interval = HOUR;

	(void)fail_set(&f, FAIL_TEMP, STAGE_CONNECT, 0, "no");
	for (int i = 0; i < 4; i++, interval *= 2) {
		hosts_note(s, "h", &f, &a, &grow);
		hosts_read(s, "h", &r);
		assert_int_equal(r.next_try - a.wall, interval);
		a.wall = r.next_try;
		a.count += (uint64_t)interval;
	}
}

static void
long_lists_have_names(void **state)
{
	const struct spool *s = *state;
	const struct ages a = { .count = 5000, .again = 1, .wall = y2026 };
	char one[1000], two[1000];
	struct host_record r;
	struct fail f = FAIL_INIT;

	memset(one, '/', sizeof one);
	one[sizeof one - 1] = '\0';
	memcpy(two, one, sizeof two);
	two[sizeof two - 2] = 'x';
	(void)fail_set(&f, FAIL_TEMP, STAGE_CONNECT, 0, "no");
	hosts_note(s, one, &f, &a, &rule);
	hosts_read(s, one, &r);
	assert_int_equal(r.tries, 1);
	hosts_read(s, two, &r);
	assert_int_equal(r.tries, 0);
}

static void
damaged_records_are_none(void **state)
{
	static const char *const damaged[] = { "tries x\n", "tries 1\nwhat 3\n",
		"first-failed -1\n", "tries 99999999999\n", "last-try 99999999999999999999\n",
		"error a\tb\n", "tries 1\n\n" };
	const struct spool *s = *state;
	struct host_record r;

	for (size_t i = 0; i < sizeof damaged / sizeof damaged[0]; i++) {
		put(s, "host.h", damaged[i]);
		hosts_read(s, "h", &r);
		assert_true(r.tries == 0 && r.error[0] == '\0');
	}
	put(s, "host.h", "tries 3\n"); /* what is missing is nothing */
	hosts_read(s, "h", &r);
	assert_int_equal(r.tries, 3);
	assert_int_equal(unlinkat(s->db, "host.h", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", s->db, "host.h"), 0);
	hosts_read(s, "h", &r);
	assert_int_equal(r.tries, 0);
}

static void
the_summary(void **state)
{
	const struct spool *s = *state, lost = { .db = -1 };
	struct ages a = { .count = 5000, .again = 1, .wall = y2026 };
	struct host_record r;
	struct fail f = FAIL_INIT;

	hosts_summary(&lost, &r);
	assert_true(r.tries == 0 && r.last_success == 0);
	(void)fail_set(&f, FAIL_TEMP, STAGE_CONNECT, 0, "first");
	hosts_note(s, "one", &f, &a, &rule);
	a.wall += 5;
	(void)fail_set(&f, FAIL_TEMP, STAGE_CONNECT, 0, "second");
	hosts_note(s, "two", &f, &a, &rule);
	a.wall += 5;
	hosts_note(s, "three", NULL, &a, &rule);
	put(s, "bounces", "x");
	hosts_summary(s, &r);
	assert_string_equal(r.error, "second");
	assert_int_equal(r.last_try, y2026 + 5);
	assert_int_equal(r.last_success, y2026 + 10);
}

static void
a_storm_of_bounces_ends(void **state)
{
	const struct spool *s = *state;
	struct ages a = { .count = 50000, .again = 1, .wall = y2026 };

	put(s, "bounces", "nonsense\n1 2\n60000 100 later@x\n");
	assert_true(bounces_allow(s, "later@x", 1001, &a));
	for (int i = 0; i < BOUNCES_PER_HOUR; i++)
		assert_true(bounces_allow(s, "\"a b\"@x", 1001, &a));
	assert_false(bounces_allow(s, "\"a b\"@x", 1001, &a));
	assert_true(bounces_allow(s, "b@x", 1001, &a));
	a.count += HOUR - 1;
	assert_false(bounces_allow(s, "\"a b\"@x", 1001, &a));
	a.count += 1;
	assert_true(bounces_allow(s, "\"a b\"@x", 1001, &a));
}

static void
the_file_of_bounces_is_bounded(void **state)
{
	const struct spool *s = *state;
	const struct ages a = { .count = 50000, .again = 1, .wall = y2026 };
	struct stat st;

	for (int i = 0; i < 300; i++) {
		char sender[32];

		(void)snprintf(sender, sizeof sender, "user%d@x", i);
		assert_true(bounces_allow(s, sender, 1000 + (unsigned)i, &a));
	}
	assert_int_equal(fstatat(s->db, "bounces", &st, 0), 0);
	assert_true(st.st_size >= 2048 && st.st_size <= 8192);
}

/* One who invents senders has no more, and the counts of others stay. */
static void
invented_senders(void **state)
{
	const struct spool *s = *state;
	const struct ages a = { .count = 50000, .again = 1, .wall = y2026 };
	unsigned allowed = 0;

	for (int i = 0; i < BOUNCES_PER_HOUR; i++)
		assert_true(bounces_allow(s, "victim@x", 1002, &a));
	for (int i = 0; i < 300; i++) {
		char sender[32];

		(void)snprintf(sender, sizeof sender, "user%d@x", i);
		allowed += bounces_allow(s, sender, 1001, &a);
	}
	assert_true(allowed >= 100 && allowed < 200);
	assert_false(bounces_allow(s, "victim@x", 1001, &a));
	assert_true(bounces_allow(s, "another@x", 1002, &a));
	assert_true(bounces_allow(s, "roots@x", 0, &a));
}

#define FILE_TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps),
		cmocka_unit_test(no_battery),
		cmocka_unit_test(since),
		cmocka_unit_test(nothing_gets_old),
		FILE_TEST(the_clock_is_kept),
		FILE_TEST(hosts_are_remembered),
		FILE_TEST(what_was_seen_of_a_host_is_remembered),
		FILE_TEST(intervals_grow),
		FILE_TEST(long_lists_have_names),
		FILE_TEST(damaged_records_are_none),
		FILE_TEST(the_summary),
		FILE_TEST(a_storm_of_bounces_ends),
		FILE_TEST(the_file_of_bounces_is_bounded),
		FILE_TEST(invented_senders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
