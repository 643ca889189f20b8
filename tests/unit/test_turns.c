/* test_turns.c - how many processes work for one user at the same moment. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool/turns.h"
#include "spool_fixture.h"

enum { ALICE = 1001, BOB = 1002, LAST = -2 };

/* A process that takes one, says what it got, and stays until it is killed. */
static pid_t
worker(const struct fixture *p, unsigned uid, enum turns_kind kind, enum turns_found *found)
{
	int said[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(said), 0);
	pid = fork();
	if (pid == 0) {
		int fd = turns_open(&p->s, TURNS_PLACE);

		c = (char)turns_take(fd, uid, kind);
		if (write(said[1], &c, 1) == 1)
			(void)pause();
		_exit(0);
	}
	assert_int_equal(read(said[0], &c, 1), 1);
	*found = (enum turns_found)c;
	(void)close(said[0]);
	(void)close(said[1]);
	return pid;
}

static void
end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
all_of_a_kind(const struct fixture *p, enum turns_kind kind, unsigned most)
{
	enum turns_found found;
	pid_t pids[TURNS_PLACES + 1];
	pid_t other;

	for (unsigned i = 0; i < most; i++) {
		pids[i] = worker(p, ALICE, kind, &found);
		assert_int_equal(found, TURNS_HAD);
	}
	end(worker(p, ALICE, kind, &found));
	assert_int_equal(found, TURNS_NONE);
	/* another user, and the other kind, have theirs */
	end(worker(p, BOB, kind, &found));
	assert_int_equal(found, TURNS_HAD);
	end(worker(p, (unsigned)LAST, kind, &found));
	assert_int_equal(found, TURNS_HAD);
	end(worker(p, ALICE, kind == TURNS_PLACE ? TURNS_DELIVERY : TURNS_PLACE, &found));
	assert_int_equal(found, TURNS_HAD);
	/* one that is killed gives its own back */
	end(pids[most / 2]);
	other = worker(p, ALICE, kind, &found);
	assert_int_equal(found, TURNS_HAD);
	pids[most / 2] = other;
	for (unsigned i = 0; i < most; i++)
		end(pids[i]);
}

static void
limits(void **state)
{
	all_of_a_kind(*state, TURNS_DELIVERY, TURNS_MOST);
	all_of_a_kind(*state, TURNS_PLACE, TURNS_PLACES);
}

static void
what_cannot_be_opened(void **state)
{
	const struct fixture *p = *state;
	struct stat st;

	assert_int_equal(turns_take(-1, ALICE, TURNS_PLACE), TURNS_UNKNOWN);
	assert_int_equal(mkdirat(p->s.db, "turns", 0700), 0);
	assert_int_equal(turns_open(&p->s, TURNS_PLACE), -1);
	assert_int_equal(unlinkat(p->s.db, "turns", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("elsewhere", p->s.db, "turns"), 0);
	assert_int_equal(turns_open(&p->s, TURNS_PLACE), -1);
	assert_int_not_equal(fstatat(p->s.db, "elsewhere", &st, 0), 0);
	assert_int_equal(unlinkat(p->s.db, "turns", 0), 0);
	assert_int_equal(mkfifoat(p->s.db, "turns", 0600), 0);
	assert_int_equal(turns_open(&p->s, TURNS_PLACE), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(limits, fixture_set_up, fixture_tear_down),
		cmocka_unit_test_setup_teardown(
		    what_cannot_be_opened, fixture_set_up, fixture_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
