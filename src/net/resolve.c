/* resolve.c - names to addresses, as Exim's "byname": A/AAAA and /etc/hosts, never MX. */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/stop.h"
#include "net/lookup.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LOOK_MS = 100 }; /* how often it is asked whether this process is to stop */

/* Of an IPv4 address, also one within IPv6. */
static void
mark_v4(uint32_t v4, struct endpoint *e)
{
	e->loopback = v4 >> 24 == 127;
	e->private = e->loopback || v4 >> 24 == 10 || v4 >> 20 == 0xac1 || v4 >> 16 == 0xc0a8 ||
	    v4 >> 16 == 0xa9fe;
}

static void
mark_v6(const struct in6_addr *v6, struct endpoint *e)
{
	uint32_t last;

	memcpy(&last, v6->s6_addr + 12, sizeof(last));
	if (IN6_IS_ADDR_V4MAPPED(v6)) {
		mark_v4(ntohl(last), e);
		return;
	}
	e->loopback = IN6_IS_ADDR_LOOPBACK(v6);
	e->private = e->loopback || (v6->s6_addr[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LINKLOCAL(v6);
}

/* Text form and marks from the socket address.  False: not an address of ours. */
static bool
describe(struct endpoint *e)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&e->addr;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&e->addr;
	const char *text = NULL;

	if (e->addr.ss_family == AF_INET && e->len == sizeof(*v4)) {
		mark_v4(ntohl(v4->sin_addr.s_addr), e);
		text = inet_ntop(AF_INET, &v4->sin_addr, e->ip, sizeof(e->ip));
	} else if (e->addr.ss_family == AF_INET6 && e->len == sizeof(*v6)) {
		mark_v6(&v6->sin6_addr, e);
		text = inet_ntop(AF_INET6, &v6->sin6_addr, e->ip, sizeof(e->ip));
	}
	return text != NULL;
}

/* An interface by its name or number: the scope of a link-local address. */
static bool
parse_scope(const char *scope, uint32_t *out)
{
	uint64_t v = if_nametoindex(scope);

	if (v == 0 && !num_parse(str_of(scope), UINT32_MAX, &v))
		return false;
	*out = (uint32_t)v;
	return true;
}

bool
endpoint_parse(const char *address, unsigned port, struct endpoint *out)
{
	struct endpoint e = { 0 };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&e.addr;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&e.addr;
	size_t n = str_find(str_of(address), '%');
	char ip[INET6_ADDRSTRLEN];

	if (n >= sizeof(ip))
		return false;
	memcpy(ip, address, n);
	ip[n] = '\0';
	if (inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		if (address[n] == '%' && !parse_scope(address + n + 1, &v6->sin6_scope_id))
			return false;
		e.len = sizeof(*v6);
	} else if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons((uint16_t)port);
		e.len = sizeof(*v4);
	} else {
		return false;
	}
	if (!describe(&e))
		return false;
	*out = e;
	return true;
}

unsigned
endpoint_port(const struct endpoint *e)
{
	if (e->addr.ss_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)&e->addr)->sin_port);
	if (e->addr.ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)&e->addr)->sin6_port);
	return 0;
}

void
endpoint_words(const struct endpoint *e, const char *name, struct buf *out)
{
	if (e->addr.ss_family == AF_UNIX)
		buf_fmt(out, "the socket %s", ((const struct sockaddr_un *)&e->addr)->sun_path);
	else if (strcmp(name, e->ip) == 0)
		buf_fmt(out, "%s port %u", e->ip, endpoint_port(e));
	else
		buf_fmt(out, "%s (%s) port %u", name, e->ip, endpoint_port(e));
}

static bool
unix_endpoint(const char *path, struct endpoint *out)
{
	struct sockaddr_un *un = (struct sockaddr_un *)&out->addr;
	size_t n = strlen(path);

	if (n >= sizeof(un->sun_path))
		return false;
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, path, n + 1);
	out->len = sizeof(*un);
	out->loopback = true;
	return true;
}

/* Behind the filter of guard/ the parent can kill nobody, so it ends by itself. */
static void
end_at(int64_t deadline_ms)
{
	int64_t ms = deadline_ms - clock_ms();
	struct itimerval t = { .it_value = { .tv_sec = ms > 0 ? (time_t)(ms / 1000) : 0,
				   .tv_usec = ms > 0 ? (suseconds_t)(ms % 1000 * 1000 + 1) : 1 } };
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	if (sigaction(SIGALRM, &sa, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &set, NULL) != 0 ||
	    setitimer(ITIMER_REAL, &t, NULL) != 0)
		_exit(1);
}

static _Noreturn void
child(int fd, const struct host *h, const struct resolve_options *o, int (*confine)(int fd))
{
	struct answer ans = { .error = 0 };
	const char *p = (const char *)&ans;
	size_t left = sizeof(ans);
	ssize_t n;

	end_at(o->deadline_ms);
	if (confine != NULL && (fd = confine(fd)) < 0)
		_exit(1);
	/* Nobody is left to kill it when the parent is gone; a change of user forgets that. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (h->kind == HOST_SRV)
		lookup_service(h->name, o->family, &ans);
	else
		lookup_addresses(h->name, h->port, o->family, &ans);
	for (; left > 0 && (n = write(fd, p, left)) > 0; left -= (size_t)n)
		p += n;
	_exit(0);
}

/* The whole answer within the deadline: 0, or an errno (ECANCELED: this process is to stop). */
static int
receive(int fd, int64_t deadline_ms, struct answer *ans)
{
	char *p = (char *)ans;
	size_t left = sizeof(*ans);

	while (left > 0) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int64_t ms = deadline_ms - clock_ms();
		ssize_t n;

		if (ms <= 0)
			return ETIMEDOUT;
		if (stop_asked())
			return ECANCELED;
		if (poll(&pfd, 1, ms > LOOK_MS ? LOOK_MS : (int)ms) <= 0)
			continue;
		n = read(fd, p, left);
		if (n < 0 && errno != EINTR)
			return errno;
		if (n == 0)
			return EPIPE;
		if (n > 0) {
			p += n;
			left -= (size_t)n;
		}
	}
	return 0;
}

/* It has said all it had to say, or is too late.  Where it cannot be killed it ends by itself, and
 * its end of the pipe with it; whatever it is up to, it is not waited for much longer. */
static void
end_child(pid_t pid, int fd)
{
	enum { GRACE_MS = 1000 };
	bool killed = kill(pid, SIGKILL) == 0;
	struct pollfd p = { .fd = fd, .events = POLLIN };

	if (!killed)
		(void)poll(&p, 1, GRACE_MS);
	for (int i = 0; i < GRACE_MS; i++) {
		pid_t got = waitpid(pid, NULL, killed ? 0 : WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return;
		if (got == 0)
			(void)poll(NULL, 0, 1);
	}
}

bool
resolve_ask(const struct host *h, const struct resolve_options *o, int (*confine)(int fd),
    struct answer *ans, struct fail *f)
{
	int fd[2], err;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC) < 0)
		return fail_set(f, FAIL_TEMP, STAGE_RESOLVE, errno, "cannot look up %s", h->name);
	pid = fork();
	if (pid == 0)
		child(fd[1], h, o, confine);
	err = pid < 0 ? errno : 0;
	(void)close(fd[1]);
	if (pid > 0) {
		err = receive(fd[0], o->deadline_ms, ans);
		end_child(pid, fd[0]);
	}
	(void)close(fd[0]);
	if (err == ETIMEDOUT)
		return fail_set(f, FAIL_TEMP, STAGE_RESOLVE, 0,
		    "the name server did not answer for %s in time", h->name);
	if (err == EPIPE)
		return fail_set(f, FAIL_TEMP, STAGE_RESOLVE, 0,
		    "the resolver died while looking up %s", h->name);
	if (err == ECANCELED)
		return fail_set(f, FAIL_TEMP, STAGE_RESOLVE, 0,
		    "onehop-send was told to stop while it looked up %s", h->name);
	return err == 0 || fail_set(f, FAIL_TEMP, STAGE_RESOLVE, err, "cannot look up %s", h->name);
}

static bool
lookup_failed(const struct host *h, const struct answer *ans, struct fail *f)
{
	const char *what =
	    h->kind == HOST_SRV ? "no _submissions or _submission service of" : "no address of";

	if (ans->error == EAI_AGAIN)
		return fail_set(f, FAIL_TEMP, STAGE_RESOLVE, 0,
		    "the name server could not answer for %s", h->name);
	if (ans->error == EAI_SYSTEM)
		return fail_set(
		    f, FAIL_TEMP, STAGE_RESOLVE, ans->sys, "cannot look up %s", h->name);
	if (ans->error != 0 && ans->error != EAI_NONAME && ans->error != EAI_NODATA)
		return fail_set(f, FAIL_TEMP, STAGE_RESOLVE, 0, "cannot look up %s: %s", h->name,
		    gai_strerror(ans->error));
	return fail_set(f, FAIL_TEMP, STAGE_RESOLVE, 0,
	    "%s %s is known; check the name, and the name server if it is right", what, h->name);
}

/* What came through the pipe, as values of the arena.  A resolver module may have written nonsense.
 */
static bool
take(
    struct arena *a, const struct host *h, struct answer *ans, struct resolved *out, struct fail *f)
{
	struct resolved r = { .name = h->name, .implicit_tls = ans->implicit_tls };
	size_t name = strnlen(ans->canonical, sizeof(ans->canonical));

	if (ans->error != 0 || ans->n == 0 || ans->n > ENDPOINTS_MAX)
		return lookup_failed(h, ans, f);
	r.canonical = name == 0 ? h->name : arena_strz(a, str_at(ans->canonical, name));
	r.list = arena_array(a, ans->n, sizeof(*r.list));
	for (uint32_t i = 0; i < ans->n; i++)
		if (describe(&ans->list[i])) {
			/* whoever answers for the name would say what counts as secure */
			ans->list[i].loopback = false;
			r.list[r.n++] = ans->list[i];
		}
	if (r.n == 0)
		return lookup_failed(h, ans, f);
	*out = r;
	return true;
}

/* "localhost" or a name below it, in any case, with or without the dot of the root. */
static bool
is_localhost(struct str name)
{
	if (name.n > 0 && name.p[name.n - 1] == '.')
		name.n--;
	return str_ieq(name, STR("localhost")) || str_iends(name, STR(".localhost"));
}

/* RFC 6761 section 6.3: there is no service record below it, and the addresses are known. */
static bool
localhost(
    struct arena *a, const struct host *h, unsigned family, struct resolved *out, struct fail *f)
{
	static const char *const ip[] = { "127.0.0.1", "::1" };
	struct resolved r = { .name = h->name, .canonical = h->name };

	if (h->kind == HOST_SRV)
		return lookup_failed(h, &(struct answer){ .error = EAI_NONAME }, f);
	r.list = arena_array(a, 2, sizeof(*r.list));
	for (unsigned i = 0; i < 2; i++)
		if ((family == 0 || family == i + 1) &&
		    endpoint_parse(ip[i], h->port, &r.list[r.n]))
			r.n++;
	*out = r;
	return true;
}

bool
resolve_host(struct arena *a, const struct host *h, const struct resolve_options *o,
    struct resolved *out, struct fail *f)
{
	struct host q = *h;
	struct resolved r = { .name = h->name, .canonical = h->name, .n = 1 };
	struct answer *ans;
	bool ok;

	if (q.port == 0)
		q.port = o->default_port;
	if ((h->kind == HOST_NAME || h->kind == HOST_SRV) && is_localhost(str_of(h->name)))
		return localhost(a, &q, o->family, out, f);
	if (h->kind == HOST_NAME || h->kind == HOST_SRV) {
		ans = arena_alloc(a, sizeof(*ans));
		return (o->ask != NULL ? o->ask(o->ctx, &q, o, ans, f) :
					 resolve_ask(&q, o, NULL, ans, f)) &&
		    take(a, h, ans, out, f);
	}
	r.list = arena_alloc(a, sizeof(*r.list));
	ok = h->kind == HOST_ADDRESS ? endpoint_parse(h->name, q.port, r.list) :
				       unix_endpoint(h->name, r.list);
	if (!ok)
		return fail_set(
		    f, FAIL_TEMP, STAGE_RESOLVE, 0, "%s cannot be used as an address", h->name);
	*out = r;
	return true;
}
