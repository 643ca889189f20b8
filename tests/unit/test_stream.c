/* test_stream.c - lines, limits, deadlines and turns over a real socket. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/connect.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* A stream and the other end of its socket. */
struct pair {
	struct stream s;
	int peer;
};

static void
open_pair(struct pair *p)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	stream_socket(&p->s, fd[0]);
	p->peer = fd[1];
	stream_phase(&p->s, 20);
}

static void
close_pair(struct pair *p)
{
	stream_close(&p->s);
	stream_close(&p->s);
	(void)close(p->peer);
}

static void
say(const struct pair *p, const char *text)
{
	assert_int_equal(send(p->peer, text, strlen(text), 0), strlen(text));
}

static void
expect(struct pair *p, size_t max, const char *want)
{
	AUTO_BUF struct buf line = BUF_INIT(max);
	struct fail f = FAIL_INIT;
	bool ok = stream_line(&p->s, &line, STAGE_GREET, &f);

	assert_int_equal(ok, want != NULL);
	if (ok && want != NULL && !str_eq(buf_get(&line), str_of(want)))
		fail_msg("got \"%.*s\", want \"%s\"", S_ARG(buf_get(&line)), want);
	if (!ok) {
		assert_int_equal(f.cls, FAIL_TEMP);
		assert_int_equal(f.stage, STAGE_GREET);
	}
}

static void
reads_lines(void **state)
{
	struct pair p;

	(void)state;
	open_pair(&p);
	say(&p, "220 a\r\n250-b\n\r\n  \r\nc\rd\r\r\nx");
	assert_int_equal(stream_pending(&p.s), 0);
	expect(&p, 100, "220 a");
	assert_int_equal(stream_pending(&p.s), 19);
	expect(&p, 100, "250-b");
	expect(&p, 100, "");
	expect(&p, 100, "  ");
	expect(&p, 100, "c\rd\r");
	say(&p, "y\r\n");
	expect(&p, 100, "xy");
	say(&p, "half");
	(void)shutdown(p.peer, SHUT_WR);
	expect(&p, 100, NULL); /* a line without an end is none */
	close_pair(&p);
	expect(&p, 100, NULL);
}

static void
limits_lines(void **state)
{
	struct pair p;

	(void)state;
	open_pair(&p);
	say(&p, "12345678\r\n123456789\r\n");
	expect(&p, 9, "12345678"); /* its CR counts */
	expect(&p, 9, NULL);
	close_pair(&p);
}

static void
sends_all(void **state)
{
	enum { BIG = 4 << 20 };
	AUTO_BUF struct buf b = BUF_INIT(BIG), small = BUF_INIT(1);
	struct fail f = FAIL_INIT;
	struct pair p;
	char *big = calloc(1, BIG);
	pid_t pid;
	int status;

	(void)state;
	assert_non_null(big);
	buf_add(&b, big, BIG);
	open_pair(&p);
	assert_true((pid = fork()) >= 0);
	if (pid == 0) { /* more than any socket buffer, read slowly */
		size_t got = 0;
		ssize_t n;

		(void)close(p.s.fd);
		while (got < BIG && (n = read(p.peer, big, 1 << 16)) > 0)
			got += (size_t)n;
		_exit(got == BIG ? 0 : 1);
	}
	free(big);
	assert_true(stream_send(&p.s, &b, STAGE_DATA, &f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);

	buf_str(&small, "too long");
	assert_false(stream_send(&p.s, &small, STAGE_MAIL, &f));
	assert_int_equal(f.stage, STAGE_MAIL);
	(void)close(p.peer);
	p.peer = -1;
	assert_false(stream_send(&p.s, &b, STAGE_DATA, &f)); /* and no SIGPIPE */
	assert_int_equal(f.sys, EPIPE);
	close_pair(&p);
	assert_false(stream_send(&p.s, &b, STAGE_DATA, &f));
	assert_int_equal(f.sys, ENOTCONN);
}

static void
keeps_deadlines(void **state)
{
	AUTO_BUF struct buf line = BUF_INIT(100), big = BUF_INIT(4 << 20);
	struct fail f = FAIL_INIT;
	struct pair p;
	char block[4096] = "";

	(void)state;
	open_pair(&p);
	p.s.final_ms = clock_ms() + 1000;
	stream_phase(&p.s, 60);
	assert_int_equal(p.s.deadline_ms, p.s.final_ms);
	stream_phase(&p.s, 0);
	assert_true(p.s.deadline_ms <= clock_ms());
	p.s.final_ms = 0;
	stream_phase(&p.s, UINT64_MAX);
	assert_true(p.s.deadline_ms > clock_ms() + 86390 * (int64_t)1000);

	p.s.deadline_ms = clock_ms() + 30;
	assert_false(stream_line(&p.s, &line, STAGE_GREET, &f));
	assert_non_null(strstr(f.text, "in time"));
	assert_true(clock_ms() >= p.s.deadline_ms);

	say(&p, "there already, but late\r\n");
	assert_false(stream_line(&p.s, &line, STAGE_GREET, &f));
	while (buf_ok(&big) && big.n < big.max)
		buf_add(&big, block, sizeof(block));
	p.s.deadline_ms = clock_ms() + 30;
	assert_false(stream_send(&p.s, &big, STAGE_DATA, &f)); /* nobody reads */
	assert_non_null(strstr(f.text, "in time"));
	close_pair(&p);
}

static void
counts_turns(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT(10);
	struct fail f = FAIL_INIT;
	struct pair p;

	(void)state;
	open_pair(&p);
	buf_str(&b, "NOOP\r\n");
	say(&p, "220 x\r\n");
	expect(&p, 100, "220 x");
	assert_int_equal(p.s.turns, 0); /* the greeting came unasked */
	assert_true(stream_send(&p.s, &b, STAGE_GREET, &f));
	assert_true(stream_send(&p.s, &b, STAGE_GREET, &f));
	say(&p, "250 a\r\n250 b\r\n");
	expect(&p, 100, "250 a");
	expect(&p, 100, "250 b");
	assert_int_equal(p.s.turns, 1);
	close_pair(&p);
}

static void
open_tcp_pair(struct pair *p)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr *to = (struct sockaddr *)&at;
	socklen_t size = sizeof at;
	AUTO_FD int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, to, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, to, &size), 0);
	assert_int_equal(connect(fd, to, size), 0);
	stream_socket(&p->s, fd);
	p->peer = accept(listener, NULL, NULL);
	assert_true(p->peer >= 0);
	stream_phase(&p->s, 20);
}

/* A server that writes the answers to a group one by one may send the second only when the first
 * was acknowledged, which the system puts off by 40 ms. */
static void
acknowledges_before_it_waits(void **state)
{
	AUTO_BUF struct buf line = BUF_INIT(100), b = BUF_INIT(10);
	struct fail f = FAIL_INIT;
	struct pair p;
	int unacknowledged;

	(void)state;
	open_tcp_pair(&p);
	buf_str(&b, "NOOP\r\n");
	for (unsigned i = 0; i < 50; i++) { /* so that there is no other reason for it */
		assert_true(stream_send(&p.s, &b, STAGE_GREET, &f));
		say(&p, "250 a\r\n");
		expect(&p, 100, "250 a");
	}
	p.s.deadline_ms = clock_ms() + 1;
	assert_false(stream_line(&p.s, &line, STAGE_GREET, &f));
	assert_int_equal(ioctl(p.peer, TIOCOUTQ, &unacknowledged), 0);
	assert_int_equal(unacknowledged, 0);
	close_pair(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lines),
		cmocka_unit_test(limits_lines),
		cmocka_unit_test(sends_all),
		cmocka_unit_test(keeps_deadlines),
		cmocka_unit_test(counts_turns),
		cmocka_unit_test(acknowledges_before_it_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
