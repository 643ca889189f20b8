/* test_commit.c - the life of a message in the spool, on filesystems of different kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "spool_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

static void
life(const struct fixture *p)
{
	AUTO_ARENA struct arena a = { NULL };
	struct queued q = fixture_message(&a, FIXTURE_ID), again;
	struct fail f = FAIL_INIT;

	assert_true(spool_commit(&p->s, &q, &f));
	fixture_has_text(&q);
	assert_int_equal(fixture_take(p, FIXTURE_ID, true, &a, &again), SPOOL_BUSY);
	assert_int_equal(fixture_take(p, FIXTURE_ID, false, &a, &again), SPOOL_TAKEN);
	assert_int_equal(again.m.body.fd, -1);
	spool_release(&q);
	spool_release(&q);

	assert_int_equal(fixture_take(p, FIXTURE_ID, true, &a, &q), SPOOL_TAKEN);
	fixture_has_text(&q);
	assert_string_equal(q.e.sender, "a@b.example");
	assert_true(spool_journal(&p->s, &q, fixture_two, 1, &f));
	assert_false(spool_journal(&p->s, &q, (const char *const[]){ "a\nb" }, 1, &f));
	spool_release(&q);

	assert_int_equal(fixture_take(p, FIXTURE_ID, true, &a, &q), SPOOL_TAKEN);
	assert_int_equal(q.e.rcpts[0].state, RCPT_SENT);
	assert_int_equal(q.e.rcpts[1].state, RCPT_WAITING);
	q.trouble.tries = 3;
	assert_true(spool_rewrite(&p->s, &q, &f));
	spool_release(&q);

	assert_int_equal(fixture_take(p, FIXTURE_ID, true, &a, &q), SPOOL_TAKEN);
	assert_int_equal(q.trouble.tries, 3);
	assert_int_equal(q.e.rcpts[0].state, RCPT_SENT);
	fixture_put(p->s.msglog, FIXTURE_ID, "x\n");
	assert_true(spool_remove(&p->s, &q, &f));
	fixture_has_text(&q);
	assert_int_equal(fixture_take(p, FIXTURE_ID, true, &a, &again), SPOOL_GONE);
	assert_true(spool_remove(&p->s, &q, &f));
	spool_release(&q);
	assert_int_equal(
	    fixture_names(p->s.input) + fixture_names(p->s.msglog) + fixture_names(p->s.bad), 0);
}

static void
lives(void **state)
{
	(void)state;
	for (int split = 0; split < 2; split++) {
		struct fixture p;

		fixture_new(&p, split != 0);
		life(&p);
		fixture_free(&p);
	}
}

/* Let opening an unnamed file fail, or looking whether /proc is there. */
static void
without(bool unnamed)
{
#ifdef __NR_access
	const unsigned access_nr = __NR_access;
#else
	const unsigned access_nr = __NR_faccessat;
#endif
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, unnamed ? __NR_openat : access_nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, args) + (unnamed ? 16 : 24)),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K,
		    unnamed ? O_TMPFILE & ~(unsigned)O_DIRECTORY : 0, 0, unnamed ? 1 : 0),
		BPF_STMT(
		    BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)(unnamed ? EOPNOTSUPP : ENOENT)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT(code), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(77);
}

static void
in_child(void (*act)(const struct fixture *p), const struct fixture *p)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		act(p);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void
by_name(const struct fixture *p)
{
	without(true);
	life(p);
}

static void
without_proc(const struct fixture *p)
{
	without(false);
	life(p);
}

static void
lives_by_name(void **state)
{
	struct fixture p;

	fixture_new(&p, false);
	(void)state;
	in_child(by_name, &p);
	in_child(without_proc, &p);
	fixture_free(&p);
}

static void
same_id(const struct fixture *p)
{
	AUTO_ARENA struct arena a = { NULL };
	struct queued q = fixture_message(&a, FIXTURE_ID);
	struct fail f = FAIL_INIT;

	q.m.body.size = 7;
	assert_false(spool_commit(&p->s, &q, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(fixture_take(p, FIXTURE_ID, true, &a, &q), SPOOL_TAKEN);
	fixture_has_text(&q);
	spool_release(&q);
	assert_int_equal(fixture_names(p->s.input), 2);
}

static void
same_id_by_name(const struct fixture *p)
{
	without(true);
	same_id(p);
}

static void
an_id_is_used_once(void **state)
{
	struct fixture p;

	fixture_new(&p, false);
	(void)state;
	fixture_commit(&p, FIXTURE_ID);
	same_id(&p);
	in_child(same_id_by_name, &p);
	fixture_free(&p);
}

static void
too_large(const struct fixture *p)
{
	AUTO_ARENA struct arena a = { NULL };
	struct queued q = fixture_message(&a, FIXTURE_ID);
	const struct rlimit limit = { 25, 25 };
	struct fail f = FAIL_INIT;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_false(spool_commit(&p->s, &q, &f));
	assert_int_equal(f.sys, EFBIG);
	assert_non_null(strstr(f.text, "spool/input/" FIXTURE_ID "-D"));
	assert_ptr_equal(q.m.body.mem, fixture_text);
	assert_int_equal(fixture_names(p->s.input), 0);
}

static void
too_large_by_name(const struct fixture *p)
{
	without(true);
	too_large(p);
}

/* A part of a key in the journal is taken back. */
static void
journal_full(const struct fixture *p)
{
	AUTO_ARENA struct arena a = { NULL };
	const struct rlimit limit = { 20, 20 };
	struct fail f = FAIL_INIT;
	struct queued q;

	fixture_commit(p, FIXTURE_ID);
	assert_int_equal(fixture_take(p, FIXTURE_ID, true, &a, &q), SPOOL_TAKEN);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_false(spool_journal(&p->s, &q, fixture_two, 2, &f));
	spool_release(&q);
	assert_int_equal(fixture_take(p, FIXTURE_ID, false, &a, &q), SPOOL_TAKEN);
	assert_int_equal(q.ndone, 1);
	assert_string_equal(q.done[0], fixture_two[0]);
}

static void
no_room(void **state)
{
	struct fixture p;
	struct fail f = FAIL_INIT;

	fixture_new(&p, false);
	(void)state;
	in_child(too_large, &p);
	in_child(too_large_by_name, &p);
	in_child(journal_full, &p);
	assert_true(spool_has_room(&p.s, 100, &f));
	assert_false(spool_has_room(&p.s, UINT64_C(1) << 60, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	fixture_free(&p);
}

/* A temporary file becomes -D, or is copied. */
static void
large_body(void **state)
{
	static const struct {
		uint64_t start;
		int flags;
		bool linked;
	} rows[] = { { BODY_START, O_RDWR, true }, { 0, O_RDWR, false }, { 5, O_RDWR, false },
		{ BODY_START, O_RDWR | O_EXCL, false } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct fixture p;
		struct queued q = fixture_message(&a, FIXTURE_ID);
		struct fail f = FAIL_INIT;
		struct stat before, after;

		fixture_new(&p, false);
		q.m.body.mem = NULL;
		q.m.body.fd = open(p.path, O_TMPFILE | rows[i].flags, 0600);
		q.m.body.start = rows[i].start;
		assert_int_equal(
		    pwrite(q.m.body.fd, fixture_text, FIXTURE_TEXT, (off_t)rows[i].start),
		    FIXTURE_TEXT);
		assert_int_equal(fstat(q.m.body.fd, &before), 0);
		if (!spool_commit(&p.s, &q, &f))
			fail_msg("%zu: %s", i, f.text);
		assert_int_equal(fstat(q.m.body.fd, &after), 0);
		assert_int_equal(before.st_ino == after.st_ino, rows[i].linked);
		assert_int_equal(after.st_mode & 07777, 0640);
		spool_release(&q);
		assert_int_equal(fixture_take(&p, FIXTURE_ID, true, &a, &q), SPOOL_TAKEN);
		fixture_has_text(&q);
		spool_release(&q);
		fixture_free(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives),
		cmocka_unit_test(lives_by_name),
		cmocka_unit_test(an_id_is_used_once),
		cmocka_unit_test(no_room),
		cmocka_unit_test(large_body),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
