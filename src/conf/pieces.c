/* pieces.c - a table file, some whole entries at a time. */
#include "conf/pieces.h"

#include <errno.h>

#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

static unsigned
lines_in(struct str s)
{
	unsigned n = 0;

	for (; s.n > 0; s = str_skip(s, str_find(s, '\n') + 1))
		n += str_find(s, '\n') < s.n;
	return n;
}

/* What is left of the last piece goes to the front. */
static void
move_up(struct pieces *p)
{
	p->line += lines_in(str_at(p->room, p->used));
	p->have -= p->used;
	memmove(p->room, p->room + p->used, p->have);
	p->used = 0;
}

static bool
fill(struct pieces *p, struct fail *f)
{
	ssize_t got;

	if (p->ended)
		return true;
	got = fd_read_full(p->fd, p->room + p->have, p->size - p->have);
	if (got < 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "cannot read %s", p->path);
	p->have += (size_t)got;
	p->ended = p->have < p->size;
	return true;
}

/* Bytes up to the last line that can be no continuation; 0 when there is none. */
static size_t
whole_entries(const struct pieces *p)
{
	if (p->ended)
		return p->have;
	for (size_t n = p->have - 1; n > 0; n--)
		if (p->room[n - 1] == '\n' && !ascii_space(p->room[n]))
			return n;
	return 0;
}

static bool
enlarge(struct pieces *p, struct fail *f)
{
	char *more;

	if (p->arena == NULL || p->size >= PIECE_MAX)
		return fail_conf(
		    f, "%s:%u: an entry is larger than %zu bytes", p->path, p->line, p->size);
	more = arena_alloc(p->arena, p->size * 2);
	memcpy(more, p->room, p->have);
	p->room = more;
	p->size *= 2;
	return true;
}

bool
pieces_next(struct pieces *p, struct str *text, struct fail *f)
{
	struct str piece;
	size_t n;

	if (p->begun && p->ended && p->used == p->have) {
		*text = str_at(p->room, 0);
		return true;
	}
	if (!p->begun)
		p->line = 1;
	move_up(p);
	if (!fill(p, f))
		return false;
	while ((n = whole_entries(p)) == 0 && p->have > 0)
		if (!enlarge(p, f) || !fill(p, f))
			return false;
	piece = str_at(p->room, n);
	if (!file_text(p->path, p->begun ? p->line : 0, &piece, f))
		return false;
	p->begun = true;
	p->used = n;
	*text = piece;
	return true;
}

/* Back to the start of the file, without reading it again when the first piece has all of it. */
bool
pieces_rewind(struct pieces *p, struct fail *f)
{
	bool all = !p->begun || (p->ended && p->line == 1);

	p->begun = false;
	p->used = 0;
	if (all)
		return true;
	p->have = 0;
	p->ended = false;
	return lseek(p->fd, 0, SEEK_SET) == 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "cannot read %s", p->path);
}
