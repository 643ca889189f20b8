/* letter.c - the message on its way into a mailbox. */
#include "local/letter.h"

#include <errno.h>

#include "base/date.h"
#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

void
letter_from_line(const struct letter *l, struct buf *out)
{
	char date[DATE_MAX];
	const char *from = l->rq->sender[0] != '\0' ? l->rq->sender : "MAILER-DAEMON";

	buf_fmt(out, "From %s %s\n", from, date_mbox((int64_t)l->rq->now, date));
}

void
letter_head(const struct letter *l, struct buf *out)
{
	char date[DATE_MAX];

	buf_fmt(out, "Return-path: <%s>\nEnvelope-to: ", l->rq->sender);
	for (size_t i = 0; i < l->rq->nenvelope_to; i++)
		buf_fmt(out, "%s%s", i > 0 ? ",\n " : "", l->rq->envelope_to[i]);
	buf_fmt(out, "\nDelivery-date: %s\n", date_rfc5322((int64_t)l->rq->now, date));
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

static bool
put(int to, struct str s, struct fail *f)
{
	return fd_write_full(to, s.p, s.n) ||
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot write the message");
}

bool
letter_write(int to, const struct buf *b, struct fail *f)
{
	if (!buf_ok(b))
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, ENOMEM, "too many recipients");
	return put(to, buf_get(b), f);
}

static const char from_[] = "From ";

enum { FROM_SIZE = sizeof from_ - 1 };

/* Write s, which starts at the start of a line, with its From_ lines quoted.  What is not written
 * yet, because it could be the beginning of one, is less than FROM_SIZE octets: its size. */
static bool
put_quoted(int to, struct str s, bool last, size_t *left, struct fail *f)
{
	size_t done = 0, line = 0;

	while (line < s.n) {
		struct str rest = str_skip(s, line);

		if (!last && rest.n < FROM_SIZE && str_find(rest, '\n') == rest.n)
			break;
		if (str_starts(rest, str_at(from_, FROM_SIZE))) {
			if (!put(to, str_at(s.p + done, line - done), f) || !put(to, STR(">"), f))
				return false;
			done = line;
		}
		line += str_find(rest, '\n');
		line += line < s.n; /* the newline itself */
	}
	*left = s.n - line;
	return put(to, str_at(s.p + done, line - done), f);
}

/* The end of a buffer can lie in a line: the next octets belong to that line, and are no start. */
static bool
put_rest_of_line(int to, struct str *s, bool *inside, struct fail *f)
{
	size_t n = 0;

	if (*inside) {
		n = str_find(*s, '\n');
		*inside = n == s->n;
		n += n < s->n;
	}
	if (!put(to, str_at(s->p, n), f))
		return false;
	*s = str_skip(*s, n);
	return true;
}

static bool
copy_quoted(struct letter *l, int to, char *chunk, struct fail *f)
{
	bool inside = false;
	size_t kept = 0;

	do {
		struct str s;
		size_t got = 0;

		if (!letter_read(l, chunk + kept, LETTER_CHUNK - kept, &got, f))
			return false;
		s = str_at(chunk, kept + got);
		if (!put_rest_of_line(to, &s, &inside, f) ||
		    !put_quoted(to, s, l->left == 0, &kept, f))
			return false;
		if (s.n > kept)
			inside = s.p[s.n - kept - 1] != '\n';
		memmove(chunk, s.p + s.n - kept, kept);
	} while (l->left > 0);
	return true;
}

static bool
copy_plain(struct letter *l, int to, char *chunk, struct fail *f)
{
	size_t got = 1;

	while (got > 0)
		if (!letter_read(l, chunk, LETTER_CHUNK, &got, f) ||
		    !put(to, str_at(chunk, got), f))
			return false;
	return true;
}

bool
letter_copy(struct letter *l, int to, bool quote_from, struct fail *f)
{
	char chunk[LETTER_CHUNK];

	return quote_from ? copy_quoted(l, to, chunk, f) : copy_plain(l, to, chunk, f);
}
