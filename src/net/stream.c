/* stream.c - a connection, whatever carries it. */
#include "net/stream.h"

#include <errno.h>

#include "base/clock.h"

#include "base/banned.h" /* IWYU pragma: keep */

void
stream_init(struct stream *s, const struct stream_ops *ops, void *ctx, int fd)
{
	s->ops = ops;
	s->ctx = ctx;
	s->fd = fd;
	s->deadline_ms = s->final_ms = 0;
	s->turns = 0;
	s->wrote = false;
	s->why = NULL;
	s->in_pos = s->in_len = 0;
}

void
stream_phase(struct stream *s, uint64_t seconds)
{
	enum { LONGEST = 86400 };

	s->deadline_ms = clock_ms() + (int64_t)(seconds < LONGEST ? seconds : LONGEST) * 1000;
	if (s->final_ms > 0 && s->deadline_ms > s->final_ms)
		s->deadline_ms = s->final_ms;
}

static bool
broken(const struct stream *s, enum fail_stage at, int err, struct fail *f)
{
	if (err == ETIMEDOUT)
		return fail_set(f, FAIL_TEMP, at, 0, "%s", STREAM_LATE);
	if (s->why != NULL)
		return fail_set(f, FAIL_TEMP, at, 0, "the connection broke: %s", s->why);
	return fail_set(f, FAIL_TEMP, at, err, "the connection broke");
}

static bool
refill(struct stream *s, enum fail_stage at, struct fail *f)
{
	ptrdiff_t n;

	if (s->ops == NULL)
		return broken(s, at, ENOTCONN, f);
	n = s->ops->read(s, s->in, sizeof(s->in));
	if (n < 0)
		return broken(s, at, errno, f);
	if (n == 0)
		return fail_set(f, FAIL_TEMP, at, 0, "%s", STREAM_CLOSED);
	s->in_pos = 0;
	s->in_len = (size_t)n;
	return true;
}

bool
stream_line(struct stream *s, struct buf *line, enum fail_stage at, struct fail *f)
{
	struct str have;
	size_t n;

	buf_reset(line);
	for (;;) {
		if (stream_pending(s) == 0 && !refill(s, at, f))
			return false;
		have = str_at(s->in + s->in_pos, stream_pending(s));
		n = str_find(have, '\n');
		buf_add(line, have.p, n);
		s->in_pos += n < have.n ? n + 1 : n;
		if (!buf_ok(line))
			return fail_set(f, FAIL_TEMP, at, 0,
			    "the server sent a line longer than %zu bytes", line->max);
		if (n < have.n)
			break;
	}
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->p[--line->n] = '\0';
	return true;
}

bool
stream_send(struct stream *s, const struct buf *b, enum fail_stage at, struct fail *f)
{
	if (!buf_ok(b))
		return fail_set(f, FAIL_TEMP, at, 0, "a command is longer than %zu bytes", b->max);
	if (b->n == 0)
		return true;
	if (s->ops == NULL)
		return broken(s, at, ENOTCONN, f);
	return s->ops->write(s, b->p, b->n) == 0 || broken(s, at, errno, f);
}

size_t
stream_pending(const struct stream *s)
{
	return s->in_len - s->in_pos;
}

void
stream_close(struct stream *s)
{
	if (s->ops != NULL)
		s->ops->close(s);
	s->ops = NULL;
	s->fd = -1;
	s->in_pos = s->in_len = 0;
}
