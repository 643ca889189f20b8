/* test_intake.c - standard input to a message, as the recorded runs of Exim have it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>

#include <cmocka.h>

#include "base/file.h"
#include "front/intake.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define IN(literal) \
	{ \
		(literal), sizeof(literal) - 1 \
	}

/* How it is read; input; the header section, "|" between its fields; the body. */
enum how { PLAIN, DOT, LAST, SMTP };

struct row {
	enum how how;
	struct str input, headers, body;
	const char *from_line;
};

static const struct row rows[] = {
	/* the header section */
	{ PLAIN, IN(""), IN(""), IN(""), NULL },
	{ PLAIN, IN("\nbody\n"), IN(""), IN("body\n"), NULL },
	{ PLAIN, IN("To: x\n\nb\n"), IN("To: x\n"), IN("b\n"), NULL },
	{ PLAIN, IN("To: x"), IN("To: x\n"), IN(""), NULL },
	{ PLAIN, IN("To: x\nCc: y\n"), IN("To: x\n|Cc: y\n"), IN(""), NULL },
	{ PLAIN, IN("To: x\n y\n\tz\nCc: y\n\n"), IN("To: x\n y\n\tz\n|Cc: y\n"), IN(""), NULL },
	{ PLAIN, IN("hello world\nsecond\n"), IN(""), IN("hello world\nsecond\n"), NULL },
	{ PLAIN, IN("hello"), IN(""), IN("hello\n"), NULL },
	{ PLAIN, IN("S: s\nX y: 1\nA: 2\n\nb\n"), IN("S: s\n"), IN("X y: 1\nA: 2\n\nb\n"), NULL },
	{ PLAIN, IN(" S: s\nA: 2\n\nb\n"), IN(""), IN(" S: s\nA: 2\n\nb\n"), NULL },
	{ PLAIN, IN("S: s\nbody\n more\n"), IN("S: s\n"), IN("body\n more\n"), NULL },
	{ PLAIN, IN("A-B : 2\n!#$%: 3\nX-\xc3\xa4: 4\n:5\n\nb\n"),
	    IN("A-B : 2\n|!#$%: 3\n|X-\xc3\xa4: 4\n|:5\n"), IN("b\n"), NULL },
	{ PLAIN, IN("S: s\n \n\t \nTo: y\n\nb\n"), IN("S: s\n|To: y\n"), IN("b\n"), NULL },
	{ PLAIN, IN("S: \nTo: y\n\nb\n"), IN("S: \n|To: y\n"), IN("b\n"), NULL },
	{ PLAIN, IN("S: s\n \n x\n\nb\n"), IN("S: s\n \n x\n"), IN("b\n"), NULL },
	/* the From_ line */
	{ PLAIN, IN("From a@b Mon Jan  1 00:00:00 2024\nTo: x\n\nb\n"), IN("To: x\n"), IN("b\n"),
	    "a@b" },
	{ PLAIN, IN("From a@b Mon Jan  1 00:00:00 2024\n more\nhello\n"), IN(""), IN("hello\n"),
	    "a@b" },
	{ PLAIN, IN("From a@b Mon Jan  1 00:00:00 2024"), IN(""), IN(""), "a@b" },
	{ PLAIN, IN("From a Jan 1 1:1\nFrom b Jan 1 1:1\nTo: x\n"), IN("To: x\n"), IN(""), "b" },
	{ PLAIN, IN("To: x\nFrom a Jan 1 1:1\n"), IN("To: x\n"), IN("From a Jan 1 1:1\n"), NULL },
	{ PLAIN, IN(">From a Jan 1 1:1\nTo: x\n"), IN(""), IN(">From a Jan 1 1:1\nTo: x\n"), NULL },
	/* line ends */
	{ PLAIN, IN("A: 1\r\nB: 2\r\n\r\nb\r\nc\r\n"), IN("A: 1\n|B: 2\n"), IN("b\nc\n"), NULL },
	{ PLAIN, IN("S: s\n\n1\r2\r3\n"), IN("S: s\n"), IN("1\n2\n3\n"), NULL },
	{ PLAIN, IN("S: s\n\n1\r\r\n\r2\r"), IN("S: s\n"), IN("1\n\n\n2\n"), NULL },
	{ SMTP, IN("S: s\r\nA: 1\nB: 2\r\n\r\nb\n"), IN("S: s\n|A: 1\n B: 2\n"), IN("b\n"), NULL },
	{ SMTP, IN("S: s\nA: 1\r\nB: 2\n\nb\n"), IN("S: s\n|A: 1\n|B: 2\n"), IN("b\n"), NULL },
	{ PLAIN, IN("S: s\r\nA: 1\nB: 2\r\n\r\nb\n"), IN("S: s\n|A: 1\n|B: 2\n"), IN("b\n"), NULL },
	{ PLAIN, IN("T: t\r\nS: s\r\nX: 1\nF: f\nM: 1\n\n<p>\r\n"),
	    IN("T: t\n|S: s\n|X: 1\n|F: f\n|M: 1\n"), IN("<p>\n"), NULL },
	{ PLAIN, IN("T: t\r\nS: a\n\tb\r\n c\nBcc: z\r\n\nb\n"),
	    IN("T: t\n|S: a\n\tb\n c\n|Bcc: z\n"), IN("b\n"), NULL },
	{ PLAIN, IN("S: a\n b\r\n\tc\nT: t\n\r\nb\n"), IN("S: a\n b\n\tc\n|T: t\n"), IN("b\n"),
	    NULL },
	{ PLAIN, IN("S: s\r\r\nT: t\nC: c\r\n\nb\n"), IN("S: s\n|T: t\n|C: c\n"), IN("b\n"), NULL },
	{ PLAIN, IN("S: s\r\nA: 1\n\nb\n"), IN("S: s\n|A: 1\n"), IN("b\n"), NULL },
	{ PLAIN, IN("S: s\r\nA: 1\n\r\nb\n"), IN("S: s\n|A: 1\n"), IN("b\n"), NULL },
	{ PLAIN, IN("S: s\r\nA: 1\n\r\nTo: y\n"), IN("S: s\n|A: 1\n"), IN("To: y\n"), NULL },
	{ PLAIN, IN("S: s\r\nA: 1\n"), IN("S: s\n|A: 1\n"), IN(""), NULL },
	{ PLAIN, IN("S: s\r\n\nb\n"), IN("S: s\n"), IN("b\n"), NULL },
	{ PLAIN, IN("S: s\nA: 1\r\nB: 2\n\nb\n"), IN("S: s\n|A: 1\n|B: 2\n"), IN("b\n"), NULL },
	{ PLAIN, IN("A: 1\rB: 2\nC: 3\n\nb\n"), IN("A: 1\n B: 2\n|C: 3\n"), IN("b\n"), NULL },
	{ PLAIN, IN("S: s\n\n\r"), IN("S: s\n"), IN("\n"), NULL },
	{ PLAIN, IN("S: s\n\n1\n\r"), IN("S: s\n"), IN("1\n\n"), NULL },
	{ PLAIN, IN("A: 1\r"), IN("A: 1\n"), IN(""), NULL },
	{ PLAIN, IN("\r"), IN(""), IN(""), NULL },
	{ PLAIN, IN("\r\nb"), IN(""), IN("b\n"), NULL },
	{ PLAIN, IN("\rb"), IN(""), IN("\n b\n"), NULL },
	{ PLAIN, IN("S: s\n\nbody"), IN("S: s\n"), IN("body\n"), NULL },
	{ PLAIN, IN("S: s\n\n\n\n"), IN("S: s\n"), IN("\n\n"), NULL },
	/* NUL */
	{ PLAIN, IN("A: \0x\n\n\0"), IN("A: ?x\n"), IN("\0\n"), NULL },
	{ PLAIN, IN("A: \0x\0\n\nb\0\n"), IN("A: ?x?\n"), IN("b\0\n"), NULL },
	{ PLAIN, IN("A: 1\nb\0c\n"), IN("A: 1\n"), IN("b\0c\n"), NULL },
	{ PLAIN, IN("A\0: 1\nB: 2\n"), IN(""), IN("A\0: 1\nB: 2\n"), NULL },
	/* a dot with -i */
	{ PLAIN, IN("S: s\n\n1\n.\n..\n.x\n2\n"), IN("S: s\n"), IN("1\n.\n..\n.x\n2\n"), NULL },
	{ PLAIN, IN("S: s\n.\nTo: y\n"), IN("S: s\n"), IN(".\nTo: y\n"), NULL },
	/* and without */
	{ DOT, IN("S: s\n\n1\n.\n2\n"), IN("S: s\n"), IN("1\n"), NULL },
	{ DOT, IN("S: s\n\n.\n2\n"), IN("S: s\n"), IN(""), NULL },
	{ DOT, IN("S: s\n\n1\r\n.\r\n2\n"), IN("S: s\n"), IN("1\n"), NULL },
	{ DOT, IN("S: s\n\n1\n.\r\n2\n"), IN("S: s\n"), IN("1\n"), NULL },
	{ DOT, IN("S: s\n\n1\r.\n2\n"), IN("S: s\n"), IN("1\n.\n2\n"), NULL },
	{ DOT, IN("S: s\n\n..\n.x\n.\rx\n.\r\rx\n2"), IN("S: s\n"), IN("..\n.x\n.\nx\n.\n\nx\n2\n"),
	    NULL },
	{ DOT, IN("S: s\n\n."), IN("S: s\n"), IN(".\n"), NULL },
	{ DOT, IN("S: s\n\n.\r"), IN("S: s\n"), IN(".\n"), NULL },
	{ DOT, IN("S: s\n\n1\n\n\n.\n"), IN("S: s\n"), IN("1\n\n\n"), NULL },
	{ DOT, IN("S: s\n.\nTo: y\n"), IN("S: s\n"), IN(""), NULL },
	{ DOT, IN("S: s\r\n.\r\nTo: y\n"), IN("S: s\n"), IN(""), NULL },
	{ DOT, IN(".\nTo: y\n"), IN(""), IN(""), NULL },
	{ DOT, IN(".a: b\n..c: d\n\n"), IN(".a: b\n|..c: d\n"), IN(""), NULL },
	{ DOT, IN("."), IN(""), IN(".\n"), NULL },
	{ DOT, IN(".\r"), IN(""), IN(".\n"), NULL },
	{ DOT, IN(".\rx: y\n\nb"), IN(""), IN(".\n x: y\n\nb\n"), NULL },
	{ DOT, IN("hello\n.\nx\n"), IN(""), IN("hello\n"), NULL },
	/* the same where only the last one does */
	{ LAST, IN("S: s\n\n1\n.\n"), IN("S: s\n"), IN("1\n"), NULL },
	{ LAST, IN("S: s\n\n1\n.\r\n\r\n \t\n\n"), IN("S: s\n"), IN("1\n"), NULL },
	{ LAST, IN("S: s\n\n1\n.\n2\n.\n"), IN("S: s\n"), IN("1\n.\n2\n"), NULL },
	{ LAST, IN("S: s\n\n1\n.\n\n 2\n"), IN("S: s\n"), IN("1\n.\n\n 2\n"), NULL },
	{ LAST, IN("S: s\n\n1\r\n.\r\n\r\n2\r\n"), IN("S: s\n"), IN("1\n.\n\n2\n"), NULL },
	{ LAST, IN("S: s\n\n.\n.\n.\n"), IN("S: s\n"), IN(".\n.\n"), NULL },
	{ LAST, IN("S: s\n\n1\n.\n\n..\n"), IN("S: s\n"), IN("1\n.\n\n..\n"), NULL },
	{ LAST, IN("S: s\n\n1\n.\n  ."), IN("S: s\n"), IN("1\n.\n  .\n"), NULL },
	{ LAST, IN("S: s\n.\n"), IN("S: s\n"), IN(""), NULL },
	{ LAST, IN("S: s\n.\nT: t\n"), IN("S: s\n"), IN(".\nT: t\n"), NULL },
	{ LAST, IN("S: s\n\n1\n."), IN("S: s\n"), IN("1\n.\n"), NULL },
};

/* Feed s in pieces of step octets; true when the dot was seen. */
static bool
feed(struct intake *in, struct str s, size_t step)
{
	struct fail f = FAIL_INIT;
	bool done = false;

	while (s.n > 0) {
		size_t n = s.n < step ? s.n : step;

		assert_true(intake_feed(in, str_at(s.p, n), &done, &f));
		s = str_skip(s, n);
	}
	return done;
}

static void
check(size_t i, const struct message *m, struct str from)
{
	const struct row *r = &rows[i];
	struct str rest = r->headers;
	size_t n = 0;

	while (rest.n > 0) {
		struct str want = str_cut(&rest, '|');

		if (n == m->nheaders || !str_eq(m->headers[n].text, want))
			fail_msg("row %zu: field %zu is not \"%.*s\"", i, n, S_ARG(want));
		n++;
	}
	if (n != m->nheaders)
		fail_msg("row %zu: %zu fields", i, m->nheaders);
	if (m->body.fd != -1 || !str_eq(str_at(m->body.mem, (size_t)m->body.size), r->body))
		fail_msg("row %zu: body \"%.*s\"", i, (int)m->body.size, m->body.mem);
	if ((from.p == NULL) != (r->from_line == NULL) ||
	    (from.p != NULL && !str_eq(from, str_of(r->from_line))))
		fail_msg("row %zu: From_ line", i);
}

static void
reads_as_exim(void **state)
{
	static const size_t steps[] = { SIZE_MAX, 1, 2, 3 };
	struct fail f = FAIL_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * COUNT(steps); i++) {
		const struct row *r = &rows[i / COUNT(steps)];
		struct intake_options o = { .dot = r->how == DOT ? INTAKE_DOT_ENDS :
			    r->how == LAST                       ? INTAKE_DOT_LAST :
								   INTAKE_DOT_TEXT,
			.crlf_alone = r->how == SMTP };
		AUTO_ARENA struct arena a = { NULL };
		struct message m = { .arena = &a };
		struct intake *in = intake_new(&m, &o);
		struct str from;

		(void)feed(in, r->input, steps[i % COUNT(steps)]);
		assert_true(intake_end(in, &from, &f));
		check(i / COUNT(steps), &m, from);
	}
}

static void
measures_the_body(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct message m = { .arena = &a };
	struct intake_options o = { 0 };
	struct intake *in = intake_new(&m, &o);
	struct fail f = FAIL_INIT;
	struct str from;
	bool done = true;

	(void)state;
	assert_true(intake_feed(in, STR("\n1\n12345678\n\n1234"), &done, &f));
	assert_false(done);
	assert_true(intake_end(in, &from, &f));
	assert_int_equal(m.body.size, 17);
	assert_int_equal(m.body.lines, 4);
	assert_int_equal(m.body.longest_line, 8);
	assert_false(m.body.has_8bit);
	assert_false(m.body.has_nul);

	for (size_t i = 1; i < 20; i++) {
		char text[] = "\n1234567890123456789";

		text[i] = (char)0x80;
		in = intake_new(&m, &o);
		assert_true(intake_feed(in, str_at(text, sizeof text), &done, &f));
		assert_true(intake_end(in, &from, &f));
		assert_true(m.body.has_8bit);
		assert_true(m.body.has_nul);
	}
}

/* Pieces of odd size that fill memory several times; the file has what was fed. */
static void
large_body_goes_to_a_file(void **state)
{
	enum { LINE = 77, LINES = 50000 };
	static const char *const dirs[] = { "/tmp", "/nonexistent", "/proc", NULL };
	struct fail f = FAIL_INIT;
	char line[LINE], back[LINE];
	bool done;

	(void)state;
	for (size_t d = 0; d < COUNT(dirs); d++) {
		AUTO_ARENA struct arena a = { NULL };
		struct message m = { .arena = &a };
		struct intake_options o = { .tmp_dir = dirs[d], .dot = INTAKE_DOT_ENDS };
		struct intake *in = intake_new(&m, &o);
		struct str from;

		assert_true(intake_feed(in, STR("S: s\n\n"), &done, &f));
		for (size_t i = 0; i < LINES; i++) {
			memset(line, 'a' + (int)(i % 26), LINE - 1);
			line[LINE - 1] = '\n';
			assert_true(intake_feed(in, str_at(line, LINE), &done, &f));
		}
		assert_true(intake_end(in, &from, &f));
		assert_true(m.body.fd >= 0);
		assert_int_equal(fcntl(m.body.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
		assert_int_equal(m.body.size, LINE * LINES);
		assert_int_equal(m.body.lines, LINES);
		assert_int_equal(m.body.longest_line, LINE - 1);
		for (size_t i = 0; i < LINES; i++) {
			memset(line, 'a' + (int)(i % 26), LINE - 1);
			assert_int_equal(body_read(&m.body, i * LINE, back, LINE), LINE);
			assert_memory_equal(line, back, LINE);
		}
		assert_int_equal(body_read(&m.body, m.body.size, back, LINE), 0);
		body_close(&m.body);
		assert_int_equal(m.body.fd, -1);
	}
}

/* Feed zeros until the file cannot take them. */
static bool
feed_zeros(struct message *m, const char *dir, struct fail *f)
{
	static const char zeros[4096];
	struct intake_options o = { .tmp_dir = dir };
	struct intake *in = intake_new(m, &o);
	struct str from;
	bool done, ok = intake_feed(in, STR("\n"), &done, f);

	for (size_t n = 0; n < 4 * (BODY_MEMORY_MAX / sizeof zeros) && ok; n++)
		ok = intake_feed(in, str_at(zeros, sizeof zeros), &done, f);
	return ok && intake_end(in, &from, f);
}

/* No room for the file, or none can be made: the caller keeps the message and comes again. */
static void
fails_without_room(void **state)
{
	static const struct {
		__rlimit_resource_t what;
		rlim_t limit;
		int sys;
		const char *dir;
	} ways[] = {
		{ RLIMIT_FSIZE, (rlim_t)2 * BODY_MEMORY_MAX, EFBIG, "/tmp" },
		{ RLIMIT_FSIZE, (rlim_t)4 * BODY_MEMORY_MAX, EFBIG, "/tmp" },
		{ RLIMIT_NOFILE, 0, EMFILE, NULL },
	};

	(void)state;
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	for (size_t i = 0; i < COUNT(ways); i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct message m = { .arena = &a };
		struct fail f = FAIL_INIT;
		struct rlimit old, low;
		bool ok;

		assert_int_equal(getrlimit(ways[i].what, &old), 0);
		low = (struct rlimit){ .rlim_cur = ways[i].limit, .rlim_max = old.rlim_max };
		assert_int_equal(setrlimit(ways[i].what, &low), 0);
		ok = feed_zeros(&m, ways[i].dir, &f);
		assert_int_equal(setrlimit(ways[i].what, &old), 0);
		body_close(&m.body);
		assert_false(ok);
		assert_int_equal(f.cls, FAIL_TEMP);
		assert_int_equal(f.stage, STAGE_SPOOL);
		assert_int_equal(f.sys, ways[i].sys);
	}
}

static void
notices_a_cut_file(void **state)
{
	char name[] = "/tmp/test_intake.XXXXXX", octet;
	struct body b = { .fd = mkostemp(name, O_CLOEXEC), .size = 10 };

	(void)state;
	assert_true(b.fd >= 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(body_read(&b, 0, &octet, 1), -1);
	assert_int_equal(errno, EIO);
	body_close(&b);
	b.fd = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(body_read(&b, 0, &octet, 1), -1);
	assert_int_equal(errno, EISDIR);
	body_close(&b);
}

static void
limits_the_message(void **state)
{
	static const struct {
		uint64_t max;
		struct str input;
		bool ok;
	} limits[] = {
		{ 5, IN("A: b\n"), true },
		{ 4, IN("A: b\n"), false },
		{ 10, IN("A: b\n\n1234\n"), true },
		{ 9, IN("A: b\n\n1234\n"), false },
		{ 9, IN("A: b\n\n1234"), false },
		{ 3, IN("hello\n"), false },
		{ 0, IN("A: b\n\n1234\n"), true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(limits); i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct message m = { .arena = &a };
		struct intake_options o = { .size_max = limits[i].max };
		struct intake *in = intake_new(&m, &o);
		struct fail f = FAIL_INIT;
		struct str from;
		bool done, ok;

		ok = intake_feed(in, limits[i].input, &done, &f) && intake_end(in, &from, &f);
		if (ok != limits[i].ok)
			fail_msg("row %zu: %d", i, ok);
		if (ok)
			continue;
		assert_int_equal(f.cls, FAIL_PERM);
		assert_int_equal(fail_exit_code(&f), EX_DATAERR);
		assert_non_null(strstr(f.text, "message_size_limit"));
	}
}

/* The header section must not exceed its megabyte, whatever it is made of. */
static void
limits_the_header(void **state)
{
	static const char *const fillers[] = { "X: y\n", " fold\n", "word", "\r", "\r\n \r\n " };

	(void)state;
	for (size_t i = 0; i < COUNT(fillers); i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct message m = { .arena = &a };
		struct intake_options o = { .dot = INTAKE_DOT_ENDS };
		struct intake *in = intake_new(&m, &o);
		struct fail f = FAIL_INIT;
		bool done, ok = intake_feed(in, STR("A: b\n c"), &done, &f);

		for (size_t n = 0; n <= HEADER_MAX && ok; n++)
			ok = intake_feed(in, str_of(fillers[i]), &done, &f);
		assert_false(ok);
		assert_int_equal(fail_exit_code(&f), EX_DATAERR);
		assert_non_null(strstr(f.text, "message header longer than 1048576 characters"));
	}
}

static void
tells_an_error_from_the_end(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct message m = { .arena = &a };
	struct intake_options o = { 0 };
	struct fail f = FAIL_INIT;
	struct str from;
	int pair[2], fd;

	(void)state;
	assert_false(intake_read(&m, -1, &o, &from, &f));
	assert_int_equal(f.sys, EBADF);
	assert_int_equal(fail_exit_code(&f), EX_IOERR);
	fd = open("/", O_RDONLY | O_CLOEXEC);
	assert_false(intake_read(&m, fd, &o, &from, &f));
	assert_int_equal(f.sys, EISDIR);
	assert_int_equal(fail_exit_code(&f), EX_IOERR);
	(void)close(fd);

	/* A stream that is reset with unread data is no end of file. */
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	assert_true(fd_write_full(pair[0], "x", 1));
	assert_true(fd_write_full(pair[1], "A: b\n\ncut", 9));
	(void)close(pair[1]);
	assert_false(intake_read(&m, pair[0], &o, &from, &f));
	assert_int_equal(f.sys, ECONNRESET);
	assert_int_equal(f.cls, FAIL_TEMP);
	(void)close(pair[0]);
}

static _Noreturn void
write_slowly(int fd)
{
	static const char text[] = "A: b\n\n1\n.\nnot read\n";

	for (size_t i = 0; i < sizeof text - 1; i++)
		if (!fd_write_full(fd, text + i, 1))
			_exit(1);
	_exit(0);
}

/* EAGAIN is not the end either. */
static void
waits_on_a_nonblocking_pipe(void **state)
{
	static const struct {
		enum intake_dot dot;
		struct str body;
	} ways[] = { { INTAKE_DOT_TEXT, IN("1\n.\nnot read\n") },
		{ INTAKE_DOT_LAST, IN("1\n.\nnot read\n") }, { INTAKE_DOT_ENDS, IN("1\n") } };

	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct message m = { .arena = &a };
		struct intake_options o = { .dot = ways[i].dot };
		struct fail f = FAIL_INIT;
		struct str from;
		int fds[2], status;
		pid_t child;

		assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
		child = fork();
		if (child == 0)
			write_slowly(fds[1]);
		(void)close(fds[1]);
		assert_true(intake_read(&m, fds[0], &o, &from, &f));
		assert_true(str_eq(str_at(m.body.mem, (size_t)m.body.size), ways[i].body));
		assert_int_equal(waitpid(child, &status, 0), child);
		(void)close(fds[0]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_as_exim),
		cmocka_unit_test(measures_the_body),
		cmocka_unit_test(large_body_goes_to_a_file),
		cmocka_unit_test(fails_without_room),
		cmocka_unit_test(notices_a_cut_file),
		cmocka_unit_test(limits_the_message),
		cmocka_unit_test(limits_the_header),
		cmocka_unit_test(tells_an_error_from_the_end),
		cmocka_unit_test(waits_on_a_nonblocking_pipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
