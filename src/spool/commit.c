/* commit.c - a message is made durable: both files written and synced, then linked. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "spool/place.h"
#include "spool/quiet.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { FILE_MODE = 0640, PIECE = 8 * 1024, PROC = 40 };

/* A file on its way into the directory dir. */
struct fresh {
	int fd, dir;
	char name[ID_MAX + 8];   /* its own */
	char first[ID_MAX + 16]; /* what it is called until then; "": it has no name */
	bool linked;
};

static bool
cannot(struct fail *f, const struct spool *s, const char *what, const char *name)
{
	int e = errno;

	return fail_set(f, FAIL_TEMP, STAGE_SPOOL, e, "cannot %s %s/input/%s", what, s->path, name);
}

static int
sync_fd(int fd)
{
	return (int)TEMP_FAILURE_RETRY(fsync(fd));
}

static const char *
proc_path(int fd, char out[PROC])
{
	(void)snprintf(out, PROC, "/proc/self/fd/%d", fd);
	return out;
}

static bool
give(const struct spool *s, int fd)
{
	return fchmod(fd, FILE_MODE) == 0 && (!s->give || fchown(fd, s->uid, s->gid) == 0);
}

/* Make it under a name that sweep.c knows and removes when it is not locked: it may have done so
 * before our lock, and then another is made. */
static int
open_named(struct fresh *n)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	struct stat st;
	int fd;

	(void)snprintf(n->first, sizeof n->first, "hdr.%s", n->name);
	for (unsigned tries = 0; tries < 3; tries++) {
		fd = openat(n->dir, n->first, flags, FILE_MODE);
		if (fd < 0 || (flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0))
			return fd;
		(void)close(fd);
		errno = EAGAIN;
	}
	return -1;
}

/* Make the file and lock it: without a name (O_TMPFILE) where the file system can do that and /proc
 * is mounted, through which it gets its name later. */
static bool
fresh_open(const struct spool *s, struct fresh *n, struct fail *f)
{
	char path[PROC];

	n->first[0] = '\0';
	n->fd = openat(n->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
	if (n->fd >= 0 && access(proc_path(n->fd, path), F_OK) != 0) {
		(void)close(n->fd);
		n->fd = open_named(n);
	} else if (n->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		n->fd = open_named(n);
	}
	if (n->fd < 0)
		return cannot(f, s, "make", n->name);
	if (flock(n->fd, LOCK_EX | LOCK_NB) != 0)
		return cannot(f, s, "lock", n->name);
	return give(s, n->fd) || cannot(f, s, "set the owner of", n->name);
}

static bool
same_file(const struct fresh *n, const char *name)
{
	struct stat a, b;

	return fstat(n->fd, &a) == 0 && fstatat(n->dir, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int
link_as(const struct fresh *n, const char *name)
{
	char path[PROC];

	return linkat(AT_FDCWD, proc_path(n->fd, path), n->dir, name, AT_SYMLINK_FOLLOW);
}

/* Give it its name.  Over NFS a link may be made and yet reported as an error: then the name is
 * this file's. */
static bool
fresh_link(const struct spool *s, struct fresh *n, struct fail *f)
{
	if (!n->linked)
		n->linked = (n->first[0] != '\0' ? file_rename(n->dir, n->first, n->dir, n->name) :
						   link_as(n, n->name)) == 0 ||
		    same_file(n, n->name);
	return n->linked || cannot(f, s, "link", n->name);
}

/* Give it its name, in place of the file that has the name now. */
static bool
fresh_replace(const struct spool *s, struct fresh *n, struct fail *f)
{
	if (n->first[0] == '\0') {
		char first[sizeof n->first];

		(void)snprintf(first, sizeof first, "hdr.%s", n->name);
		if (link_as(n, first) != 0 && !same_file(n, first))
			return cannot(f, s, "link", first);
		memcpy(n->first, first, sizeof n->first);
	}
	n->linked = renameat(n->dir, n->first, n->dir, n->name) == 0 || same_file(n, n->name);
	return n->linked || cannot(f, s, "replace", n->name);
}

static void
fresh_drop(const struct fresh *n)
{
	if (n->fd < 0)
		return;
	if (n->first[0] != '\0' && same_file(n, n->first))
		(void)unlinkat(n->dir, n->first, 0);
	if (same_file(n, n->name))
		(void)unlinkat(n->dir, n->name, 0);
	(void)close(n->fd);
}

/* ------------------------------------------------------------------ -D */

static bool
put(const struct fresh *n, struct digest *sum, struct str piece)
{
	digest_update(sum, piece);
	return n->linked || fd_write_full(n->fd, piece.p, piece.n);
}

/* A temporary file of our own user, open for writing, that could be the file itself. */
static bool
is_fit(const struct body *b, size_t start, int dir)
{
	struct stat st, at;

	return b->fd >= 0 && b->start == start && fstat(b->fd, &st) == 0 && fstat(dir, &at) == 0 &&
	    S_ISREG(st.st_mode) && st.st_dev == at.st_dev && st.st_nlink == 0 &&
	    st.st_uid == geteuid() && (uint64_t)st.st_size == start + b->size &&
	    (fcntl(b->fd, F_GETFL) & O_ACCMODE) == O_RDWR;
}

/* The body's temporary file becomes -D.  Not another user's, who could go on writing to it; and
 * opened anew, because whoever sent the descriptor has a share in its lock.  False: it is to be
 * copied. */
static bool
adopt(const struct spool *s, const struct queued *q, struct str line, struct fresh *n)
{
	char path[PROC];
	AUTO_FD int fd = -1;

	if (!is_fit(&q->m.body, line.n, n->dir))
		return false;
	fd = open(proc_path(q->m.body.fd, path), O_RDWR | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || !give(s, fd) ||
	    pwrite(fd, line.p, line.n, 0) != (ssize_t)line.n)
		return false;
	n->first[0] = '\0';
	n->fd = fd;
	n->linked = link_as(n, n->name) == 0;
	if (n->linked)
		(void)steal_fd(&fd);
	else
		n->fd = -1;
	return n->linked;
}

static bool
write_body(const struct spool *s, const struct queued *q, struct str line, struct fresh *n,
    struct digest *sum, struct fail *f)
{
	char piece[PIECE];
	int64_t got;

	if (!put(n, sum, line))
		return cannot(f, s, "write", n->name);
	for (uint64_t at = 0; (got = body_read(&q->m.body, at, piece, PIECE)) > 0;
	     at += (uint64_t)got)
		if (!put(n, sum, str_at(piece, (size_t)got)))
			return cannot(f, s, "write", n->name);
	return got == 0 || cannot(f, s, "read the body for", n->name);
}

static bool
commit_body(const struct spool *s, const struct queued *q, struct fresh *n,
    struct queued_body *body, struct fail *f)
{
	char line[ID_MAX + 4];
	size_t length = (size_t)snprintf(line, sizeof line, "%s-D\n", q->e.id);
	struct str first = str_at(line, length);
	struct digest sum;

	if (!digest_init(&sum, f))
		return false;
	if (!adopt(s, q, first, n) && !fresh_open(s, n, f))
		return false;
	if (!write_body(s, q, first, n, &sum, f))
		return false;
	body->size = length + q->m.body.size;
	(void)digest_hex(&sum, body->sha256);
	return sync_fd(n->fd) == 0 || cannot(f, s, "sync", n->name);
}

/* ------------------------------------------------------------------ -H */

static bool
write_header(const struct spool *s, const struct queued *q, const struct queued_body *body,
    struct fresh *n, struct fail *f)
{
	AUTO_BUF struct buf text = BUF_INIT(SPOOL_HEADER_MAX);

	if (!queued_write(q, body, &text, f))
		return false;
	if (!buf_ok(&text))
		return fail_set(
		    f, FAIL_PERM, STAGE_SPOOL, 0, "the header is too long for the spool");
	if (!fresh_open(s, n, f))
		return false;
	if (!fd_write_full(n->fd, text.p, text.n) || sync_fd(n->fd) != 0)
		return cannot(f, s, "write", n->name);
	return true;
}

/* -H gets its name; what is known of the queue no longer holds for id. */
static bool
show(const struct spool *s, const char *id, struct fresh *header,
    bool (*step)(const struct spool *s, struct fresh *n, struct fail *f), struct fail *f)
{
	bool change = quiet_change(s, id), ok = step(s, header, f);

	quiet_changed(s, change);
	return ok;
}

static bool
link_both(
    const struct spool *s, const char *id, struct fresh *body, struct fresh *header, struct fail *f)
{
	if (!fresh_link(s, body, f) || !show(s, id, header, fresh_link, f))
		return false;
	return sync_fd(body->dir) == 0 || cannot(f, s, "sync the directory of", header->name);
}

bool
spool_commit(const struct spool *s, struct queued *q, struct fail *f)
{
	AUTO_FD int dir = place_open(s, q->e.id, s->split, true);
	struct fresh body = { .fd = -1, .dir = dir }, header = { .fd = -1, .dir = dir };
	struct queued_body about;

	(void)snprintf(body.name, sizeof body.name, "%s-D", q->e.id);
	(void)snprintf(header.name, sizeof header.name, "%s-H", q->e.id);
	if (dir < 0)
		return cannot(f, s, "open the directory of", body.name);
	if (!commit_body(s, q, &body, &about, f) || !write_header(s, q, &about, &header, f) ||
	    !link_both(s, q->e.id, &body, &header, f)) {
		fresh_drop(&header);
		fresh_drop(&body);
		if (header.linked)
			(void)sync_fd(dir);
		return false;
	}
	(void)close(header.fd);
	body_close(&q->m.body);
	q->m.body.fd = body.fd;
	q->m.body.start = strlen(q->e.id) + 3;
	q->file = about;
	return true;
}

bool
spool_rewrite(const struct spool *s, struct queued *q, struct fail *f)
{
	AUTO_FD int dir = place_find(s, q->e.id);
	struct fresh header = { .fd = -1, .dir = dir };
	char journal[ID_MAX + 4];

	(void)snprintf(header.name, sizeof header.name, "%s-H", q->e.id);
	(void)snprintf(journal, sizeof journal, "%s-J", q->e.id);
	(void)snprintf(header.first, sizeof header.first, "hdr.%s-H", q->e.id);
	if (dir < 0)
		return cannot(f, s, "open the directory of", header.name);
	/* a leftover of a process that was killed */
	(void)unlinkat(dir, header.first, 0);
	if (!write_header(s, q, &q->file, &header, f) ||
	    !show(s, q->e.id, &header, fresh_replace, f)) {
		fresh_drop(&header);
		return false;
	}
	(void)close(header.fd);
	/* before this sync a crash may bring back the old -H, which needs the journal */
	if (sync_fd(dir) != 0)
		return cannot(f, s, "sync the directory of", header.name);
	(void)unlinkat(dir, journal, 0);
	return true;
}
