/* environment.c - the one place that reads the environment, and what a process inherits. */
#include "guard/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/paths.h"
#include "base/str.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { PASSWD_USUAL = 1024, PASSWD_MAX = 65536 };

static const char safe_path[] = "/usr/sbin:/usr/bin:/sbin:/bin";

/* A closed descriptor 0-2 would be given to the next file that is opened.  None of them can be
 * read: a caller that closed its standard input has not given an empty message. */
static void
hold_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= 2 && fcntl(fd, F_SETFD, 0) == 0);
	if (fd > 2)
		(void)close(fd);
}

/* Of the caller's dispositions only "ignored" is inherited: an ignored SIGCHLD would lose a
 * child's exit status, an ignored SIGTERM a shutdown. */
static void
reset_signals(void)
{
	static const int defaults[] = { SIGCHLD, SIGALRM, SIGTERM, SIGHUP, SIGINT, SIGQUIT };
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (size_t i = 0; i < sizeof defaults / sizeof defaults[0]; i++)
		(void)sigaction(defaults[i], &sa, NULL);
	sa.sa_handler = SIG_IGN;
	(void)sigaction(SIGPIPE, &sa, NULL);
	(void)sigaction(SIGXFSZ, &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void
guard_no_core(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
#ifndef __SANITIZE_ADDRESS__
	/* a core_pattern that names a program does not ask for the limit */
	(void)prctl(PR_SET_DUMPABLE, 0);
#else
	(void)prctl(PR_SET_DUMPABLE, 1); /* a change of user takes that, too */
#endif
}

void
guard_with_parent(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
}

void
guard_without_parent(void)
{
	(void)prctl(PR_SET_PDEATHSIG, 0);
}

bool
guard_peer(int fd, unsigned *uid, unsigned *gid, struct fail *f)
{
	struct ucred who;
	socklen_t n = sizeof who;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_DOOR, errno, "cannot tell who is calling");
	*uid = who.uid;
	*gid = who.gid;
	return true;
}

void
guard_detach(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		(void)dup2(null, fd);
	if (null > 2)
		(void)close(null);
}

pid_t
guard_apart(void)
{
	pid_t pid = fork();

	if (pid == 0)
		guard_detach();
	return pid;
}

void
guard_end(void)
{
	_exit(0);
}

static const char *
absolute(const char *name)
{
	const char *v = getenv(name);

	return v != NULL && v[0] == '/' ? v : NULL;
}

void
guard_start(struct environment *env)
{
	hold_standard_descriptors();
	reset_signals();
	(void)umask(077);
	env->xdg_config_home = absolute("XDG_CONFIG_HOME");
	env->xdg_state_home = absolute("XDG_STATE_HOME");
	env->credentials_directory = absolute("CREDENTIALS_DIRECTORY");
	env->tz = getenv("TZ");
	if (clearenv() != 0)
		abort();
	/* A TZ that names a file could name any file. */
	if (env->tz != NULL && env->tz[0] != '/' && env->tz[0] != ':' && strlen(env->tz) < 64)
		(void)setenv("TZ", env->tz, 1);
	/* the programs that are started from here read these, too */
	if (env->xdg_config_home != NULL)
		(void)setenv("XDG_CONFIG_HOME", env->xdg_config_home, 1);
	if (env->xdg_state_home != NULL)
		(void)setenv("XDG_STATE_HOME", env->xdg_state_home, 1);
	if (env->credentials_directory != NULL)
		(void)setenv("CREDENTIALS_DIRECTORY", env->credentials_directory, 1);
	(void)setenv("PATH", safe_path, 1);
	(void)setenv("LANG", "C", 1);
}

bool
guard_user(struct arena *a, unsigned uid, struct caller *who, struct fail *f)
{
	struct passwd pw, *found = NULL;
	int e = ERANGE;

	for (size_t n = PASSWD_USUAL; e == ERANGE && n <= PASSWD_MAX; n *= 8)
		e = getpwuid_r(uid, &pw, arena_alloc(a, n), n, &found);
	*who = (struct caller){ .uid = uid };
	if (found != NULL) {
		who->gid = pw.pw_gid;
		who->login = pw.pw_name;
		who->gecos = pw.pw_gecos != NULL ? pw.pw_gecos : "";
		/* "/" for an entry without a home, or with one that is no absolute path */
		who->home = pw.pw_dir != NULL && pw.pw_dir[0] == '/' ? pw.pw_dir : "/";
		return true;
	}
	if (e != 0 && e != ENOENT && e != ESRCH)
		return fail_set(f, FAIL_TEMP, STAGE_ARGS, e,
		    "cannot look up the user name for uid %u", who->uid);
	/* A container's made-up uid: mail can still go, under its number. */
	who->login = arena_fmt(a, "%u", who->uid);
	who->gecos = "";
	who->home = "/";
	return true;
}

bool
guard_caller(struct arena *a, struct caller *who, struct fail *f)
{
	if (!guard_user(a, getuid(), who, f))
		return false;
	who->gid = getgid();
	return true;
}

/* directory/onehop, or home/below/onehop. */
static const char *
own(struct arena *a, const char *directory, const char *home, const char *below)
{
	if (directory != NULL)
		return arena_fmt(a, "%s/onehop", directory);
	return arena_fmt(a, "%s/%s/onehop", home, below);
}

struct conf_paths
guard_conf_paths(
    struct arena *a, const struct environment *env, const struct caller *who, const char *file)
{
	struct conf_paths paths = { .file = file,
		.own_file = SYSCONFDIR "/onehop/onehop.conf",
		.credentials = env->credentials_directory };

	if (who->uid == 0)
		return paths;
	paths.home = who->home;
	paths.state = own(a, env->xdg_state_home, who->home, ".local/state");
	/* a set-uid program's mail is not the affair of who has started it; the -C FILE that he
	 * gives it is no more than his */
	if (who->uid == geteuid())
		paths.user_file = arena_fmt(
		    a, "%s/onehop.conf", own(a, env->xdg_config_home, who->home, ".config"));
	return paths;
}
