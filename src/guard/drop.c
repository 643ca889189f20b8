/* drop.c - whose rights the process that talks to the network has. */
#include "guard/drop.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fail.h"
#include "guard/environment.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { NOBODY = 65534, ENTRY_MAX = 8192 };

/* Is the number one of this user namespace?  What cannot be known is not in the way. */
static bool
is_mapped(const char *map, unsigned id)
{
	FILE *f = fopen(map, "re");
	bool found = f == NULL;
	char line[128]; /* the first id here, the first outside, how many */

	while (!found && fgets(line, sizeof line, f) != NULL) {
		char *rest;
		unsigned long first = strtoul(line, &rest, 10);

		(void)strtoul(rest, &rest, 10);
		found = id >= first && id - first < strtoul(rest, NULL, 10);
	}
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static bool
all_capabilities(struct __user_cap_data_struct have[2])
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };

	memset(have, 0, 2 * sizeof have[0]);
	return syscall(SYS_capget, &head, have) == 0;
}

/* May this process become another user?  Root of a container may have lost that (docker's
 * --cap-drop=ALL).  What cannot be known is not in the way. */
static bool
may_change(void)
{
	enum { WANTED = 1 << CAP_SETUID | 1 << CAP_SETGID };
	struct __user_cap_data_struct have[2];

	return !all_capabilities(have) || (have[0].effective & WANTED) == WANTED;
}

void
drop_find(bool token, struct drop_to *to)
{
	static const char *const names[] = { "onehop-net", "onehop", "nobody" };

	*to = (struct drop_to){ "65534", NOBODY, NOBODY, false, false };
	for (size_t i = token; i < sizeof names / sizeof names[0]; i++) {
		char space[ENTRY_MAX];
		struct passwd pw, *found = NULL;

		if (getpwnam_r(names[i], &pw, space, sizeof space, &found) != 0 || found == NULL ||
		    pw.pw_uid == 0 || pw.pw_gid == 0)
			continue;
		*to = (struct drop_to){ names[i], pw.pw_uid, pw.pw_gid, token && i == 1, false };
		break;
	}
	to->elsewhere = !is_mapped("/proc/self/uid_map", to->uid) ||
	    !is_mapped("/proc/self/gid_map", to->gid) || !may_change();
}

static bool
capabilities(bool *any)
{
	struct __user_cap_data_struct have[2];

	if (!all_capabilities(have))
		return false;
	*any = (have[0].effective | have[0].permitted | have[1].effective | have[1].permitted) != 0;
	return true;
}

/* The call is made only where there are some: a unit's own filter may refuse it. */
static bool
without_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	const struct __user_cap_data_struct none[2] = { { 0, 0, 0 } };
	bool any;

	if (!capabilities(&any))
		return false;
	if (!any)
		return true;
	if (syscall(SYS_capset, &head, none) != 0 || !capabilities(&any))
		return false;
	errno = EPERM;
	return !any;
}

static bool
become(const struct drop_to *to)
{
	uid_t uid[3];
	gid_t gid[3];

	if ((to->keeps_groups ? initgroups(to->name, to->gid) : setgroups(0, NULL)) != 0 ||
	    setresgid(to->gid, to->gid, to->gid) != 0 || setresuid(to->uid, to->uid, to->uid) != 0)
		return false;
	if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || getresgid(&gid[0], &gid[1], &gid[2]) != 0)
		return false;
	errno = EPERM;
	for (int i = 0; i < 3; i++)
		if (uid[i] != to->uid || gid[i] != to->gid)
			return false;
	return (to->keeps_groups || getgroups(0, NULL) == 0) && setuid(0) != 0;
}

static bool
leave_root(const struct drop_to *to)
{
	const pid_t parent = getppid();

	/* without the right to (CAP_SETPCAP) it has to do that no program is started any more */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0; cap++)
		;
	if (!become(to))
		return false;
	guard_no_core();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	errno = ESRCH;
	return getppid() == parent;
}

bool
drop_rights(const struct drop_to *to, const struct trace *t)
{
	const uid_t uid = geteuid();

	if (uid == 0 && !to->elsewhere) {
		if (!leave_root(to) || !without_capabilities())
			return false;
		trace_line(t, TRACE_DEBUG, "confinement: user %s, no capability", to->name);
		return true;
	}
	if (!without_capabilities()) {
		trace_line(t, TRACE_DEBUG, "confinement: uid %u, whose capabilities stay: %s", uid,
		    fail_words(errno));
		return uid != 0;
	}
	trace_line(t, TRACE_DEBUG, "confinement: uid %u, who called%s, no capability", uid,
	    uid == 0 ? " (there is nobody else to become)" : "");
	return true;
}
