/* test_quiet.c - until when nothing that waits is due: what is believed, and what is not. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/id.h"
#include "spool/note.h"
#include "spool/quiet.h"
#include "spool_fixture.h"

enum { NOW = 1000000, SOON = NOW + 100 };
#define LIST "smtp.isp.example::587"
#define LATER_ID "1vNaKH-000001-2A"

struct world {
	struct fixture *p;
	struct arena arena;
	struct ages ages;
	struct retry rule;
	struct quiet_at at;
};

static int
set_up(void **state)
{
	struct world *w = calloc(1, sizeof *w);
	struct fail f = FAIL_INIT;
	void *p;

	assert_int_equal(fixture_set_up(&p), 0);
	w->p = p;
	w->ages = (struct ages){ .count = NOW, .again = 1, .wall = NOW, .boot = "this-boot" };
	assert_true(retry_parse(&w->rule, STR("F,2h,15m"), &f));
	w->at = (struct quiet_at){ &w->p->s, &w->ages, &w->rule, "F,2h,15m 1 2", &w->arena };
	*state = w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;
	void *p = w->p;

	arena_free(&w->arena);
	free(w);
	return fixture_tear_down(&p);
}

static bool
begin(struct world *w, bool all, struct quiet *q, size_t *n)
{
	char few[QUIET_IDS][ID_MAX];

	return quiet_begin(&w->at, all, q, few, n);
}

/* All was looked at, and one waits until SOON. */
static void
make(struct world *w)
{
	struct quiet q;
	size_t n;

	assert_false(begin(w, true, &q, &n));
	quiet_until(&q, SOON);
	quiet_end(&w->at, &q);
}

static bool
holds(const struct world *w)
{
	struct quiet q;

	return quiet_read(&w->at, NULL, &q) && q.nids == 0;
}

static void
time_passes(void **state)
{
	struct world *w = *state;

	assert_false(holds(w));
	make(w);
	assert_true(holds(w));
	w->ages.wall = SOON - 1;
	assert_true(holds(w));
	w->ages.wall = SOON;
	assert_false(holds(w));
	w->ages.wall = NOW - 1; /* the clock was set back */
	assert_false(holds(w));
	w->ages.wall = NOW + 10L * 365 * 86400;
	assert_false(holds(w));
}

static void
nothing_is_believed_for_long(void **state)
{
	struct world *w = *state;
	struct quiet q;
	size_t n;

	assert_false(begin(w, true, &q, &n));
	quiet_until(&q, NOW + 86400);
	quiet_end(&w->at, &q);
	w->ages.wall = NOW + QUIET_SECONDS - 1;
	assert_true(holds(w));
	/* nor when it is said again */
	assert_true(begin(w, false, &q, &n));
	quiet_end(&w->at, &q);
	assert_true(holds(w));
	w->ages.wall = NOW + QUIET_SECONDS;
	assert_false(holds(w));
}

static void
another_world(void **state)
{
	struct world *w = *state;
	const char *rules = w->at.rules;

	make(w);
	w->at.rules = "F,2h,15m 1 3";
	assert_false(holds(w));
	w->at.rules = rules;
	w->ages.boot[0] = 'T';
	assert_false(holds(w));
	w->ages.boot[0] = '\0'; /* it is not known which boot this is */
	assert_false(holds(w));
	make(w);
	assert_false(holds(w));
	w->ages.boot[0] = 't';
	make(w);
	assert_true(holds(w));
}

static void
host_lists(void **state)
{
	struct world *w = *state;
	struct fail down = FAIL_INIT;
	char name[NOTE_NAME_MAX + 32];
	struct quiet q;
	size_t n;

	(void)fail_set(&down, FAIL_TEMP, STAGE_CONNECT, 0, "down");
	hosts_note(&w->p->s, LIST, &down, &w->ages, &w->rule);
	assert_false(begin(w, true, &q, &n));
	quiet_for(&q, LIST);
	quiet_for(&q, LIST);
	quiet_end(&w->at, &q);
	assert_true(holds(w));
	assert_false(quiet_read(&w->at, LIST, &q));
	assert_true(quiet_read(&w->at, "another", &q));
	hosts_note(&w->p->s, LIST, NULL, &w->ages, &w->rule);
	assert_false(holds(w));
	hosts_note(&w->p->s, LIST, &down, &w->ages, &w->rule);
	assert_true(holds(w));
	assert_int_equal(unlinkat(w->p->s.db, note_name("host.", LIST, name), 0), 0);
	assert_false(holds(w));
}

static void
too_many_lists(void **state)
{
	struct world *w = *state;
	struct quiet q;
	size_t n;

	assert_false(begin(w, true, &q, &n));
	for (size_t i = 0; i <= QUIET_HOSTS; i++)
		quiet_for(&q, arena_fmt(&w->arena, "h%zu", i));
	quiet_end(&w->at, &q);
	assert_int_equal(faccessat(w->p->s.db, "quiet", F_OK, 0), -1);
}

static void
what_comes_is_looked_at(void **state)
{
	struct world *w = *state;
	char few[QUIET_IDS][ID_MAX];
	struct quiet q;
	size_t n;

	make(w);
	fixture_commit(w->p, FIXTURE_ID);
	assert_true(quiet_read(&w->at, NULL, &q));
	assert_int_equal(q.nids, 1);
	assert_true(quiet_begin(&w->at, false, &q, few, &n));
	assert_int_equal(n, 1);
	assert_string_equal(few[0], FIXTURE_ID);
	quiet_until(&q, SOON - 50);
	fixture_commit(w->p, LATER_ID); /* in the meantime */
	quiet_end(&w->at, &q);
	assert_true(quiet_read(&w->at, NULL, &q));
	assert_int_equal(q.nids, 1);
	assert_string_equal(q.ids[0], LATER_ID);
	assert_int_equal(q.until, SOON - 50);
}

static void
what_is_changed_is_looked_at(void **state)
{
	struct world *w = *state;
	struct arena a = { NULL };
	struct fail f = FAIL_INIT;
	struct queued m;
	struct quiet q;

	fixture_commit(w->p, FIXTURE_ID);
	make(w);
	assert_true(holds(w));
	assert_int_equal(fixture_take(w->p, FIXTURE_ID, true, &a, &m), SPOOL_TAKEN);
	m.frozen = !m.frozen;
	assert_true(spool_rewrite(&w->p->s, &m, &f));
	spool_release(&m);
	assert_true(quiet_read(&w->at, NULL, &q));
	assert_int_equal(q.nids, 1);
	assert_string_equal(q.ids[0], FIXTURE_ID);
	arena_free(&a);
}

static void
many_that_come(void **state)
{
	struct world *w = *state;
	struct quiet q;

	make(w);
	for (unsigned i = 0; i < 3 * QUIET_IDS; i++) {
		char id[ID_MAX];

		assert_true(id_format(NOW + i, 0, 1, id));
		fixture_commit(w->p, id);
		if (i >= QUIET_IDS)
			assert_false(quiet_read(&w->at, NULL, &q));
		else if (quiet_read(&w->at, NULL, &q))
			assert_int_equal(q.nids, i + 1);
	}
}

/* Tried, and not known to be gone. */
static void
what_was_tried(void **state)
{
	struct world *w = *state;
	struct quiet q;
	size_t n;

	assert_false(begin(w, true, &q, &n));
	quiet_again(&q, FIXTURE_ID);
	quiet_end(&w->at, &q);
	assert_false(holds(w));
	assert_true(begin(w, false, &q, &n));
	assert_int_equal(n, 1);
	quiet_end(&w->at, &q);
	assert_true(holds(w));
	assert_false(begin(w, true, &q, &n));
	quiet_doubt(&q);
	quiet_end(&w->at, &q);
	assert_false(quiet_read(&w->at, NULL, &q));
}

/* Killed while it looked, or while it added an id. */
static void
killed(void **state)
{
	struct world *w = *state;
	struct quiet q;
	size_t n;

	assert_false(begin(w, true, &q, &n));
	(void)close(q.fd);
	assert_false(quiet_read(&w->at, NULL, &q));
	make(w);
	fixture_put(w->p->s.db, "quiet", "1vNaKG-00");
	assert_false(quiet_read(&w->at, NULL, &q));
	fixture_commit(w->p, FIXTURE_ID);
	assert_false(quiet_read(&w->at, NULL, &q));
}

static void
damaged(void **state)
{
	struct world *w = *state;
	struct stat st;
	struct quiet q;

	make(w);
	fixture_commit(w->p, FIXTURE_ID);
	AUTO_FD int fd = openat(w->p->s.db, "quiet", O_RDWR);

	assert_int_equal(fstat(fd, &st), 0);
	for (off_t i = 0; i < st.st_size; i++) {
		char c, bad;

		assert_int_equal(pread(fd, &c, 1, i), 1);
		bad = c ^ 0x40;
		assert_int_equal(pwrite(fd, &bad, 1, i), 1);
		/* another id is a message more to look at, or one that is not there: then a run
		 * finds it */
		if (i < st.st_size - 17 && quiet_read(&w->at, NULL, &q))
			fail_msg("changed at %d", (int)i);
		assert_int_equal(pwrite(fd, &c, 1, i), 1);
	}
	assert_true(quiet_read(&w->at, NULL, &q));
	for (off_t n = st.st_size - 1; n > st.st_size - 17; n--) {
		assert_int_equal(ftruncate(fd, n), 0);
		assert_false(quiet_read(&w->at, NULL, &q));
	}
}

static void
other_files(void **state)
{
	struct world *w = *state;
	struct quiet q;

	for (int i = 0; i < 3; i++) {
		(void)unlinkat(w->p->s.db, "quiet", 0);
		if (i == 0)
			assert_int_equal(symlinkat("/dev/zero", w->p->s.db, "quiet"), 0);
		else if (i == 1)
			assert_int_equal(mkfifoat(w->p->s.db, "quiet", 0600), 0);
		else
			fixture_put(w->p->s.db, "quiet", "");
		assert_false(quiet_read(&w->at, NULL, &q));
		fixture_commit(w->p, i == 0 ? FIXTURE_ID : i == 1 ? LATER_ID : "1vNaKI-000001-2A");
		make(w);
		assert_true(holds(w));
	}
}

/* No room: nothing that is added is lost. */
static void
full_disk(void **state)
{
	struct world *w = *state;
	struct rlimit all;
	struct quiet q;
	size_t n;

	make(w);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &all), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 4096, all.rlim_max }), 0);
	fixture_commit(w->p, FIXTURE_ID);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100, all.rlim_max }), 0);
	assert_false(quiet_read(&w->at, NULL, &q));
	assert_false(begin(w, true, &q, &n));
	assert_int_equal(q.fd, -1);
	quiet_end(&w->at, &q);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
	assert_false(quiet_read(&w->at, NULL, &q));
}

/* Another one makes it at that moment, or its lock cannot be had. */
static void
no_lock(void **state)
{
	struct world *w = *state;
	AUTO_FD int other = openat(w->p->s.input, ".", O_RDONLY | O_DIRECTORY);
	struct quiet q;
	size_t n;
	bool change;

	make(w);
	assert_int_equal(flock(other, LOCK_EX), 0);
	fixture_commit(w->p, FIXTURE_ID);
	assert_int_equal(faccessat(w->p->s.db, "quiet", F_OK, 0), -1);
	assert_int_equal(flock(other, LOCK_UN), 0);
	assert_int_equal(flock(other, LOCK_SH), 0);
	make(w);
	assert_false(holds(w));
	assert_int_equal(flock(other, LOCK_EX), 0);
	change = quiet_change(&w->p->s, LATER_ID);
	assert_int_equal(flock(other, LOCK_UN), 0);
	assert_false(begin(w, true, &q, &n)); /* and has not seen it */
	quiet_end(&w->at, &q);
	quiet_changed(&w->p->s, change);
	assert_false(holds(w));
}

/* One who looks at all, again and again, and one who puts messages in: each is among those that
 * were seen, or in the record. */
static void
two_writers(void **state)
{
	enum { MESSAGES = 300 };
	struct world *w = *state;
	char(*ids)[ID_MAX] = malloc(sizeof(char[SPOOL_BATCH][ID_MAX]));
	struct fail f = FAIL_INIT;
	size_t seen = 0, rounds = 0;
	int status = 0;
	pid_t child = fork();

	assert_non_null(ids);
	if (child == 0) {
		struct spool own;

		if (!spool_open(&own, &w->p->c, false, &f))
			_exit(1);
		w->p->s = own;
		for (unsigned i = 0; i < MESSAGES; i++) {
			char id[ID_MAX];

			if (!id_format(NOW + i, 0, 1, id))
				_exit(1);
			fixture_commit(w->p, id);
		}
		_exit(0);
	}
	while (seen < MESSAGES) {
		struct quiet q, now;
		size_t n, there;

		assert_false(begin(w, true, &q, &n));
		assert_true(spool_list(&w->p->s, "", ids, &seen, &f));
		quiet_end(&w->at, &q);
		assert_true(++rounds < 100000);
		/* first what the record says, then what is there */
		bool known = quiet_read(&w->at, NULL, &now);

		assert_true(spool_list(&w->p->s, "", ids, &there, &f));
		if (!known || now.nids > 0 || there == seen)
			continue;
		/* more came: the record must say so by now */
		if (quiet_read(&w->at, NULL, &now) && now.nids == 0)
			fail_msg("%zu were seen, %zu are there", seen, there);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_true(rounds > 1);
	free(ids);
}

/* Of two processes that were one, the one's end of a change is not the end of the other's. */
static void
two_that_were_one(void **state)
{
	struct world *w = *state;
	struct spool one = w->p->s, other = one;

	other.input = dup(one.input);
	assert_true(other.input >= 0);
	spool_apart(&other);
	assert_true(quiet_change(&one, LATER_ID));
	assert_true(quiet_change(&other, LATER_ID));
	quiet_changed(&one, true);
	assert_int_equal(flock(one.input, LOCK_EX | LOCK_NB), -1);
	quiet_changed(&other, true);
	assert_int_equal(flock(one.input, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(close(other.input), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define ROW(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)
		ROW(time_passes),
		ROW(nothing_is_believed_for_long),
		ROW(another_world),
		ROW(host_lists),
		ROW(too_many_lists),
		ROW(what_comes_is_looked_at),
		ROW(what_is_changed_is_looked_at),
		ROW(many_that_come),
		ROW(what_was_tried),
		ROW(killed),
		ROW(damaged),
		ROW(other_files),
		ROW(full_disk),
		ROW(no_lock),
		ROW(two_writers),
		ROW(two_that_were_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
