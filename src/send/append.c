/* append.c - a log file is opened in one way. */
#include "send/append.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum { FLAGS = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, MODE = 0640 };

/* Root's own file is the directory's owner's, who has to write to it, too: also one that root made
 * before there was that user. */
static void
give(int dir, int fd, const struct stat *st)
{
	struct stat owner;

	if (geteuid() == 0 && st->st_uid == 0 && fstat(dir, &owner) == 0 && owner.st_uid != 0)
		(void)!fchown(fd, owner.st_uid, (gid_t)-1);
}

int
append_open(int dir, const char *name, bool make)
{
	AUTO_FD int fd = openat(dir, name, FLAGS);
	struct stat st;

	if (fd < 0 && errno == ENOENT && make) {
		fd = openat(dir, name, FLAGS | O_CREAT | O_EXCL, MODE);
		if (fd >= 0)
			(void)fchmod(fd, MODE); /* whatever the umask */
		else if (errno == EEXIST)       /* another process was faster */
			fd = openat(dir, name, FLAGS);
	}
	if (fd < 0 || fstat(fd, &st) != 0)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1) {
		errno = EINVAL;
		return -1;
	}
	give(dir, fd, &st);
	return steal_fd(&fd);
}
