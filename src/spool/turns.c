/* turns.c - how many processes work for one user at the same moment. */
#include "spool/turns.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum { BYTES = 32 }; /* of the file for each uid; nothing is ever written into it */

static const struct {
	unsigned first, n;
} bytes[] = { [TURNS_DELIVERY] = { 0, TURNS_MOST }, [TURNS_PLACE] = { TURNS_MOST, TURNS_PLACES } };

_Static_assert(TURNS_MOST + TURNS_PLACES <= BYTES, "a user's bytes are his own");

int
turns_open(const struct spool *s)
{
	AUTO_FD int fd = openat(s->db, "turns",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	return steal_fd(&fd);
}

enum turns_found
turns_take(int fd, unsigned uid, enum turns_kind kind)
{
	struct flock one = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };

	for (unsigned i = 0; i < bytes[kind].n; i++) {
		one.l_start = (off_t)uid * BYTES + bytes[kind].first + i;
		if (fcntl(fd, F_SETLK, &one) == 0)
			return TURNS_HAD;
		if (errno != EACCES && errno != EAGAIN && errno != EINTR)
			return TURNS_UNKNOWN;
	}
	return TURNS_NONE;
}
