/* test_logfile.c - where log lines go: the file, syslog and the journal, the message's own log. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "send/logfile.h"

enum { TEXT_MAX = 1024 };

/* A directory with a log's name in it. */
struct place {
	char dir[32], path[80];
	int fd;
};

static struct place
make_place(const char *name)
{
	struct place p = { .dir = "/tmp/onehop-log.XXXXXX" };

	assert_non_null(mkdtemp(p.dir));
	(void)snprintf(p.path, sizeof p.path, "%s/%s", p.dir, name);
	p.fd = open(p.dir, O_PATH | O_CLOEXEC);
	assert_true(p.fd >= 0);
	return p;
}

static void
remove_place(const struct place *p)
{
	(void)unlink(p->path);
	assert_int_equal(rmdir(p->dir), 0);
	(void)close(p->fd);
}

/* NULL: there is no such file. */
static const char *
content(const char *path, char out[TEXT_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	out[0] = '\0';
	if (fd < 0)
		return NULL;
	n = read(fd, out, TEXT_MAX - 1);
	(void)close(fd);
	assert_true(n >= 0);
	out[n] = '\0';
	return out;
}

/* ------------------------------------------------------------------ the file */

static struct str passed_on;

static void
remember(void *ctx, enum trace_kind kind, struct str line)
{
	(void)ctx;
	(void)kind;
	passed_on = line;
}

static void
lines(void **state)
{
	const struct trace next = { .emit = remember };
	struct logfile l = LOGFILE_INIT(&next);
	struct trace trace = logfile_trace(&l);
	struct place p = make_place("log");
	const struct conf conf = { .log_file = p.path, .syslog = CHOICE_NO };
	char text[TEXT_MAX];

	(void)state;
	trace_line(&trace, TRACE_LOG, "no file yet");
	assert_int_equal(passed_on.n, strlen("no file yet"));
	logfile_open(&l, &conf);
	trace_line(&trace, TRACE_LOG, "no id\nx");
	l.id = "1abcde-000001-00";
	trace_line(&trace, TRACE_LOG, "Completed");
	trace_line(&trace, TRACE_NOTE, "not for the log");
	assert_int_equal(passed_on.n, strlen("not for the log"));
	logfile_close(&l);
	assert_non_null(content(p.path, text));
	assert_int_equal(
	    strlen(text), (size_t)2 * 20 + strlen("no id?x\n1abcde-000001-00 Completed\n"));
	assert_string_equal(text + 20 + 8 + 20, "1abcde-000001-00 Completed\n");
	assert_memory_equal(text + 20, "no id?x\n", 8);
	remove_place(&p);
}

/* It is cut, not lost: a pipe takes it as one, and the message's end is in the log. */
static void
long_lines(void **state)
{
	struct logfile l = LOGFILE_INIT(NULL);
	struct trace trace = logfile_trace(&l);
	struct place p = make_place("log");
	const struct conf conf = { .log_file = p.path, .syslog = CHOICE_NO };
	char text[TEXT_MAX], line[9000];
	struct stat st;

	(void)state;
	memset(line, 'w', sizeof line);
	logfile_open(&l, &conf);
	l.id = "1abcde-000001-00";
	trace.emit(trace.ctx, TRACE_LOG, str_at(line, sizeof line));
	assert_int_equal(stat(p.path, &st), 0);
	assert_true(st.st_size >= 3900 && st.st_size <= 4096);
	assert_int_equal(truncate(p.path, 100), 0);
	trace_line(&trace, TRACE_LOG, "Completed");
	logfile_close(&l);
	assert_memory_equal(content(p.path, text) + 20, "1abcde-000001-00 wwww", 21);
	assert_string_equal(text + 100 + 20, "1abcde-000001-00 Completed\n");
	remove_place(&p);
}

/* What was met before the message had an id. */
static void
held_lines(void **state)
{
	struct logfile l = LOGFILE_INIT(NULL);
	struct trace trace = logfile_trace(&l);
	struct place p = make_place("log");
	const struct conf conf = { .log_file = p.path, .syslog = CHOICE_NO };
	char text[TEXT_MAX];

	(void)state;
	logfile_open(&l, &conf);
	logfile_hold(&l);
	trace_line(&trace, TRACE_LOG, "H=a");
	trace_line(&trace, TRACE_LOG, "H=b");
	assert_string_equal(content(p.path, text), "");
	l.id = "ID";
	trace_line(&trace, TRACE_LOG, "<= x");
	l.id = NULL;
	trace_line(&trace, TRACE_LOG, "End");
	assert_non_null(content(p.path, text));
	for (char *at = text; *at != '\0'; at += strcspn(at, "\n") + 1)
		memmove(at, at + 20, strlen(at + 20) + 1); /* no dates */
	assert_string_equal(text, "ID <= x\nID H=a\nID H=b\nEnd\n");
	logfile_hold(&l);
	trace_line(&trace, TRACE_LOG, "H=c");
	logfile_close(&l); /* there never was a message */
	assert_string_equal(content(p.path, text) + strlen(text) - 4, "H=c\n");
	remove_place(&p);
}

static int
try_open(const char *path)
{
	struct logfile l = LOGFILE_INIT(NULL);
	const struct conf conf = { .log_file = path };
	int fd;

	logfile_open(&l, &conf);
	fd = l.fd;
	logfile_close(&l);
	return fd;
}

/* Made 0640 whatever the umask, its directory too; what is not a plain file is left alone. */
static void
not_everywhere(void **state)
{
	struct place p = make_place("log");
	char other[128];
	mode_t mask = umask(077);
	struct stat st;

	(void)state;
	assert_true(try_open(p.path) >= 0);
	assert_int_equal(stat(p.path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_true(try_open(p.path) >= 0);
	(void)snprintf(other, sizeof other, "%s/other", p.dir);
	assert_int_equal(link(p.path, other), 0);
	assert_int_equal(try_open(other), -1);
	assert_int_equal(unlink(other) | symlink("log", other), 0);
	assert_int_equal(try_open(other), -1);
	assert_int_equal(unlink(other) | mkfifo(other, 0600), 0);
	assert_int_equal(try_open(other), -1);
	assert_int_equal(unlink(other), 0);
	assert_int_equal(try_open(p.dir), -1);
	assert_int_equal(try_open("/dev/null"), -1);
	(void)snprintf(other, sizeof other, "%s/a/b/log", p.dir);
	assert_int_equal(try_open(other), -1);
	(void)snprintf(other, sizeof other, "%s/a/log", p.dir);
	assert_true(try_open(other) >= 0);
	assert_int_equal(unlink(other), 0);
	(void)snprintf(other, sizeof other, "%s/a", p.dir);
	assert_int_equal(rmdir(other), 0);
	assert_true(try_open("-") > 2);
	(void)umask(mask);
	remove_place(&p);
}

/* What root makes in a directory of user onehop is for onehop to write, too. */
static void
owners(void **state)
{
	struct place p = make_place("log");
	struct stat st;

	(void)state;
	if (geteuid() == 0) {
		assert_int_equal(chown(p.dir, 12345, (gid_t)-1), 0);
		assert_true(try_open(p.path) >= 0);
		assert_int_equal(stat(p.path, &st), 0);
		assert_int_equal(st.st_uid, 12345);
	}
	remove_place(&p);
}

/* Nobody reads the pipe: a line that has no room is lost, the program goes on. */
static void
pipe_is_full(void **state)
{
	struct logfile l = LOGFILE_INIT(NULL);
	struct trace trace = logfile_trace(&l);
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	l.fd = ends[1];
	l.use_syslog = CHOICE_NO;
	for (int i = 0; i < 4000; i++)
		trace_line(&trace, TRACE_LOG, "a line that nobody reads %d", i);
	(void)close(ends[0]);
	trace_line(&trace, TRACE_LOG, "nobody can");
	logfile_close(&l);
}

/* ------------------------------------------------------------------ syslog */

static int
listen_at(const struct place *p)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	memcpy(at.sun_path, p->path, strlen(p->path));
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

/* NULL: nothing came. */
static const char *
heard(int fd, char out[TEXT_MAX])
{
	ssize_t n = recv(fd, out, TEXT_MAX - 1, 0);

	if (n < 0)
		return NULL;
	out[n] = '\0';
	return out;
}

static void
to_syslogd(void **state)
{
	struct place p = make_place("socket");
	struct syslog s = { .journal = "/nonexistent", .syslogd = p.path, .fd = -1 };
	char got[TEXT_MAX], expected[128];
	int fd = listen_at(&p);

	(void)state;
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	assert_true(syslog_line(&s, 1772900403, "ID", STR("<= a\xc3\xa9")));
	(void)snprintf(expected, sizeof expected, "<22>Mar  7 16:20:03 onehop[%d]: ID <= a\xc3\xa9",
	    (int)getpid());
	assert_string_equal(heard(fd, got), expected);
	assert_true(syslog_line(&s, 1774196403, NULL, STR("Start")));
	assert_memory_equal(heard(fd, got), "<22>Mar 22 16:20:03 onehop[", 27);
	assert_non_null(strstr(got, "]: Start"));
	syslog_close(&s);
	(void)close(fd);
	remove_place(&p);
}

static void
to_journal(void **state)
{
	struct place p = make_place("socket"), other = make_place("socket");
	struct syslog s = { .journal = p.path, .syslogd = other.path, .fd = -1 };
	char got[TEXT_MAX], expected[256];
	int fd = listen_at(&p), syslogd = listen_at(&other);

	(void)state;
	assert_true(syslog_line(&s, 0, "ID", STR("Completed")));
	assert_null(heard(syslogd, got));
	(void)snprintf(expected, sizeof expected,
	    "PRIORITY=6\nSYSLOG_FACILITY=2\nSYSLOG_IDENTIFIER=onehop\nSYSLOG_PID=%d\n"
	    "ONEHOP_ID=ID\nMESSAGE=ID Completed\n",
	    (int)getpid());
	assert_string_equal(heard(fd, got), expected);
	assert_true(syslog_line(&s, 0, NULL, STR("x")));
	assert_null(strstr(heard(fd, got), "ONEHOP_ID"));
	syslog_close(&s);
	(void)close(fd);
	(void)close(syslogd);
	remove_place(&p);
	remove_place(&other);
}

static void
nobody_takes_it(void **state)
{
	struct place p = make_place("socket");
	struct syslog s = { .journal = p.path, .syslogd = p.path, .fd = -1 };
	int fd = listen_at(&p);

	(void)state;
	for (int i = 0; i < 4000; i++) /* its queue is full: no wait */
		(void)syslog_line(&s, 0, NULL, STR("x"));
	assert_false(syslog_line(&s, 0, NULL, STR("x")));
	(void)close(fd);
	assert_false(syslog_line(&s, 0, NULL, STR("x")));
	s.syslogd = s.journal = "/a/name/that/is/too/long/for/the/address/of/a/unix/socket/"
				"because/it/has/more/than/one/hundred/and/eight/bytes";
	assert_false(syslog_line(&s, 0, NULL, STR("x")));
	syslog_close(&s);
	remove_place(&p);
}

static const struct {
	enum conf_choice option;
	const char *file;
	bool told;
} whens[] = {
	{ CHOICE_AUTO, "/dev/null", false },
	{ CHOICE_AUTO, NULL, true },
	{ CHOICE_AUTO, "/dev/full", true },
	{ CHOICE_YES, "/dev/null", true },
	{ CHOICE_YES, NULL, true },
	{ CHOICE_NO, NULL, false },
	{ CHOICE_NO, "/dev/full", false },
};

static void
syslog_when(void **state)
{
	struct place p = make_place("socket");
	int fd = listen_at(&p);
	char got[TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof whens / sizeof whens[0]; i++) {
		struct logfile l = LOGFILE_INIT(NULL);
		struct trace trace = logfile_trace(&l);

		l.syslog.journal = l.syslog.syslogd = p.path;
		l.use_syslog = whens[i].option;
		if (whens[i].file != NULL)
			l.fd = open(whens[i].file, O_WRONLY | O_CLOEXEC);
		trace_line(&trace, TRACE_LOG, "a%cb", 0x1b);
		logfile_close(&l);
		assert_int_equal(heard(fd, got) != NULL, whens[i].told);
		if (whens[i].told)
			assert_non_null(strstr(got, "\nMESSAGE=a?b\n"));
	}
	(void)close(fd);
	remove_place(&p);
}

/* ------------------------------------------------------------------ the log of a message */

static const char *const said[] = {
	"<= a@b U=a P=local S=1",
	"=> x@y R=r T=t H=h [::1] C=\"250 ok\"",
	"Frozen (delivery error message)",
	"",
};

static const char id[] = "1abcde-000001-00";

static void
message_lines(void **state)
{
	struct msglog m = MSGLOG_INIT;
	struct place p = make_place(id);
	char got[TEXT_MAX], expected[TEXT_MAX];

	(void)state;
	m.dir = p.fd;
	for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
		msglog_keep(&m, id);
		msglog_line(&m, id, "NOW", str_of(said[i]));
		(void)snprintf(expected, sizeof expected, "NOW %s\n", said[i]);
		assert_string_equal(content(p.path, got), expected);
		assert_int_equal(unlink(p.path), 0);
	}
	remove_place(&p);
}

/* Held until the message is in the spool; nothing is made for one that never is, or is no more. */
static void
message_life(void **state)
{
	struct msglog m = MSGLOG_INIT;
	struct place p = make_place(id);
	char got[TEXT_MAX];

	(void)state;
	msglog_hold(&m, id);
	msglog_line(&m, id, "1", STR("<= a@b"));
	m.dir = p.fd;
	msglog_line(&m, id, "2", STR("== x@y defer"));
	msglog_line(&m, "1abcde-000002-00", "2", STR("not mine"));
	assert_null(content(p.path, got));
	msglog_keep(&m, id);
	msglog_line(&m, id, "3", STR("more"));
	assert_string_equal(content(p.path, got), "1 <= a@b\n2 == x@y defer\n3 more\n");
	assert_int_equal(unlink(p.path), 0);
	msglog_line(&m, id, "4", STR("Completed"));
	assert_null(content(p.path, got));
	m.dir = -1; /* message_logs = no */
	msglog_hold(&m, id);
	msglog_line(&m, id, "5", STR("<= a@b"));
	msglog_keep(&m, id);
	assert_null(content(p.path, got));
	msglog_free(&m);
	remove_place(&p);
}

static void
message_says_too_much(void **state)
{
	struct msglog m = MSGLOG_INIT;
	struct place p = make_place(id);
	char got[TEXT_MAX];

	(void)state;
	m.dir = p.fd;
	msglog_hold(&m, id);
	for (int i = 0; i < 10000; i++)
		msglog_line(&m, id, "6", STR("a line of some length"));
	msglog_keep(&m, id);
	assert_non_null(content(p.path, got));
	assert_memory_equal(got, "6 a line of some length\n", 24);
	msglog_free(&m);
	remove_place(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(held_lines),
		cmocka_unit_test(not_everywhere),
		cmocka_unit_test(owners),
		cmocka_unit_test(pipe_is_full),
		cmocka_unit_test(to_syslogd),
		cmocka_unit_test(to_journal),
		cmocka_unit_test(nobody_takes_it),
		cmocka_unit_test(syslog_when),
		cmocka_unit_test(message_lines),
		cmocka_unit_test(message_life),
		cmocka_unit_test(message_says_too_much),
	};

	return cmocka_run_group_tests_name("logfile", tests, NULL, NULL);
}
