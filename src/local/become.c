/* become.c - to one local user, for good. */
#include "local/become.h"

#include <errno.h>
#include <grp.h>
#include <unistd.h>

#include "base/keyring.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Group mail owns /var/mail; without such a group the user's own has to do. */
static gid_t
mail_gid(gid_t otherwise)
{
	char space[8192];
	struct group gr, *found = NULL;

	if (getgrnam_r("mail", &gr, space, sizeof space, &found) != 0 || found == NULL)
		return otherwise;
	return gr.gr_gid;
}

bool
become_user(const struct user *u, bool mail_group, struct fail *f)
{
	gid_t gid = mail_group ? mail_gid(u->gid) : u->gid;

	if (u->uid == 0)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "%s is root, and nothing is delivered with root's rights: give %s an alias",
		    u->name, u->name);
	if (!user_may_become(u))
		return fail_set(f, FAIL_TEMP, STAGE_DOOR, 0,
		    "cannot deliver to %s: only root or %s may", u->name, u->name);
	if (geteuid() != 0)
		return true;
	if (!keyring_own()) /* as root: the user may have no quota left */
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot make a session keyring");
	if (initgroups(u->name, gid) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(u->uid, u->uid, u->uid) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot become %s", u->name);
	if (setuid(0) == 0 || geteuid() != u->uid || getuid() != u->uid || getegid() != gid)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "the rights of root would not go away; nothing is delivered");
	return true;
}
