/* logfile.c - the main log as a file. */
#include "log/logfile.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/date.h"
#include "io/clock.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LINE_MAX_BYTES = 16384 };

void
logfile_open(struct logfile *l, const char *path)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
	struct stat st;

	if (strcmp(path, "-") == 0) {
		l->fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
		return;
	}
	l->fd = open(path, flags, 0640);
	if (l->fd >= 0 && (fstat(l->fd, &st) != 0 || !S_ISREG(st.st_mode)))
		logfile_close(l);
}

void
logfile_close(struct logfile *l)
{
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
}

static void
emit(void *ctx, enum trace_kind kind, struct str line)
{
	const struct logfile *l = ctx;
	AUTO_BUF struct buf b = BUF_INIT(LINE_MAX_BYTES);
	char date[DATE_MAX];

	if (l->next != NULL && l->next->emit != NULL)
		l->next->emit(l->next->ctx, kind, line);
	if (kind != TRACE_LOG || l->fd < 0)
		return;
	buf_str(&b, date_log(clock_unix(), date));
	if (l->id != NULL && l->id[0] != '\0')
		buf_fmt(&b, " %s", l->id);
	buf_char(&b, ' ');
	for (size_t i = 0; i < line.n; i++)
		buf_char(&b, ascii_control(line.p[i]) && line.p[i] != '\t' ? '?' : line.p[i]);
	buf_char(&b, '\n');
	if (buf_ok(&b))
		(void)!write(l->fd, b.p, b.n);
}

struct trace
logfile_trace(struct logfile *l)
{
	return (struct trace){ .emit = emit, .ctx = l };
}
