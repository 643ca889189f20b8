/* unix.c - a program of ours behind a socket of this host. */
#include "io/unix.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

int
unix_connect(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	if (fd < 0 || TEMP_FAILURE_RETRY(connect(fd, (struct sockaddr *)&at, sizeof at)) != 0)
		return -1;
	return steal_fd(&fd);
}
