/* watch.c - a process that may be in a user's hands, and its parent, which is not. */
#include "local/watch.h"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* A stop is looked for each second; what was killed is gone at once or not at all. */
enum { LOOK_MS = 1000, GONE_MS = 2000, GONE_LOOK_MS = 10, CHUNK = 4096 };

/* In the child.  The caller's end is the parent's alone: who waits for its end must not wait for
 * us. */
static int
begin(void *ctx, int fd)
{
	const struct watched *w = ctx;

	(void)setsid();
	if (dup2(fd, STDOUT_FILENO) < 0)
		return EXIT_FAILURE;
	(void)close(fd);
	w->work(w->ctx, STDOUT_FILENO);
	return EXIT_SUCCESS;
}

/* Nothing of ours stops it, and it is in nobody's terminal. */
static bool
is_stopped(const struct child *c)
{
	siginfo_t found = { .si_pid = 0 };

	if (waitid(P_PID, (id_t)c->pid, &found, WSTOPPED | WNOHANG | WNOWAIT) != 0)
		return false;
	return found.si_pid == c->pid;
}

static bool
hear(const struct watched *w, struct child *c, struct buf *reply, struct fail *f)
{
	int64_t end = clock_ms() + w->seconds * INT64_C(1000);
	char chunk[CHUNK];
	ssize_t n = 1;

	while (n > 0) {
		struct pollfd p = { .fd = c->in, .events = POLLIN };
		int64_t left = end - clock_ms();

		if (left <= 0)
			return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
			    "the delivery to %s did not end within %u seconds and was killed",
			    w->user, w->seconds);
		if (poll(&p, 1, left < LOOK_MS ? (int)left : LOOK_MS) <= 0) {
			if (is_stopped(c))
				return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
				    "the delivery to %s was stopped by a signal, and was killed",
				    w->user);
			continue;
		}
		n = fd_read(c->in, chunk, sizeof chunk);
		if (n > 0)
			buf_add(reply, chunk, (size_t)n);
	}
	return buf_ok(reply) ||
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "the delivery to %s said too much", w->user);
}

/* Its status, or -1 when it is not gone. */
static int
gone(struct child *c)
{
	int64_t end = clock_ms() + GONE_MS;
	int status;

	(void)close(c->in);
	c->in = -1;
	while (waitpid(c->pid, &status, WNOHANG) == 0) {
		if (clock_ms() >= end)
			return -1;
		(void)poll(NULL, 0, GONE_LOOK_MS);
	}
	return status;
}

bool
watch_work(const struct watched *w, struct buf *reply, struct fail *f)
{
	struct watched own = *w;
	struct child c;
	int status;

	if (!child_serve(&c, begin, &own, STAGE_LOCAL, f))
		return false;
	if (!hear(w, &c, reply, f)) {
		child_kill(&c);
		(void)gone(&c);
		return false;
	}
	status = gone(&c);
	if (reply->n > 0)
		return true;
	return status >= 0 && WIFSIGNALED(status) ?
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "the delivery to %s was killed by signal %d",
		w->user, WTERMSIG(status)) :
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "the delivery to %s gave no answer", w->user);
}
