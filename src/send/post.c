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

/* Limits as wide as they may be, no core, no timer that goes off later. */
static void
own_limits(void)
{
	static const int wide[] = { RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_AS, RLIMIT_CPU,
		RLIMIT_NOFILE };
	const struct itimerval none = { { 0, 0 }, { 0, 0 } };
	struct rlimit r;

	for (size_t i = 0; i < sizeof wide / sizeof wide[0]; i++) {
		if (getrlimit((__rlimit_resource_t)wide[i], &r) != 0)
			continue;
		r.rlim_cur = r.rlim_max;
		(void)setrlimit((__rlimit_resource_t)wide[i], &r);
	}
	r = (struct rlimit){ 0, 0 };
	(void)setrlimit(RLIMIT_CORE, &r);
	(void)setitimer(ITIMER_REAL, &none, NULL);
	(void)setitimer(ITIMER_VIRTUAL, &none, NULL);
	(void)setitimer(ITIMER_PROF, &none, NULL);
}

int
main(void)
{
	static char name[] = "onehop-send", path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
		    lang[] = "LANG=C";
	char *const argv[] = { name, NULL }, *const envp[] = { path, lang, NULL };
	uid_t caller = getuid(), own = geteuid();
	gid_t group = getegid();
	struct environment env;
	struct fail f = FAIL_INIT;
	unsigned uid, gid;
	int null;

	guard_start(&env);
	if (own == caller || own == 0)
		return refuse("it is installed set-uid to user onehop, and called by onehop");
	/* A socket of somebody else's, of a daemon of root's say, would speak in his name. */
	if (!guard_peer(STDIN_FILENO, &uid, &gid, &f) || uid != caller)
		return refuse("descriptor 0 is not a socket that its caller made");
	if (setresgid(group, group, group) != 0 || setresuid(own, own, own) != 0 || chdir("/") != 0)
		return refuse("cannot become user onehop");
	own_limits();
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
