/* maildir.c - into a Maildir. */
#include "local/maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/id.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { DIRECTORY_MODE = 0700, FILE_MODE = 0600, TRIES = 10, PIECE = 4096 };

const char *
maildir_path(struct arena *a, const char *option, const char *home)
{
	struct str o = str_of(option);
	const char *path = option;

	if (str_starts(o, STR("$home")))
		path = arena_fmt(a, "%s%s", home, option + sizeof "$home" - 1);
	else if (str_starts(o, STR("${home}")))
		path = arena_fmt(a, "%s%s", home, option + sizeof "${home}" - 1);
	return path[0] == '/' ? path : NULL;
}

static bool
make_directory(struct arena *a, const char *path, struct fail *f)
{
	if (mkdir(path, DIRECTORY_MODE) == 0)
		return letter_sync_directory(a, path, f);
	return errno == EEXIST ||
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot create %s", path);
}

/* mkdir -p PATH/PART, and open it. */
static int
open_part(struct arena *a, const char *path, const char *part, struct fail *f)
{
	char *at = arena_fmt(a, "%s/%s", path, part);
	int fd;

	for (char *p = strchr(at + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (!make_directory(a, at, f))
			return -1;
		*p = '/';
	}
	if (!make_directory(a, at, f))
		return -1;
	fd = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		(void)fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot open %s", at);
	return fd;
}

/* The characters that a Maildir's file name cannot have are written as Courier does. */
static void
add_plain(struct buf *b, const char *p)
{
	for (; *p != '\0'; p++) {
		if (*p == '/')
			buf_str(b, "\\057");
		else if (*p == ':')
			buf_str(b, "\\072");
		else
			buf_char(b, *p);
	}
}

/* The same for each try of one delivery, so that what was delivered by one that could not say so is
 * found. */
static const char *
file_name(struct arena *a, const struct letter *l, unsigned other)
{
	AUTO_BUF struct buf b = BUF_INIT(512);
	const struct local_request *rq = l->rq;
	const char *key = arena_fmt(a, "%u%s %s", rq->transport, rq->path, rq->recipient);

	buf_fmt(&b, "%lld.I", (long long)id_seconds(rq->id));
	add_plain(&b, rq->id);
	buf_fmt(&b, "H%016" PRIx64 "_%u.", str_hash(str_of(key)), other);
	add_plain(&b, rq->host);
	return arena_strz(a, buf_get(&b));
}

/* A file being written: without a name where the system can do that, so that no kill leaves one. */
struct draft {
	int fd, tmp;
	off_t date, behind; /* Delivery-date, and what follows it */
	const char *name;   /* in tmp; NULL: it has none */
};

static bool
open_draft(struct draft *d, struct arena *a, const struct letter *l, int tmp, struct fail *f)
{
	const char *name = file_name(a, l, 0);

	*d = (struct draft){ .tmp = tmp, .fd = -1 };
	(void)unlinkat(tmp, name, 0); /* an earlier try was killed */
	if (access("/proc/self/fd", X_OK) == 0)
		d->fd = openat(tmp, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, FILE_MODE);
	if (d->fd < 0) {
		d->name = name;
		d->fd = openat(
		    tmp, d->name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	}
	return d->fd >= 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot create a file in the Maildir's tmp");
}

/* Give it its name in new/.  False with errno; EEXIST: another name, please. */
static bool
publish(const struct draft *d, int new, const char *name)
{
	char link[sizeof "/proc/self/fd/" + 16];

	if (d->name == NULL) {
		(void)snprintf(link, sizeof link, "/proc/self/fd/%d", d->fd);
		return linkat(AT_FDCWD, link, new, name, AT_SYMLINK_FOLLOW) == 0;
	}
	return file_rename(d->tmp, d->name, new, name) == 0;
}

/* Do two files have the same octets from at to end? */
static bool
same(int one, int other, off_t at, off_t end)
{
	char mine[PIECE], theirs[PIECE];

	while (at < end) {
		size_t n = end - at < PIECE ? (size_t)(end - at) : PIECE;
		ssize_t got = TEMP_FAILURE_RETRY(pread(one, mine, n, at));

		if (got <= 0 || TEMP_FAILURE_RETRY(pread(other, theirs, (size_t)got, at)) != got ||
		    memcmp(mine, theirs, (size_t)got) != 0)
			return false;
		at += got;
	}
	return true;
}

/* An earlier try, which ended before it could say that it was done, has left it there: all but the
 * date of the delivery is the same. */
static bool
is_there(const struct draft *d, int new, const char *name)
{
	AUTO_FD int fd = openat(new, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat this, that;

	return fd >= 0 && fstat(d->fd, &this) == 0 && fstat(fd, &that) == 0 &&
	    S_ISREG(that.st_mode) && this.st_size == that.st_size && same(d->fd, fd, 0, d->date) &&
	    same(d->fd, fd, d->behind, this.st_size);
}

static bool
publish_some_name(
    const struct draft *d, struct arena *a, const struct letter *l, int new, struct fail *f)
{
	const char *name;
	unsigned other = 0;
	bool done, taken;

	do {
		name = file_name(a, l, other);
		done = publish(d, new, name);
		taken = !done && errno == EEXIST;
		done = done || (taken && is_there(d, new, name));
	} while (!done && taken && ++other < TRIES);
	if (taken)
		errno = EEXIST;
	if (!done)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno,
		    "cannot create %s in the Maildir's new", name);
	if (fsync(new) == 0)
		return true;
	(void)fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot sync the Maildir's new");
	(void)unlinkat(new, name, 0);
	return false;
}

static bool
write_draft(struct draft *d, struct letter *l, struct fail *f)
{
	AUTO_BUF struct buf head = BUF_INIT(LETTER_HEAD_MAX);

	d->date = (off_t)letter_head(l, &head);
	d->behind = (off_t)head.n;
	if (!letter_write(d->fd, &head, f) || !letter_copy(l, d->fd, false, f))
		return false;
	return fsync(d->fd) == 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot sync the message");
}

bool
maildir_deliver(struct letter *l, struct arena *a, const char *path, struct fail *f)
{
	AUTO_FD int tmp = open_part(a, path, "tmp", f);
	AUTO_FD int new = tmp < 0 ? -1 : open_part(a, path, "new", f);
	AUTO_FD int cur = new < 0 ? -1 : open_part(a, path, "cur", f);
	struct draft d;
	bool done;

	if (cur < 0 || !open_draft(&d, a, l, tmp, f))
		return false;
	done = write_draft(&d, l, f) && publish_some_name(&d, a, l, new, f);
	if (!done)
		fail_prefix(f, "%s", path);
	if (d.name != NULL)
		(void)unlinkat(tmp, d.name, 0);
	/* Some file systems (NFS, quotas) say only here that there was no room; it is synced. */
	(void)close(d.fd);
	return done;
}
