/* test_mbox.c - onto the end of an mbox, and into a program. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "local/mbox.h"
#include "local/pipe.h"
#include "mailbox_fixture.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define FROM "From alice@debian Thu Jan 01 00:16:40 1970\n"

static struct mbox
inbox(struct fixture *x)
{
	return (struct mbox){ arena_fmt(&x->arena, "%s/inbox", x->user.home), 0660, 2, 1 };
}

static bool
deliver(struct fixture *x, const char *text, struct fail *f)
{
	struct mbox m = inbox(x);

	fixture_message(x, text, strlen(text));
	return mbox_deliver(&x->letter, &x->arena, &m, f);
}

static void
put(const char *path, const char *text, mode_t mode)
{
	AUTO_FD int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_true(fd >= 0 && fd_write_full(fd, text, strlen(text)) && fchmod(fd, mode) == 0);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
test_two(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;

	assert_true(deliver(x, "Subject: s\n\nFrom here\n>From x\n.x\nend\n", &f));
	x->rq.sender = "";
	assert_true(deliver(x, "Subject: t\n\n", &f));
	assert_string_equal(fixture_read(x, "inbox"),
	    FROM HEAD "Subject: s\n\n>From here\n>From x\n.x\nend\n\n"
		      "From MAILER-DAEMON Thu Jan 01 00:16:40 1970\nReturn-path: <>\n"
		      "Envelope-to: fax@debian,\n ali@debian\n"
		      "Delivery-date: Thu, 01 Jan 1970 00:16:40 +0000\nSubject: t\n\n\n");
	assert_int_equal(mode_of("inbox"), 0660);
	assert_string_equal(fixture_list(x, "."), "inbox");
}

/* A long line that is read in two parts: the second part is no start of a line. */
static void
test_inside_line(void **state)
{
	struct fixture *x = *state;
	AUTO_BUF struct buf text = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
	struct fail f = FAIL_INIT;

	for (size_t i = 0; i < LETTER_CHUNK; i++)
		buf_char(&text, 'x');
	buf_str(&text, "From y\n");
	assert_true(deliver(x, text.p, &f));
	buf_fmt(&want, "%s%s\n", FROM HEAD, text.p);
	assert_string_equal(fixture_read(x, "inbox"), want.p);
}

/* "From " is found wherever a buffer ends; long lines and what only begins like it are left. */
static void
test_quoting(void **state)
{
	struct fixture *x = *state;

	for (size_t before = LETTER_CHUNK - 8; before < LETTER_CHUNK + 8; before++) {
		AUTO_BUF struct buf text = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
		struct fail f = FAIL_INIT;

		for (size_t i = 1; i < before; i++)
			buf_char(&text, 'F');
		buf_str(&text, "\nFrom x\nFro\nFrom\n From y\nxFrom z\n\nFrom w\nFrom");
		assert_true(deliver(x, text.p, &f));
		buf_str(&want, FROM HEAD);
		buf_add(&want, text.p, before);
		buf_str(&want, ">From x\nFro\nFrom\n From y\nxFrom z\n\n>From w\nFrom\n");
		assert_string_equal(fixture_read(x, "inbox"), want.p);
		assert_int_equal(unlink("inbox"), 0);
	}
}

static void
test_existing(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;
	struct stat st;

	put("inbox", "", 0600);
	assert_true(deliver(x, "\nx\n", &f));
	assert_int_equal(mode_of("inbox"), 0600);
	put("inbox", "cut off", 0666);
	assert_true(deliver(x, "\nx\n", &f));
	assert_int_equal(mode_of("inbox"), 0660);
	assert_string_equal(fixture_read(x, "inbox"), "cut off\n\n" FROM HEAD "\nx\n\n");
	assert_int_equal(stat("inbox.lock", &st), -1);
}

static void
test_refused(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;

	put("other", "secret", 0600);
	assert_int_equal(symlink("other", "inbox"), 0);
	assert_false(deliver(x, "\nx\n", &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_non_null(strstr(f.text, "is a symlink"));
	x->user.uid++;
	assert_false(deliver(x, "\nx\n", &f));
	assert_non_null(strstr(f.text, "inbox (symlink) has wrong uid"));
	x->user.uid--;
	assert_int_equal(unlink("inbox"), 0);
	assert_int_equal(link("other", "inbox"), 0);
	assert_false(deliver(x, "\nx\n", &f));
	assert_non_null(strstr(f.text, "has too many links (2)"));
	assert_string_equal(fixture_read(x, "other"), "secret");
	assert_int_equal(unlink("inbox"), 0);
	assert_int_equal(mkfifo("inbox", 0600), 0);
	assert_false(deliver(x, "\nx\n", &f));
	assert_non_null(strstr(f.text, "is not a regular file"));
	assert_string_equal(fixture_list(x, "."), "inbox other");
}

static void
test_lock_file(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;
	struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };

	put("inbox.lock", "", 0600);
	assert_int_equal(utimensat(AT_FDCWD, "inbox.lock", old, 0), 0);
	assert_false(deliver(x, "\nx\n", &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_non_null(strstr(f.text, "failed to lock mailbox"));
	assert_string_equal(fixture_list(x, "."), "inbox.lock");
	x->letter.sec = 1000 + 30 * 60 + 1;
	assert_true(deliver(x, "\nx\n", &f));
	assert_string_equal(fixture_list(x, "."), "inbox");
}

/* A lock of ours is good as long as somebody holds it. */
static void
test_lock_left_over(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;
	int fd;

	put("inbox.lock", LOCK_MARK, 0600);
	fd = open("inbox.lock", O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_false(deliver(x, "\nx\n", &f));
	assert_string_equal(fixture_list(x, "."), "inbox.lock");
	assert_int_equal(close(fd), 0);
	assert_true(deliver(x, "\nx\n", &f));
	assert_string_equal(fixture_list(x, "."), "inbox");
}

/* Another process has the file locked, and does not know of lock files. */
static void
test_fcntl_lock(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;
	int ready[2], done[2];
	pid_t pid;
	char c;

	put("inbox", "", 0600);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(done), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
		int fd = open("inbox", O_RDWR | O_CLOEXEC);

		(void)close(done[1]);
		if (fcntl(fd, F_SETLK, &whole) != 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(done[0], &c, 1) == 0 ? 0 : 1);
	}
	(void)close(done[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_false(deliver(x, "\nx\n", &f));
	assert_non_null(strstr(f.text, "(fcntl)"));
	(void)close(done[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(deliver(x, "\nx\n", &f));
	(void)close(ready[0]);
	(void)close(ready[1]);
}

/* What was written of a message that did not fit, or did not come whole, is taken back. */
static void
test_taken_back(void **state)
{
	struct fixture *x = *state;
	struct mbox m = inbox(x);
	struct rlimit old, small;
	struct fail f = FAIL_INIT;
	bool done;

	put("inbox", "old\n", 0600);
	fixture_message(x, "Subject: s\n", 12);
	assert_false(mbox_deliver(&x->letter, &x->arena, &m, &f));
	assert_non_null(strstr(f.text, "ended early"));
	assert_string_equal(fixture_read(x, "inbox"), "old\n");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ 100, old.rlim_max };
	(void)signal(SIGXFSZ, SIG_IGN);
	fixture_message(x, "Subject: s\n\n", 12);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	done = mbox_deliver(&x->letter, &x->arena, &m, &f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(done);
	assert_int_equal(f.sys, EFBIG);
	assert_string_equal(fixture_read(x, "inbox"), "old\n");
	assert_string_equal(fixture_list(x, "."), "inbox");
}

/* --- programs --- */

static const struct pipe_transport address_pipe = {
	.name = "address_pipe", .path = "/bin:/usr/bin", .from_line = true, .output = true
};

static bool
pipe_to(struct fixture *x, const char *command, const char *text, struct fail *f)
{
	fixture_message(x, text, strlen(text));
	return pipe_deliver(&x->letter, &x->arena, &address_pipe, command, f);
}

static void
test_pipe(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;

	assert_true(pipe_to(x, "tee -a 'o ut'", "Subject: s\n\nFrom x\n", &f));
	assert_string_equal(fixture_read(x, "o ut"), FROM "Subject: s\n\nFrom x\n\n");
	assert_int_equal(mode_of("o ut"), 0644);
}

static void
test_pipe_environment(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;

	x->rq.recipient = "bob@debian";
	assert_true(pipe_to(x, "/bin/sh -c \"env | sort > out; pwd >> out\"", "\n", &f));
	assert_string_equal(fixture_read(x, "out"),
	    arena_fmt(&x->arena,
		"DOMAIN=debian\nHOME=%s\nLOCAL_PART=bob\nLOCAL_PART_PREFIX=\nLOCAL_PART_SUFFIX=\n"
		"LOGNAME=fax\nMESSAGE_ID=1abcde-000001-2f\nPATH=/bin:/usr/bin\nPWD=%s\n"
		"QUALIFY_DOMAIN=debian\nRECIPIENT=bob@debian\nSENDER=alice@debian\n"
		"SHELL=/bin/sh\nUSER=fax\n%s\n",
		x->user.home, x->user.home, x->user.home));
}

static const struct {
	const char *command;
	enum fail_class cls;
	const char *text;
} programs[] = {
	{ "/bin/sh -c 'exit 75'", FAIL_TEMP, "returned 75 from command: /bin/sh" },
	{ "/bin/sh -c 'exit 73'", FAIL_TEMP, "returned 73 from command: /bin/sh" },
	{ "/bin/sh -c 'echo no; echo such thing >&2; exit 2'", FAIL_PERM,
	    "Child process of address_pipe transport returned 2 from command: /bin/sh: no such "
	    "thing" },
	{ "/bin/sh -c 'kill -9 $$'", FAIL_PERM, "was terminated by signal 9 (Killed)" },
	{ "/nonexistent/program", FAIL_PERM,
	    "cannot start /nonexistent/program: No such file or directory" },
	{ "nosuchprogram", FAIL_PERM, "cannot start nosuchprogram" },
	{ "/", FAIL_PERM, "cannot start /: Permission denied" },
	{ "'open", FAIL_PERM, "missing quote" },
};

static void
test_pipe_fails(void **state)
{
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
		struct fail f = FAIL_INIT;

		assert_false(pipe_to(x, programs[i].command, "\n", &f));
		assert_int_equal(f.cls, programs[i].cls);
		if (strstr(f.text, programs[i].text) == NULL)
			fail_msg("%s: %s", programs[i].command, f.text);
	}
}

/* More than a pipe holds, in both directions; and a program that does not read. */
static void
test_pipe_big(void **state)
{
	struct fixture *x = *state;
	AUTO_BUF struct buf text = BUF_INIT(1 << 22);
	struct fail f = FAIL_INIT;

	buf_char(&text, '\n');
	for (int i = 0; i < 40000; i++)
		buf_str(&text, "a line that goes in and comes out\n");
	assert_true(pipe_to(x, "cat", text.p, &f));
	assert_true(pipe_to(x, "true", text.p, &f));
	assert_true(pipe_to(x, "/bin/sh -c 'head -n 3 > out; exec cat > /dev/null'", text.p, &f));
	assert_string_equal(fixture_read(x, "out"), FROM "\na line that goes in and comes out\n");
	/* what runs on in the background is not waited for */
	assert_true(pipe_to(x, "/bin/sh -c 'sleep 1000 & echo $! > pid'", "\n", &f));
	assert_int_equal(kill((pid_t)strtol(fixture_read(x, "pid"), NULL, 10), SIGKILL), 0);
}

/* A part is not the whole: a program never hears the end of a message that did not come. */
static void
test_pipe_ends_early(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;

	fixture_message(x, "Subject: s\n\n", 1000);
	assert_false(pipe_deliver(&x->letter, &x->arena, &address_pipe,
	    "/bin/sh -c 'cat > /dev/null; echo done > out'", &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_null(fixture_read(x, "out"));
}

static void
test_procmail_kind(void **state)
{
	static const struct pipe_transport t = { .name = "procmail_pipe",
		.path = "/bin",
		.from_line = true,
		.head = true,
		.must_exist = true };
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;

	fixture_message(x, "\nx\n", 3);
	assert_true(pipe_deliver(&x->letter, &x->arena, &t, "tee out", &f));
	assert_string_equal(fixture_read(x, "out"), FROM HEAD "\nx\n\n");
	fixture_message(x, "\nx\n", 3);
	assert_false(pipe_deliver(&x->letter, &x->arena, &t, "/nonexistent", &f));
	assert_int_equal(f.cls, FAIL_TEMP);
}

#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_HOME(test_two),
		IN_HOME(test_quoting),
		IN_HOME(test_inside_line),
		IN_HOME(test_existing),
		IN_HOME(test_refused),
		IN_HOME(test_lock_file),
		IN_HOME(test_lock_left_over),
		IN_HOME(test_fcntl_lock),
		IN_HOME(test_taken_back),
		IN_HOME(test_pipe),
		IN_HOME(test_pipe_environment),
		IN_HOME(test_pipe_fails),
		IN_HOME(test_pipe_big),
		IN_HOME(test_pipe_ends_early),
		IN_HOME(test_procmail_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
