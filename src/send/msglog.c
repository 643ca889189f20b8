/* msglog.c - the log of one message, while it is in the spool. */
#include "send/msglog.h"

#include <string.h>
#include <unistd.h>

#include "send/append.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LINE_MAX_BYTES = 16384 };

/* "fax <fax@debian>", of a local delivery, is fax@debian there. */
static struct str
whole_address(struct str address)
{
	size_t blank = str_find(address, ' ');
	struct str parent = str_skip(address, blank + 2);

	if (parent.n > blank + 1 && parent.p[parent.n - 1] == '>' && parent.p[blank] == '@' &&
	    memcmp(parent.p, address.p, blank) == 0)
		return str_at(parent.p, parent.n - 1);
	return address;
}

/* "=> x@y <o@y> R=r T=t ..." is there "x@y <o@y>: t transport succeeded".  False: it has no
 * transport. */
static bool
add_success(struct buf *out, struct str line)
{
	const char *router = memmem(line.p, line.n, " R=", 3);
	const char *transport = memmem(line.p, line.n, " T=", 3);
	struct str rest;

	if (router == NULL || transport == NULL || transport < router)
		return false;
	rest = str_skip(line, (size_t)(transport - line.p) + 3);
	buf_put(out, whole_address(str_at(line.p, (size_t)(router - line.p))));
	buf_fmt(out, ": %.*s transport succeeded", S_ARG(str_at(rest.p, str_find(rest, ' '))));
	return true;
}

static void
add_line(struct buf *out, struct str line)
{
	static const struct {
		struct str here, there;
	} words[] = {
		{ { "<= ", 3 }, { "Received from ", 14 } },
		{ { "== ", 3 }, { "", 0 } },
		{ { "** ", 3 }, { "", 0 } },
		{ { "Frozen ", 7 }, { "*** Frozen ", 11 } },
	};

	if ((str_starts(line, STR("=> ")) || str_starts(line, STR("-> "))) &&
	    add_success(out, str_skip(line, 3)))
		return;
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!str_starts(line, words[i].here))
			continue;
		buf_put(out, words[i].there);
		line = str_skip(line, words[i].here.n);
		break;
	}
	buf_put(out, line);
}

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
	buf_fmt(b, "%s ", date);
	add_line(b, line);
	buf_char(b, '\n');
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
