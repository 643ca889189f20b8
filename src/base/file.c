/* file.c - the one way to open a file by name, and whole reads and writes. */
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum { LOCK_LOOK_MS = 10 };

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

/* The mark of UTF-8 or UTF-16 at the start of a file. */
static bool
skip_mark(const char *path, struct str *text, struct fail *f)
{
	if (str_starts(*text, STR("\xff\xfe")) || str_starts(*text, STR("\xfe\xff")))
		return fail_conf(f, "%s is UTF-16: save it as UTF-8", path);
	if (str_starts(*text, STR("\xef\xbb\xbf")))
		*text = str_skip(*text, 3);
	return true;
}

bool
file_text(const char *path, unsigned line, struct str *bytes, struct fail *f)
{
	struct str text = *bytes;
	size_t nul;

	if (line == 0 && !skip_mark(path, &text, f))
		return false;
	nul = str_find(text, '\0');
	if (nul == text.n) {
		*bytes = text;
		return true;
	}
	line += line == 0;
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
	if (!file_text(path, 0, &text, f))
		return false;
	*out = text;
	return true;
}

/* Why a file cannot be opened: the fault of the file and its path (USER), or of the machine for now
 * (TEMP). */
static enum fail_class
class_of(int e)
{
	return e == ENOENT || e == ENOTDIR || e == EACCES || e == EPERM || e == ELOOP ||
		e == ENAMETOOLONG || e == EISDIR || e == ENXIO ?
	    FAIL_USER :
	    FAIL_TEMP;
}

bool
file_not_opened(const char *path, struct fail *f)
{
	if (errno == EINVAL)
		return fail_conf(f, "%s is not a regular file", path);
	return fail_set(f, class_of(errno), STAGE_CONFIG, errno, "cannot open %s", path);
}

bool
file_read(struct arena *a, const char *path, struct str *out, struct fail *f)
{
	struct stat st;
	AUTO_FD int fd = file_open(AT_FDCWD, path, 0, &st);

	return fd < 0 ? file_not_opened(path, f) : file_read_fd(a, fd, path, out, f);
}

static bool
wait_for(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, -1) >= 0 || errno == EINTR;
}

bool
file_lock(int fd, unsigned ms)
{
	for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += LOCK_LOOK_MS) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || waited >= ms)
			return false;
		(void)poll(NULL, 0, LOCK_LOOK_MS);
	}
	return true;
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

/* close_range(2) is of Linux 5.9; before, /proc knows which are open; without it all that may
 * be are tried. */
static void
each_from(int first, unsigned how, void (*act)(int fd))
{
	enum { OPEN_MAX_USUAL = 1 << 20 };
	struct rlimit most = { .rlim_cur = OPEN_MAX_USUAL };
	struct dirent *e;
	DIR *all;

	if (syscall(SYS_close_range, first, ~0U, how) == 0)
		return;
	all = opendir("/proc/self/fd");
	while (all != NULL && (e = readdir(all)) != NULL) {
		int fd = (int)strtol(e->d_name, NULL, 10); /* 0: "." and ".." */

		if (fd >= first && fd != dirfd(all))
			act(fd);
	}
	if (all != NULL) {
		(void)closedir(all);
		return;
	}
	(void)getrlimit(RLIMIT_NOFILE, &most);
	for (int i = first; i < OPEN_MAX_USUAL && (rlim_t)i < most.rlim_cur; i++)
		act(i);
}

static void
shut(int fd)
{
	(void)close(fd);
}

static void
mark(int fd)
{
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

void
fd_close_from(int first)
{
	each_from(first, 0, shut);
}

void
fd_close_on_exec_from(int first)
{
	enum { CLOSE_RANGE_MARKS = 1 << 2 }; /* CLOSE_RANGE_CLOEXEC, of Linux 5.11 */

	each_from(first, CLOSE_RANGE_MARKS, mark);
}

int
fd_of_process(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

int
file_rename(int from, const char *name, int to, const char *new_name)
{
	enum { NOREPLACE = 1 << 0 }; /* RENAME_NOREPLACE, not in every stdio.h */
	struct stat st;

	if (syscall(SYS_renameat2, from, name, to, new_name, NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	if (fstatat(to, new_name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(from, name, to, new_name);
}
