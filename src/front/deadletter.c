/* deadletter.c - a message that was refused goes where its owner finds it. */
#include "front/deadletter.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/file.h"
#include "mail/quote.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { PIECE = 8192, LOCK_MS = 10 * 1000 };

static bool
write_all(int fd, const struct deadletter *l, const struct message *m)
{
	AUTO_BUF struct buf b = BUF_INIT((size_t)HEADER_MAX * 4);
	struct quote quote = { 0 };
	char date[DATE_MAX], piece[PIECE];
	int64_t got = 0;

	buf_fmt(&b, "From %s %s\n", *l->sender != '\0' ? l->sender : "MAILER-DAEMON",
	    date_mbox(l->now, date));
	for (size_t i = 0; i < m->nheaders; i++)
		if (m->headers[i].type != H_DELETED)
			buf_put(&b, m->headers[i].text);
	buf_char(&b, '\n');
	for (uint64_t at = 0;; at += (uint64_t)got) {
		if (!buf_ok(&b) || !fd_write_full(fd, buf_get(&b).p, b.n))
			return false;
		buf_reset(&b);
		got = body_read(&m->body, at, piece, PIECE);
		if (got <= 0)
			break;
		quote_put(&quote, &b, str_at(piece, (size_t)got));
	}
	quote_end(&quote, &b);
	buf_char(&b, '\n');
	return got == 0 && buf_ok(&b) && fd_write_full(fd, b.p, b.n) && fsync(fd) == 0;
}

bool
deadletter_write(const struct deadletter *l, struct arena *a, const struct message *m,
    const char **path, struct fail *f)
{
	const char *name = arena_fmt(a, "%s/dead.letter", l->home);
	struct stat st;
	AUTO_FD int fd = open(name,
	    O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600);

	if (fd < 0)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot open %s", name);
	if (!file_lock(fd, LOCK_MS))
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot lock %s", name);
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_uid != l->uid || st.st_nlink != 1)
		return fail_set(
		    f, FAIL_TEMP, STAGE_LOCAL, 0, "%s is not a file of yours with one link", name);
	if ((uint64_t)st.st_size + message_size(m) > DEADLETTER_MAX)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "%s would become larger than %d MiB: read it and remove it", name,
		    DEADLETTER_MAX >> 20);
	if (!write_all(fd, l, m)) {
		int e = errno;

		(void)!ftruncate(fd, st.st_size);
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, e, "cannot write %s", name);
	}
	*path = name;
	return true;
}
