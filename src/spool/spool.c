/* spool.c - the directories of the spool, and what is in them. */
#include "spool/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/id.h"
#include "spool/place.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	DIRECTORY_MODE = 0750,
	RESERVE_OCTETS = 1 << 20,
	RESERVE_INODES = 10,
	DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_CLOEXEC
};

/* ------------------------------------------------------------------ opening */

/* A directory; one that was made is there after a crash too, and the owner's.  -1 with errno. */
static int
directory(const struct spool *s, int parent, const char *name, bool make)
{
	int fd = openat(parent, name, DIRECTORY_FLAGS | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 && errno == ENOENT && make) {
		if (mkdirat(parent, name, DIRECTORY_MODE) != 0 && errno != EEXIST)
			return -1;
		if (fsync(parent) != 0)
			return -1;
		fd = openat(parent, name, DIRECTORY_FLAGS | O_NOFOLLOW);
	}
	if (fd >= 0 && s->give &&
	    (fstat(fd, &st) != 0 || (st.st_uid != s->uid && fchown(fd, s->uid, s->gid) != 0))) {
		int e = errno;

		(void)close(fd);
		errno = e;
		return -1;
	}
	return fd;
}

/* Each missing directory of path.  What cannot be made is found out when it is opened. */
static void
make_path(const char *path)
{
	AUTO_FD int at = open(*path == '/' ? "/" : ".", DIRECTORY_FLAGS);
	struct str rest = str_of(path);

	while (at >= 0 && rest.p != NULL) {
		struct str part = str_cut(&rest, '/');
		char name[NAME_MAX + 1];
		int next;

		if (part.n == 0 || part.n > NAME_MAX)
			continue;
		memcpy(name, part.p, part.n);
		name[part.n] = '\0';
		if (mkdirat(at, name, DIRECTORY_MODE) == 0)
			(void)fsync(at);
		next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		(void)close(at);
		at = next;
	}
}

static bool
is_ours(struct spool *s, struct fail *f)
{
	struct stat st;
	unsigned me = geteuid();

	if (fstat(s->fd, &st) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno, "cannot look at %s", s->path);
	if ((st.st_mode & 0002) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0,
		    "everybody may write to the spool %s: chmod o-w it", s->path);
	if (me != 0 && st.st_uid != me)
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, EACCES,
		    "the spool %s belongs to another user", s->path);
	s->uid = st.st_uid;
	s->gid = st.st_gid;
	s->give = me == 0 && st.st_uid != 0;
	return true;
}

static bool
open_parts(struct spool *s, bool make, struct fail *f)
{
	const struct {
		int *fd;
		const char *name;
	} parts[] = { { &s->input, "input" }, { &s->msglog, "msglog" }, { &s->db, "db" },
		{ &s->bad, "bad" } };

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		*parts[i].fd = directory(s, s->fd, parts[i].name, make);
		if (*parts[i].fd < 0)
			return fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno,
			    "cannot open the spool's directory %s/%s", s->path, parts[i].name);
	}
	return true;
}

bool
spool_open(struct spool *s, const struct conf *c, bool make, struct fail *f)
{
	*s = (struct spool){ .path = c->spool_directory,
		.fd = -1,
		.input = -1,
		.msglog = -1,
		.db = -1,
		.bad = -1,
		.split = c->split_spool_directory };
	s->fd = open(s->path, DIRECTORY_FLAGS);
	/* the system's spool is root's to make */
	if (s->fd < 0 && errno == ENOENT && make && (geteuid() == 0 || c->home != NULL)) {
		make_path(s->path);
		s->fd = open(s->path, DIRECTORY_FLAGS);
	}
	if (s->fd < 0)
		return fail_set(
		    f, FAIL_TEMP, STAGE_SPOOL, errno, "cannot open the spool %s", s->path);
	if (is_ours(s, f) && open_parts(s, make, f))
		return true;
	spool_close(s);
	return false;
}

void
spool_apart(struct spool *s)
{
	AUTO_FD int input = openat(s->input, ".", DIRECTORY_FLAGS);

	if (input < 0)
		return;
	(void)close(s->input);
	s->input = steal_fd(&input);
}

void
spool_close(struct spool *s)
{
	int *const all[] = { &s->fd, &s->input, &s->msglog, &s->db, &s->bad };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (*all[i] >= 0)
			(void)close(*all[i]);
		*all[i] = -1;
	}
}

bool
spool_has_room(const struct spool *s, uint64_t size, struct fail *f)
{
	struct statvfs v;
	uint64_t room;

	if (fstatvfs(s->input, &v) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno, "cannot look at %s", s->path);
	room = (uint64_t)v.f_bavail * v.f_frsize;
	if (room < size + RESERVE_OCTETS)
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0,
		    "the spool %s has %" PRIu64 " octets free and the message needs %" PRIu64
		    ": make room",
		    s->path, room, size + RESERVE_OCTETS);
	if (v.f_files > 0 && v.f_favail < RESERVE_INODES)
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0,
		    "the spool %s has no inodes free: make room", s->path);
	return true;
}

/* ------------------------------------------------------------------ the names of a message */

/* The directory for new files of id: input, or the one named by the id's sixth character. */
int
place_open(const struct spool *s, const char *id, bool split, bool make)
{
	char name[2] = { id[5], '\0' };

	return split ? directory(s, s->input, name, make) : fcntl(s->input, F_DUPFD_CLOEXEC, 3);
}

int
place_find(const struct spool *s, const char *id)
{
	char name[ID_MAX + 2];
	struct stat st;

	(void)snprintf(name, sizeof name, "%s-H", id);
	for (int split = 0; split < 2; split++) {
		AUTO_FD int fd = place_open(s, id, split != 0, false);

		if (fd >= 0 && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return steal_fd(&fd);
		if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			return -1;
	}
	errno = ENOENT;
	return -1;
}

/* ------------------------------------------------------------------ listing */

struct batch {
	char (*ids)[ID_MAX];
	size_t n;
	const char *after;
};

/* Keep the smallest SPOOL_BATCH ids behind after, in order. */
static void
keep(struct batch *b, const char *id)
{
	size_t low = 0, high = b->n;

	if (strcmp(id, b->after) <= 0)
		return;
	while (low < high) {
		size_t mid = (low + high) / 2;

		if (strcmp(b->ids[mid], id) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == SPOOL_BATCH || (low < b->n && strcmp(b->ids[low], id) == 0))
		return;
	if (b->n == SPOOL_BATCH)
		b->n--;
	memmove(b->ids[low + 1], b->ids[low], (b->n - low) * sizeof *b->ids);
	memset(b->ids[low], 0, sizeof *b->ids);
	memcpy(b->ids[low], id, strlen(id));
	b->n++;
}

/* Each name of a directory, until one is not to be followed by another. */
static bool
visit_while(
    int parent, const char *name, bool (*visit)(void *ctx, int dir, const char *name), void *ctx)
{
	int fd = openat(parent, name, DIRECTORY_FLAGS | O_NOFOLLOW);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	if (d == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP);
	}
	for (errno = 0; (e = readdir(d)) != NULL; errno = 0)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    !visit(ctx, fd, e->d_name))
			break;
	fd = errno;
	(void)closedir(d);
	errno = fd;
	return fd == 0;
}

struct every {
	void (*visit)(void *ctx, int dir, const char *name);
	void *ctx;
};

static bool
visit_one(void *ctx, int dir, const char *name)
{
	const struct every *e = ctx;

	e->visit(e->ctx, dir, name);
	return true;
}

bool
place_each(
    int parent, const char *name, void (*visit)(void *ctx, int dir, const char *name), void *ctx)
{
	struct every every = { visit, ctx };

	return visit_while(parent, name, visit_one, &every);
}

/* Is it a -H file?  id is whose. */
static bool
is_header(const char *name, char id[ID_MAX])
{
	size_t n = strlen(name);

	if (n < 3 || n - 2 >= ID_MAX || strcmp(name + n - 2, "-H") != 0)
		return false;
	memcpy(id, name, n - 2);
	id[n - 2] = '\0';
	return id_ok(id);
}

static void
list_name(void *ctx, int dir, const char *name)
{
	char id[ID_MAX];

	(void)dir;
	if (is_header(name, id))
		keep(ctx, id);
}

/* The first one is enough. */
static bool
see_name(void *ctx, int dir, const char *name)
{
	char id[ID_MAX];

	(void)dir;
	*(bool *)ctx |= is_header(name, id);
	return !*(bool *)ctx;
}

/* input itself and the directories of one character in it. */
static bool
walk_while(const struct spool *s, bool (*visit)(void *ctx, int dir, const char *name), void *ctx)
{
	static const char letters[] =
	    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	bool ok = visit_while(s->input, ".", visit, ctx);
	struct stat st;

	/* a directory without directories in it has two links */
	if (ok && fstat(s->input, &st) == 0 && st.st_nlink == 2)
		return true;
	for (size_t i = 0; letters[i] != '\0' && ok; i++) {
		char name[2] = { letters[i], '\0' };

		ok = visit_while(s->input, name, visit, ctx);
	}
	return ok;
}

bool
place_walk(const struct spool *s, void (*visit)(void *ctx, int dir, const char *name), void *ctx)
{
	struct every every = { visit, ctx };

	return walk_while(s, visit_one, &every);
}

bool
spool_list(const struct spool *s, const char *after, char (*ids)[ID_MAX], size_t *n, struct fail *f)
{
	struct batch b = { .ids = ids, .after = after };

	if (!place_walk(s, list_name, &b))
		return fail_set(
		    f, FAIL_TEMP, STAGE_SPOOL, errno, "cannot read the spool %s/input", s->path);
	*n = b.n;
	return true;
}

bool
spool_has_mail(const struct spool *s)
{
	bool any = false;

	return walk_while(s, see_name, &any) && any;
}

struct next {
	const char *after;
	char *name;
};

static void
next_name(void *ctx, int dir, const char *name)
{
	struct next *n = ctx;

	(void)dir;
	if (strcmp(name, n->after) > 0 && (n->name[0] == '\0' || strcmp(name, n->name) < 0))
		(void)snprintf(n->name, 256, "%s", name);
}

bool
spool_next_bad(const struct spool *s, const char *after, char name[256])
{
	struct next n = { after, name };

	name[0] = '\0';
	return place_each(s->bad, ".", next_name, &n) && name[0] != '\0';
}
