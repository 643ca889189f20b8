/* record.c - the records of the submission protocol: a letter, a length, that many bytes. */
#include "wire/record.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/num.h"
#include "wire/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	HEAD = 5,  /* octets in front of a payload: its letter and its length */
	TRIES = 3, /* to read, whatever the error */
	FDS = 253, /* the kernel's SCM_MAX_FD */
};

bool
record_gone(struct fail *f)
{
	return fail_set(f, FAIL_TEMP, STAGE_DOOR, 0,
	    "onehop-send ended before it gave its verdict; look for its reason in the log");
}

bool
record_broken(struct fail *f, const char *what)
{
	return fail_set(f, FAIL_USER, STAGE_DOOR, 0, "broken submission: %s", what);
}

void
record_begin(struct record_out *o, int fd)
{
	o->fd = fd;
	o->n = 0;
}

bool
record_flush(struct record_out *o, struct fail *f)
{
	size_t n = o->n;

	o->n = 0;
	return n == 0 || fd_write_full(o->fd, o->held, n) || record_gone(f);
}

bool
record_hold(struct record_out *o, char letter, struct str payload, struct fail *f)
{
	const char head[HEAD] = { letter, (char)(payload.n >> 24), (char)(payload.n >> 16 & 0xff),
		(char)(payload.n >> 8 & 0xff), (char)(payload.n & 0xff) };

	if (HEAD + payload.n > sizeof o->held - o->n && !record_flush(o, f))
		return false;
	memcpy(o->held + o->n, head, HEAD);
	o->n += HEAD;
	if (payload.n > sizeof o->held - o->n)
		return record_flush(o, f) &&
		    (fd_write_full(o->fd, payload.p, payload.n) || record_gone(f));
	if (payload.n > 0)
		memcpy(o->held + o->n, payload.p, payload.n);
	o->n += payload.n;
	return true;
}

bool
record_put(int fd, char letter, struct str payload, struct fail *f)
{
	struct record_out o;
	bool done;
	size_t n;

	record_begin(&o, fd);
	done = record_hold(&o, letter, payload, f);
	n = o.n;
	done = done && record_flush(&o, f);
	explicit_bzero(o.held, n); /* it may be a password */
	return done;
}

bool
record_put_buf(int fd, char letter, const struct buf *b, struct fail *f)
{
	return record_put(fd, letter, buf_get(b), f);
}

/* The descriptor travels with the record's first bytes. */
bool
record_pass(int fd, char letter, int passed, struct fail *f)
{
	char head[HEAD] = { letter };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { .space = { 0 } };
	struct iovec iov = { head, sizeof head };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof control.space };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ssize_t done;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof passed);
	memcpy(CMSG_DATA(c), &passed, sizeof passed);
	do
		done = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (done < 0 && errno == EINTR);
	if (done <= 0 || !fd_write_full(fd, head + done, sizeof head - (size_t)done))
		return record_gone(f);
	return true;
}

/* To close a socket may wait for whom it speaks to, as long as its maker wanted. */
static void
drop(int fd)
{
	const struct linger none = { .l_onoff = 1 };

	if (fd < 0)
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	(void)close(fd);
}

/* Only one of this kind, the last: whatever else may hold up who looks into it. */
static void
keep(const struct cmsghdr *c, mode_t kind, int *passed)
{
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	struct stat st;

	for (size_t i = 0; i < n; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
		drop(*passed);
		*passed = fd;
		if (fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == kind)
			continue;
		drop(fd);
		*passed = -1;
	}
}

/* Some octets, with the descriptor that may come along.  There is room for as many as can come:
 * what is cut off would be closed as it is. */
static ssize_t
receive(int fd, void *p, size_t n, mode_t kind, int *passed)
{
	union {
		char space[CMSG_SPACE(FDS * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { p, n };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	const struct cmsghdr *c;
	ssize_t got;
	int tries = 0;

	/* what is lost here cannot be asked for again, and may be a verdict: so an odd error is
	 * tried again */
	do {
		msg.msg_control = control.space;
		msg.msg_controllen = sizeof control.space;
		got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno != ECONNRESET && (errno == EINTR || ++tries < TRIES));
	c = got > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		keep(c, kind, passed);
	return got;
}

static size_t
length(const unsigned char *head)
{
	return (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4];
}

static bool
get(int fd, char *letter, struct buf *b, mode_t kind, int *passed)
{
	unsigned char head[HEAD];
	ssize_t got = receive(fd, head, sizeof head, kind, passed);

	if (got <= 0)
		return false;
	if (got < HEAD && fd_read_full(fd, head + got, (size_t)(HEAD - got)) != HEAD - got)
		return false;
	*letter = (char)head[0];
	return length(head) <= SUBMIT_RECORD_MAX && buf_read(b, fd, length(head));
}

bool
record_get(int fd, char *letter, struct buf *b, int *passed)
{
	return get(fd, letter, b, S_IFREG, passed);
}

bool
record_get_socket(int fd, char *letter, struct buf *b, int *passed)
{
	return get(fd, letter, b, S_IFSOCK, passed);
}

void
record_close(struct record_in *in)
{
	if (in->passed >= 0)
		(void)close(in->passed);
	in->passed = -1;
}

/* n octets ahead, or the next few when n is 0. */
static bool
look_ahead(struct record_in *in, size_t n)
{
	ssize_t got = 1;

	memmove(in->ahead, in->ahead + in->pos, in->len - in->pos);
	in->len -= in->pos;
	in->pos = 0;
	while (got > 0 && (in->len < n || in->len == 0)) {
		if (in->wait != NULL && !in->wait(in->ctx, in->fd))
			return false;
		got = receive(
		    in->fd, in->ahead + in->len, sizeof in->ahead - in->len, S_IFREG, &in->passed);
		in->unread = got < 0 && errno == ECONNRESET;
		in->len += got > 0 ? (size_t)got : 0;
	}
	return got > 0;
}

bool
record_next(struct record_in *in, char *letter, struct buf *b)
{
	size_t left;

	if (in->len - in->pos < HEAD && !look_ahead(in, HEAD))
		return false;
	*letter = (char)in->ahead[in->pos];
	left = length(in->ahead + in->pos);
	in->pos += HEAD;
	if (left > SUBMIT_RECORD_MAX)
		return false;
	for (buf_reset(b); left > 0;) {
		size_t n = in->len - in->pos < left ? in->len - in->pos : left;

		buf_add(b, (const char *)in->ahead + in->pos, n);
		in->pos += n;
		left -= n;
		if (left > 0 && !look_ahead(in, 0))
			return false;
	}
	return buf_ok(b);
}

void
record_add(struct buf *b, const char *z)
{
	buf_add(b, z != NULL ? z : "", (z != NULL ? strlen(z) : 0) + 1);
}

void
record_add_number(struct buf *b, uint64_t v)
{
	char digits[21] = "";
	size_t at = sizeof digits - 1;

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	buf_add(b, digits + at, sizeof digits - at);
}

/* The next NUL-terminated field. */
struct str
record_field(struct str *rest)
{
	return rest->p != NULL ? str_cut(rest, '\0') : str_at("", 0);
}

uint64_t
record_number(struct str *rest)
{
	uint64_t v = 0;

	(void)!num_parse(record_field(rest), UINT64_MAX, &v);
	return v;
}

/* A field as a string in the arena; an empty one is NULL. */
const char *
record_optional(struct str *rest, struct arena *a)
{
	struct str s = record_field(rest);

	return s.n > 0 ? arena_strz(a, s) : NULL;
}

const char *
record_text(struct str *rest, struct arena *a)
{
	return arena_strz(a, record_field(rest));
}

void
record_add_fail(struct buf *b, const struct fail *f)
{
	record_add_number(b, (uint64_t)f->cls);
	record_add_number(b, (uint64_t)f->stage);
	record_add_number(b, (uint64_t)f->sys);
	record_add_number(b, (uint64_t)f->smtp);
	record_add_number(b, (uint64_t)f->exit);
	record_add(b, f->dsn);
	record_add(b, f->text);
}

void
record_fail(struct str *rest, struct fail *out)
{
	struct str dsn;

	out->cls = (enum fail_class)record_number(rest);
	out->stage = (enum fail_stage)record_number(rest);
	out->sys = (int)record_number(rest);
	out->smtp = (int)record_number(rest);
	out->exit = (int)record_number(rest);
	if (out->cls > FAIL_USER || out->stage >= STAGE_COUNT)
		*out = (struct fail){ .cls = FAIL_TEMP, .stage = STAGE_DOOR };
	dsn = record_field(rest);
	(void)snprintf(out->dsn, sizeof out->dsn, "%.*s", S_ARG(dsn));
	dsn = record_field(rest);
	(void)snprintf(out->text, sizeof out->text, "%.*s", S_ARG(dsn));
}
