/* test_stop.c - a signal to stop is held back, seen, passed on, and has its effect in the end. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/stop.h"

static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGALRM };

/* act(), in a process of its own, that has got the signal while it held them back: the signal that
 * ended it, or minus its exit status. */
static int
outcome(int (*act)(void), int number)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (number != 0) /* whoever runs this in the background may ignore it */
			(void)signal(number, SIG_DFL);
		stop_hold();
		if (stop_asked() || (number != 0 && raise(number) != 0))
			_exit(99);
		_exit(act());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static int
look(void)
{
	return stop_asked();
}

static int
release(void)
{
	stop_release();
	return 2;
}

static int
make_a_pause(void)
{
	stop_pause(1);
	return 3;
}

static int
wait_at_nothing(void)
{
	int fd[2];

	if (pipe(fd) != 0)
		return 98;
	return stop_may_end(NULL, fd[0]) ? 4 : 97;
}

/* What can be read is read: that it was there must not be forgotten. */
static int
wait_at_something(void)
{
	int fd[2];

	if (pipe(fd) != 0 || write(fd[1], "x", 1) != 1)
		return 98;
	return stop_may_end(NULL, fd[0]) ? 5 : 97;
}

static void
held_and_released(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
		assert_int_equal(outcome(look, signals[i]), -1);
		assert_int_equal(outcome(release, signals[i]), signals[i]);
		assert_int_equal(outcome(make_a_pause, signals[i]), signals[i]);
		assert_int_equal(outcome(wait_at_nothing, signals[i]), signals[i]);
		assert_int_equal(outcome(wait_at_something, signals[i]), -5);
	}
	assert_int_equal(outcome(look, 0), 0);
	assert_int_equal(outcome(release, 0), -2);
	assert_int_equal(outcome(make_a_pause, 0), -3);
	assert_int_equal(outcome(look, SIGUSR1), SIGUSR1);
}

/* The child that is told ends and closes its end. */
static int
wait_for_a_child(void)
{
	struct stop_wait w = { .seconds = 60 };
	int fd[2];
	char c;

	if (pipe(fd) != 0)
		return 98;
	w.pass_on = fork();
	if (w.pass_on == 0) {
		stop_release();
		(void)pause();
	}
	(void)close(fd[1]);
	if (!stop_wait(&w, fd[0]) || read(fd[0], &c, 1) != 0 || w.until == 0)
		return 97;
	return stop_wait(&w, fd[0]) ? 6 : 96;
}

static int
wait_in_vain(void)
{
	struct stop_wait w = { .seconds = 1 };
	int64_t begin = clock_ms();
	int fd[2];

	if (pipe(fd) != 0)
		return 98;
	if (stop_wait(&w, fd[0]))
		return 97;
	return clock_ms() - begin >= 1000 ? 7 : 96;
}

static void
waited_for(void **state)
{
	(void)state;
	assert_int_equal(outcome(wait_for_a_child, SIGTERM), -6);
	assert_int_equal(outcome(wait_in_vain, SIGHUP), -7);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(held_and_released),
		cmocka_unit_test(waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
