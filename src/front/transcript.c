/* transcript.c - -v on stderr, in Exim's shape. */
#include "front/transcript.h"

#include "base/buf.h"
#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LINE_MAX_BYTES = 16384 };

/* A reply's lines stand under each other: the code of the first, then continuation lines
 * "250-..." and the last "250 ..." indented by as much as "  SMTP<< " is wide. */
static const char *
lead(struct transcript *t, enum trace_kind kind, struct str line)
{
	bool more = line.n > 3 && line.p[3] == '-';
	bool first = !t->in_reply;

	t->in_reply = kind == TRACE_IN && more;
	switch (kind) {
	case TRACE_LOG:
		return "LOG: MAIN\n  ";
	case TRACE_WARNING:
		return t->verbose ? "LOG: MAIN\n  " : "onehop: warning: ";
	case TRACE_OUT:
		return "  SMTP>> ";
	case TRACE_IN:
		return first ? "  SMTP<< " : "         ";
	case TRACE_NOTE:
	case TRACE_DEBUG:
	case TRACE_PRIVATE:
		break;
	}
	return "";
}

static void
emit(void *ctx, enum trace_kind kind, struct str line)
{
	struct transcript *t = ctx;
	AUTO_BUF struct buf b = BUF_INIT(LINE_MAX_BYTES);

	if (kind != TRACE_WARNING && (kind == TRACE_DEBUG ? !t->debug : !t->verbose))
		return;
	buf_str(&b, lead(t, kind, line));
	buf_shown(&b, line);
	buf_char(&b, '\n');
	(void)!fd_write_full(t->fd, b.p, b.n);
}

struct trace
transcript_trace(struct transcript *t)
{
	return (struct trace){ .emit = emit, .ctx = t };
}
