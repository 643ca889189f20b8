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
	const char *file;
	int how;
} kinds[] = {
	[TURNS_DELIVERY] = { 0, TURNS_MOST, "turns", F_SETLK },
	[TURNS_PLACE] = { TURNS_MOST, TURNS_PLACES, "turns", F_SETLK },
	[TURNS_AT_HOME] = { 0, TURNS_HOME, "turns-home", F_OFD_SETLK },
};

_Static_assert(TURNS_MOST + TURNS_PLACES <= BYTES, "a user's bytes are his own");

int
turns_open(const struct spool *s, enum turns_kind kind)
{
	AUTO_FD int fd = openat(s->db, kinds[kind].file,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	if (s->give && st.st_uid != s->uid && (st.st_nlink != 1 || fchown(fd, s->uid, s->gid) != 0))
		return -1;
	return steal_fd(&fd);
}

enum turns_found
turns_take(int fd, unsigned uid, enum turns_kind kind)
{
	struct flock one = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1 };

	for (unsigned i = 0; i < kinds[kind].n; i++) {
		one.l_start = (off_t)uid * BYTES + kinds[kind].first + i;
		if (fcntl(fd, kinds[kind].how, &one) == 0)
			return TURNS_HAD;
		if (errno != EACCES && errno != EAGAIN && errno != EINTR)
			return TURNS_UNKNOWN;
	}
	return TURNS_NONE;
}
