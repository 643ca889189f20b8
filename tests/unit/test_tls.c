/* test_tls.c - handshakes, what goes through them, and what breaks them. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/connect.h"
#include "net/tls.h"
#include "tlsserver.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void
expect(struct stream *s, const char *want)
{
	AUTO_BUF struct buf line = BUF_INIT(512);
	struct fail f = FAIL_INIT;
	bool ok = stream_line(s, &line, STAGE_GREET, &f);

	if (ok != (want != NULL) || (ok && strcmp(line.p, want) != 0))
		fail_msg("got \"%s\"", ok ? line.p : f.text);
}

static void
carries_lines(void **state)
{
	static const struct {
		struct server server;
		const char *name, *greeting, *cipher, *binding;
		bool certificate;
	} cases[] = {
		{ { .cert = GOOD }, "smtp.isp.example", "220 smtp.isp.example",
		    "TLS1.3:ECDHE_SECP256R1__ECDSA_SECP256R1_SHA256__AES_256_GCM:256",
		    "tls-exporter", false },
		{ { .cert = GOOD, .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2" },
		    "smtp.isp.example.", "220 smtp.isp.example",
		    "TLS1.2:ECDHE_SECP256R1__ECDSA_SHA256__AES_256_GCM:256", "tls-unique", false },
		{ { .cert = GOOD }, "192.0.2.25", "220 ", "TLS1.3:", "tls-exporter", false },
		{ { .cert = GOOD }, "2001:db8::1", "220 ", "TLS1.3:", "tls-exporter", false },
		{ { .cert = GOOD, .ask_client = true }, "a", "220 a cert",
		    "TLS1.3:", "tls-exporter", true },
		/* P-256 is all that is offered a key for: another group costs a turn, not the mail
		 */
		{ { .cert = GOOD, .priority = "NORMAL:-GROUP-ALL:+GROUP-X25519" }, "a", "220 a",
		    "TLS1.3:ECDHE_X25519__", "tls-exporter", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_ARENA struct arena a = { 0 };
		AUTO_BUF struct buf b = BUF_INIT(1024);
		struct conf c = server_conf();
		struct tls_info info = { .why = NULL };
		struct fail f = FAIL_INIT;
		struct stream s;
		const char *type = "";
		pid_t pid = server_start(&cases[i].server, &s);

		if (cases[i].certificate)
			c.tls_certificate = server_client;
		if (!tls_start(
			&s, &(struct tls_options){ &c, &cases[i].name, 1, NULL }, &a, &info, &f))
			fail_msg("case %zu: %s", i, f.text);
		if (strncmp(info.cipher, cases[i].cipher, strlen(cases[i].cipher)) != 0)
			fail_msg("case %zu: %s", i, info.cipher);
		expect(&s, cases[i].greeting);
		buf_str(&b, "EHLO a\r\nNOOP\r\n");
		assert_true(stream_send(&s, &b, STAGE_GREET, &f));
		expect(&s, "EHLO a");
		expect(&s, "NOOP");
		assert_true(tls_channel_binding(&s, &a, &type).n >= 12);
		assert_string_equal(type, cases[i].binding);
		server_finish(&s, pid);
		expect(&s, NULL);
	}
}

/* Finished waits for the first command, so that the two are one flight. */
static void
saves_a_turn(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf b = BUF_INIT(1024);
	struct server w = { .cert = GOOD };
	const char *name[] = { "smtp.isp.example" };
	struct conf c = server_conf();
	struct tls_info info = { .why = NULL };
	struct fail f = FAIL_INIT;
	struct stream s;
	pid_t pid = server_start(&w, &s);

	(void)state;
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1, NULL }, &a, &info, &f));
	assert_int_equal(s.turns, 1);
	buf_str(&b, "EHLO a\r\n");
	assert_true(stream_send(&s, &b, STAGE_GREET, &f));
	expect(&s, "220 smtp.isp.example");
	expect(&s, "EHLO a");
	assert_int_equal(s.turns, 2);
	server_finish(&s, pid);
}

static void
fails(struct stream *s, const struct conf *c, const char *want)
{
	AUTO_ARENA struct arena a = { 0 };
	const char *name[] = { "smtp.isp.example" };
	struct tls_info info = { .why = "untouched" };
	struct fail f = FAIL_INIT;

	assert_false(tls_start(s, &(struct tls_options){ c, name, 1, NULL }, &a, &info, &f));
	if (strstr(f.text, want) == NULL)
		fail_msg("\"%s\", not \"%s\"", f.text, want);
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(f.stage, STAGE_TLS);
	assert_string_equal(info.why, "untouched");
}

static void
refuses_settings(void **state)
{
	struct server w = { .cert = GOOD },
		      old = { .cert = GOOD, .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1" };
	struct conf c = server_conf();
	struct stream s;
	pid_t pid;

	(void)state;
	pid = server_start(&w, &s);
	c.tls_priority = "NORMAL:+NO-SUCH-THING";
	fails(&s, &c, "tls_priority from \"+NO-SUCH-THING\" on");
	server_finish(&s, pid);
	c = server_conf();
	c.tls_certificate = server_trust; /* has no key */
	pid = server_start(&w, &s);
	fails(&s, &c, "tls_certificate");
	server_finish(&s, pid);
	c = server_conf();
	pid = server_start(&old, &s);
	fails(&s, &c, "TLS");
	server_finish(&s, pid);
	c.tls_priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
	w.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
	pid = server_start(&w, &s);
	fails(&s, &c, "the server closed the connection in the TLS handshake");
	server_finish(&s, pid);
}

/* Servers that speak no TLS at all: what they say, and what is said of it. */
static void
refuses_other_talk(void **state)
{
	static const struct {
		const char *say;
		const char *want;
	} cases[] = {
		{ "220 smtp.isp.example ESMTP\r\n", "does not speak TLS" },
		{ "", "closed the connection" },
		{ "\x15\3\3\0\2\2\x28", "the server ended the TLS handshake" },
		{ "\x16\3\3\0\4\2\0", "does not speak TLS" },
		{ NULL, "in time" },
	};
	struct conf c = server_conf();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = i == 2 || i == 3 ? 7 : cases[i].say != NULL ? strlen(cases[i].say) : 0;
		struct stream s;
		int fd[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
		stream_socket(&s, fd[0]);
		stream_phase(&s, 20);
		if (cases[i].say == NULL)
			s.deadline_ms = clock_ms() + 50;
		if (n > 0)
			assert_int_equal(send(fd[1], cases[i].say, n, 0), n);
		if (cases[i].say != NULL)
			assert_int_equal(shutdown(fd[1], SHUT_WR), 0);
		fails(&s, &c, cases[i].want);
		assert_int_equal(
		    fcntl(fd[0], F_GETFD), FD_CLOEXEC); /* closing it is the caller's */
		stream_close(&s);
		(void)close(fd[1]);
	}
}

/* CVE-2011-0411: what came in clear may not be read as if it had come over TLS. */
static void
refuses_clear_text_before(void **state)
{
	AUTO_BUF struct buf line = BUF_INIT(100);
	struct fail f = FAIL_INIT;
	struct conf c = server_conf();
	struct stream s;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	stream_socket(&s, fd[0]);
	stream_phase(&s, 2);
	assert_int_equal(send(fd[1], "220 go\r\n250 x\r\n", 15, 0), 15);
	assert_true(stream_line(&s, &line, STAGE_GREET, &f));
	fails(&s, &c, "text in clear");
	stream_close(&s);
	assert_int_equal(recv(fd[1], &c, 1, 0), 0); /* not a byte was sent */
	(void)close(fd[1]);
}

static void
tells_of_a_broken_link(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf line = BUF_INIT(512);
	struct server w = { .cert = GOOD };
	const char *name[] = { "smtp.isp.example" }, *type = "untouched";
	struct conf c = server_conf();
	struct tls_info info = { .why = NULL };
	struct fail f = FAIL_INIT;
	struct stream s;
	pid_t pid = server_start(&w, &s);

	(void)state;
	assert_int_equal(tls_channel_binding(&s, &a, &type).n, 0);
	assert_string_equal(type, "untouched");
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1, NULL }, &a, &info, &f));
	expect(&s, "220 smtp.isp.example");
	s.deadline_ms = clock_ms() + 50;
	assert_false(stream_line(&s, &line, STAGE_GREET, &f));
	assert_non_null(strstr(f.text, "in time"));
	server_finish(&s, pid);

	pid = server_start(&w, &s);
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1, NULL }, &a, &info, &f));
	expect(&s, "220 smtp.isp.example");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(stream_line(&s, &line, STAGE_GREET, &f));
	assert_non_null(strstr(f.text, "closed"));
	stream_close(&s);

	/* Clear text in the middle of it. */
	{
		int fd;

		pid = server_start(&w, &s);
		assert_true(
		    tls_start(&s, &(struct tls_options){ &c, name, 1, NULL }, &a, &info, &f));
		expect(&s, "220 smtp.isp.example");
		fd = s.fd;
		assert_int_equal(
		    send(fd, "RSET\r\n", 6, 0), 6); /* below TLS: the server answers an alert */
		assert_false(stream_line(&s, &line, STAGE_GREET, &f));
		server_finish(&s, pid);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carries_lines),
		cmocka_unit_test(saves_a_turn),
		cmocka_unit_test(refuses_settings),
		cmocka_unit_test(refuses_other_talk),
		cmocka_unit_test(refuses_clear_text_before),
		cmocka_unit_test(tells_of_a_broken_link),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, server_set_up, server_tear_down);
}
