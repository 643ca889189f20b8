/* test_connect.c - the race of addresses, and a SOCKS5 proxy, on loopback. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/connect.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* A socket on 127.0.0.1 at a port of the kernel's choice, and its endpoint. */
static int
bind_loopback(struct endpoint *e)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_true(endpoint_parse("127.0.0.1", 0, e));
	assert_int_equal(bind(fd, (struct sockaddr *)&e->addr, e->len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&e->addr, &e->len), 0);
	return fd;
}

static int
listen_loopback(struct endpoint *e)
{
	int fd = bind_loopback(e);

	assert_int_equal(listen(fd, 5), 0);
	return fd;
}

static unsigned
port_of(const struct endpoint *e)
{
	return ntohs(((const struct sockaddr_in *)&e->addr)->sin_port);
}

static void
takes_the_first(void **state)
{
	AUTO_BUF struct buf line = BUF_INIT(100);
	struct connect_options o = { .name = "h.example", .timeout_s = 20 };
	struct endpoint e[3];
	struct stream s;
	struct fail f = FAIL_INIT;
	size_t which = 0;
	int refusing, server, conn;

	(void)state;
	refusing = bind_loopback(&e[0]); /* bound, not listening */
	server = listen_loopback(&e[1]);
	e[2] = e[0];
	assert_true(connect_race(e, 3, &which, &o, &s, &f));
	assert_int_equal(which, 1);
	assert_int_equal(s.deadline_ms, 0);
	assert_int_equal(s.turns, 0);
	assert_true((conn = accept(server, NULL, NULL)) >= 0);
	assert_int_equal(send(conn, "220 x\r\n", 7, 0), 7);
	stream_phase(&s, 20);
	assert_true(stream_line(&s, &line, STAGE_GREET, &f));
	assert_string_equal(line.p, "220 x");
	stream_close(&s);
	assert_int_equal(recv(conn, &f, 1, 0), 0);
	(void)close(conn);

	which = 2;
	assert_false(connect_race(e, 3, &which, &o, &s, &f));
	assert_int_equal(which, 2);
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(f.stage, STAGE_CONNECT);
	assert_int_equal(f.sys, ECONNREFUSED);
	assert_non_null(strstr(f.text, "cannot connect to h.example (127.0.0.1) port "));
	which = 3;
	assert_false(connect_race(e, 3, &which, &o, &s, &f));
	(void)close(refusing);
	(void)close(server);
}

static void
does_not_wait_for_the_slow(void **state)
{
	struct connect_options o = { .name = "h.example", .timeout_s = 20 };
	struct endpoint e[2];
	struct stream s;
	struct fail f = FAIL_INIT;
	size_t which;
	int slow, server, full[8];
	int64_t begin;

	(void)state;
	/* A listener whose queue is full does not answer a SYN at all. */
	slow = bind_loopback(&e[0]);
	assert_int_equal(listen(slow, 0), 0);
	for (size_t i = 0; i < 8; i++) {
		full[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		/* the first may be taken at once */
		if (connect(full[i], (struct sockaddr *)&e[0].addr, e[0].len) != 0)
			assert_int_equal(errno, EINPROGRESS);
	}
	server = listen_loopback(&e[1]);
	which = 0;
	begin = clock_ms();
	assert_true(connect_race(e, 2, &which, &o, &s, &f));
	assert_int_equal(which, 1);
	assert_true(clock_ms() - begin >= 200);
	assert_true(clock_ms() - begin < 10000);
	stream_close(&s);
	o.timeout_s = 1;
	which = 0;
	assert_false(connect_race(e, 1, &which, &o, &s, &f));
	assert_int_equal(f.sys, ETIMEDOUT);
	assert_non_null(strstr(f.text, "h.example (127.0.0.1) port "));
	assert_non_null(strstr(f.text, fail_words(ETIMEDOUT)));
	for (size_t i = 0; i < 8; i++)
		(void)close(full[i]);
	(void)close(slow);
	(void)close(server);
}

static void
connects_from_an_address(void **state)
{
	struct connect_options o = {
		.name = "h.example", .timeout_s = 20, .interface = "127.0.0.2", .socks = ""
	};
	struct sockaddr_in peer = { 0 };
	socklen_t len = sizeof(peer);
	struct endpoint e;
	struct stream s;
	struct fail f = FAIL_INIT;
	size_t which = 0;
	int server = listen_loopback(&e), conn;

	(void)state;
	assert_true(connect_race(&e, 1, &which, &o, &s, &f));
	assert_true((conn = accept(server, (struct sockaddr *)&peer, &len)) >= 0);
	assert_int_equal(ntohl(peer.sin_addr.s_addr), 0x7f000002);
	stream_close(&s);
	(void)close(conn);
	o.interface = "eth0";
	assert_false(connect_race(&e, 1, &which, &o, &s, &f));
	assert_non_null(strstr(f.text, "eth0"));
	o.interface = "192.0.2.77"; /* not ours */
	assert_false(connect_race(&e, 1, &which, &o, &s, &f));
	assert_int_equal(f.sys, EADDRNOTAVAIL);
	(void)close(server);
}

static void
connects_to_a_path(void **state)
{
	struct connect_options o = { .name = "h.example",
		.timeout_s = 20,
		.interface = "127.0.0.1",
		.socks = "127.0.0.1:1" };
	struct endpoint e = { .len = sizeof(struct sockaddr_un), .loopback = true };
	struct sockaddr_un *un = (struct sockaddr_un *)&e.addr;
	char dir[] = "/tmp/onehop-connect-XXXXXX";
	struct stream s;
	struct fail f = FAIL_INIT;
	size_t which = 0;
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_non_null(mkdtemp(dir));
	un->sun_family = AF_UNIX;
	(void)snprintf(un->sun_path, sizeof(un->sun_path), "%s/s", dir);
	assert_int_equal(bind(server, (struct sockaddr *)un, sizeof(*un)), 0);
	assert_false(connect_race(&e, 1, &which, &o, &s, &f));
	assert_non_null(strstr(f.text, "cannot connect to the socket /tmp/"));
	assert_int_equal(listen(server, 1), 0);
	assert_true(connect_race(&e, 1, &which, &o, &s, &f));
	stream_close(&s);
	(void)close(server);
	assert_int_equal(unlink(un->sun_path), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* One conversation of a proxy: what it must hear, and what it says, in turns; NULL: it hangs up. */
struct dialogue {
	struct {
		const char *hear;
		size_t hear_n;
		const char *say;
		size_t say_n;
	} turn[2];
	const char *want; /* in the failure's text; NULL: connected */
};

static _Noreturn void
be_proxy(int server, const struct dialogue *d)
{
	int conn = accept(server, NULL, NULL);

	for (size_t i = 0; i < 2 && d->turn[i].hear != NULL; i++) {
		char got[64];

		if (recv(conn, got, d->turn[i].hear_n, MSG_WAITALL) != (ssize_t)d->turn[i].hear_n ||
		    memcmp(got, d->turn[i].hear, d->turn[i].hear_n) != 0)
			_exit(1);
		if (d->turn[i].say == NULL)
			break;
		(void)send(conn, d->turn[i].say, d->turn[i].say_n, 0);
	}
	(void)close(conn);
	_exit(0);
}

#define S(s) (s), sizeof(s) - 1
#define HELLO S("\5\1\0")
#define CONNECT S("\5\1\0\1\xc0\0\2\x19\2\x4b")

static const struct dialogue dialogues[] = {
	{ { { HELLO, S("\5\0") },
	      { CONNECT,
		  S("\5\0\0\1\0\0\0\0\0\0"
		    "220 x\r\n") } },
	    NULL },
	{ { { HELLO, S("\5\0") },
	      { CONNECT,
		  S("\5\0\0\3\2ab\0\0"
		    "220 x\r\n") } },
	    NULL },
	{ { { HELLO, S("\5\0") },
	      { CONNECT,
		  S("\5\0\0\4"
		    "0123456789abcdef\0\0"
		    "220 x\r\n") } },
	    NULL },
	{ { { HELLO, S("\5\0") }, { CONNECT, S("\5\5\0\1\0\0\0\0\0\0") } },
	    "to h.example (192.0.2.25) port 587: Connection refused" },
	{ { { HELLO, S("\5\0") }, { CONNECT, S("\5\x63\0\1\0\0\0\0\0\0") } }, "the proxy refused" },
	{ { { HELLO, S("\5\0") }, { CONNECT, S("\5\0\0\1\0\0") } }, "broke off" },
	{ { { HELLO, S("\5\0") }, { CONNECT, NULL, 0 } }, "closed" },
	{ { { HELLO, S("\5\2") } }, "wants a login" },
	{ { { HELLO, S("\4\0") } }, "no SOCKS5" },
	{ { { HELLO, NULL, 0 } }, "closed" },
};

/* Through the proxy: what it leads to says 220, or the failure says `want`. */
static void
ask(const char *proxy, const char *want)
{
	AUTO_BUF struct buf line = BUF_INIT(100);
	struct connect_options o = { .name = "h.example", .timeout_s = 20, .socks = proxy };
	struct fail f = FAIL_INIT;
	struct endpoint to;
	struct stream s;
	size_t which = 0;

	assert_true(endpoint_parse("192.0.2.25", 587, &to));
	if (connect_race(&to, 1, &which, &o, &s, &f)) {
		assert_null(want);
		stream_phase(&s, 20);
		assert_true(stream_line(&s, &line, STAGE_GREET, &f));
		assert_string_equal(line.p, "220 x");
		assert_int_equal(s.turns, 0);
		stream_close(&s);
	} else {
		assert_non_null(want);
		if (strstr(f.text, want) == NULL || strstr(f.text, proxy) == NULL)
			fail_msg("%s", f.text);
		assert_int_equal(f.stage, STAGE_CONNECT);
	}
}

static void
goes_through_a_proxy(void **state)
{
	struct endpoint at;
	int server = listen_loopback(&at);
	char proxy[64];

	(void)state;
	(void)snprintf(proxy, sizeof(proxy), "127.0.0.1:%u", port_of(&at));
	for (size_t i = 0; i < sizeof(dialogues) / sizeof(dialogues[0]); i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			be_proxy(server, &dialogues[i]);
		ask(proxy, dialogues[i].want);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	(void)close(server);
}

static void
tells_of_a_dead_proxy(void **state)
{
	struct connect_options o = { .name = "h.example", .timeout_s = 20 };
	struct endpoint at, to;
	int dead = bind_loopback(&at);
	struct fail f = FAIL_INIT;
	struct stream s;
	size_t which = 0;
	char proxy[64];

	(void)state;
	(void)snprintf(proxy, sizeof(proxy), "127.0.0.1:%u", port_of(&at));
	o.socks = proxy;
	assert_true(endpoint_parse("2001:db8::1", 587, &to));
	assert_false(connect_race(&to, 1, &which, &o, &s, &f));
	assert_non_null(strstr(f.text, "socks_proxy"));
	assert_non_null(strstr(f.text, "Connection refused"));
	o.socks = "a b";
	assert_false(connect_race(&to, 1, &which, &o, &s, &f));
	assert_non_null(strstr(f.text, "socks_proxy"));
	(void)close(dead);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_the_first),
		cmocka_unit_test(does_not_wait_for_the_slow),
		cmocka_unit_test(connects_from_an_address),
		cmocka_unit_test(connects_to_a_path),
		cmocka_unit_test(goes_through_a_proxy),
		cmocka_unit_test(tells_of_a_dead_proxy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
