/* journal.c - the keys of what is done, one a line, synced before anything else is tried. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/id.h"
#include "spool/place.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { NAME = ID_MAX + 8, JOURNAL_MAX = 64 << 20 };

/* All full lines of the file into b.  What a crash has left behind the last one (a part of a line,
 * which may look like another key; NUL octets of a block that was never written) is no key: that
 * delivery is not known to be done. */
static bool
full_lines(int fd, struct buf *b)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || lseek(fd, 0, SEEK_SET) != 0 ||
	    !buf_read(b, fd, (size_t)st.st_size))
		return false;
	b->n = str_find(buf_get(b), '\0');
	while (b->n > 0 && b->p[b->n - 1] != '\n')
		b->n--;
	return true;
}

/* A line " ID KEY" was written before the bounce ID was made: it counts only if that is in the
 * spool. */
static bool
is_so(const struct spool *s, struct str *key, const char **why)
{
	AUTO_FD int dir = -1;
	char id[ID_MAX];
	struct str given;

	if (!str_starts(*key, STR(" ")))
		return true;
	*key = str_skip(*key, 1);
	given = str_cut(key, ' ');
	(void)snprintf(id, sizeof id, "%.*s", S_ARG(given));
	if (!id_ok(id))
		return false;
	dir = place_find(s, id);
	if (dir < 0 && errno != ENOENT)
		*why = place_not_now;
	return dir >= 0;
}

/* Root makes it, then gives it to the spool's owner, who is not stopped by one that root was killed
 * over: no key was ever in it.  mend: the message is locked, and it goes. */
static int
journal_file(const struct spool *s, int dir, const char *name, bool mend, const char **why)
{
	int fd = place_file(s, dir, name, JOURNAL_MAX, why);
	struct stat st;

	if (fd < 0 && *why == place_not_now && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_uid == 0 && st.st_size == 0 &&
	    (!mend || unlinkat(dir, name, 0) == 0))
		*why = NULL;
	return fd;
}

bool
place_journal(const struct spool *s, int dir, struct queued *q, bool mend, const char **why)
{
	AUTO_BUF struct buf text = BUF_INIT(JOURNAL_MAX);
	AUTO_FD int fd = -1;
	char name[NAME];
	struct str rest;

	(void)snprintf(name, sizeof name, "%s-J", q->e.id);
	fd = journal_file(s, dir, name, mend, why);
	if (fd < 0)
		return *why == NULL;
	if (!full_lines(fd, &text) || (mend && ftruncate(fd, (off_t)text.n) != 0)) {
		*why = place_not_now;
		return false;
	}
	rest = buf_get(&text);
	while (rest.n > 0) {
		struct str key = str_cut(&rest, '\n');

		if (!is_so(s, &key, why))
			continue;
		q->done = arena_grow(q->arena, q->done, q->ndone, sizeof *q->done);
		q->done[q->ndone++] = arena_strz(q->arena, key);
	}
	return *why == NULL;
}

/* What was not written whole is taken back, so that the next key is not glued to it. */
static bool
append(int fd, const struct buf *lines)
{
	AUTO_BUF struct buf text = BUF_INIT(JOURNAL_MAX);
	int e;

	if (fd_write_full(fd, lines->p, lines->n))
		return TEMP_FAILURE_RETRY(fdatasync(fd)) == 0;
	e = errno;
	if (full_lines(fd, &text))
		(void)!ftruncate(fd, (off_t)text.n);
	errno = e;
	return false;
}

static int
open_journal(const struct spool *s, int dir, const char *name)
{
	const char *why;
	int fd = journal_file(s, dir, name, true, &why);

	if (fd >= 0 || why != NULL)
		return fd;
	fd = openat(dir, name, O_RDWR | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0 ||
	    ((!s->give || fchown(fd, s->uid, s->gid) == 0) && TEMP_FAILURE_RETRY(fsync(dir)) == 0))
		return fd;
	(void)close(fd);
	return -1;
}

bool
spool_journal(const struct spool *s, const struct queued *q, const char *const *keys, size_t n,
    struct fail *f)
{
	AUTO_BUF struct buf lines = BUF_INIT(JOURNAL_MAX);
	AUTO_FD int dir = place_find(s, q->e.id);
	AUTO_FD int fd = -1;
	char name[NAME];

	(void)snprintf(name, sizeof name, "%s-J", q->e.id);
	for (size_t i = 0; i < n; i++) {
		if (*keys[i] == '\0' || strchr(keys[i], '\n') != NULL)
			return fail_set(f, FAIL_PERM, STAGE_SPOOL, 0,
			    "an address with a line break cannot be journalled");
		buf_fmt(&lines, "%s\n", keys[i]);
	}
	if (n == 0)
		return true;
	if (dir >= 0)
		fd = open_journal(s, dir, name);
	if (fd < 0 || !buf_ok(&lines) || !append(fd, &lines))
		return fail_set(
		    f, FAIL_TEMP, STAGE_SPOOL, errno, "cannot write %s/input/%s", s->path, name);
	return true;
}
