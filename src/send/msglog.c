/* msglog.c - the log of one message, while it is in the spool. */
#include "send/msglog.h"

#include <string.h>
#include <unistd.h>

#include "send/append.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LINE_MAX_BYTES = 16384 };

static void
append(const struct msglog *m, const char *id, bool make, const struct buf *text)
{
	AUTO_FD int fd = m->dir >= 0 ? append_open(m->dir, id, make) : -1;

	if (fd >= 0 && text->n > 0)
		(void)!write(fd, text->p, text->n);
}

static bool
is_early(const struct msglog *m, const char *id)
{
	return m->early != NULL && strcmp(m->early, id) == 0;
}

void
msglog_line(struct msglog *m, const char *id, const char *date, struct str line)
{
	AUTO_BUF struct buf own = BUF_INIT(LINE_MAX_BYTES);
	bool early = is_early(m, id);
	struct buf *b = early ? &m->held : &own;
	size_t before = b->n;

	if (m->dir < 0 && !early)
		return;
	buf_fmt(b, "%s %.*s\n", date, S_ARG(line));
	if (!buf_ok(b))
		b->n = before; /* no half lines */
	if (!early)
		append(m, id, false, &own);
}

void
msglog_hold(struct msglog *m, const char *id)
{
	m->early = id;
	buf_reset(&m->held);
}

void
msglog_keep(struct msglog *m, const char *id)
{
	static const struct buf nothing = BUF_INIT(0);
	bool early = is_early(m, id);

	append(m, id, true, early ? &m->held : &nothing);
	if (early)
		msglog_hold(m, NULL);
}

void
msglog_free(struct msglog *m)
{
	buf_free(&m->held);
}
