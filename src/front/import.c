/* import.c - -Mimport DIRECTORY: mail that waits in Exim's spool is taken over. */
#include "front/import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/id.h"
#include "spool/ages.h"
#include "spool/place.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Why a copy is frozen: the files of Exim are still there. */
#define MARK "it is being taken over from "
#define MARK_FROZEN "frozen, it is being taken over from "

enum { NAME = ID_MAX + 8, PIECE = 4096 };

struct import {
	struct arena *arena;
	const char *path;  /* the directory with the -H files */
	struct spool from; /* Exim's: path, input, uid, gid alone */
	struct spool to;
	struct ages ages;
	const char **ids; /* "X/ID", X the directory, or "./ID" */
	size_t n;
	int status;
};

/* One message. */
struct moving {
	struct import *im;
	struct arena *arena;
	const char *id;
	int dir;
	struct queued q; /* what Exim has */
};

/* ------------------------------------------------------------------ which */

static void
note_name(void *ctx, int dir, const char *name)
{
	struct import *im = ctx;
	size_t n = strlen(name);
	struct stat here, top;
	const char *id;

	if (n <= 2)
		return;
	id = arena_strz(im->arena, str_at(name, n - 2));
	if (!id_ok(id) || strcmp(name + n - 2, "-H") != 0 || fstat(dir, &here) != 0 ||
	    fstat(im->from.input, &top) != 0)
		return;
	im->ids = arena_grow(im->arena, im->ids, im->n, sizeof *im->ids);
	im->ids[im->n++] =
	    arena_fmt(im->arena, "%c/%s", here.st_ino == top.st_ino ? '.' : id[5], id);
}

/* DIRECTORY is the spool, with input in it, or input itself. */
static bool
open_from(struct import *im, const char *directory, struct fail *f)
{
	struct stat st;
	const char *input = arena_fmt(im->arena, "%s/input", directory);

	im->path = stat(input, &st) == 0 ? input : directory;
	im->from = (struct spool){ .path = im->path, .fd = -1, .msglog = -1, .db = -1, .bad = -1 };
	im->from.input = open(im->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (im->from.input < 0 || fstat(im->from.input, &st) != 0)
		return fail_set(f, FAIL_USER, STAGE_ARGS, errno, "cannot open %s", im->path);
	im->from.uid = st.st_uid;
	im->from.gid = st.st_gid;
	return place_walk(&im->from, note_name, im) ||
	    fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno, "cannot read %s", im->path);
}

/* ------------------------------------------------------------------ reading */

static bool
cannot_read(const struct moving *m, char kind, const char *why, struct fail *f)
{
	return fail_set(f, why == place_not_now ? FAIL_TEMP : FAIL_PERM, STAGE_SPOOL, 0,
	    "%s-%c: %s", m->id, kind, why != NULL ? why : "it is missing");
}

/* Exim locks the beginning of -D while it delivers.  Until the last descriptor of it is closed. */
static bool
lock_body(const struct moving *m, int fd, struct fail *f)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &all) == 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0, "%s: Exim is delivering it", m->id);
}

/* What the body is like, and that nothing of it is missing: m->q has the lines that -H tells of. */
static bool
count_body(struct moving *m, struct fail *f)
{
	struct body *b = &m->q.m.body, sum = { .fd = -1 };
	uint64_t column = 0, told = b->lines;
	char piece[PIECE];
	int64_t got;

	for (uint64_t at = 0; (got = body_read(b, at, piece, sizeof piece)) > 0;
	     at += (uint64_t)got)
		body_count(&sum, str_at(piece, (size_t)got), &column);
	if (got < 0)
		return cannot_read(m, 'D', place_not_now, f);
	if (column > 0 || sum.lines != told)
		return cannot_read(m, 'D', "it is cut: -H tells of more lines", f);
	b->longest_line = sum.longest_line;
	b->has_8bit = sum.has_8bit;
	b->has_nul = sum.has_nul;
	return true;
}

static bool
read_body(struct moving *m, int *fd, struct fail *f)
{
	char first[NAME] = "", want[NAME];
	struct body *b = &m->q.m.body;
	struct stat st;
	size_t n = (size_t)snprintf(want, sizeof want, "%s-D\n", m->id);

	if (fstat(*fd, &st) != 0 || pread(*fd, first, n, 0) < 0)
		return cannot_read(m, 'D', place_not_now, f);
	if (strcmp(first, want) != 0)
		return cannot_read(m, 'D', "it does not begin with its name", f);
	b->fd = steal_fd(fd);
	b->start = n;
	b->size = (uint64_t)st.st_size - n;
	return count_body(m, f);
}

static bool
read_header(struct moving *m, struct fail *f)
{
	AUTO_BUF struct buf text = BUF_INIT(SPOOL_HEADER_MAX);
	char name[NAME];
	const char *why;
	struct stat st;

	(void)snprintf(name, sizeof name, "%s-H", m->id);
	AUTO_FD int fd = place_file(&m->im->from, m->dir, name, SPOOL_HEADER_MAX, &why);
	if (fd < 0)
		return cannot_read(m, 'H', why, f);
	if (fstat(fd, &st) != 0 || !buf_read(&text, fd, (size_t)st.st_size))
		return cannot_read(m, 'H', place_not_now, f);
	if (!queued_read_exim(arena_str(m->arena, buf_get(&text)), &m->q, f)) {
		fail_prefix(f, "%s-H", m->id);
		return false;
	}
	return strcmp(m->q.e.id, m->id) == 0 ||
	    cannot_read(m, 'H', "it has the id of another message", f);
}

/* All that Exim knows of it, locked against Exim until m->q.m.body is closed. */
static bool
read_message(struct moving *m, struct fail *f)
{
	char name[NAME];
	const char *why;

	(void)snprintf(name, sizeof name, "%s-D", m->id);
	AUTO_FD int fd = place_file(&m->im->from, m->dir, name, PLACE_BODY_MAX, &why);
	if (fd < 0)
		return cannot_read(m, 'D', why, f);
	if (!lock_body(m, fd, f) || !read_header(m, f))
		return false;
	if (!place_journal(&m->im->from, m->dir, &m->q, false, &why))
		return cannot_read(m, 'J', why, f);
	queued_settle(&m->q);
	return read_body(m, &fd, f);
}

/* ------------------------------------------------------------------ moving */

static bool
is_marked(const struct queued *q)
{
	return q->frozen && q->trouble.error != NULL &&
	    (str_starts(str_of(q->trouble.error), STR(MARK)) ||
		str_starts(str_of(q->trouble.error), STR(MARK_FROZEN)));
}

/* Exim's files are gone: the copy is a message like any other. */
static bool
release(struct import *im, struct queued *q, struct fail *f)
{
	q->frozen = str_starts(str_of(q->trouble.error), STR(MARK_FROZEN));
	q->trouble.error = q->frozen ? "it was frozen in Exim's spool" : NULL;
	return spool_rewrite(&im->to, q, f);
}

static bool
copy(struct moving *m, struct fail *f)
{
	struct import *im = m->im;
	struct queued *q = &m->q;

	q->arrived = im->ages.count;
	q->frozen_counted = im->ages.count;
	q->trouble.error = arena_fmt(m->arena, "%s%s", q->frozen ? MARK_FROZEN : MARK, im->path);
	if (!q->frozen)
		q->frozen_at = im->ages.wall;
	q->frozen = true;
	q->warnings = 0;
	return spool_has_room(&im->to, message_size(&q->m), f) && spool_commit(&im->to, q, f);
}

/* -H first: without it the others are nothing to Exim. */
static bool
remove_source(const struct moving *m, struct fail *f)
{
	char name[NAME];

	for (const char *kind = "HDJ"; *kind != '\0'; kind++) {
		(void)snprintf(name, sizeof name, "%s-%c", m->id, *kind);
		if (unlinkat(m->dir, name, 0) != 0 && errno != ENOENT)
			return fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno,
			    "%s is in onehop's spool, frozen, and cannot be removed", name);
	}
	return TEMP_FAILURE_RETRY(fsync(m->dir)) == 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno, "cannot sync %s", m->im->path);
}

/* Read back what is on disk, its checksums too, and see that it is this message. */
static bool
take_copy(const struct moving *m, struct queued *have, struct fail *f)
{
	enum spool_found found = spool_take(&m->im->to, m->id, true, have, f);

	if (found == SPOOL_BAD)
		return false;
	if (found != SPOOL_TAKEN)
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0,
		    "%s: another process is at work on onehop's copy", m->id);
	if (have->received == m->q.received && have->e.nrcpts == m->q.e.nrcpts &&
	    have->m.body.size == m->q.m.body.size && strcmp(have->e.sender, m->q.e.sender) == 0)
		return true;
	return fail_set(
	    f, FAIL_PERM, STAGE_SPOOL, 0, "%s: onehop has another message of this id", m->id);
}

static bool
is_there(const struct import *im, const char *id)
{
	AUTO_FD int dir = place_find(&im->to, id);

	return dir >= 0;
}

static bool
move_locked(struct moving *m, struct fail *f)
{
	struct queued have = { .arena = m->arena,
		.m = { .arena = m->arena, .body = { .fd = -1 } } };
	bool ok = is_there(m->im, m->id) || copy(m, f);

	spool_release(&m->q);
	ok = ok && take_copy(m, &have, f) && remove_source(m, f) &&
	    (!is_marked(&have) || release(m->im, &have, f));
	spool_release(&have);
	return ok;
}

static bool
move(struct moving *m, struct fail *f)
{
	AUTO_FD int lock = -1;
	struct stat st;
	char name[NAME];

	(void)snprintf(name, sizeof name, "%s-H", m->id);
	if (fstatat(m->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT)
		return true; /* Exim has delivered it meanwhile */
	if (!read_message(m, f)) {
		spool_release(&m->q);
		return false;
	}
	lock = fcntl(m->q.m.body.fd, F_DUPFD_CLOEXEC, 3);
	if (lock >= 0)
		return move_locked(m, f);
	spool_release(&m->q);
	return cannot_read(m, 'D', place_not_now, f);
}

static void
take_over(struct import *im, const char *where)
{
	AUTO_ARENA struct arena a = { NULL };
	const char top[2] = { where[0], '\0' };
	AUTO_FD int dir =
	    openat(im->from.input, top, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct moving m = { im, &a, where + 2, dir,
		{ .arena = &a, .m = { .arena = &a, .body = { .fd = -1 } } } };
	struct fail f = FAIL_INIT;

	if (move(&m, &f)) {
		printf("%s taken over\n", m.id);
		return;
	}
	fprintf(stderr, "onehop: left in %s: %s\n", im->path, f.text);
	if (im->status != EX_DATAERR)
		im->status = f.cls == FAIL_PERM ? EX_DATAERR : EX_TEMPFAIL;
}

/* Where its -H file was, there may be a -D. */
static void
remove_rest(struct import *im, const char *id)
{
	const char *const places[] = { ".", (const char[]){ id[5], '\0' } };
	struct fail ignored;

	for (size_t i = 0; i < 2; i++) {
		AUTO_FD int dir = openat(
		    im->from.input, places[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		const struct moving m = { .im = im, .id = id, .dir = dir };

		if (dir >= 0)
			(void)!remove_source(&m, &ignored);
	}
}

/* Killed when Exim's files were gone and the copy was not a message like others yet. */
static void
go_on(struct import *im, const char *id)
{
	AUTO_ARENA struct arena a = { NULL };
	struct queued q = { .arena = &a, .m = { .arena = &a, .body = { .fd = -1 } } };
	struct fail f = FAIL_INIT;
	const char *from;

	for (size_t i = 0; i < im->n; i++)
		if (strcmp(im->ids[i] + 2, id) == 0)
			return;
	if (spool_take(&im->to, id, true, &q, &f) != SPOOL_TAKEN)
		return;
	from = is_marked(&q) ? strstr(q.trouble.error, MARK) + sizeof MARK - 1 : "";
	if (strcmp(from, im->path) == 0) {
		remove_rest(im, id);
		if (release(im, &q, &f))
			printf("%s taken over\n", id);
		else
			fprintf(stderr, "onehop: %s stays frozen: %s\n", id, f.text);
	}
	spool_release(&q);
}

static bool
all(struct import *im, struct fail *f)
{
	char(*ids)[ID_MAX] = arena_array(im->arena, SPOOL_BATCH, sizeof *ids);
	char after[ID_MAX] = "";
	size_t n = 0;

	do {
		if (!spool_list(&im->to, after, ids, &n, f))
			return false;
		for (size_t i = 0; i < n; i++)
			go_on(im, ids[i]);
		if (n > 0)
			memcpy(after, ids[n - 1], sizeof after);
	} while (n > 0);
	for (size_t i = 0; i < im->n; i++)
		take_over(im, im->ids[i]);
	return true;
}

static bool
may_import(const struct cmdline *cmd, struct fail *f)
{
	if (cmd->narguments != 1)
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
		    "-Mimport takes one DIRECTORY, that of Exim's spool: /var/spool/exim4");
	if (geteuid() == 0)
		return true;
	(void)fail_set(f, FAIL_USER, STAGE_ARGS, 0, "only root may take over Exim's mail");
	f->exit = EX_NOPERM;
	return false;
}

int
cli_import(struct session_start *start)
{
	struct import *im = arena_alloc(start->arena, sizeof *im);
	struct fail f = FAIL_INIT;
	bool ok;

	if (!may_import(start->cmd, &f) || !spool_open(&im->to, &start->conf, true, &f))
		return cli_complain(&f);
	im->arena = start->arena;
	im->status = EX_OK;
	im->ages = ages_now(&im->to);
	ok = open_from(im, start->cmd->arguments[0], &f) && all(im, &f);
	spool_close(&im->to);
	if (im->from.input > 0)
		(void)close(im->from.input);
	return ok ? im->status : cli_complain(&f);
}
