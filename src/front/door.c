/* door.c - how onehop reaches onehop-send. */
#include "front/door.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/program.h"
#include "base/unix.h"
#include "conf/credstore.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define DOOR_DIRECTORY "/run/onehop"

enum {
	PAUSE_MS = 100, /* the first one; each is twice as long as the one before, up to the last */
	PAUSE_DOUBLED = 5,
	REOPEN_MS = 5000,
	REOPEN_LOOK_MS = 100,
	ASK_SECONDS = 60,  /* so that a hundred at once get in on a slow machine */
	SPAWN_SECONDS = 3, /* a child of ours that ends without a word is not busy */
};

/* Why there is no connection to the socket, and what helps. */
static const struct {
	int sys;
	const char *why;
} reasons[] = {
	{ ENOENT,
	    "no door is open for users who may not read the passwords (as root: systemctl enable "
	    "--now onehop-submit.socket; in a service that does not see " DOOR_SOCKET
	    ": BindReadOnlyPaths=" DOOR_DIRECTORY ")" },
	{ ECONNREFUSED,
	    "nothing listens at " DOOR_SOCKET
	    " (as root: systemctl restart onehop-submit.socket)" },
	{ ENOTSOCK,
	    DOOR_SOCKET " is no socket (as root: remove it, and systemctl restart "
			"onehop-submit.socket)" },
	{ EACCES,
	    DOOR_SOCKET " is not to be reached from here (InaccessiblePaths= of this service, a "
			"security module, or the mode of its directory)" },
	{ EPERM,
	    "a filter of system calls or a security module allows no connection to " DOOR_SOCKET
	    " (SystemCallFilter= of this service)" },
	{ EAFNOSUPPORT,
	    "this service may make no unix socket: add AF_UNIX to its RestrictAddressFamilies=" },
	{ EMFILE, "this process may open no more files (ulimit -n, LimitNOFILE=)" },
};

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

/* Who has the spool needs no other to deliver for him: the sessions of -bs do not share what one
 * user may have of the door.  (Where ids have no names, in a user namespace, all are the same.) */
static bool
owns_spool(const struct door_caller *who)
{
	const char *path = who->conf->spool_directory;
	struct stat st;

	return stat(path, &st) == 0 && st.st_uid == who->uid && access(path, W_OK | X_OK) == 0;
}

/* Root needs the door, too, where the units alone have the passwords, and in a sandbox in which he
 * may not write to the spool. */
static bool
root_needs_door(const struct door_caller *who)
{
	AUTO_ARENA struct arena a = { NULL };

	return credstore_not_given(who->conf, &a) != NULL ||
	    (faccessat(AT_FDCWD, who->conf->spool_directory, W_OK, AT_EACCESS) != 0 &&
		errno != ENOENT);
}

/* Does all run as the caller, because the setup is his, or he is root or user onehop? */
static bool
is_own(const struct door_caller *who)
{
	if (who->config != NULL || who->conf->home != NULL)
		return true;
	/* a set-uid program of root's has his rights, whoever calls it */
	return who->uid == 0 || geteuid() == 0 ? !root_needs_door(who) : owns_spool(who);
}

bool
door_is_shared(const struct door_caller *who)
{
	return !is_own(who);
}

/* Does a set-uid program get its owner's rights when it is started here?  Not below no_new_privs
 * (prctl(2)), nor on a file system that is mounted nosuid. */
static bool
set_uid_counts(const char *path)
{
	struct statvfs v;

	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 && statvfs(path, &v) == 0 &&
	    (v.f_flag & ST_NOSUID) == 0;
}

/* Is onehop-post installed as it has to be: set-uid, not root's, and for us to start? */
static bool
is_gate(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_mode & S_ISUID) != 0 && st.st_uid != 0 &&
	    access(path, X_OK) == 0 && set_uid_counts(path);
}

/* Is it a shortage that may be over in a moment? */
static bool
is_passing(int sys)
{
	return sys == EAGAIN || sys == ENOMEM || sys == ENFILE || sys == ENOBUFS;
}

static bool
connect_socket(struct door *d, int *sys)
{
	struct stat st;

	d->fd = unix_connect(DOOR_SOCKET);
	*sys = d->fd < 0 ? errno : 0;
	if (*sys == ECONNREFUSED && stat(DOOR_SOCKET, &st) == 0 && !S_ISSOCK(st.st_mode))
		*sys = ENOTSOCK;
	d->met |= d->fd >= 0;
	return d->fd >= 0;
}

static const char *
reason(struct arena *a, int sys)
{
	struct fail f = FAIL_INIT;

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].sys == sys)
			return reasons[i].why;
	(void)fail_set(&f, FAIL_TEMP, STAGE_DOOR, sys, "cannot connect to %s", DOOR_SOCKET);
	return arena_strz(a, str_of(f.text));
}

bool
door_open(struct door *d, struct arena *a, const struct door_caller *who, struct fail *f)
{
	static const char post[] = PKGLIBEXECDIR "/onehop-post";
	int sys;

	d->without = NULL;
	if (is_own(who))
		return start(d, a, program_path(a, "onehop-send"), who->config, f);
	if (connect_socket(d, &sys))
		return true;
	if (who->uid != 0 && is_gate(post))
		return start(d, a, post, NULL, f);
	if (d->met || is_passing(sys))
		return fail_set(f, FAIL_TEMP, STAGE_DOOR, sys, "cannot connect to %s", DOOR_SOCKET);
	d->without = reason(a, sys);
	d->away = sys == ENOENT || sys == ECONNREFUSED;
	return start(d, a, program_path(a, "onehop-send"), NULL, f);
}

struct submit_talk
door_talk(struct door *d)
{
	/* a little longer than onehop-send gives itself to stop */
	d->stop = (struct stop_wait){ .pass_on = d->pid, .seconds = STOP_SECONDS + 5 };
	return (struct submit_talk){ .fd = d->fd, .wait = stop_wait, .ctx = &d->stop };
}

enum door_turned
door_is_shut(const struct door *d, const struct fail *f)
{
	return d->met || is_passing(f->sys) ? DOOR_SHUT : DOOR_HEARD;
}

enum door_turned
door_heard(struct door *d, const struct submit_talk *talk, bool given)
{
	d->stays = talk->stays;
	if (!submit_untaken(talk, given))
		return DOOR_HEARD;
	return talk->busy ? DOOR_BUSY : DOOR_SILENT;
}

/* ------------------------------------------------------------------ once more */

/* The pause before the next try, in part random: those who wait do not come back together. */
static int
pause_ms(unsigned turned)
{
	int most = PAUSE_MS << (turned < PAUSE_DOUBLED ? turned : PAUSE_DOUBLED);
	unsigned random = 0;

	(void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
	return most / 2 + (int)(random % (unsigned)most) / 2;
}

/* onehop-post does not work for this caller, and has said why on his standard error. */
static bool
refused(const struct door *d)
{
	return WIFEXITED(d->status) && WEXITSTATUS(d->status) == EX_NOPERM;
}

/* For how many seconds the door is asked again. */
static int
patience(const struct door *d, enum door_turned how, bool child)
{
	switch (how) {
	case DOOR_HEARD:
		break;
	case DOOR_SILENT:
		if (child && refused(d))
			break;
		return child ? SPAWN_SECONDS : ASK_SECONDS;
	case DOOR_SHUT:
	case DOOR_BUSY:
		return ASK_SECONDS;
	}
	return 0;
}

static bool
say_silent(const struct door *d, bool child, struct fail *f)
{
	if (!child)
		return fail_set(f, FAIL_TEMP, STAGE_DOOR, 0,
		    "nothing was taken: what is started behind %s is too busy, or cannot start; "
		    "systemctl status \"onehop-submit@*\" and the journal say why",
		    DOOR_SOCKET);
	if (refused(d))
		return fail_set(f, FAIL_TEMP, STAGE_DOOR, 0,
		    "nothing was taken: onehop-post does not work here, as it says above");
	if (WIFSIGNALED(d->status))
		return fail_set(f, FAIL_TEMP, STAGE_DOOR, 0,
		    "nothing was taken: onehop-send was killed by signal %d", WTERMSIG(d->status));
	return fail_set(f, FAIL_TEMP, STAGE_DOOR, 0,
	    "nothing was taken: onehop-send ended at once (exit status %d)",
	    WEXITSTATUS(d->status));
}

bool
door_again(struct door *d, enum door_turned how, struct fail *f)
{
	bool child = d->pid > 0;
	int64_t now = clock_ms();
	int seconds;

	if (how == DOOR_HEARD)
		return false;
	door_close(d);
	stop_release();
	seconds = patience(d, how, child);
	if (d->turned == 0)
		d->since = now;
	if (now - d->since < seconds * INT64_C(1000)) {
		stop_pause(pause_ms(d->turned++));
		*f = (struct fail)FAIL_INIT;
		return true;
	}
	if (how == DOOR_SILENT)
		(void)say_silent(d, child, f);
	if (seconds > 0)
		fail_prefix(f, "asked %u times in %d seconds", d->turned + 1, seconds);
	return false;
}

bool
door_reopens(struct door *d)
{
	int64_t end = clock_ms() + REOPEN_MS;
	int sys;

	if (d->without == NULL || !d->away || access(DOOR_DIRECTORY, F_OK) != 0)
		return false;
	door_close(d);
	stop_release();
	while (!connect_socket(d, &sys) && clock_ms() < end)
		stop_pause(REOPEN_LOOK_MS);
	if (d->fd >= 0)
		d->without = NULL;
	return d->fd >= 0;
}

void
door_explain(const struct door *d, struct fail *f)
{
	if (d->without != NULL && f->cls == FAIL_TEMP)
		fail_prefix(f, "%s", d->without);
}

void
door_close(struct door *d)
{
	if (d->fd >= 0)
		(void)close(d->fd);
	d->fd = -1;
	while (!d->stays && d->pid > 0 && waitpid(d->pid, &d->status, 0) < 0 && errno == EINTR)
		;
	d->pid = 0;
}
