/* letter.c - the message on its way into a mailbox. */
#include "local/letter.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/date.h"
#include "base/file.h"
#include "mail/quote.h"

#include "base/banned.h" /* IWYU pragma: keep */

void
letter_from_line(const struct letter *l, struct buf *out)
{
	char date[DATE_MAX];
	const char *from = l->rq->sender[0] != '\0' ? l->rq->sender : "MAILER-DAEMON";

	buf_fmt(out, "From %s %s\n", from, date_mbox((int64_t)l->rq->now, date));
}

size_t
letter_head(const struct letter *l, struct buf *out)
{
	char date[DATE_MAX];
	size_t at;

	buf_fmt(out, "Return-path: <%s>\nEnvelope-to: ", l->rq->sender);
	for (size_t i = 0; i < l->rq->nenvelope_to; i++)
		buf_fmt(out, "%s%s", i > 0 ? ",\n " : "", l->rq->envelope_to[i]);
	buf_char(out, '\n');
	at = out->n;
	buf_fmt(out, "Delivery-date: %s\n", date_rfc5322((int64_t)l->rq->now, date));
	return at;
}

bool
letter_read(struct letter *l, void *p, size_t n, size_t *got, struct fail *f)
{
	ssize_t r;

	if (n > l->left)
		n = (size_t)l->left;
	r = n > 0 ? fd_read_full(l->fd, p, n) : 0;
	if (r < 0)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot read the message");
	if ((size_t)r < n)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "the message ended early");
	l->left -= (uint64_t)r;
	*got = (size_t)r;
	return true;
}

bool
letter_write(int to, const struct buf *b, struct fail *f)
{
	if (!buf_ok(b))
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, ENOMEM, "too many recipients");
	return fd_write_full(to, b->p, b->n) ||
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot write the message");
}

bool
letter_copy(struct letter *l, int to, bool quote_from, struct fail *f)
{
	AUTO_BUF struct buf out = BUF_INIT((size_t)2 * LETTER_CHUNK);
	char chunk[LETTER_CHUNK];
	struct quote quote = { 0 };
	size_t got = 0;

	do {
		if (!letter_read(l, chunk, sizeof chunk, &got, f))
			return false;
		buf_reset(&out);
		if (!quote_from)
			buf_add(&out, chunk, got);
		else if (got > 0)
			quote_put(&quote, &out, str_at(chunk, got));
		else
			quote_end(&quote, &out);
		if (!letter_write(to, &out, f))
			return false;
	} while (got > 0);
	return true;
}

bool
letter_sync_directory(struct arena *a, const char *path, struct fail *f)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] != '/')
		n--;
	AUTO_FD int fd = open(arena_strz(a, str_at(path, n)), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) == 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot sync the directory of %s", path);
}
