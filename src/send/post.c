/* post.c - onehop-post: set-uid and set-gid to user onehop, never to root.  It leaves behind what
 * the caller could steer it with, and becomes onehop-send, which knows him by the socket on
 * descriptor 0 (doc/ARCHITECTURE 2, doc/SECURITY 3). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/keyring.h"
#include "base/paths.h"
#include "guard/environment.h"
#include "send/post.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Not found by the program's own name: a hard link to it may stand in a directory of the caller's.
 */
static const char sender[] = PKGLIBEXECDIR "/onehop-send";

static int
refuse(const char *why)
{
	(void)fprintf(stderr, "onehop-post: %s\n", why);
	return EX_NOPERM;
}

/* What the caller's hard limits have to allow: with less his mail would go without a line in the
 * log (it grows in files), or its journal would be cut short.  Who has no time left, or may start
 * no process, is as one who is killed. */
static const struct {
	int which;
	rlim_t least;
	const char *name;
} limits[] = {
	{ RLIMIT_FSIZE, 1U << 30, "the size of files (ulimit -f)" },
	{ RLIMIT_DATA, 128U << 20, "data (ulimit -d)" },
	{ RLIMIT_STACK, 128U << 10, "the stack (ulimit -s)" },
	{ RLIMIT_AS, 256U << 20, "the address space (ulimit -v)" },
	{ RLIMIT_CPU, 0, "processor time (ulimit -t)" },
	{ RLIMIT_NOFILE, 64, "open files (ulimit -n)" },
	{ RLIMIT_NPROC, 0, "processes (ulimit -u)" },
};

/* Limits as wide as they may be, no core, no timer that goes off later.  False: one is too low. */
static bool
own_limits(void)
{
	const struct itimerval none = { { 0, 0 }, { 0, 0 } };
	struct rlimit r;

	for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		if (getrlimit((__rlimit_resource_t)limits[i].which, &r) != 0)
			continue;
		if (r.rlim_max < limits[i].least) {
			(void)fprintf(stderr,
			    "onehop-post: the hard limit for %s is %llu here; onehop takes mail "
			    "with %llu or more\n",
			    limits[i].name, (unsigned long long)r.rlim_max,
			    (unsigned long long)limits[i].least);
			return false;
		}
		r.rlim_cur = r.rlim_max;
		(void)setrlimit((__rlimit_resource_t)limits[i].which, &r);
	}
	r = (struct rlimit){ 0, 0 };
	(void)setrlimit(RLIMIT_CORE, &r);
	(void)setitimer(ITIMER_REAL, &none, NULL);
	(void)setitimer(ITIMER_VIRTUAL, &none, NULL);
	(void)setitimer(ITIMER_PROF, &none, NULL);
	return true;
}

int
main(void)
{
	static char name[] = "onehop-send", word[] = POST_WORD,
		    path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", lang[] = "LANG=C";
	char *const argv[] = { name, word, NULL }, *const envp[] = { path, lang, NULL };
	uid_t caller = getuid(), own = geteuid();
	gid_t group = getegid();
	struct environment env;
	struct fail f = FAIL_INIT;
	unsigned uid, gid;
	int null;

	guard_start(&env);
	if (own == 0)
		return refuse("it is installed set-uid to user onehop, never to root");
	if (own == caller)
		return refuse("it has not become user onehop: it is installed set-uid to him, and "
			      "called by another");
	/* A socket of somebody else's, of a daemon of root's say, would speak in his name. */
	if (!guard_peer(STDIN_FILENO, &uid, &gid, &f) || uid != caller)
		return refuse("descriptor 0 is not a socket that its caller made");
	if (setresgid(group, group, group) != 0 || setresuid(own, own, own) != 0 || chdir("/") != 0)
		return refuse("cannot become user onehop");
	if (!own_limits())
		return EX_NOPERM;
	if (!keyring_own())
		return refuse("cannot make a session keyring");
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		return EX_TEMPFAIL;
	fd_close_from(STDERR_FILENO + 1);
	(void)setsid();
	(void)execve(sender, argv, envp);
	return EX_TEMPFAIL;
}
