/* test_spool.c - damaged, foreign and forgotten files; lists; several processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "spool_fixture.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))

enum { IDS = 5000, PROCESSES = 8, MESSAGES = 20 };

static void
flip(const struct fixture *p, const char *name)
{
	AUTO_FD int fd = openat(p->s.input, name, O_RDWR);
	struct stat st;
	char c;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pread(fd, &c, 1, st.st_size / 2), 1);
	c ^= 1;
	assert_int_equal(pwrite(fd, &c, 1, st.st_size / 2), 1);
}

static void
resize(const struct fixture *p, const char *name, off_t by)
{
	AUTO_FD int fd = openat(p->s.input, name, O_RDWR);
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(ftruncate(fd, st.st_size + by), 0);
}

static void
cut(const struct fixture *p, const char *name)
{
	resize(p, name, -1);
}

static void
huge(const struct fixture *p, const char *name)
{
	resize(p, name, (off_t)3 << 30);
}

static void
hard_link(const struct fixture *p, const char *name)
{
	assert_int_equal(linkat(p->s.input, name, p->s.db, "second", 0), 0);
}

static void
move(const struct fixture *p, const char *name)
{
	assert_int_equal(renameat(p->s.input, name, p->s.db, "second"), 0);
}

static void
symbolic(const struct fixture *p, const char *name)
{
	move(p, name);
	assert_int_equal(symlinkat("../db/second", p->s.input, name), 0);
}

static void
fifo(const struct fixture *p, const char *name)
{
	move(p, name);
	assert_int_equal(mkfifoat(p->s.input, name, 0640), 0);
}

static void
directory(const struct fixture *p, const char *name)
{
	move(p, name);
	assert_int_equal(mkdirat(p->s.input, name, 0750), 0);
}

static void
anothers(const struct fixture *p, const char *name)
{
	if (geteuid() == 0)
		assert_int_equal(fchownat(p->s.input, name, 12345, 12345, 0), 0);
	else
		move(p, name);
}

static void
missing(const struct fixture *p, const char *name)
{
	move(p, name);
}

/* Set aside, not deleted, not waited for; twice, so that the name is taken. */
static void
damaged(void **state)
{
	static void (*const harms[])(const struct fixture *, const char *) = { cut, huge, flip,
		hard_link, symbolic, fifo, directory, anothers, missing };

	(void)state;
	for (size_t i = 0; i < 3 * COUNT(harms); i++) {
		static const char *const files[] = { FIXTURE_ID "-D", FIXTURE_ID "-H",
			FIXTURE_ID "-J" };
		void (*harm)(const struct fixture *, const char *) = harms[i / 3];
		AUTO_ARENA struct arena a = { NULL };
		struct fixture p;
		char name[256];
		struct queued q;

		fixture_new(&p, false);
		/* a journal may be cut, or not be there; it has no checksum */
		if (i % 3 != 0 &&
		    (harm == missing || (i % 3 == 2 && (harm == cut || harm == flip))))
			harm = symbolic;
		for (int n = 0; n < 2; n++) {
			fixture_wipe(p.s.db, "second");
			(void)unlinkat(p.s.db, "second", 0);
			fixture_commit(&p, FIXTURE_ID);
			fixture_put(p.s.input, FIXTURE_ID "-J", "key\n");
			harm(&p, files[i % 3]);
			assert_int_equal(fixture_take(&p, FIXTURE_ID, true, &a, &q), SPOOL_BAD);
			assert_int_equal(fixture_take(&p, FIXTURE_ID, true, &a, &q), SPOOL_GONE);
			assert_int_equal(fixture_names(p.s.input), 0);
		}
		assert_true(spool_next_bad(&p.s, "", name));
		assert_int_equal(fixture_names(p.s.bad), harm == missing ? 4 : 6);
		fixture_free(&p);
	}
}

static void
torn_journal(void **state)
{
	static const struct {
		const char *journal;
		size_t keys;
	} rows[] = { { "x@far.example", 0 }, { "k\nx@far.exa", 1 }, { "", 0 },
		{ "x@far.example\n", 1 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct fixture p;
		struct fail f = FAIL_INIT;
		struct queued q;

		fixture_new(&p, false);
		fixture_commit(&p, FIXTURE_ID);
		fixture_put(p.s.input, FIXTURE_ID "-J", rows[i].journal);
		assert_int_equal(fixture_take(&p, FIXTURE_ID, true, &a, &q), SPOOL_TAKEN);
		assert_int_equal(q.ndone, rows[i].keys);
		assert_true(spool_journal(&p.s, &q, fixture_two + 1, 1, &f));
		spool_release(&q);
		assert_int_equal(fixture_take(&p, FIXTURE_ID, true, &a, &q), SPOOL_TAKEN);
		assert_int_equal(q.ndone, rows[i].keys + 1);
		assert_int_equal(q.e.rcpts[1].state, RCPT_SENT);
		assert_int_equal(q.e.rcpts[0].state == RCPT_SENT, i == 3);
		spool_release(&q);
		fixture_free(&p);
	}
}

/* A recipient whose bounce may have been made is done if it is there. */
static void
promised(void **state)
{
	static const struct {
		const char *journal;
		bool bounce, done;
	} rows[] = {
		{ " 1vNaKG-000009-2A x@far.example\n", false, false },
		{ " 1vNaKG-000009-2A x@far.example\n", true, true },
		{ " 1vNaKG-000009-2A x@far.example", true, false },
		{ " ../../input/x x@far.example\n", true, false },
		{ " \n  \n 1vNaKG-000009-2A\n", true, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct fixture p;
		struct queued q;

		fixture_new(&p, false);
		fixture_commit(&p, FIXTURE_ID);
		if (rows[i].bounce)
			fixture_commit(&p, "1vNaKG-000009-2A");
		fixture_put(p.s.input, FIXTURE_ID "-J", rows[i].journal);
		assert_int_equal(fixture_take(&p, FIXTURE_ID, true, &a, &q), SPOOL_TAKEN);
		assert_int_equal(q.e.rcpts[0].state == RCPT_SENT, rows[i].done);
		spool_release(&q);
		fixture_free(&p);
	}
}

static void
sweeps(void **state)
{
	static const char *const finished[] = { "1vNaKG-000002-2A-D", "1vNaKG-000002-2A-J",
		"hdr.1vNaKG-000003-2A-H", "hdr.1vNaKG-000003-2A-D", "hdr.1vNaKG-000003-2A" };
	static const char *const foreign[] = { "README", "some-H", "1vNaKG-000002-2A-X", ".hid" };
	AUTO_ARENA struct arena a = { NULL };
	struct fixture p;
	AUTO_FD int lock = -1;

	fixture_new(&p, false);
	(void)state;
	fixture_commit(&p, FIXTURE_ID);
	fixture_put(p.s.input, FIXTURE_ID "-J", "k\n");
	fixture_put(p.s.msglog, FIXTURE_ID, "k\n");
	fixture_put(p.s.msglog, "1vNaKG-000002-2A", "k\n");
	for (size_t i = 0; i < COUNT(finished); i++)
		fixture_put(p.s.input, finished[i], "x\n");
	for (size_t i = 0; i < COUNT(foreign); i++)
		fixture_put(p.s.input, foreign[i], "x\n");
	fixture_put(p.s.input, "1vNaKG-000004-2A-D", "under way\n");
	lock = openat(p.s.input, "1vNaKG-000004-2A-D", O_RDWR);
	assert_int_equal(flock(lock, LOCK_EX), 0);
	fixture_put(p.s.fd, "onehop.aBcDeF", "a body\n");
	spool_sweep(&p.s);
	assert_int_not_equal(faccessat(p.s.fd, "onehop.aBcDeF", F_OK, 0), 0);
	for (size_t i = 0; i < COUNT(finished); i++)
		assert_false(fixture_has(&p, finished[i]));
	for (size_t i = 0; i < COUNT(foreign); i++)
		assert_int_equal(faccessat(p.s.bad, foreign[i], F_OK, 0), 0);
	assert_int_equal(fixture_names(p.s.bad), COUNT(foreign));
	assert_int_equal(fixture_names(p.s.input), 4);
	assert_true(fixture_has(&p, "1vNaKG-000004-2A-D"));
	assert_int_equal(fixture_names(p.s.msglog), 1);
	fixture_free(&p);
}

/* In order over all directories, each once, a batch at a time. */
static void
lists(void **state)
{
	struct fixture p;
	char(*ids)[ID_MAX] = calloc(SPOOL_BATCH, sizeof *ids), after[ID_MAX] = "", name[32];
	struct fail f = FAIL_INIT;
	size_t n = 0, all = 0;

	fixture_new(&p, false);
	(void)state;
	assert_int_equal(mkdirat(p.s.input, "G", 0750), 0);
	for (unsigned i = 0; i < IDS; i++) {
		(void)snprintf(name, sizeof name, "%s1vNaKG-%06u-2A-H", i % 3 == 0 ? "G/" : "",
		    (i * 7919) % IDS);
		fixture_put(p.s.input, name, "");
	}
	fixture_put(p.s.input, "README", "");
	do {
		assert_true(spool_list(&p.s, after, ids, &n, &f));
		for (size_t i = 0; i < n; i++, all++) {
			(void)snprintf(name, sizeof name, "1vNaKG-%06zu-2A", all);
			assert_string_equal(ids[i], name);
		}
		if (n > 0)
			memcpy(after, ids[n - 1], sizeof after);
	} while (n > 0);
	assert_int_equal(all, IDS);
	free(ids);
	fixture_free(&p);
}

/* The option changed between fixture_two runs. */
static void
both_layouts(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct fixture p;
	struct fail f = FAIL_INIT;
	struct queued q;

	fixture_new(&p, true);
	(void)state;
	fixture_commit(&p, FIXTURE_ID);
	assert_true(fixture_has(&p, "G/" FIXTURE_ID "-H"));
	p.s.split = false;
	fixture_commit(&p, "1vNaKG-000002-2A");
	assert_int_equal(fixture_take(&p, FIXTURE_ID, true, &a, &q), SPOOL_TAKEN);
	assert_true(spool_rewrite(&p.s, &q, &f));
	assert_true(fixture_has(&p, "G/" FIXTURE_ID "-H"));
	assert_true(spool_remove(&p.s, &q, &f));
	spool_release(&q);
	assert_int_equal(fixture_take(&p, "1vNaKG-000002-2A", true, &a, &q), SPOOL_TAKEN);
	spool_release(&q);
	fixture_free(&p);
}

/* Each message goes to one of the processes that want it. */
static void
taken_once(void **state)
{
	struct fixture p;
	unsigned *taken =
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char id[ID_MAX];

	fixture_new(&p, false);
	(void)state;
	for (unsigned i = 0; i < MESSAGES; i++) {
		(void)snprintf(id, sizeof id, "1vNaKG-%06u-2A", i);
		fixture_commit(&p, id);
	}
	for (unsigned k = 0; k < PROCESSES; k++) {
		if (fork() != 0)
			continue;
		for (unsigned i = 0; i < MESSAGES; i++) {
			AUTO_ARENA struct arena a = { NULL };
			struct fail f = FAIL_INIT;
			struct queued q;

			(void)snprintf(id, sizeof id, "1vNaKG-%06u-2A", i);
			if (fixture_take(&p, id, true, &a, &q) != SPOOL_TAKEN)
				continue;
			__atomic_add_fetch(&taken[i], 1, __ATOMIC_SEQ_CST);
			(void)!spool_remove(&p.s, &q, &f);
			spool_release(&q);
		}
		_exit(0);
	}
	while (wait(NULL) > 0)
		continue;
	for (unsigned i = 0; i < MESSAGES; i++)
		assert_int_equal(taken[i], 1);
	assert_int_equal(fixture_names(p.s.input) + fixture_names(p.s.bad), 0);
	(void)munmap(taken, 4096);
	fixture_free(&p);
}

static void
opens(void **state)
{
	struct fixture p;
	struct fail f = FAIL_INIT;
	struct spool s;
	char deep[96];

	fixture_new(&p, false);
	(void)state;
	assert_int_equal(chmod(p.path, 0757), 0);
	assert_false(spool_open(&s, &p.c, true, &f));
	assert_non_null(strstr(f.text, p.path));
	assert_int_equal(s.fd, -1);
	assert_int_equal(chmod(p.path, 0750), 0);
	(void)snprintf(deep, sizeof deep, "%s/a/b", p.path);
	p.c.spool_directory = deep;
	p.c.home = p.path;
	assert_false(spool_open(&s, &p.c, false, &f));
	assert_int_equal(f.sys, ENOENT);
	assert_true(spool_open(&s, &p.c, true, &f));
	assert_int_equal(unlinkat(s.fd, "bad", AT_REMOVEDIR), 0);
	assert_int_equal(symlinkat("db", s.fd, "bad"), 0);
	spool_close(&s);
	assert_false(spool_open(&s, &p.c, true, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	fixture_free(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(damaged),
		cmocka_unit_test(torn_journal),
		cmocka_unit_test(promised),
		cmocka_unit_test(sweeps),
		cmocka_unit_test(lists),
		cmocka_unit_test(both_layouts),
		cmocka_unit_test(taken_once),
		cmocka_unit_test(opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
