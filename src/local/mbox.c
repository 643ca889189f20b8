/* mbox.c - onto the end of an mbox file. */
#include "local/mbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LOCK_STALE = 30 * 60 }; /* seconds */

static void
wait_before(unsigned try, const struct mbox *m)
{
	if (try > 0)
		(void)poll(NULL, 0, (int)m->wait_ms);
}

/* A lock that nobody renews for this long was left by a program that died; one of ours that nobody
 * holds, too.  Who has got hold of it is the only one to remove it. */
static void
break_stale(const char *lock, int64_t now)
{
	AUTO_FD int fd = open(lock, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	char mark[sizeof LOCK_MARK - 1];
	struct stat st;
	bool ours = fd >= 0 && read(fd, mark, sizeof mark) == (ssize_t)sizeof mark &&
	    memcmp(mark, LOCK_MARK, sizeof mark) == 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    fstat(fd, &st) == 0 && st.st_nlink > 0;

	if (ours || (lstat(lock, &st) == 0 && now - st.st_mtim.tv_sec > LOCK_STALE))
		(void)unlink(lock);
}

/* Make PATH.lock.  *held -1: this directory is not for us to write in, fcntl has to do. */
static bool
lock_name(const struct mbox *m, const char *lock, int64_t now, int *held, struct fail *f)
{
	*held = -1;
	for (unsigned try = 0; try < m->tries; try++) {
		AUTO_FD int fd = -1;

		wait_before(try, m);
		break_stale(lock, now);
		fd = open(lock, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd >= 0) {
			if (flock(fd, LOCK_EX | LOCK_NB) == 0)
				(void)!write(fd, LOCK_MARK, sizeof LOCK_MARK - 1);
			*held = steal_fd(&fd);
			return true;
		}
		if (errno == EACCES || errno == EPERM || errno == EROFS)
			return true;
		if (errno != EEXIST)
			return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot create %s", lock);
	}
	return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
	    "failed to lock mailbox %s: %s is there; another program has it, or died with it",
	    m->path, lock);
}

static bool
lock_file(const struct mbox *m, int fd, struct fail *f)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	for (unsigned try = 0; try < m->tries; try++) {
		wait_before(try, m);
		if (fcntl(fd, F_SETLK, &whole) == 0)
			return true;
		if (errno != EACCES && errno != EAGAIN && errno != EINTR)
			return fail_set(
			    f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot lock mailbox %s", m->path);
	}
	return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
	    "failed to lock mailbox %s (fcntl): another program is using it", m->path);
}

static bool
check(const struct mbox *m, const struct user *u, const struct stat *st, struct fail *f)
{
	bool link = S_ISLNK(st->st_mode);

	if (st->st_uid != u->uid)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "mailbox %s%s has wrong uid (%u != %u)", m->path, link ? " (symlink)" : "",
		    st->st_uid, u->uid);
	if (link)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "mailbox %s is a symlink; name the file itself", m->path);
	if (!S_ISREG(st->st_mode))
		return fail_set(
		    f, FAIL_TEMP, STAGE_LOCAL, 0, "mailbox %s is not a regular file", m->path);
	if (st->st_nlink != 1)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "mailbox %s has too many links (%lu)",
		    m->path, (unsigned long)st->st_nlink);
	return true;
}

/* Open or make it.  What stands at the name is looked at again through the descriptor. */
static int
open_mailbox(const struct mbox *m, const struct user *u, bool *made, struct fail *f)
{
	int flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	AUTO_FD int fd = -1;
	struct stat st;

	if (lstat(m->path, &st) == 0 && !check(m, u, &st, f))
		return -1;
	fd = open(m->path, flags | O_CREAT | O_EXCL, m->mode);
	*made = fd >= 0;
	if (fd < 0 && errno == EEXIST)
		fd = open(m->path, flags);
	if (fd < 0 || fstat(fd, &st) != 0) {
		(void)fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot open mailbox %s", m->path);
		return -1;
	}
	if (!check(m, u, &st, f))
		return -1;
	/* The umask is strict, a mailbox's mode is its own; an old one is only ever narrowed. */
	if (*made)
		(void)fchmod(fd, m->mode);
	else if ((st.st_mode & 07777 & ~m->mode) != 0)
		(void)fchmod(fd, st.st_mode & m->mode);
	return steal_fd(&fd);
}

/* A writer that died in the middle of a line must not swallow our From_ line. */
static void
end_last_line(int fd, off_t size, struct buf *head)
{
	char last;

	if (size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n')
		buf_str(head, "\n\n");
}

static bool
append(struct letter *l, int fd, off_t size, struct fail *f)
{
	AUTO_BUF struct buf head = BUF_INIT(LETTER_HEAD_MAX), tail = BUF_INIT(16);

	end_last_line(fd, size, &head);
	letter_from_line(l, &head);
	(void)letter_head(l, &head);
	buf_char(&tail, '\n');
	if (!letter_write(fd, &head, f) || !letter_copy(l, fd, true, f) ||
	    !letter_write(fd, &tail, f))
		return false;
	return fsync(fd) == 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot sync the mailbox");
}

static bool
deliver_locked(struct letter *l, struct arena *a, const struct mbox *m, struct fail *f)
{
	bool made;
	AUTO_FD int fd = open_mailbox(m, l->user, &made, f);
	struct stat st;

	if (fd < 0 || !lock_file(m, fd, f))
		return false;
	if (fstat(fd, &st) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot look at %s", m->path);
	if (append(l, fd, st.st_size, f) && (!made || letter_sync_directory(a, m->path, f)))
		return true;
	if (ftruncate(fd, st.st_size) != 0)
		fail_prefix(f, "a part of the message stays in it");
	fail_prefix(f, "mailbox %s", m->path);
	return false;
}

bool
mbox_deliver(struct letter *l, struct arena *a, const struct mbox *m, struct fail *f)
{
	const char *lock = arena_fmt(a, "%s.lock", m->path);
	AUTO_FD int held = -1;
	bool done;

	if (!lock_name(m, lock, l->sec, &held, f))
		return false;
	done = deliver_locked(l, a, m, f);
	if (held >= 0)
		(void)unlink(lock);
	return done;
}
