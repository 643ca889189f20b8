/* record.c - the records of the submission protocol: a letter, a length, that many bytes. */
#include "spool/record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/num.h"
#include "spool/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { SMALL = 4096 }; /* a record that goes out in one write */

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

bool
record_put(int fd, char letter, struct str payload, struct fail *f)
{
	char head[5] = { letter, (char)(payload.n >> 24), (char)(payload.n >> 16 & 0xff),
		(char)(payload.n >> 8 & 0xff), (char)(payload.n & 0xff) };
	char together[SMALL];
	bool done;

	if (sizeof head + payload.n > sizeof together)
		return (fd_write_full(fd, head, sizeof head) &&
			   fd_write_full(fd, payload.p, payload.n)) ||
		    record_gone(f);
	memcpy(together, head, sizeof head);
	if (payload.n > 0)
		memcpy(together + sizeof head, payload.p, payload.n);
	done = fd_write_full(fd, together, sizeof head + payload.n);
	explicit_bzero(together, sizeof head + payload.n); /* it may be a password */
	return done || record_gone(f);
}

bool
record_put_buf(int fd, char letter, const struct buf *b, struct fail *f)
{
	return record_put(fd, letter, buf_get(b), f);
}

/* Read one record's payload into b (reset first). *passed: a descriptor that came along, or -1;
 * the caller's.  False without f touched at a clean end. */
bool
record_get(int fd, char *letter, struct buf *b, int *passed)
{
	unsigned char head[5];
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { head, sizeof head };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof control.space };
	const struct cmsghdr *c;
	ssize_t got;
	size_t n;

	do
		got = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return false;
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		if (*passed >= 0)
			(void)close(*passed);
		memcpy(passed, CMSG_DATA(c), sizeof *passed);
	}
	if ((size_t)got < sizeof head &&
	    fd_read_full(fd, head + got, sizeof head - (size_t)got) != (ssize_t)(sizeof head) - got)
		return false;
	*letter = (char)head[0];
	n = (size_t)head[1] << 24 | (size_t)head[2] << 16 | (size_t)head[3] << 8 | head[4];
	if (n > SUBMIT_RECORD_MAX)
		return false;
	return buf_read(b, fd, n);
}

void
record_add(struct buf *b, const char *z)
{
	buf_add(b, z != NULL ? z : "", (z != NULL ? strlen(z) : 0) + 1);
}

void
record_add_number(struct buf *b, uint64_t v)
{
	buf_fmt(b, "%" PRIu64, v);
	buf_char(b, '\0');
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
