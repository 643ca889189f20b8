/* test_log.c - Exim's log lines, the shape of -v, and dead letters. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "front/deadletter.h"
#include "front/transcript.h"
#include "send/mainlog.h"

static void
arrival(void **state)
{
	struct envelope e = { .sender = "yjnet@21cn.com", .login = "root" };
	AUTO_BUF struct buf b = BUF_INIT(4096);

	(void)state;
	mainlog_arrival(&b, &e, &(struct mainlog_arrival){ .size = 334 });
	assert_string_equal(b.p, "<= yjnet@21cn.com U=root P=local S=334");
	buf_reset(&b);
	e.sender = "";
	e.protocol = "local-esmtp";
	mainlog_arrival(&b, &e, &(struct mainlog_arrival){ .size = 1, .msgid = "a@b" });
	assert_string_equal(b.p, "<= <> U=root P=local-esmtp S=1 id=a@b");
	buf_reset(&b);
	e.protocol = NULL;
	mainlog_arrival(
	    &b, &e, &(struct mainlog_arrival){ .parent = "1abcde-000001-00", .size = 2 });
	assert_string_equal(b.p, "<= <> R=1abcde-000001-00 U=root P=local S=2");
}

static const struct {
	struct rcpt rcpt;
	const char *line;
} lines[] = {
	{ { .address = "fax",
	      .original = "fax@debian",
	      .router = "local_user",
	      .transport = "maildir_home",
	      .state = RCPT_SENT },
	    "=> fax <fax@debian> R=local_user T=maildir_home" },
	{ { .address = "x@y",
	      .original = "x@y",
	      .router = "smarthost",
	      .transport = "remote_smtp_smarthost",
	      .state = RCPT_SENT,
	      .host = "smtp.isp.example",
	      .ip = "192.0.2.25",
	      .tls = "TLS1.3:X:256",
	      .tls_peer = "CN=\"a\"",
	      .tls_verified = true,
	      .auth = "login",
	      .confirmation = "250 ok\\nqueued" },
	    "=> x@y R=smarthost T=remote_smtp_smarthost H=smtp.isp.example [192.0.2.25] "
	    "X=TLS1.3:X:256 CV=yes DN=\"CN=\\\"a\\\"\" A=login C=\"250 ok\\\\nqueued\"" },
	{ { .address = "x@y", .state = RCPT_SENT, .host = "h", .ip = "::1", .reused = true },
	    "=> x@y H=h [::1]*" },
	{ { .address = "x@y", .state = RCPT_SENT, .continued = true, .host = "h", .tls = "T" },
	    "-> x@y H=h X=T CV=no" },
	{ { .address = "x@y",
	      .router = "smarthost",
	      .state = RCPT_RETRY,
	      .fail = &(const struct fail){ .sys = 111, .text = "Connection refused" } },
	    "== x@y R=smarthost defer (111): Connection refused" },
	{ { .address = "x@y",
	      .state = RCPT_RETRY,
	      .fail = &(const struct fail){ .stage = STAGE_CONNECT,
		  .sys = 111,
		  .text = "cannot connect to ::1: Connection refused" } },
	    "== x@y defer (111): Connection refused" },
	{ { .address = "bob@y",
	      .original = "bob@y",
	      .state = RCPT_RETRY,
	      .fail = &(const struct fail){ .sys = 13,
		  .text = "cannot create /home/bob/Maildir: Permission denied" } },
	    "== bob@y defer (13): Permission denied: cannot create /home/bob/Maildir" },
	{ { .address = "x@y",
	      .state = RCPT_REFUSED,
	      .fail = &(const struct fail){ .stage = STAGE_CONNECT,
		  .sys = 111,
		  .text = "retry timeout exceeded: cannot connect to ::1: Connection refused" } },
	    "** x@y: retry timeout exceeded: cannot connect to ::1: Connection refused" },
	{ { .address = "X.Y@Z", .original = "X.Y@Z", .state = RCPT_SENT, .chunked = true },
	    "=> x.y@z <X.Y@Z> K" },
	{ { .address = "x@Z", .original = "x@Z", .state = RCPT_SENT }, "=> x@z" },
	{ { .address = "|/bin/A b", .original = "Ali@y", .state = RCPT_SENT },
	    "=> |/bin/A b <Ali@y>" },
	{ { .address = "x@y",
	      .state = RCPT_REFUSED,
	      .host = "h",
	      .ip = "::1",
	      .fail = &(const struct fail){ .text = "550 no" } },
	    "** x@y H=h [::1]: 550 no" },
};

static void
recipients(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		AUTO_BUF struct buf b = BUF_INIT(4096);

		mainlog_recipient(&b, &lines[i].rcpt);
		assert_string_equal(b.p, lines[i].line);
	}
}

static const struct {
	struct fail fail;
	int number;
} numbers[] = {
	{ { .stage = STAGE_CONNECT, .sys = 111 }, 111 },
	{ { .stage = STAGE_MAIL, .sys = 104 }, 104 },
	{ { .stage = STAGE_RCPT, .smtp = 450 }, -44 },
	{ { .stage = STAGE_MAIL, .smtp = 451 }, -45 },
	{ { .stage = STAGE_DATA, .smtp = 451 }, -46 },
	{ { .stage = STAGE_EOM, .smtp = 451 }, -46 },
	{ { .stage = STAGE_EOM }, -18 },
	{ { .stage = STAGE_RCPT }, -18 },
	{ { .stage = STAGE_GREET }, -18 },
	{ { .stage = STAGE_GREET, .smtp = 421 }, 0 },
	{ { .stage = STAGE_RESOLVE }, -36 },
	{ { .stage = STAGE_TLS }, -37 },
	{ { .stage = STAGE_TLS, .smtp = 454 }, -37 },
	{ { .stage = STAGE_AUTH }, -48 },
	{ { .stage = STAGE_AUTH, .smtp = 535 }, -48 },
	{ { .stage = STAGE_AUTH, .smtp = 454 }, 0 },
	{ { .stage = STAGE_ROUTE }, -1 },
	{ { .stage = STAGE_LOCAL, .sys = 13 }, 13 },
	{ { .stage = STAGE_LOCAL }, 0 },
};

static void
defer_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		assert_int_equal(mainlog_defer_number(&numbers[i].fail), numbers[i].number);
}

static const char *
content(int fd, char out[1024])
{
	ssize_t n = pread(fd, out, 1023, 0);

	assert_true(n >= 0);
	out[n] = '\0';
	return out;
}

static void
say_all(const struct trace *t)
{
	trace_line(t, TRACE_LOG, "<= a");
	trace_line(t, TRACE_NOTE, "R: smarthost for x");
	trace_line(t, TRACE_OUT, "EHLO debian");
	trace_line(t, TRACE_IN, "250-one");
	trace_line(t, TRACE_IN, "250-two\x1b[2J");
	trace_line(t, TRACE_IN, "250 three");
	trace_line(t, TRACE_IN, "250 next");
	trace_line(t, TRACE_DEBUG, "detail");
}

static void
transcript(void **state)
{
	struct transcript t = { .fd = memfd_create("t", 0), .verbose = true };
	struct trace trace = transcript_trace(&t);
	char text[1024];

	(void)state;
	say_all(&trace);
	assert_string_equal(content(t.fd, text),
	    "LOG: MAIN\n  <= a\nR: smarthost for x\n  SMTP>> EHLO debian\n"
	    "  SMTP<< 250-one\n         250-two?[2J\n         250 three\n  SMTP<< 250 next\n");
	(void)close(t.fd);
	t = (struct transcript){ .fd = memfd_create("t", 0), .debug = true };
	say_all(&trace);
	assert_string_equal(content(t.fd, text), "detail\n");
	(void)close(t.fd);
	for (int verbose = 0; verbose <= 1; verbose++) {
		t = (struct transcript){ .fd = memfd_create("t", 0), .verbose = verbose };
		trace_line(&trace, TRACE_WARNING, "a\nb");
		assert_string_equal(
		    content(t.fd, text), verbose ? "LOG: MAIN\n  a?b\n" : "onehop: warning: a?b\n");
		(void)close(t.fd);
	}
}

enum { BODY = 20000, CUT = 8189 };

/* A body in which "From you" stands where one read ends and the next begins. */
static void
make_body(char *body)
{
	memset(body, 'x', BODY);
	body[CUT - 1] = body[BODY - 1] = '\n';
	for (size_t i = 0; i < 8; i++)
		body[CUT + i] = "From you"[i];
}

static void
dead_letter(void **state)
{
	static char body[BODY], got[BODY + 200];
	AUTO_ARENA struct arena a = { NULL };
	struct message m = { .arena = &a, .body = { .fd = -1, .mem = body, .size = sizeof body } };
	char dir[] = "/tmp/onehop-dead.XXXXXX";
	struct fail f = FAIL_INIT;
	struct deadletter letter = { .uid = getuid(), .sender = "me@x" };
	const char *path;
	struct stat st;
	ssize_t n;
	int fd;

	(void)state;
	make_body(body);
	message_append(&m, STR("Subject: s\n"));
	message_append(&m, STR("Bcc: b\n"));
	m.headers[1].type = H_DELETED;
	assert_non_null(mkdtemp(dir));
	letter.home = dir;
	assert_true(deadletter_write(&letter, &a, &m, &path, &f));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = read(fd, got, sizeof got - 1);
	assert_true(n > BODY);
	assert_memory_equal(got, "From me@x ", 10);
	assert_non_null(strstr(got, "\nSubject: s\n\nxxx"));
	assert_null(strstr(got, "Bcc"));
	assert_non_null(strstr(got, "\n>From youxxx"));
	assert_memory_equal(got + n - 2, "\n\n", 2);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	(void)close(fd);
	/* appended to; but not to what is not the caller's own plain file */
	assert_true(deadletter_write(&letter, &a, &m, &path, &f));
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > (off_t)2 * BODY);
	letter.uid++;
	assert_false(deadletter_write(&letter, &a, &m, &path, &f));
	letter.uid--;
	assert_int_equal(link(path, arena_fmt(&a, "%s/link", dir)), 0);
	assert_false(deadletter_write(&letter, &a, &m, &path, &f));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("link", path), 0);
	assert_false(deadletter_write(&letter, &a, &m, &path, &f));
	assert_int_equal(unlink(path) | unlink(arena_fmt(&a, "%s/link", dir)) | rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrival),
		cmocka_unit_test(recipients),
		cmocka_unit_test(defer_numbers),
		cmocka_unit_test(transcript),
		cmocka_unit_test(dead_letter),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
