/* user.c - a local user, and what anybody may know of one. */
#include "local/user.h"

#include <errno.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum { ENTRY_MAX = 65536 };

int
user_find(struct arena *a, const char *name, struct user *u, struct fail *f)
{
	struct passwd pw, *found = NULL;
	char *space = arena_alloc(a, ENTRY_MAX);
	int e = getpwnam_r(name, &pw, space, ENTRY_MAX, &found);

	if (found == NULL) {
		/* What glibc's sources give for "there is none". */
		if (e == 0 || e == ENOENT || e == ESRCH || e == EBADF || e == EPERM)
			return 0;
		(void)fail_set(
		    f, FAIL_TEMP, STAGE_LOCAL, e, "cannot say now whether %s is a user", name);
		return -1;
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
is_absent(const char *path)
{
	struct stat st;

	return lstat(path, &st) != 0 && errno == ENOENT;
}

static bool
home_lacks(struct arena *a, const char *home, const char *name)
{
	return is_absent(arena_fmt(a, "%s/%s", home, name));
}

bool
user_has_no_filter(struct arena *a, const struct user *u)
{
	if (!home_lacks(a, u->home, ".forward"))
		return false;
	if (access(PROCMAIL, X_OK) == 0 &&
	    (!is_absent(PROCMAILRC) || !home_lacks(a, u->home, ".procmailrc")))
		return false;
	return access(MAILDROP, X_OK) != 0 || home_lacks(a, u->home, ".mailfilter");
}
