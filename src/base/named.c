/* named.c - open a file that another file names. */
#include "base/named.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LINKS_MAX = 40 }; /* as the kernel's */

static const char through_link[] =
    "is reached through a symbolic link that somebody else can change";
static const char not_his[] = "is in a directory of somebody whose file it is not";
static const char many_names[] =
    "has more than one name, and one of them is somebody else's to give";

struct walk {
	char rest[PATH_MAX]; /* of the path, without the slash before it */
	uid_t root;          /* who owns / */
	uid_t owner;         /* of what has been passed; root's until somebody else's comes */
	bool others;         /* he is neither root nor ourselves */
	unsigned links;
};

static void
pass(struct walk *w, const struct stat *st)
{
	if (w->others || st->st_uid == 0 || st->st_uid == w->root || st->st_uid == geteuid())
		return;
	w->owner = st->st_uid;
	w->others = true;
}

/* Cut the first name off the rest; false: there is none. */
static bool
next_name(struct walk *w, char name[NAME_MAX + 1])
{
	struct str rest = str_of(w->rest), part = { 0 };

	while (part.n == 0 && rest.n > 0)
		part = str_cut(&rest, '/');
	if (part.n == 0 || part.n > NAME_MAX)
		return false;
	memcpy(name, part.p, part.n);
	name[part.n] = '\0';
	if (rest.n > 0)
		memmove(w->rest, rest.p, rest.n);
	w->rest[rest.n] = '\0';
	return true;
}

/* Put what a link says before the rest.  False with errno. */
static bool
follow(struct walk *w, int link)
{
	char to[PATH_MAX];
	ssize_t n = readlinkat(link, "", to, sizeof to - 1);
	size_t rest = strlen(w->rest);

	if (n < 0)
		return false;
	if (w->links++ >= LINKS_MAX || (size_t)n >= sizeof to ||
	    (size_t)n + 1 + rest >= sizeof w->rest) {
		errno = ELOOP;
		return false;
	}
	memmove(w->rest + n + 1, w->rest, rest + 1);
	memcpy(w->rest, to, (size_t)n);
	w->rest[n] = '/';
	return true;
}

/* One step from directory *at; *fd is the file when it is reached.  False: *why, or errno. */
static bool
step(struct walk *w, int *at, const char *name, int *fd, struct stat *st, const char **why)
{
	AUTO_FD int next = openat(*at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (next < 0 || fstat(next, st) != 0)
		return false;
	if (S_ISLNK(st->st_mode)) {
		pass(w, st);
		if (w->others)
			*why = through_link;
		if (w->others || !follow(w, next))
			return false;
		(void)close(next);
		next = w->rest[0] == '/' ? open("/", O_PATH | O_CLOEXEC) : steal_fd(at);
	} else if (!S_ISDIR(st->st_mode)) {
		*fd = file_open(*at, name, FILE_NOFOLLOW, st);
		return *fd >= 0;
	}
	(void)close(*at);
	*at = steal_fd(&next);
	if (*at < 0 || fstat(*at, st) != 0)
		return false;
	pass(w, st);
	return true;
}

int
named_open(const char *path, struct stat *st, bool *trusted, const char **why)
{
	struct walk w = { .links = 0 };
	AUTO_FD int at = open("/", O_PATH | O_CLOEXEC);
	AUTO_FD int fd = -1;
	char name[NAME_MAX + 1];

	*why = NULL;
	if (at < 0 || fstat(at, st) != 0)
		return -1;
	errno = ENAMETOOLONG;
	if (strlen(path) >= sizeof w.rest)
		return -1;
	w.root = st->st_uid;
	memcpy(w.rest, path, strlen(path) + 1);
	while (fd < 0 && next_name(&w, name))
		if (!step(&w, &at, name, &fd, st, why))
			return -1;
	errno = fd < 0 ? EISDIR : ENOTDIR;
	if (fd < 0 || next_name(&w, name))
		return -1;
	if (w.others && st->st_uid != w.owner)
		*why = not_his;
	else if (w.others && st->st_nlink > 1)
		*why = many_names;
	pass(&w, st);
	*trusted = !w.others && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
	return *why == NULL ? steal_fd(&fd) : -1;
}
