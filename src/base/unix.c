/* unix.c - a program of ours behind a socket of this host. */
#include "base/unix.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { ACCEPT_SECONDS = 30 }; /* who listens may be slow, or stopped */

int
unix_connect(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const struct timeval some = { .tv_sec = ACCEPT_SECONDS }, endless = { 0 };
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &some, sizeof some);
	if (TEMP_FAILURE_RETRY(connect(fd, (struct sockaddr *)&at, sizeof at)) != 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &endless, sizeof endless);
	return steal_fd(&fd);
}
