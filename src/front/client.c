/* client.c - the SMTP client at the other end of standard input and output. */
#include "front/client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fail.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	REPLIES_MAX = 65536,
	REPLY_TEXT = 480, /* RFC 5321 4.5.3.1.5: 512 octets with code and CRLF */
	WRITE_MAX = 4096, /* PIPE_BUF: after POLLOUT it does not block */
};

void
client_init(struct client *c, int in, int out)
{
	c->in = in;
	c->out = out;
	c->line_timeout = c->data_timeout = 300; /* RFC 5321 4.5.3.2.7 */
	c->state = CLIENT_HERE;
	c->batch = c->broken = false;
	c->refused = 0;
	c->replies = (struct buf)BUF_INIT(REPLIES_MAX);
	c->pos = c->len = 0;
}

void
client_free(struct client *c)
{
	buf_free(&c->replies);
}

static bool
wait_for(struct client *c, int fd, short events, int64_t deadline)
{
	struct pollfd p = { .fd = fd, .events = events };
	int r;

	do {
		int64_t left = deadline - clock_ms();

		if (left <= 0) {
			c->state = CLIENT_LATE;
			return false;
		}
		r = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
	} while (r == 0 || (r < 0 && errno == EINTR));
	return true; /* when poll() fails, the read or the write says what is wrong */
}

static int64_t
deadline_in(uint64_t seconds)
{
	return clock_ms() + (int64_t)seconds * 1000;
}

bool
client_flush(struct client *c)
{
	int64_t deadline = deadline_in(c->line_timeout);
	struct str rest = buf_get(&c->replies);

	while (rest.n > 0 && c->state == CLIENT_HERE) {
		ssize_t n;

		if (!wait_for(c, c->out, POLLOUT, deadline))
			break;
		n = write(c->out, rest.p, rest.n < WRITE_MAX ? rest.n : WRITE_MAX);
		if (n >= 0)
			rest = str_skip(rest, (size_t)n);
		else if (errno != EINTR && errno != EAGAIN)
			c->state = CLIENT_LOST;
	}
	buf_reset(&c->replies);
	return c->state == CLIENT_HERE;
}

/* Nothing is left to read: answer, then wait for more. */
static bool
refill(struct client *c, int64_t deadline)
{
	ssize_t n = -1;

	if (!client_flush(c))
		return false;
	while (n < 0) {
		if (!wait_for(c, c->in, POLLIN, deadline))
			return false;
		n = read(c->in, c->buf, sizeof c->buf);
		if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
			c->state = CLIENT_LOST;
			c->broken = n < 0;
			return false;
		}
	}
	c->pos = 0;
	c->len = (size_t)n;
	return true;
}

bool
client_line(struct client *c, struct buf *line, bool *crlf, bool *whole)
{
	int64_t deadline = deadline_in(c->line_timeout);
	bool found = false, cr = false;
	size_t length = 0;

	buf_reset(line);
	*whole = true;
	while (!found) {
		struct str have, part;
		size_t n;

		if (c->pos == c->len && !refill(c, deadline))
			return false;
		have = str_at(c->buf + c->pos, c->len - c->pos);
		n = str_find(have, '\n');
		found = n < have.n;
		part = str_at(have.p, n);
		c->pos += found ? n + 1 : n;
		if (n > 0)
			cr = part.p[n - 1] == '\r';
		*whole = *whole && part.n <= line->max - line->n;
		if (*whole)
			buf_put(line, part);
		length += n;
		if (length > CLIENT_LINE_MAX) {
			c->state = CLIENT_ENDLESS;
			return false;
		}
	}
	*crlf = cr;
	if (cr && *whole)
		line->p[--line->n] = '\0';
	return true;
}

bool
client_octets(struct client *c, uint64_t max, struct str *out)
{
	size_t n;

	if (c->pos == c->len && !refill(c, deadline_in(c->data_timeout)))
		return false;
	n = c->len - c->pos;
	if (n > max)
		n = (size_t)max;
	*out = str_at(c->buf + c->pos, n);
	c->pos += n;
	return true;
}

void
client_unread(struct client *c, size_t n)
{
	c->pos -= n;
}

/* How much of s fits into a line: up to its last blank where there is one. */
static size_t
line_length(struct str s)
{
	size_t n = REPLY_TEXT;

	if (s.n <= REPLY_TEXT)
		return s.n;
	while (n > 0 && s.p[n - 1] != ' ')
		n--;
	return n > 0 ? n : REPLY_TEXT;
}

void
client_reply(struct client *c, int code, bool more, const char *dsn, const char *fmt, ...)
{
	char text[FAIL_TEXT * 2];
	struct str rest;
	va_list ap;

	if (code >= 400)
		c->refused = code;
	else if (c->batch)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	rest = str_of(text);
	do {
		size_t n = line_length(rest);

		buf_fmt(&c->replies, "%d%c", code, more || n < rest.n ? '-' : ' ');
		if (dsn != NULL)
			buf_fmt(&c->replies, "%s ", dsn);
		for (size_t i = 0; i < n; i++)
			buf_char(&c->replies,
			    ascii_control(rest.p[i]) || ascii_8bit(rest.p[i]) ? '?' : rest.p[i]);
		buf_str(&c->replies, c->batch ? "\n" : "\r\n");
		rest = str_skip(rest, n);
	} while (rest.n > 0);
	if (c->replies.n > REPLIES_MAX / 2)
		(void)!client_flush(c);
}
