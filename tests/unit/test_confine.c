/* test_confine.c - the process that talks to the network, confined for good: what it can still do.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/child.h"
#include "guard/confine.h"
#include "guard/filter.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* else: the errno that the call gives; DIES_SOMEHOW: of SIGSEGV where the kernel has no i386 */
enum { WORKS = 0, DIES = -1, DIES_SOMEHOW = -2 };

static int
from(long result)
{
	return result < 0 ? errno : WORKS;
}

static int
opened(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return WORKS;
}

static int
start_program(int fd)
{
	char *const argv[] = { NULL };

	(void)fd;
	return from(execve("/bin/true", argv, argv));
}

static int
trace_parent(int fd)
{
	(void)fd;
	return from(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int
become_user(int fd)
{
	(void)fd;
	return from(syscall(SYS_setuid, getuid()));
}

static int
new_namespace(int fd)
{
	(void)fd;
	return from(unshare(CLONE_NEWUSER));
}

static int
fork_namespace(int fd)
{
	(void)fd;
	return from(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int
load_filter_code(int fd)
{
	(void)fd;
	return from(syscall(SYS_bpf, 0, NULL, 0));
}

#if defined(__x86_64__)
/* getpid() as an i386 program calls it: the numbers mean other calls there. */
static int
call_as_i386(int fd)
{
	long pid = 20;

	(void)fd;
	__asm__ volatile("int $0x80" : "+a"(pid) : : "memory", "r8", "r9", "r10", "r11");
	return from(pid);
}

static int
call_as_x32(int fd)
{
	(void)fd;
	return from(syscall(0x40000000 | SYS_execve, "/bin/true", NULL, NULL));
}
#endif

static int
call_of_tomorrow(int fd)
{
	(void)fd;
	return from(syscall(5000));
}

static int
open_unseen(int fd)
{
	uint64_t how[3] = { O_RDWR, 0, 0 };

	(void)fd;
	return from(syscall(SYS_openat2, AT_FDCWD, "/dev/null", how, sizeof how));
}

static int
write_null(int fd)
{
	(void)fd;
	return opened("/dev/null", O_WRONLY);
}

static int
make_file(int fd)
{
	(void)fd;
	return opened("confine.made", O_RDONLY | O_CREAT);
}

static int
nameless_file(int fd)
{
	(void)fd;
	return opened("/tmp", O_RDWR | O_TMPFILE);
}

static int
remove_file(int fd)
{
	(void)fd;
	return from(unlink("confine.here"));
}

static int
read_listed(int fd)
{
	(void)fd;
	return opened("confine.here", O_RDONLY);
}

static int
read_other(int fd)
{
	(void)fd;
	return opened("confine.secret", O_RDONLY);
}

static int
read_users(int fd)
{
	(void)fd;
	return opened("/etc/passwd", O_RDONLY);
}

/* /etc/ssl/private is below it */
static int
read_keys(int fd)
{
	int e = opened("/etc/ssl", O_RDONLY | O_DIRECTORY);

	(void)fd;
	return e == ENOENT ? EACCES : e;
}

static int
read_certificates(int fd)
{
	int e = opened("/etc/ssl/certs", O_RDONLY | O_DIRECTORY);

	(void)fd;
	return e == ENOENT ? WORKS : e;
}

static int
read_library(int fd)
{
	(void)fd;
	return opened("/usr/lib", O_RDONLY | O_DIRECTORY);
}

static int
read_nsswitch(int fd)
{
	(void)fd;
	return opened("/etc/nsswitch.conf", O_RDONLY);
}

static int
end_parent(int fd)
{
	(void)fd;
	return from(kill(getppid(), 0));
}

static int
packet_socket(int fd)
{
	(void)fd;
	/* not socket(), which is socketcall on i386 and s390x */
	return from(syscall(SYS_socket, AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int
usual_sockets(int fd)
{
	static const int families[] = { AF_INET, AF_INET6 };

	(void)fd;
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		if (socket(families[i], SOCK_STREAM | SOCK_CLOEXEC, 0) < 0)
			return errno;
	return WORKS;
}

static int
unix_socket(int fd)
{
	(void)fd;
	return from((int)syscall(SYS_socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
hear_others(int fd)
{
	return from(listen(fd, 1));
}

static int
fork_and_wait(int fd)
{
	pid_t pid = fork();

	(void)fd;
	if (pid == 0)
		_exit(0);
	return from(waitpid(pid, NULL, 0));
}

static int
resolve(int fd)
{
	struct addrinfo *list = NULL;

	(void)fd;
	return getaddrinfo("127.0.0.1", "25", NULL, &list) == 0 && list != NULL ? WORKS : EIO;
}

static int
memory_and_chance(int fd)
{
	char bytes[16];
	void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)fd;
	if (p == MAP_FAILED || mlock(p, 4096) != 0 || munmap(p, 1 << 20) != 0)
		return errno;
	return from(getrandom(bytes, sizeof bytes, 0));
}

/* A body that came as a descriptor is open for writing. */
static int
write_passed(int fd)
{
	(void)fd;
	return from(pwrite(STDERR_FILENO, "x", 1, 0));
}

static int
cut_passed(int fd)
{
	(void)fd;
	return from(ftruncate(STDERR_FILENO, 0));
}

static int
no_core(int fd)
{
	struct rlimit l = { 1, 1 };

	(void)fd;
	if (getrlimit(RLIMIT_CORE, &l) != 0 || l.rlim_cur != 0 || l.rlim_max != 0)
		return EIO;
	return prctl(PR_GET_DUMPABLE) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? WORKS :
											    EIO;
}

static const struct row {
	const char *name;
	int (*act)(int fd);
	int expect;
	enum confined what;
} rows[] = {
	{ "execve", start_program, DIES, CONFINED_NETWORK },
	{ "ptrace", trace_parent, DIES, CONFINED_NETWORK },
	{ "setuid", become_user, DIES, CONFINED_NETWORK },
	{ "unshare", new_namespace, DIES, CONFINED_NETWORK },
	{ "bpf", load_filter_code, DIES, CONFINED_NETWORK },
#if defined(__x86_64__)
	{ "a call of i386", call_as_i386, DIES_SOMEHOW, CONFINED_NETWORK },
	{ "a call of x32", call_as_x32, ENOSYS, CONFINED_NETWORK },
#endif
	{ "clone into a namespace", fork_namespace, EPERM, CONFINED_NETWORK },
	{ "a call that is not known yet", call_of_tomorrow, ENOSYS, CONFINED_NETWORK },
	{ "openat2", open_unseen, ENOSYS, CONFINED_NETWORK },
	{ "open for writing", write_null, EPERM, CONFINED_NETWORK },
	{ "make a file", make_file, EPERM, CONFINED_NETWORK },
	{ "make a file without a name", nameless_file, EPERM, CONFINED_NETWORK },
	{ "remove a file", remove_file, EPERM, CONFINED_NETWORK },
	{ "write to a file that was open", write_passed, EFBIG, CONFINED_NETWORK },
	{ "cut a file that was open", cut_passed, EPERM, CONFINED_NETWORK },
	{ "kill", end_parent, EPERM, CONFINED_NETWORK },
	{ "listen", hear_others, EPERM, CONFINED_NETWORK },
	{ "a packet socket", packet_socket, EAFNOSUPPORT, CONFINED_NETWORK },
	{ "sockets", usual_sockets, WORKS, CONFINED_NETWORK },
	{ "unix socket", unix_socket, EAFNOSUPPORT, CONFINED_NETWORK },
	{ "unix socket for names", unix_socket, WORKS, CONFINED_NAMES },
	{ "unix socket for a token", unix_socket, WORKS, CONFINED_TOKEN },
	{ "execve for names", start_program, DIES, CONFINED_NAMES },
	{ "make a file for names", make_file, EPERM, CONFINED_NAMES },
	{ "fork", fork_and_wait, WORKS, CONFINED_NETWORK },
	{ "getaddrinfo", resolve, WORKS, CONFINED_NAMES },
	{ "mmap, mlock, getrandom", memory_and_chance, WORKS, CONFINED_NETWORK },
	{ "limits", no_core, WORKS, CONFINED_NETWORK },
	{ "read what is listed", read_listed, WORKS, CONFINED_NETWORK },
	{ "read a library's directory", read_library, WORKS, CONFINED_NETWORK },
	{ "read nsswitch.conf", read_nsswitch, WORKS, CONFINED_NAMES },
};
/* where the kernel has Landlock */
static const struct row landlocked[] = {
	{ "read another file", read_other, EACCES, CONFINED_NETWORK },
	{ "read another file for names", read_other, EACCES, CONFINED_NAMES },
	{ "read the users for names", read_users, EACCES, CONFINED_NAMES },
	{ "read nsswitch.conf without names", read_nsswitch, EACCES, CONFINED_NETWORK },
	{ "read the users", read_users, EACCES, CONFINED_NETWORK },
	{ "read keys", read_keys, EACCES, CONFINED_NETWORK },
	{ "read certificates", read_certificates, WORKS, CONFINED_NETWORK },
};

static int
confined(void *ctx, int fd)
{
	static const char *const more[] = { "confine.here", "", NULL };
	const struct row *row = ctx;
	int file, got;

	fd = confine_descriptors(fd);
	if (fcntl(fd + 1, F_GETFD) == 0)
		_exit(ENOTSUP);
	file = open("confine.here", O_RDWR | O_CLOEXEC);
	(void)dup2(file, STDERR_FILENO);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)signal(SIGSEGV, SIG_DFL); /* cmocka has a handler */
	if (!confine_network(more, row->what, NULL))
		_exit(EPERM);
	got = row->act(fd);
	return write(fd, &got, sizeof got) == (ssize_t)sizeof got ? 0 : EIO;
}

static void
check(const struct row *row)
{
	struct fail f = FAIL_INIT;
	struct row it = *row;
	struct child c;
	int got = EIO, status;
	ssize_t n;

	if (!child_serve(&c, confined, &it, STAGE_MAIL, &f)) {
		fail_msg("%s: %s", row->name, f.text);
		return;
	}
	n = read(c.in, &got, sizeof got);
	status = child_wait(&c);
	if (row->expect < WORKS) {
		if (n != 0 || !WIFSIGNALED(status) ||
		    (row->expect == DIES && WTERMSIG(status) != SIGSYS))
			fail_msg(
			    "%s: %s, status %#x", row->name, fail_words(got), (unsigned)status);
		return;
	}
	if (n != (ssize_t)sizeof got || got != row->expect || status != 0)
		fail_msg("%s: %s, not %s; status %#x", row->name, fail_words(got),
		    fail_words(row->expect), (unsigned)status);
}

__attribute__((unused)) static void
may_do_no_more(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check(&rows[i]);
}

__attribute__((unused)) static void
reads_no_more(void **state)
{
	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1) {
		print_message("# this kernel has no Landlock\n");
		return;
	}
	for (size_t i = 0; i < sizeof landlocked / sizeof landlocked[0]; i++)
		check(&landlocked[i]);
}

static int
wait_for_ever(void *ctx, int fd)
{
	(void)ctx;
	(void)fd;
	return pause();
}

/* The pipe's other end is closed when both are gone. */
static void
ends_with_its_parent(void **state)
{
	int way[2], status;
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe(way), 0);
	pid = fork();
	if (pid == 0) {
		struct child worker;
		struct fail f;

		(void)close(way[0]);
		_exit(child_serve(&worker, wait_for_ever, NULL, STAGE_MAIL, &f) ? 0 : 1);
	}
	(void)close(way[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(read(way[0], &c, 1), 0);
	(void)close(way[0]);
}

static int
make_files(void **state)
{
	int here = open("confine.here", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	int secret = open("confine.secret", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	/* for whoever root becomes */
	return fchmod(here, 0644) != 0 || fchmod(secret, 0644) != 0 || close(here) != 0 ||
	    close(secret) != 0;
}

static int
remove_files(void **state)
{
	(void)state;
	(void)unlink("confine.here");
	return unlink("confine.secret");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#if FILTER_POSSIBLE /* else there is nothing to test */
		cmocka_unit_test(may_do_no_more),
		cmocka_unit_test(reads_no_more),
#endif
		cmocka_unit_test(ends_with_its_parent),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
