/* test_file.c - opening, reading and writing files and pipes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "kernel.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define BYTES(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

/* A directory of its own for each test of files; *state is its path. */
static int
make_directory(void **state)
{
	char *path = strdup("/tmp/onehop-test-XXXXXX");

	*state = path;
	return path == NULL || mkdtemp(path) == NULL || chdir(path) != 0;
}

static int
remove_directory(void **state)
{
	(void)unlink("file");
	(void)unlink("link");
	(void)unlink("other");
	(void)unlink("fifo");
	(void)!chdir("/");
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static void
put(const char *path, size_t n)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	static char x[FILE_MAX + 1];

	memset(x, 'x', n);
	assert_true(fd >= 0);
	assert_true(fd_write_full(fd, x, n));
}

static void
opens_only_files(void **state)
{
	struct stat st;
	int fd;

	(void)state;
	put("file", 5);
	assert_int_equal(symlink("file", "link"), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	fd = file_open(AT_FDCWD, "file", FILE_NOFOLLOW, &st);
	assert_true(fd >= 0);
	assert_int_equal(st.st_size, 5);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(close(fd), 0);
	fd = file_open(AT_FDCWD, "link", 0, &st);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(file_open(AT_FDCWD, "link", FILE_NOFOLLOW, &st), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(file_open(AT_FDCWD, "fifo", 0, &st), -1); /* and does not hang */
	assert_int_equal(errno, EINVAL);
	assert_int_equal(file_open(AT_FDCWD, "/dev/zero", 0, &st), -1);
	assert_int_equal(file_open(AT_FDCWD, ".", 0, &st), -1);
	assert_int_equal(file_open(AT_FDCWD, "none", 0, &st), -1);
	assert_int_equal(errno, ENOENT);
}

/* A file of the time after 31 bits of seconds, and one that is longer than 32 bits say. */
static void
opens_late_and_long_files(void **state)
{
	const struct timespec late[2] = { { .tv_sec = INT64_C(4102444800) },
		{ .tv_sec = INT64_C(4102444800) } };
	const off_t size = INT64_C(5) << 30;
	struct stat st;
	char octet = 'x';
	int fd;

	(void)state;
	put("file", 0);
	assert_int_equal(truncate("file", size), 0);
	assert_int_equal(utimensat(AT_FDCWD, "file", late, 0), 0);
	fd = file_open(AT_FDCWD, "file", 0, &st);
	assert_true(fd >= 0);
	assert_int_equal(st.st_mtime, late[1].tv_sec);
	assert_int_equal(st.st_size, size);
	assert_int_equal(pread(fd, &octet, 1, size - 1), 1);
	assert_int_equal(octet, 0);
	assert_int_equal(close(fd), 0);
}

static void
reads_whole_files(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct fail f = FAIL_INIT;
	struct str s;

	(void)state;
	put("file", 5);
	assert_true(file_read(&a, "file", &s, &f));
	assert_true(str_eq(s, STR("xxxxx")));
	assert_int_equal(f.cls, FAIL_NONE);
	assert_int_equal(s.p[s.n], 0);
	assert_false(file_read(&a, "none", &s, &f));
	assert_int_equal(f.sys, ENOENT);
	assert_string_equal(f.text, "cannot open none: No such file or directory");
	assert_false(file_read(&a, "/dev/zero", &s, &f));
	assert_string_equal(f.text, "/dev/zero is not a regular file");
	put("file", FILE_MAX);
	assert_true(file_read(&a, "file", &s, &f));
	assert_int_equal(s.n, FILE_MAX);
	put("file", FILE_MAX + 1);
	assert_false(file_read(&a, "file", &s, &f));
	assert_string_equal(f.text, "file is larger than 1048576 bytes");
	assert_false(file_read_fd(&a, -1, "closed", &s, &f));
	assert_int_equal(f.sys, EBADF);
}

/* What editors and other systems leave at the start of a text, and what is none. */
static void
knows_text(void **state)
{
	static const struct {
		struct str bytes, text;
		const char *says; /* NULL: it is a text */
	} what[] = {
		{ BYTES(""), BYTES(""), NULL },
		{ BYTES("a\r\n"), BYTES("a\r\n"), NULL },
		{ BYTES("\xef\xbb\xbf"
			"a\n"),
		    BYTES("a\n"), NULL },
		{ BYTES("\xef\xbb\xbf"), BYTES(""), NULL },
		{ BYTES("\xef\xbb"), BYTES("\xef\xbb"), NULL },
		{ BYTES("a\xef\xbb\xbf"), BYTES("a\xef\xbb\xbf"), NULL },
		{ BYTES("a\f\n"), BYTES("a\f\n"), NULL },
		{ BYTES("\xff\xfe"
			"a\0\n\0"),
		    BYTES(""), "/etc/x is UTF-16: save it as UTF-8" },
		{ BYTES("\xfe\xff\0a"), BYTES(""), "/etc/x is UTF-16" },
		{ BYTES("a\0\n\0"), BYTES(""), "/etc/x:1: there is a NUL octet" },
		{ BYTES("a\n\nb\0"), BYTES(""), "/etc/x:3: there is a NUL octet" },
		{ BYTES("\xef\xbb\xbf"
			"a\n\0"),
		    BYTES(""), "/etc/x:2: there is a NUL octet" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
		struct fail f = FAIL_INIT;
		struct str s = what[i].bytes;
		bool ok = file_text("/etc/x", 0, &s, &f);

		if (ok != (what[i].says == NULL) || (ok && !str_eq(s, what[i].text)) ||
		    (!ok && strstr(f.text, what[i].says) == NULL))
			fail_msg("row %zu: %.*s %s", i, S_ARG(s), f.text);
		if (!ok)
			assert_int_equal(fail_exit_code(&f), 78);
	}
}

/* Both ends non-blocking, and more than a pipe holds: each side has to wait for the other. */
static void
waits_for_pipes(void **state)
{
	static char data[1 << 20], back[1 << 20];
	int p[2], status;
	pid_t pid;

	(void)state;
	memset(data, 'm', sizeof data);
	assert_int_equal(pipe2(p, O_NONBLOCK | O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		_exit(fd_write_full(p[1], data, sizeof data) ? 0 : 1);
	assert_int_equal(close(p[1]), 0);
	assert_int_equal(fd_read_full(p[0], back, sizeof back), sizeof back);
	assert_int_equal(fd_read_full(p[0], back, 1), 0);
	assert_memory_equal(data, back, sizeof back);
	assert_int_equal(close(p[0]), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(fd_read(-1, back, 1), -1);
	assert_int_equal(fd_read_full(-1, back, 1), -1);
	assert_false(fd_write_full(-1, back, 1));
}

/* What a kernel may lack.  In a child, for the rest of its life. */
static const struct lack {
	const char *name;
	long calls[3];
} lacks[] = {
	{ "nothing", { -1, -1, -1 } },
	{ "close_range", { SYS_close_range, -1, -1 } },
	{ "close_range, and no /proc",
	    { SYS_close_range, SYS_openat,
#ifdef SYS_open
		SYS_open
#else
		-1
#endif
	    } },
	{ "pidfd_open and renameat2", { SYS_pidfd_open, SYS_renameat2, -1 } },
};

static void
in_each_kernel(int (*act)(const struct lack *l))
{
	for (size_t i = 0; i < sizeof lacks / sizeof lacks[0]; i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0) {
			for (size_t k = 0; k < 3 && lacks[i].calls[k] >= 0; k++)
				kernel_lacks(lacks[i].calls[k]);
			_exit(act(&lacks[i]));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status != 0)
			fail_msg("without %s: step %d", lacks[i].name, WEXITSTATUS(status));
	}
}

static int
keep_some(const struct lack *l)
{
	static const int there[] = { 20, 21, 40, 700 };

	(void)l;
	for (size_t i = 0; i < 4; i++)
		if (dup2(STDERR_FILENO, there[i]) != there[i])
			return 1;
	fd_close_on_exec_from(40);
	if (fcntl(21, F_GETFD) != 0 || fcntl(40, F_GETFD) != FD_CLOEXEC ||
	    fcntl(700, F_GETFD) != FD_CLOEXEC)
		return 2;
	fd_close_from(21);
	if (fcntl(20, F_GETFD) != 0)
		return 3;
	for (size_t i = 1; i < 4; i++)
		if (fcntl(there[i], F_GETFD) != -1)
			return 4;
	return fcntl(STDERR_FILENO, F_GETFD) == 0 ? 0 : 5;
}

static void
closes_what_is_open(void **state)
{
	(void)state;
	in_each_kernel(keep_some);
}

static int
rename_some(const struct lack *l)
{
	struct stat st;

	(void)l;
	(void)unlink("other");
	if (unlink("link") != 0 || symlink("none", "link") != 0)
		return 1;
	if (file_rename(AT_FDCWD, "file", AT_FDCWD, "link") != -1 || errno != EEXIST)
		return 2;
	if (file_rename(AT_FDCWD, "file", AT_FDCWD, "other") != 0 || stat("other", &st) != 0)
		return 3;
	if (file_rename(AT_FDCWD, "file", AT_FDCWD, "more") != -1 || errno != ENOENT)
		return 4;
	return file_rename(AT_FDCWD, "other", AT_FDCWD, "file") == 0 ? 0 : 5;
}

static void
replaces_no_file(void **state)
{
	(void)state;
	put("file", 1);
	assert_int_equal(symlink("none", "link"), 0);
	in_each_kernel(rename_some);
}

static int
await_one(const struct lack *l)
{
	pid_t pid = fork();
	struct pollfd p = { .fd = -1, .events = POLLIN };

	if (pid == 0)
		_exit(0);
	p.fd = fd_of_process(pid);
	if (l->calls[0] == SYS_pidfd_open)
		return p.fd == -1 && errno == ENOSYS ? 0 : 1;
	return poll(&p, 1, 10000) == 1 && p.revents == POLLIN ? 0 : 2;
}

static void
sees_the_end_of_a_process(void **state)
{
	(void)state;
	in_each_kernel(await_one);
}

/* Another holds the lock for so many milliseconds, 0: not at all; it is waited for 300. */
static bool
lock_behind(int ms)
{
	AUTO_FD int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int said[2];
	char c;
	pid_t pid;
	bool ok;

	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		AUTO_FD int his = open("file", O_RDWR | O_CLOEXEC);

		if (ms == 0 || flock(his, LOCK_EX) == 0)
			(void)!write(said[1], "x", 1);
		(void)poll(NULL, 0, ms);
		_exit(0);
	}
	assert_int_equal(read(said[0], &c, 1), 1);
	ok = file_lock(fd, 300);
	assert_true(ok || errno == EWOULDBLOCK);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(said[0]);
	(void)close(said[1]);
	return ok;
}

static void
waits_for_locks(void **state)
{
	(void)state;
	assert_true(lock_behind(0));
	assert_true(lock_behind(30));
	assert_false(lock_behind(3000));
	assert_false(file_lock(-1, 300));
	assert_int_equal(errno, EBADF);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(opens_only_files, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(
		    opens_late_and_long_files, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(
		    reads_whole_files, make_directory, remove_directory),
		cmocka_unit_test(knows_text),
		cmocka_unit_test(waits_for_pipes),
		cmocka_unit_test(closes_what_is_open),
		cmocka_unit_test_setup_teardown(replaces_no_file, make_directory, remove_directory),
		cmocka_unit_test(sees_the_end_of_a_process),
		cmocka_unit_test_setup_teardown(waits_for_locks, make_directory, remove_directory),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
