/* child.c - a program at the other end of two pipes; a part of ourselves at the end of a socket. */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/banned.h" /* IWYU pragma: keep */

static void
close_both(const int pair[2])
{
	(void)close(pair[0]);
	(void)close(pair[1]);
}

static int
set_signals(posix_spawnattr_t *how, bool own_session)
{
	short flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
	sigset_t defaults, none;

	(void)sigemptyset(&none);
	(void)posix_spawnattr_setsigmask(how, &none); /* base/stop.h is for us */
	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGPIPE);
	(void)sigaddset(&defaults, SIGXFSZ);
	(void)sigaddset(&defaults, SIGTERM);
	if (own_session)
		flags |= POSIX_SPAWN_SETSID;
	(void)posix_spawnattr_setsigdefault(how, &defaults);
	return posix_spawnattr_setflags(how, flags);
}

/* Start the program.  0, or the errno that says why it could not be started. */
static int
start(struct child *c, const struct child_program *p, int in, int out)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	int e = posix_spawnattr_init(&how);

	if (e != 0)
		return e;
	e = posix_spawn_file_actions_init(&files);
	if (e != 0)
		return e;
	e = set_signals(&how, p->own_session);
	if (e == 0)
		e = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	if (e == 0)
		e = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	if (e == 0 && p->errors_too)
		e = posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	if (e == 0)
		e = posix_spawn(
		    &c->pid, p->path, &files, &how, p->argv, p->envp != NULL ? p->envp : environ);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&how);
	if (e != 0)
		c->pid = 0;
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
	e = start(c, p, in[0], out[1]);
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

bool
child_serve(
    struct child *c, int (*serve)(void *ctx, int fd), void *ctx, enum fail_stage at, struct fail *f)
{
	pid_t parent = getpid(), pid;
	int fd[2], e = 0;

	*c = (struct child)CHILD_NONE;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0)
		return fail_set(f, FAIL_TEMP, at, errno, "cannot make a pair of sockets");
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			e = serve(ctx, fd[1]);
		_exit(e);
	}
	e = errno;
	(void)close(fd[1]);
	if (pid < 0) {
		(void)close(fd[0]);
		return fail_set(f, FAIL_TEMP, at, e, "cannot start a process");
	}
	c->pid = pid;
	c->in = fd[0];
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
