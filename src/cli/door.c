/* door.c - how onehop reaches onehop-send. */
#include "cli/door.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/program.h"
#include "io/unix.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* The child has the socket as descriptor 0 and the caller's standard error.  No other descriptor is
 * kept open behind the caller's back: somebody may wait for its end, or for a lock. */
static int
spawn(struct arena *a, pid_t *pid, const char *path, const char *config, int fd)
{
	char *const argv[] = { arena_fmt(a, "onehop-send"),
		config != NULL ? arena_fmt(a, "-C") : NULL,
		config != NULL ? arena_fmt(a, "%s", config) : NULL, NULL };
	posix_spawn_file_actions_t actions;
	int e = posix_spawn_file_actions_init(&actions);

	if (e != 0)
		return e;
	fd_close_on_exec_from(STDERR_FILENO + 1);
	e = posix_spawn_file_actions_adddup2(&actions, fd, 0);
	if (e == 0)
		e = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	if (e == 0)
		e = posix_spawn(pid, path, &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return e;
}

/* A socket pair with a program of ours behind it. */
static bool
start(struct door *d, struct arena *a, const char *path, const char *config, struct fail *f)
{
	int pair[2], e;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_DOOR, errno, "cannot make a socket");
	e = spawn(a, &d->pid, path, config, pair[1]);
	(void)close(pair[1]);
	if (e != 0) {
		(void)close(pair[0]);
		return fail_set(f, FAIL_TEMP, STAGE_DOOR, e, "cannot start %s", path);
	}
	d->fd = pair[0];
	return true;
}

/* Does all run as the caller, because it is root, or the setup is his? */
static bool
is_own(const struct door_caller *who)
{
	return who->uid == 0 || who->config != NULL || who->conf->home != NULL;
}

bool
door_is_shared(const struct door_caller *who)
{
	return !is_own(who) && access(DOOR_SOCKET, W_OK) == 0;
}

/* Is it installed as it has to be? */
static bool
is_gate(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & S_ISUID) != 0 && st.st_uid != 0 &&
	    access(path, X_OK) == 0;
}

bool
door_open(struct door *d, struct arena *a, const struct door_caller *who, struct fail *f)
{
	static const char post[] = PKGLIBEXECDIR "/onehop-post";

	if (!is_own(who))
		d->fd = unix_connect(DOOR_SOCKET);
	if (d->fd >= 0)
		return true;
	if (!is_own(who) && is_gate(post))
		return start(d, a, post, NULL, f);
	return start(d, a, program_path(a, "onehop-send"), who->config, f);
}

void
door_close(struct door *d)
{
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
	while (!d->stays && d->pid > 0 && waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
		;
	d->pid = 0;
}
