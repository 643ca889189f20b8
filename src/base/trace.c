/* trace.c - what -v shows while it happens. */
#include "base/trace.h"

#include <stdarg.h>

#include "base/banned.h" /* IWYU pragma: keep */

void
trace_line(const struct trace *t, enum trace_kind kind, const char *fmt, ...)
{
	char line[4096];
	va_list ap;
	int n;

	if (t == NULL || t->emit == NULL)
		return;
	va_start(ap, fmt);
	n = vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	t->emit(t->ctx, kind, str_at(line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1));
}

void
trace_buf(const struct trace *t, enum trace_kind kind, const struct buf *line)
{
	if (t != NULL && t->emit != NULL && buf_ok(line))
		t->emit(t->ctx, kind, buf_get(line));
}
