/* file.c - the one way to open a file by name, and whole reads and writes. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

#include "base/banned.h" /* IWYU pragma: keep */

int
file_open(int dirfd, const char *path, enum file_flags flags, struct stat *st)
{
	int mode = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	AUTO_FD int fd = -1;

	if (flags & FILE_NOFOLLOW)
		mode |= O_NOFOLLOW;
	fd = openat(dirfd, path, mode);
	if (fd < 0)
		return -1;
	if (fstat(fd, st) != 0)
		return -1;
	if (!S_ISREG(st->st_mode)) {
		errno = EINVAL;
		return -1;
	}
	return steal_fd(&fd);
}

bool
file_text(const char *path, struct str *bytes, struct fail *f)
{
	struct str text = *bytes;
	size_t nul;
	unsigned line = 1;

	if (str_starts(text, STR("\xff\xfe")) || str_starts(text, STR("\xfe\xff")))
		return fail_conf(f, "%s is UTF-16: save it as UTF-8", path);
	if (str_starts(text, STR("\xef\xbb\xbf")))
		text = str_skip(text, 3);
	nul = str_find(text, '\0');
	if (nul == text.n) {
		*bytes = text;
		return true;
	}
	for (size_t i = 0; i < nul; i++)
		line += text.p[i] == '\n';
	return fail_conf(f,
	    "%s:%u: there is a NUL octet: the file is damaged, or UTF-16; write it again as UTF-8",
	    path, line);
}

bool
file_read_fd(struct arena *a, int fd, const char *path, struct str *out, struct fail *f)
{
	struct stat st;
	struct str text;
	ssize_t got;
	char *p;

	if (fstat(fd, &st) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "cannot read %s", path);
	if (st.st_size > FILE_MAX)
		return fail_conf(f, "%s is larger than %d bytes", path, FILE_MAX);
	p = arena_alloc(a, (size_t)st.st_size + 1);
	got = fd_read_full(fd, p, (size_t)st.st_size);
	if (got < 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "cannot read %s", path);
	text = str_at(p, (size_t)got);
	if (!file_text(path, &text, f))
		return false;
	*out = text;
	return true;
}

/* Is it the file, or has the machine too little, or a fault? */
static enum fail_class
class_of(int e)
{
	return e == ENOENT || e == ENOTDIR || e == EACCES || e == EPERM || e == ELOOP ||
		e == ENAMETOOLONG || e == EISDIR || e == ENXIO ?
	    FAIL_USER :
	    FAIL_TEMP;
}

bool
file_read(struct arena *a, const char *path, struct str *out, struct fail *f)
{
	struct stat st;
	AUTO_FD int fd = file_open(AT_FDCWD, path, 0, &st);

	if (fd < 0 && errno == EINVAL)
		return fail_conf(f, "%s is not a regular file", path);
	if (fd < 0)
		return fail_set(f, class_of(errno), STAGE_CONFIG, errno, "cannot open %s", path);
	return file_read_fd(a, fd, path, out, f);
}

static bool
wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

ssize_t
fd_read(int fd, void *p, size_t n)
{
	for (;;) {
		ssize_t got = read(fd, p, n);

		if (got >= 0)
			return got;
		if (errno == EAGAIN && !wait_for(fd, POLLIN))
			return -1;
		if (errno != EINTR && errno != EAGAIN)
			return -1;
	}
}

ssize_t
fd_read_full(int fd, void *p, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = fd_read(fd, (char *)p + have, n - have);

		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

bool
buf_read(struct buf *b, int fd, size_t n)
{
	char *room;

	buf_reset(b);
	room = buf_room(b, n);
	if (room == NULL || fd_read_full(fd, room, n) != (ssize_t)n)
		return false;
	buf_filled(b, n);
	return true;
}

bool
fd_write_full(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t put = write(fd, at, n);

		if (put < 0 && errno == EAGAIN && !wait_for(fd, POLLOUT))
			return false;
		if (put == 0)
			errno = ENOSPC;
		if (put == 0 || (put < 0 && errno != EINTR && errno != EAGAIN))
			return false;
		if (put > 0) {
			at += put;
			n -= (size_t)put;
		}
	}
	return true;
}
