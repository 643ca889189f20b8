/* test_peer.c - a foreign caller who does not take what he is told holds up nobody. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "send/peer.h"
#include "wire/submit.h"

enum { LINES = 4000, BLINK = 50000 /* microseconds */ };

/* Descriptor 0 is a connection to a caller who takes up to n octets, every pause milliseconds. */
static pid_t
connected(size_t n, int pause)
{
	int pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		char taken[8192];

		(void)close(pair[0]);
		(void)close(STDIN_FILENO);
		while (n > 0 && read(pair[1], taken, n) > 0)
			(void)poll(NULL, 0, pause);
		(void)poll(NULL, 0, n > 0 ? 0 : 60000);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(dup2(pair[0], STDIN_FILENO), STDIN_FILENO); /* open since main() */
	(void)close(pair[0]);
	(void)close(pair[1]);
	return pid;
}

/* Tell him much; is he there yet? */
static bool
tell(struct peer *p)
{
	struct submit_trace records = { STDIN_FILENO, SUBMIT_VERBOSE, false };
	const struct trace told = submit_trace(&records);
	struct trace t;
	char line[1000];

	memset(line, 'x', sizeof line);
	p->next = &told;
	t = peer_trace(p);
	for (int i = 0; i < LINES; i++)
		t.emit(t.ctx, TRACE_NOTE, str_at(line, sizeof line));
	p->next = NULL;
	return write(STDIN_FILENO, "", 1) == 1;
}

static void
gone(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
takes_all(void **state)
{
	struct peer p = { .foreign = true, .patience = { .tv_sec = 20 } };
	pid_t pid = connected(8192, 0);

	(void)state;
	peer_hurry(&p);
	peer_received(&p);
	assert_int_equal(alarm(0), 0);
	assert_true(tell(&p));
	gone(pid);
}

static void
takes_nothing(void **state)
{
	struct peer p = { .foreign = true, .patience = { .tv_usec = BLINK } };
	pid_t pid = connected(0, 0);

	(void)state;
	peer_received(&p);
	assert_false(tell(&p));
	assert_int_equal(errno, EPIPE);
	gone(pid);
}

/* 4 MB in pieces of 512 octets would take 16 seconds, each of them waited for only 2 ms. */
static void
takes_a_little(void **state)
{
	struct peer p = { .foreign = true, .patience = { .tv_usec = BLINK } };
	pid_t pid = connected(512, 2);
	int64_t begin = clock_ms();

	(void)state;
	peer_received(&p);
	assert_false(tell(&p));
	assert_true(clock_ms() - begin <= 8000);
	gone(pid);
}

/* Before all is said he is not spared. */
static void
says_nothing(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct peer p = { .foreign = true };
		const struct itimerval soon = { .it_value = { .tv_usec = 1000 } };

		(void)signal(SIGALRM, SIG_DFL); /* what guard_start() does */
		peer_hurry(&p);
		(void)setitimer(ITIMER_REAL, &soon, NULL);
		peer_wait(&p, true);
		peer_wait(&p, false);
		(void)poll(NULL, 0, 20000);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM);
}

static void
is_not_foreign(void **state)
{
	struct peer p = { .foreign = false };

	(void)state;
	peer_hurry(&p);
	peer_received(&p);
	peer_wait(&p, true);
	assert_false(p.received);
	assert_int_equal(alarm(0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_all),
		cmocka_unit_test(takes_nothing),
		cmocka_unit_test(takes_a_little),
		cmocka_unit_test(says_nothing),
		cmocka_unit_test(is_not_foreign),
	};

	int null = open("/dev/null", O_RDONLY);

	if (null > STDERR_FILENO)
		(void)close(null);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
