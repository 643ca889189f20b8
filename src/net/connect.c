/* connect.c - a TCP connection to one host, its addresses raced (RFC 8305), or a unix socket. */
#include "net/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/socks.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { STAGGER_MS = 250 }; /* RFC 8305 section 5, Connection Attempt Delay */

struct race {
	const char *name;
	const struct endpoint *list;
	size_t begin, next, end;      /* attempts [begin, next) are under way or over */
	const struct endpoint *local; /* to bind to, or NULL */
	const struct connect_options *o;
	struct pollfd fd[ENDPOINTS_MAX]; /* by index - begin; fd -1: over */
	int error[ENDPOINTS_MAX];
	size_t open;
};

/* Somebody else's connection to a path. */
static int
opened(const struct connect_options *o, const struct endpoint *e)
{
	int fd = o->open_path(o->ask_ctx, ((const struct sockaddr_un *)&e->addr)->sun_path);

	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* A socket on its way to e: the descriptor, or -1 with errno. */
static int
start(const struct endpoint *e, const struct endpoint *local)
{
	AUTO_FD int fd = socket(e->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -1;
	if (e->addr.ss_family != AF_UNIX) {
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		if (local != NULL &&
		    bind(fd, (const struct sockaddr *)&local->addr, local->len) < 0)
			return -1;
	}
	if (connect(fd, (const struct sockaddr *)&e->addr, e->len) < 0 && errno != EINPROGRESS)
		return -1;
	return steal_fd(&fd);
}

static void
start_next(struct race *r)
{
	size_t i = r->next - r->begin;
	const struct endpoint *e = &r->list[r->next];
	bool asks = e->addr.ss_family == AF_UNIX && r->o->open_path != NULL;

	r->fd[i] =
	    (struct pollfd){ .fd = asks ? opened(r->o, e) : start(e, r->local), .events = POLLOUT };
	r->error[i] = r->fd[i].fd < 0 ? errno : 0;
	r->open += r->fd[i].fd >= 0;
	r->next++;
}

/* Look at the attempts that poll() reported.  True: *won is connected. */
static bool
settle(struct race *r, size_t *won)
{
	for (size_t i = 0; i < r->next - r->begin; i++) {
		int err = 0;
		socklen_t len = sizeof(err);

		if (r->fd[i].fd < 0 || r->fd[i].revents == 0)
			continue;
		if (getsockopt(r->fd[i].fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
			err = errno;
		if (err == 0) {
			*won = i;
			return true;
		}
		(void)close(r->fd[i].fd);
		r->fd[i].fd = -1;
		r->error[i] = err;
		r->open--;
	}
	return false;
}

/* True: attempt *won is connected.  False: all failed, or the deadline has come. */
static bool
run(struct race *r, int64_t deadline_ms, size_t *won)
{
	for (;;) {
		int64_t now = clock_ms(), wake;

		if (now >= deadline_ms)
			return false;
		if (r->next < r->end)
			start_next(r);
		if (r->open == 0 && r->next == r->end)
			return false;
		wake = r->next < r->end && now + STAGGER_MS < deadline_ms ? now + STAGGER_MS :
									    deadline_ms;
		while (r->open > 0 && (now = clock_ms()) < wake) {
			size_t before = r->open;
			int n = poll(r->fd, r->next - r->begin, (int)(wake - now));

			if (n > 0 && settle(r, won))
				return true;
			if (r->open < before && r->next < r->end)
				break; /* one failed: the next need not wait */
		}
	}
}

static bool
explain(const struct race *r, struct fail *f)
{
	AUTO_BUF struct buf why = BUF_INIT(FAIL_TEXT / 2);
	int sys = 0;

	for (size_t i = r->begin; i < r->next; i++) {
		const struct endpoint *e = &r->list[i];

		sys = r->error[i - r->begin];
		buf_str(&why, i > r->begin ? "; " : "");
		endpoint_words(e, i > r->begin ? e->ip : r->name, &why);
		buf_fmt(&why, ": %s", fail_words(sys));
	}
	(void)fail_set(
	    f, FAIL_TEMP, STAGE_CONNECT, 0, "cannot connect to %.*s", S_ARG(buf_get(&why)));
	f->sys = sys;
	return false;
}

static bool
race(struct race *r, int64_t deadline_ms, size_t *which, int *fd, struct fail *f)
{
	size_t won = ENDPOINTS_MAX;
	bool ok;

	if (r->begin >= r->end)
		return fail_set(f, FAIL_TEMP, STAGE_CONNECT, 0,
		    "no address of %s is left to connect to", r->name);
	if (r->end - r->begin > ENDPOINTS_MAX)
		r->end = r->begin + ENDPOINTS_MAX;
	ok = run(r, deadline_ms, &won);
	for (size_t i = 0; i < r->next - r->begin; i++) {
		if (i == won || r->fd[i].fd < 0)
			continue;
		(void)close(r->fd[i].fd);
		r->error[i] = ok ? 0 : ETIMEDOUT;
	}
	if (!ok)
		return explain(r, f);
	*which = r->begin + won;
	*fd = r->fd[won].fd;
	return true;
}

static bool
through_proxy(
    const struct race *want, int64_t deadline_ms, size_t *which, struct stream *s, struct fail *f)
{
	const char *proxy = want->o->socks;
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf why = BUF_INIT(FAIL_TEXT / 2);
	struct resolve_options how = { SOCKS_PORT, 0, deadline_ms, want->o->ask_name,
		want->o->ask_ctx };
	struct host *host = NULL;
	struct resolved at = { .n = 0 };
	size_t n;

	if (!hostlist_parse(&a, proxy, &host, &n, f) || !resolve_host(&a, &host[0], &how, &at, f)) {
		fail_prefix(f, "socks_proxy");
		return false;
	}
	for (size_t i = want->begin; i < want->end; i++) {
		struct race r = { .name = at.name,
			.list = at.list,
			.end = at.n,
			.local = want->local,
			.o = want->o };
		const char *reason;
		size_t won = 0;
		int fd = -1;

		if (!race(&r, deadline_ms, &won, &fd, f)) {
			fail_prefix(f, "socks_proxy %s", proxy);
			return false;
		}
		stream_socket(s, fd);
		s->deadline_ms = deadline_ms;
		if (socks_connect(s, &want->list[i], &reason)) {
			stream_socket(s, fd); /* the proxy's turns are not the server's */
			*which = i;
			return true;
		}
		stream_close(s);
		buf_str(&why, i > want->begin ? "; " : "");
		endpoint_words(
		    &want->list[i], i > want->begin ? want->list[i].ip : want->name, &why);
		buf_fmt(&why, ": %s", reason);
	}
	return fail_set(f, FAIL_TEMP, STAGE_CONNECT, 0,
	    "cannot connect through socks_proxy %s to %.*s", proxy, S_ARG(buf_get(&why)));
}

bool
connect_race(const struct endpoint *list, size_t n, size_t *which, const struct connect_options *o,
    struct stream *s, struct fail *f)
{
	int64_t deadline_ms =
	    clock_ms() + (int64_t)(o->timeout_s < 86400 ? o->timeout_s : 86400) * 1000;
	struct race r = {
		.name = o->name, .list = list, .begin = *which, .next = *which, .end = n, .o = o
	};
	struct endpoint local;
	int fd = -1;
	bool ok;

	if (o->interface != NULL && o->interface[0] != '\0') {
		if (!endpoint_parse(o->interface, 0, &local))
			return fail_set(f, FAIL_TEMP, STAGE_CONNECT, 0,
			    "interface = %s is not an address of this host", o->interface);
		r.local = &local;
	}
	if (o->socks != NULL && o->socks[0] != '\0' && r.begin < n &&
	    list[r.begin].addr.ss_family != AF_UNIX)
		return through_proxy(&r, deadline_ms, which, s, f);
	ok = race(&r, deadline_ms, which, &fd, f);
	for (size_t i = r.begin; o->tell != NULL && i < r.next; i++)
		if (r.error[i - r.begin] != 0)
			o->tell(o->ctx, &list[i], r.error[i - r.begin]);
	if (ok)
		stream_socket(s, fd);
	return ok;
}
