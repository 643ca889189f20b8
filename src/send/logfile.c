/* logfile.c - the main log. */
#include "send/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/date.h"
#include "base/id.h"
#include "send/append.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LINE_MAX_BYTES = PIPE_BUF, DIRECTORY_MODE = 0750 };

static int
open_path(const char *path)
{
	const char *slash = strrchr(path, '/');
	char parent[PATH_MAX] = ".";
	AUTO_FD int dir = -1;

	if (slash != NULL && (size_t)(slash - path) + 2 > sizeof parent)
		return -1;
	if (slash != NULL)
		(void)snprintf(parent, sizeof parent, "%.*s/", (int)(slash - path), path);
	dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT && mkdir(parent, DIRECTORY_MODE) == 0)
		dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : append_open(dir, slash != NULL ? slash + 1 : path, true);
}

void
logfile_open(struct logfile *l, const struct conf *c)
{
	l->use_syslog = c->syslog;
	if (strcmp(c->log_file, "-") == 0)
		l->fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	else
		l->fd = open_path(c->log_file);
}

void
logfile_hold(struct logfile *l)
{
	l->holding = true;
}

/* What reads a pipe may have stopped to read: a line that has no room is not waited for.  (A pipe
 * that has room has it for PIPE_BUF octets.) */
static bool
append(const struct logfile *l, struct str line)
{
	struct pollfd ready = { .fd = l->fd, .events = POLLOUT };

	if (l->fd < 0 || poll(&ready, 1, 0) != 1 || (ready.revents & POLLOUT) == 0)
		return false;
	return write(l->fd, line.p, line.n) == (ssize_t)line.n;
}

static void
write_line(struct logfile *l, const char *id, struct str line)
{
	AUTO_BUF struct buf b = BUF_INIT(LINE_MAX_BYTES);
	int64_t now = clock_unix();
	char date[DATE_MAX];
	size_t start;
	bool written;

	if (line.n > LINE_MAX_BYTES - DATE_MAX - ID_MAX)
		line.n = LINE_MAX_BYTES - DATE_MAX - ID_MAX;
	buf_fmt(&b, "%s ", date_log(now, date));
	if (id != NULL)
		buf_fmt(&b, "%s ", id);
	start = b.n;
	buf_shown(&b, line);
	buf_char(&b, '\n');
	written = append(l, buf_get(&b));
	line = str_at(b.p + start, b.n - 1 - start); /* as it is shown */
	if (l->use_syslog == CHOICE_YES || (l->use_syslog == CHOICE_AUTO && !written))
		(void)syslog_line(&l->syslog, now, id, line);
	if (id != NULL)
		msglog_line(&l->messages, id, date, line);
}

static void
release(struct logfile *l, const char *id)
{
	struct str rest = str_at(l->held.p, l->held.n);

	l->holding = false;
	while (rest.n > 0)
		write_line(l, id, str_cut(&rest, '\n'));
	buf_reset(&l->held);
}

static void
emit(void *ctx, enum trace_kind kind, struct str line)
{
	struct logfile *l = ctx;
	const char *id = l->id != NULL && l->id[0] != '\0' ? l->id : NULL;

	if (l->next != NULL && l->next->emit != NULL && kind != TRACE_PRIVATE && !l->alone)
		l->next->emit(l->next->ctx, kind, line);
	if (kind != TRACE_LOG && kind != TRACE_PRIVATE)
		return;
	if (l->holding && id == NULL) {
		buf_put(&l->held, line);
		buf_char(&l->held, '\n');
		return;
	}
	write_line(l, id, line);
	if (l->holding)
		release(l, id);
}

void
logfile_detach(struct logfile *l)
{
	struct stat ours, init;

	if (l->fd < 0 || fstat(l->fd, &ours) != 0 ||
	    (!S_ISFIFO(ours.st_mode) && !S_ISSOCK(ours.st_mode)))
		return;
	if (stat("/proc/1/fd/2", &init) == 0 && init.st_dev == ours.st_dev &&
	    init.st_ino == ours.st_ino)
		return;
	(void)close(l->fd);
	l->fd = -1;
}

void
logfile_close(struct logfile *l)
{
	release(l, NULL);
	buf_free(&l->held);
	if (l->fd >= 0)
		(void)close(l->fd);
	l->fd = -1;
	syslog_close(&l->syslog);
	msglog_free(&l->messages);
}

struct trace
logfile_trace(struct logfile *l)
{
	return (struct trace){ .emit = emit, .ctx = l };
}
