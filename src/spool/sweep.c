/* sweep.c - what is no message of ours is removed or set aside. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/id.h"
#include "base/num.h"
#include "spool/place.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { NAME = ID_MAX + 8 };

void
place_set_aside(const struct spool *s, int dir, const char *name)
{
	char to[300];

	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(to, sizeof to, i == 0 ? "%s" : "%s.%u", name, i);
		if (file_rename(dir, name, s->bad, to) == 0 || errno != EEXIST)
			break;
	}
	(void)fsync(s->bad);
}

/* The id that a file name of ours starts or ends with; false: it is none of ours. */
static bool
id_of(const char *name, char id[ID_MAX], char *kind)
{
	size_t n = strlen(name);

	*kind = 't';
	if (strncmp(name, "hdr.", 4) == 0 && n - 4 < ID_MAX + 2) {
		name += 4;
		n -= 4;
		if (n > 2 && name[n - 2] == '-' && (name[n - 1] == 'D' || name[n - 1] == 'H'))
			n -= 2;
	} else if (n > 2 && name[n - 2] == '-' && strchr("DHJ", name[n - 1]) != NULL) {
		*kind = name[n - 1];
		n -= 2;
	} else {
		return false;
	}
	if (n >= ID_MAX)
		return false;
	memcpy(id, name, n);
	id[n] = '\0';
	return id_ok(id);
}

/* Is there this file of the message?  Any error but ENOENT counts as yes: what may be there keeps
 * the rest from being removed. */
static bool
exists(int dir, const char *id, char kind)
{
	char name[NAME];
	struct stat st;

	(void)snprintf(name, sizeof name, "%s-%c", id, kind);
	return fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

static void
sweep_name(void *ctx, int dir, const char *name)
{
	const struct spool *s = ctx;
	char id[ID_MAX], kind;
	const char *why;
	struct stat st;

	if (!id_of(name, id, &kind)) {
		if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !(S_ISDIR(st.st_mode) && strlen(name) == 1))
			place_set_aside(s, dir, name);
		return;
	}
	if (kind == 'H' || (kind == 't' && exists(dir, id, 'D')) || exists(dir, id, 'H'))
		return;
	/* without a lock it belongs to a commit that is under way */
	AUTO_FD int fd = place_file(s, dir, name, PLACE_BODY_MAX, &why);

	if (why != NULL && why != place_not_now)
		place_set_aside(s, dir, name);
	else if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && !exists(dir, id, 'H'))
		(void)unlinkat(dir, name, 0);
}

/* Has the spool this message, or may it have it (a directory cannot be read)? */
static bool
is_message(const struct spool *s, const char *id)
{
	bool there = false;

	for (int split = 0; split < 2 && !there; split++) {
		AUTO_FD int input = place_open(s, id, split != 0, false);

		there =
		    input < 0 ? errno != ENOENT : exists(input, id, 'H') || exists(input, id, 'D');
	}
	return there;
}

/* The log of a message that is no more. */
static void
sweep_log(void *ctx, int dir, const char *name)
{
	const struct spool *s = ctx;

	if (id_ok(name) && !is_message(s, name))
		(void)unlinkat(dir, name, 0);
}

/* What note_write() of a process that was killed has left, and an option that is no more
 * (fold_duplicates). */
static void
sweep_note(void *ctx, int dir, const char *name)
{
	uint64_t pid;

	(void)ctx;
	if ((strncmp(name, "new.", 4) == 0 && num_parse(str_of(name + 4), INT32_MAX, &pid) &&
		pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH) ||
	    strncmp(name, "same.", 5) == 0)
		(void)unlinkat(dir, name, 0);
}

/* A large message that was being read, where files cannot be without a name (front/intake.c). */
static void
sweep_body(void *ctx, int dir, const char *name)
{
	(void)ctx;
	if (strncmp(name, "onehop.", 7) == 0)
		(void)unlinkat(dir, name, 0);
}

void
spool_sweep(const struct spool *s)
{
	struct spool each = *s;

	(void)place_walk(s, sweep_name, &each);
	(void)place_each(s->msglog, ".", sweep_log, &each);
	(void)place_each(s->db, ".", sweep_note, &each);
	(void)place_each(s->fd, ".", sweep_body, NULL);
}
