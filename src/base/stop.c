/* stop.c - when this process is told to stop. */
#include "base/stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGALRM };

enum { COUNT = sizeof signals / sizeof signals[0] };

static sigset_t
all(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < COUNT; i++)
		(void)sigaddset(&set, signals[i]);
	return set;
}

void
stop_hold(void)
{
	const sigset_t set = all();

	(void)sigprocmask(SIG_BLOCK, &set, NULL);
}

void
stop_spare_alarm(void)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void
stop_release(void)
{
	const sigset_t set = all();

	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
}

bool
stop_asked(void)
{
	sigset_t waiting;

	if (sigpending(&waiting) != 0)
		return false;
	for (size_t i = 0; i < COUNT; i++)
		if (sigismember(&waiting, signals[i]) == 1)
			return true;
	return false;
}

bool
stop_wait(void *wait, int fd)
{
	const sigset_t set = all();
	struct stop_wait *w = wait;
	AUTO_FD int asked = w->until == 0 ? signalfd(-1, &set, SFD_CLOEXEC) : -1;
	int r = 0;

	while (r == 0 || (r < 0 && errno == EINTR)) {
		struct pollfd p[] = { { .fd = fd, .events = POLLIN },
			{ .fd = w->until == 0 ? asked : -1, .events = POLLIN } };
		int64_t left = w->until - clock_ms();

		if (w->until != 0 && left <= 0)
			return false;
		r = poll(p, 2, w->until != 0 ? (int)left : -1);
		if (r <= 0 || p[0].revents != 0)
			continue;
		w->until = clock_ms() + w->seconds * INT64_C(1000);
		if (w->pass_on > 0)
			(void)kill(w->pass_on, SIGTERM);
		r = 0;
	}
	return true; /* when poll() fails, the read says what is wrong */
}

static void
wait_unheld(int fd, const struct timespec *most)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	sigset_t open;

	if (sigprocmask(SIG_BLOCK, NULL, &open) != 0)
		return;
	for (size_t i = 0; i < COUNT; i++)
		(void)sigdelset(&open, signals[i]);
	(void)ppoll(&p, 1, most, &open);
}

bool
stop_may_end(void *none, int fd)
{
	(void)none;
	wait_unheld(fd, NULL);
	return true;
}

void
stop_pause(int ms)
{
	const struct timespec most = { ms / 1000, ms % 1000 * 1000000L };

	wait_unheld(-1, &most);
}
