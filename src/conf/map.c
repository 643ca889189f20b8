/* map.c - a table file of any size. */
#include "conf/map.h"

#include <errno.h>
#include <fcntl.h>

#include "base/file.h"
#include "conf/conf.h"
#include "conf/pieces.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
map_open(struct map *m, struct arena *a, const char *path, struct fail *f)
{
	struct map found = { .path = path };
	struct stat st;
	AUTO_FD int fd = -1;

	if (!conf_open(path, &fd, &st, f))
		return false;
	if (fd < 0)
		found.path = NULL;
	else if (st.st_size > MAP_MAX)
		return fail_conf(f, "%s is larger than %d bytes", path, MAP_MAX);
	else if (st.st_size > FILE_MAX)
		found.large = true;
	else if (!file_read_fd(a, fd, path, &found.text, f))
		return false;
	found.trouble = arena_alloc(a, sizeof *found.trouble);
	*m = found;
	return true;
}

/* Show visit() piece after piece, until it says that this was enough. */
static bool
walk_large(const char *path, bool (*visit)(void *ctx, struct str text, unsigned line), void *ctx,
    struct fail *f)
{
	AUTO_ARENA struct arena own = { NULL };
	struct stat st;
	AUTO_FD int fd = file_open(AT_FDCWD, path, 0, &st);
	struct pieces p = { .fd = fd, .path = path, .size = PIECE, .arena = &own };
	struct str text;

	if (fd < 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "cannot read %s", path);
	p.room = arena_alloc(&own, PIECE);
	do
		if (!pieces_next(&p, &text, f))
			return false;
	while (text.n > 0 && !visit(ctx, text, p.line));
	return true;
}

static bool
walk(const struct map *m, bool (*visit)(void *ctx, struct str text, unsigned line), void *ctx,
    struct fail *f)
{
	if (m->large)
		return walk_large(m->path, visit, ctx, f);
	(void)visit(ctx, m->text, 1);
	return true;
}

struct lookup {
	struct str key;
	struct arena *a;
	struct lsearch_entry *e;
	bool keep, found;
};

static bool
look_up(void *ctx, struct str text, unsigned line)
{
	struct lookup *l = ctx;

	l->found = lsearch_find(text, l->key, l->a, l->e);
	if (!l->found)
		return false;
	l->e->line += line - 1;
	if (l->keep) {
		l->e->key = arena_str(l->a, l->e->key);
		l->e->value = arena_str(l->a, l->e->value);
	}
	return true;
}

bool
map_find(const struct map *m, struct str key, struct arena *a, struct lsearch_entry *e)
{
	struct lookup l = { key, a, e, m->large, false };
	struct fail f = FAIL_INIT;

	if (!walk(m, look_up, &l, &f) && m->trouble->cls == FAIL_NONE)
		*m->trouble = f;
	return l.found;
}

bool
map_find_partial(const struct map *m, struct str domain, struct arena *a, struct lsearch_entry *e)
{
	struct str rest = domain;

	if (m->path == NULL)
		return false;
	if (map_find(m, domain, a, e))
		return true;
	do {
		if (map_find(m, str_of(arena_fmt(a, "*.%.*s", S_ARG(rest))), a, e))
			return true;
		rest = str_skip(rest, str_find(rest, '.') + 1);
	} while (str_find(rest, '.') < rest.n);
	return false;
}

struct visitor {
	void (*each)(void *ctx, const struct lsearch_entry *e);
	void *ctx;
};

static bool
show_each(void *ctx, struct str text, unsigned line)
{
	AUTO_ARENA struct arena a = { NULL };
	const struct visitor *v = ctx;
	struct lsearch t = lsearch_open(text);
	struct lsearch_entry e;

	t.line = line;
	while (lsearch_next(&t, &a, &e))
		v->each(v->ctx, &e);
	return false;
}

bool
map_each(const struct map *m, void (*each)(void *ctx, const struct lsearch_entry *e), void *ctx,
    struct fail *f)
{
	struct visitor v = { each, ctx };

	return walk(m, show_each, &v, f);
}

bool
map_intact(const struct map *m, struct fail *f)
{
	if (m->trouble == NULL || m->trouble->cls == FAIL_NONE)
		return true;
	*f = *m->trouble;
	return false;
}
