/* user.c - a local user, and what anybody may know of one. */
#include "local/user.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum { ENTRY_USUAL = 1024, ENTRY_MAX = 65536 };

int
user_find(struct arena *a, const char *name, struct user *u, struct fail *f)
{
	struct passwd pw, *found = NULL;
	int e = ERANGE;

	for (size_t n = ENTRY_USUAL; e == ERANGE && n <= ENTRY_MAX; n *= 8)
		e = getpwnam_r(name, &pw, arena_alloc(a, n), n, &found);
	if (found == NULL) {
		/* What glibc's sources give for "there is none". */
		bool none = e == 0 || e == ENOENT || e == ESRCH || e == EBADF || e == EPERM;

		(void)fail_set(f, none ? FAIL_PERM : FAIL_TEMP, STAGE_LOCAL, none ? 0 : e,
		    none ? "there is no user %s" : "cannot say now whether %s is a user", name);
		return none ? 0 : -1;
	}
	*u = (struct user){ pw.pw_name, pw.pw_dir, pw.pw_shell, pw.pw_uid, pw.pw_gid };
	return 1;
}

bool
user_may_become(const struct user *u)
{
	return geteuid() == 0 || (getuid() == u->uid && geteuid() == u->uid);
}

static bool
lacks(struct arena *a, const char *directory, const char *name)
{
	struct stat st;

	return lstat(arena_fmt(a, "%s/%s", directory, name), &st) != 0 && errno == ENOENT;
}

bool
user_has_no_filter(struct arena *a, const struct user *u)
{
	return lacks(a, u->home, ".forward") &&
	    (access(PROCMAIL, X_OK) != 0 ||
		(lacks(a, "", PROCMAILRC) && lacks(a, u->home, ".procmailrc"))) &&
	    (access(MAILDROP, X_OK) != 0 || lacks(a, u->home, ".mailfilter"));
}
