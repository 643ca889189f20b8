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

#include "base/banned.h" /* IWYU pragma: keep */

enum { FILE_MODE = 0640, PIECE = 8192 };

/* A file on its way into the directory dir. */
struct fresh {
	int fd, dir;
	char name[ID_MAX + 8];   /* its own */
	char first[ID_MAX + 16]; /* what it is called until then; "": it has no name */
};

static bool
cannot(struct fail *f, const struct spool *s, const char *what, const char *name)
{
	int e = errno;

	return fail_set(f, FAIL_TEMP, STAGE_SPOOL, e, "cannot %s %s/input/%s", what, s->path, name);
}

/* Unnamed where the filesystem can; else under a name that sweep knows. */
static bool
fresh_open(const struct spool *s, struct fresh *n, struct fail *f)
{
	n->first[0] = '\0';
	n->fd = openat(n->dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
	if (n->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		(void)snprintf(n->first, sizeof n->first, "hdr.%s", n->name);
		n->fd = openat(n->dir, n->first, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    FILE_MODE);
	}
	if (n->fd < 0)
		return cannot(f, s, "make", n->name);
	if (fchmod(n->fd, FILE_MODE) != 0 || (s->give && fchown(n->fd, s->uid, s->gid) != 0))
		return cannot(f, s, "set the owner of", n->name);
	return true;
}

static bool
same_file(const struct fresh *n)
{
	struct stat a, b;

	return fstat(n->fd, &a) == 0 && fstatat(n->dir, n->name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Give it its name.  An error that is none (NFS) is seen by the file being there. */
static bool
fresh_link(const struct spool *s, struct fresh *n, struct fail *f)
{
	char path[40];
	int done;

	if (n->first[0] != '\0') {
		done = renameat(n->dir, n->first, n->dir, n->name);
	} else {
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", n->fd);
		done = linkat(AT_FDCWD, path, n->dir, n->name, AT_SYMLINK_FOLLOW);
	}
	return done == 0 || same_file(n) || cannot(f, s, "link", n->name);
}

static void
fresh_drop(const struct fresh *n)
{
	if (n->first[0] != '\0' && n->fd >= 0)
		(void)unlinkat(n->dir, n->first, 0);
	if (n->fd >= 0 && same_file(n))
		(void)unlinkat(n->dir, n->name, 0);
	if (n->fd >= 0)
		(void)close(n->fd);
}

/* ------------------------------------------------------------------ -D */

static bool
put(int fd, struct digest *sum, struct str piece)
{
	digest_update(sum, piece);
	return fd_write_full(fd, piece.p, piece.n);
}

static bool
write_body(const struct spool *s, const struct queued *q, struct fresh *n, struct digest *sum,
    struct fail *f)
{
	char piece[PIECE], line[ID_MAX + 4];
	int length = snprintf(line, sizeof line, "%s-D\n", q->e.id);
	int64_t got;

	if (!put(n->fd, sum, str_at(line, (size_t)length)))
		return cannot(f, s, "write", n->name);
	for (uint64_t at = 0; (got = body_read(&q->m.body, at, piece, PIECE)) > 0;
	     at += (uint64_t)got)
		if (!put(n->fd, sum, str_at(piece, (size_t)got)))
			return cannot(f, s, "write", n->name);
	return got == 0 || cannot(f, s, "read the body for", n->name);
}

static bool
commit_body(const struct spool *s, const struct queued *q, struct fresh *n,
    struct queued_body *body, struct fail *f)
{
	struct digest sum;

	if (!digest_init(&sum, f) || !fresh_open(s, n, f))
		return false;
	if (flock(n->fd, LOCK_EX | LOCK_NB) != 0)
		return cannot(f, s, "lock", n->name);
	if (!write_body(s, q, n, &sum, f))
		return false;
	body->size = strlen(q->e.id) + 3 + q->m.body.size;
	(void)digest_hex(&sum, body->sha256);
	return fsync(n->fd) == 0 || cannot(f, s, "sync", n->name);
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
	if (!fd_write_full(n->fd, text.p, text.n) || fsync(n->fd) != 0)
		return cannot(f, s, "write", n->name);
	return true;
}

/* After the link of -H it is committed; when the directory cannot be synced it is taken back. */
static bool
link_both(const struct spool *s, struct fresh *body, struct fresh *header, struct fail *f)
{
	if (!fresh_link(s, body, f) || !fresh_link(s, header, f))
		return false;
	return fsync(body->dir) == 0 || cannot(f, s, "sync the directory of", header->name);
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
	    !link_both(s, &body, &header, f)) {
		fresh_drop(&header);
		fresh_drop(&body);
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
	struct queued_body about = { .size = q->file.size };
	char journal[ID_MAX + 4], first[ID_MAX + 8];

	memcpy(about.sha256, q->file.sha256, sizeof about.sha256);
	(void)snprintf(header.name, sizeof header.name, "%s-H", q->e.id);
	(void)snprintf(journal, sizeof journal, "%s-J", q->e.id);
	(void)snprintf(first, sizeof first, "hdr.%s", q->e.id);
	if (dir < 0)
		return cannot(f, s, "open the directory of", header.name);
	(void)unlinkat(dir, first, 0);
	memcpy(header.name, first, sizeof first);
	if (!write_header(s, q, &about, &header, f) || !fresh_link(s, &header, f)) {
		fresh_drop(&header);
		return false;
	}
	(void)snprintf(header.name, sizeof header.name, "%s-H", q->e.id);
	if (renameat(dir, first, dir, header.name) != 0 || fsync(dir) != 0) {
		(void)cannot(f, s, "replace", header.name);
		(void)unlinkat(dir, first, 0);
		(void)close(header.fd);
		return false;
	}
	(void)close(header.fd);
	(void)unlinkat(dir, journal, 0);
	return true;
}
