/* command.c - password_command. */
#include "send/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/words.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { OUTPUT, ENDED, TIMER, EVENTS };

struct str
command_login(struct str *text)
{
	struct str rest = *text, login = str_cut(&rest, ':');

	for (size_t i = 0; i < login.n; i++)
		if (ascii_space(login.p[i]) || login.p[i] == '/')
			return str_at("", 0);
	if (login.n == 0 || rest.p == NULL)
		return str_at("", 0);
	*text = rest;
	return login;
}

/* posix_spawn() and not fork(): nothing of ours, secrets in memory least of all, runs in between.
 */
static int
start(const struct command *c, struct arena *a, char *const argv[], int output, pid_t *pid)
{
	char *const envp[] = {
		arena_strz(a, STR("PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin")),
		arena_strz(a, STR("LANG=C")),
		c->home != NULL ? arena_fmt(a, "HOME=%s", c->home) : NULL,
		NULL,
	};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int err;

	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawn_file_actions_init(&files);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &all);
	(void)posix_spawnattr_setpgroup(&attr, 0);
	(void)posix_spawnattr_setflags(
	    &attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
	err = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (err == 0)
		err = posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
	if (err == 0)
		err = posix_spawnp(pid, argv[0], &files, &attr, argv, envp);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&files);
	return err;
}

/* Take what there is; what does not fit is read and dropped, so that the program can end. */
static void
drain(const struct command *c, int fd, size_t *n)
{
	char part[512];
	ssize_t got;

	while ((got = read(fd, part, sizeof part)) > 0) {
		size_t fits = (size_t)got < c->size - *n ? (size_t)got : c->size - *n;

		memcpy(c->room + *n, part, fits);
		*n += fits;
	}
	explicit_bzero(part, sizeof part);
}

static int
new_timer(void)
{
	struct itimerspec in = { .it_value = { .tv_sec = COMMAND_SECONDS } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	if (fd >= 0)
		(void)timerfd_settime(fd, 0, &in, NULL);
	return fd;
}

/* Until the program ends or its time is up.  Not until its output ends, which a daemon it started
 * may keep, unless the kernel cannot tell the one. */
static bool
watch(const struct command *c, pid_t pid, int output, size_t *n)
{
	AUTO_FD int ended = fd_of_process(pid);
	AUTO_FD int timer = new_timer();
	struct pollfd on[EVENTS] = { { output, POLLIN, 0 }, { ended, POLLIN, 0 },
		{ timer, POLLIN, 0 } };

	if (timer < 0)
		return false;
	while (on[ENDED].revents == 0) {
		if (poll(on, EVENTS, -1) < 0 && errno != EINTR)
			return false;
		if (on[TIMER].revents != 0)
			return false;
		if (on[OUTPUT].revents != 0)
			drain(c, output, n);
		if (on[OUTPUT].revents & POLLHUP) {
			on[OUTPUT].fd = -1;
			if (ended < 0)
				break;
		}
	}
	drain(c, output, n);
	return true;
}

static bool
finish(const struct command *c, pid_t pid, int output, size_t *n, struct fail *f)
{
	bool in_time = watch(c, pid, output, n);
	int status = 0;

	if (!in_time)
		(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!in_time)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, 0,
		    "the command did not end within %d seconds", COMMAND_SECONDS);
	if (WIFSIGNALED(status))
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, 0, "the command was ended by signal %d",
		    WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, 0, "the command ended with status %d",
		    WEXITSTATUS(status));
	return true;
}

bool
command_first_line(const struct command *c, struct arena *a, struct str *line, struct fail *f)
{
	const char *fault;
	char **argv = words_split(a, c->text, &fault);
	int ends[2], err;
	AUTO_FD int output = -1;
	struct str all;
	size_t n = 0;
	pid_t pid;

	if (argv == NULL)
		return fail_conf(f, "%s in the command", fault);
	if (pipe2(ends, O_CLOEXEC) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "cannot make a pipe");
	output = ends[0];
	(void)fcntl(output, F_SETFL, O_NONBLOCK);
	err = start(c, a, argv, ends[1], &pid);
	(void)close(ends[1]);
	if (err != 0)
		return fail_set(f, FAIL_USER, STAGE_CONFIG, err, "cannot run %s", argv[0]);
	if (!finish(c, pid, output, &n, f))
		return false;
	all = str_at(c->room, n);
	*line = str_rtrim(str_cut(&all, '\n'));
	if (line->n == 0 || n == c->size)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, 0, "the first line is %s",
		    line->n == 0 ? "empty" : "too long");
	return true;
}
