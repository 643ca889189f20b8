/* socket.c - the kind of stream that is a connected socket. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/connect.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Wait for events until the deadline: 0, or -1 with errno. */
static int
wait_for(const struct stream *s, short events)
{
	struct pollfd p = { .fd = s->fd, .events = events };
	const int on = 1;
	int64_t left = -1;
	int r;

	/* a server that writes each answer of a group by itself has to wait for our ACK (Nagle) */
	(void)setsockopt(s->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
	do {
		if (s->deadline_ms > 0 && (left = s->deadline_ms - clock_ms()) <= 0) {
			errno = ETIMEDOUT;
			return -1;
		}
		r = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
	} while (r == 0 || (r < 0 && errno == EINTR));
	return r < 0 ? -1 : 0;
}

/* A server that never stops sending does not get past the deadline either. */
static bool
too_late(const struct stream *s)
{
	if (s->deadline_ms == 0 || clock_ms() < s->deadline_ms)
		return false;
	errno = ETIMEDOUT;
	return true;
}

static ptrdiff_t
socket_read(struct stream *s, void *p, size_t n)
{
	ssize_t r;

	if (s->wrote)
		s->turns++;
	s->wrote = false;
	for (;;) {
		if (too_late(s))
			return -1;
		r = recv(s->fd, p, n, MSG_DONTWAIT);
		if (r >= 0)
			return r;
		if (errno != EINTR && (errno != EAGAIN || wait_for(s, POLLIN) < 0))
			return -1;
	}
}

static int
socket_write(struct stream *s, const void *p, size_t n)
{
	const char *at = p;
	ssize_t r;

	s->wrote = true;
	while (n > 0) {
		if (too_late(s))
			return -1;
		r = send(s->fd, at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (r >= 0) {
			at += r;
			n -= (size_t)r;
		} else if (errno != EINTR && (errno != EAGAIN || wait_for(s, POLLOUT) < 0)) {
			return -1;
		}
	}
	return 0;
}

static void
socket_close(struct stream *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
}

void
stream_socket(struct stream *s, int fd)
{
	static const struct stream_ops ops = { socket_read, socket_write, socket_close };

	stream_init(s, &ops, NULL, fd);
}
