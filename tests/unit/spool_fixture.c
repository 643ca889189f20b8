/* spool_fixture.c - a spool in a temporary directory, and one small message for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "spool_fixture.h"

const char fixture_text[FIXTURE_TEXT + 1] = "line 1\nline 2\n";
const char *const fixture_two[2] = { "x@far.example", "y@far.example" };

void
fixture_new(struct fixture *p, bool split)
{
	struct fail f = FAIL_INIT;

	*p = (struct fixture){ .path = "/tmp/spool_fixture.XXXXXX",
		.c.split_spool_directory = split };
	assert_non_null(mkdtemp(p->path));
	p->c.spool_directory = p->path;
	if (!spool_open(&p->s, &p->c, true, &f))
		fail_msg("%s", f.text);
	p->s.path = "spool";
}

void
fixture_wipe(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    unlinkat(fd, e->d_name, 0) != 0)
			fixture_wipe(fd, e->d_name);
	if (d != NULL)
		(void)closedir(d);
	(void)unlinkat(parent, name, AT_REMOVEDIR);
}

void
fixture_free(struct fixture *p)
{
	spool_close(&p->s);
	fixture_wipe(AT_FDCWD, p->path);
}

int
fixture_set_up(void **state)
{
	struct fixture *p = malloc(sizeof *p);

	fixture_new(p, false);
	*state = p;
	return 0;
}

int
fixture_tear_down(void **state)
{
	fixture_free(*state);
	free(*state);
	return 0;
}

size_t
fixture_names(int parent)
{
	DIR *d = fdopendir(openat(parent, ".", O_RDONLY | O_DIRECTORY));
	const struct dirent *e;
	size_t n = 0;

	while ((e = readdir(d)) != NULL)
		n += strlen(e->d_name) > 2;
	(void)closedir(d);
	return n;
}

bool
fixture_has(const struct fixture *p, const char *name)
{
	return faccessat(p->s.input, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

struct queued
fixture_message(struct arena *a, const char *id)
{
	struct queued q = { .arena = a,
		.e = { .sender = "a@b.example", .login = "alice", .nrcpts = 2 },
		.m = { .arena = a,
		    .body = { .fd = -1, .mem = fixture_text, .size = FIXTURE_TEXT } },
		.received = 1795501322 };

	(void)snprintf(q.e.id, sizeof q.e.id, "%s", id);
	q.e.rcpts = arena_array(a, 2, sizeof *q.e.rcpts);
	for (size_t i = 0; i < 2; i++)
		q.e.rcpts[i].address = q.e.rcpts[i].original = fixture_two[i];
	message_append(&q.m, STR("Subject: s\n"));
	return q;
}

void
fixture_commit(const struct fixture *p, const char *id)
{
	AUTO_ARENA struct arena a = { NULL };
	struct queued q = fixture_message(&a, id);
	struct fail f = FAIL_INIT;

	if (!spool_commit(&p->s, &q, &f))
		fail_msg("%s", f.text);
	spool_release(&q);
}

enum spool_found
fixture_take(const struct fixture *p, const char *id, bool whole, struct arena *a, struct queued *q)
{
	struct fail f = FAIL_INIT;
	enum spool_found found;

	*q = (struct queued){ .arena = a, .m = { .arena = a, .body = { .fd = -1 } } };
	found = spool_take(&p->s, id, whole, q, &f);
	assert_int_equal(found == SPOOL_BAD, f.cls == FAIL_PERM);
	return found;
}

void
fixture_has_text(const struct queued *q)
{
	char back[64];

	assert_int_equal(q->m.body.size, FIXTURE_TEXT);
	assert_int_equal(body_read(&q->m.body, 0, back, sizeof back), FIXTURE_TEXT);
	assert_memory_equal(back, fixture_text, FIXTURE_TEXT);
}

void
fixture_put(int dir, const char *name, const char *bytes)
{
	AUTO_FD int fd = openat(dir, name, O_WRONLY | O_CREAT | O_APPEND, 0640);

	assert_true(fd >= 0 && fd_write_full(fd, bytes, strlen(bytes)));
}
