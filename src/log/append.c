/* append.c - a log file is opened in one way. */
#include "log/append.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum { FLAGS = O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, MODE = 0640 };

static void
give(int dir, int fd)
{
	struct stat st;

	(void)fchmod(fd, MODE); /* whatever the umask */
	if (geteuid() == 0 && fstat(dir, &st) == 0 && st.st_uid != 0)
		(void)!fchown(fd, st.st_uid, (gid_t)-1);
}

int
append_open(int dir, const char *name, bool make)
{
	AUTO_FD int fd = openat(dir, name, FLAGS);
	struct stat st;

	if (fd < 0 && errno == ENOENT && make) {
		fd = openat(dir, name, FLAGS | O_CREAT | O_EXCL, MODE);
		if (fd >= 0)
			give(dir, fd);
		else if (errno == EEXIST) /* another process was faster */
			fd = openat(dir, name, FLAGS);
	}
	if (fd < 0 || fstat(fd, &st) != 0)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_nlink > 1) {
		errno = EINVAL;
		return -1;
	}
	return steal_fd(&fd);
}
