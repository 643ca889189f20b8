/* child.c - a program at the other end of two pipes. */
#include "io/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { EXIT_NOT_STARTED = 127 };

/* In the child, until it is another program.  Never returns; the reason goes into the pipe why. */
static _Noreturn void
run(const struct child_program *p, int in, int out, int why)
{
	int e;

	if (p->own_session)
		(void)setsid();
	(void)signal(SIGPIPE, SIG_DFL);
	(void)signal(SIGXFSZ, SIG_DFL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    (!p->errors_too || dup2(out, STDERR_FILENO) >= 0)) {
		if (p->envp != NULL)
			(void)execve(p->path, p->argv, p->envp);
		else
			(void)execv(p->path, p->argv);
	}
	e = errno;
	(void)!fd_write_full(why, &e, sizeof e);
	_exit(EXIT_NOT_STARTED);
}

static void
close_both(const int pair[2])
{
	(void)close(pair[0]);
	(void)close(pair[1]);
}

/* The errno with which exec failed; 0: it is running. */
static int
hear(int why)
{
	int e = 0;

	if (fd_read_full(why, &e, sizeof e) != (ssize_t)sizeof e)
		return 0;
	return e;
}

static int
start(struct child *c, const struct child_program *p, const int in[2], const int out[2])
{
	int why[2], e;

	if (pipe2(why, O_CLOEXEC) != 0)
		return errno;
	c->pid = fork();
	if (c->pid < 0) {
		e = errno;
		close_both(why);
		c->pid = 0;
		return e;
	}
	if (c->pid == 0)
		run(p, in[0], out[1], why[1]);
	(void)close(why[1]);
	e = hear(why[0]);
	(void)close(why[0]);
	if (e != 0)
		(void)child_wait(c);
	return e;
}

bool
child_start(struct child *c, const struct child_program *p, enum fail_stage at, struct fail *f)
{
	int in[2], out[2], e;

	*c = (struct child)CHILD_NONE;
	if (pipe2(in, O_CLOEXEC) != 0)
		return fail_set(f, FAIL_TEMP, at, errno, "cannot make a pipe");
	if (pipe2(out, O_CLOEXEC) != 0) {
		e = errno;
		close_both(in);
		return fail_set(f, FAIL_TEMP, at, e, "cannot make a pipe");
	}
	e = start(c, p, in, out);
	(void)close(in[0]);
	(void)close(out[1]);
	if (e != 0) {
		(void)close(in[1]);
		(void)close(out[0]);
		return fail_set(f, FAIL_TEMP, at, e, "cannot start %s", p->path);
	}
	c->in = in[1];
	c->out = out[0];
	return true;
}

int
child_wait(struct child *c)
{
	int status = -1;

	if (c->in >= 0)
		(void)close(c->in);
	if (c->out >= 0)
		(void)close(c->out);
	c->in = c->out = -1;
	while (c->pid > 0 && waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR) {
			status = -1;
			break;
		}
	c->pid = 0;
	return status;
}

void
child_kill(const struct child *c)
{
	if (c->pid <= 0)
		return;
	(void)kill(-c->pid, SIGKILL);
	(void)kill(c->pid, SIGKILL);
}
