/* receive.c - the submission protocol, the side of onehop-send: the writer may be hostile. */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "mail/mailbox.h"
#include "mail/scan.h"
#include "wire/record.h"
#include "wire/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { WORDS_MAX = 4096 }; /* octets of what a recipient brings along */

bool
submit_accept(int fd, struct submit_hello *h, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_RECORD_MAX);
	AUTO_FD int passed = -1;
	struct str rest;
	char letter;

	if (!record_get(fd, &letter, &b, &passed))
		return record_gone(f);
	rest = buf_get(&b);
	if (letter != 'V' || !str_eq(record_field(&rest), str_of(SUBMIT_PROTOCOL)))
		return record_broken(f, "onehop and onehop-send are of different versions");
	h->flags = (enum submit_flags)(record_number(&rest) & (SUBMIT_VERBOSE | SUBMIT_DEBUG));
	h->connect_now = record_number(&rest) != 0;
	h->delivery = (unsigned)(record_number(&rest) & 255);
	return true;
}

bool
submit_is_control(int fd, struct buf *payload)
{
	AUTO_FD int passed = -1;
	char letter = '\0';
	ssize_t got;

	do
		got = recv(fd, &letter, 1, MSG_PEEK);
	while (got < 0 && errno == EINTR);
	if (got != 1 || letter != 'Q')
		return false;
	if (!record_get(fd, &letter, payload, &passed))
		buf_reset(payload);
	return true;
}

/* What is being received, and how much of it there may be. */
struct intake_state {
	struct arena *arena;
	struct envelope *e;
	struct message *m;
	struct buf body;
	size_t header_bytes, envelope_bytes;
	bool (*wait)(void *ctx, int fd);
	bool have_envelope;
	bool own; /* the writer is this program: what it has is not judged again */
};

static bool
good_address(const char *s, bool empty_ok, struct fail *f)
{
	return (empty_ok && *s == '\0') || mailbox_ok(mailbox_split(s), f);
}

static bool
one_line(const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		if (ascii_control(*s))
			return false;
	return true;
}

/* NULL, or nothing but printable ASCII without a blank, so that it stays one word of a command or
 * of a log line. */
static bool
one_word(const char *s)
{
	for (; s != NULL && *s != '\0'; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

/* NULL, or what can stand in Received, and in a comment of it. */
static bool
good_name(const char *s)
{
	return one_word(s) &&
	    (s == NULL || (strlen(s) <= DOMAIN_MAX && strpbrk(s, "()\\\";") == NULL));
}

static bool
take_envelope(struct intake_state *in, struct str rest, struct fail *f)
{
	struct envelope *e = in->e;
	const char *id = record_text(&rest, in->arena);

	if (in->have_envelope)
		return record_broken(f, "two envelopes");
	if (!id_ok(id))
		return record_broken(f, "bad message id");
	(void)snprintf(e->id, sizeof e->id, "%s", id);
	e->sender = record_text(&rest, in->arena);
	e->login = record_text(&rest, in->arena);
	e->envid = record_optional(&rest, in->arena);
	e->ret = record_number(&rest) % (RET_HDRS + 1);
	e->auth_parameter = record_number(&rest) != 0;
	e->body_declared = (unsigned)(record_number(&rest) & 15);
	e->protocol = record_optional(&rest, in->arena);
	e->lone_dots = record_number(&rest) != 0;
	e->helo = record_optional(&rest, in->arena);
	in->have_envelope = true;
	if (in->own)
		return true;
	if (!one_line(e->login) || !one_line(e->envid) || !good_name(e->protocol) ||
	    !good_name(e->helo))
		return record_broken(f, "a control character in the envelope");
	return good_address(e->sender, true, f);
}

static bool
good_recipient(const struct rcpt *r, struct fail *f)
{
	if (strlen(r->original) > WORDS_MAX || strlen(r->orcpt != NULL ? r->orcpt : "") > WORDS_MAX)
		return record_broken(f, "a recipient is too long");
	if (!one_word(r->orcpt))
		return record_broken(f, "a control character in a recipient");
	return good_address(r->address, false, f) && good_address(r->original, false, f);
}

static bool
take_recipient(struct intake_state *in, struct str rest, struct fail *f)
{
	struct envelope *e = in->e;
	struct rcpt r = { .state = RCPT_WAITING };

	in->envelope_bytes += rest.n;
	if (e->nrcpts >= SUBMIT_RECIPIENTS_MAX)
		return record_broken(f, "too many recipients");
	r.address = record_text(&rest, in->arena);
	r.original = record_text(&rest, in->arena);
	r.unqualified = record_number(&rest) != 0;
	r.notify = (unsigned)(record_number(&rest) & 15);
	r.orcpt = record_optional(&rest, in->arena);
	if (!in->own && !good_recipient(&r, f))
		return false;
	if (!in->own && !submit_has_room(0, in->envelope_bytes, f))
		return false;
	e->rcpts = arena_grow(in->arena, e->rcpts, e->nrcpts, sizeof r);
	e->rcpts[e->nrcpts++] = r;
	return true;
}

/* A field is a name, a colon, and lines of which all but the first start with a blank. */
static bool
good_header(struct str h)
{
	if (h.n == 0 || h.p[h.n - 1] != '\n' || scan_field_name(h) == SIZE_MAX)
		return false;
	for (size_t i = 0; i < h.n; i++)
		if (h.p[i] == '\0' || h.p[i] == '\r' ||
		    (h.p[i] == '\n' && i + 1 < h.n && h.p[i + 1] != ' ' && h.p[i + 1] != '\t'))
			return false;
	return true;
}

static bool
take_header(struct intake_state *in, struct str h, struct fail *f)
{
	in->header_bytes += h.n;
	if (!in->own && !submit_has_room(in->m->nheaders + 1, 0, f))
		return false;
	if (!in->own && in->header_bytes > HEADER_MAX + SUBMIT_FIELD_MAX)
		return record_broken(f, "the header is too long");
	if (!in->own && !good_header(h))
		return record_broken(f, "a header field is malformed");
	message_append(in->m, arena_str(in->arena, h));
	return true;
}

static bool
take_go(struct intake_state *in, struct str rest, struct fail *f)
{
	struct body *b = &in->m->body;
	struct stat st;
	uint64_t size = record_number(&rest);

	b->lines = record_number(&rest);
	b->longest_line = record_number(&rest);
	b->has_8bit = record_number(&rest) != 0;
	b->has_nul = record_number(&rest) != 0;
	b->start = b->fd >= 0 ? record_number(&rest) : 0;
	if (b->fd >= 0 &&
	    (fstat(b->fd, &st) != 0 || !S_ISREG(st.st_mode) ||
		(!in->own && b->start > BODY_START) || (uint64_t)st.st_size < b->start))
		return record_broken(f, "the body is not a file");
	b->size = b->fd >= 0 ? (uint64_t)st.st_size - b->start : in->body.n;
	if (!in->have_envelope || in->e->nrcpts == 0 || size != b->size || !buf_ok(&in->body))
		return record_broken(f, "the message is not complete");
	if (b->fd < 0)
		b->mem = arena_strz(in->arena, buf_get(&in->body));
	return true;
}

static bool
take(struct intake_state *in, char letter, struct str payload, int *passed, struct fail *f)
{
	switch (letter) {
	case 'E':
		return take_envelope(in, payload, f);
	case 'R':
		return take_recipient(in, payload, f);
	case 'H':
		return take_header(in, payload, f);
	case 'B':
		buf_put(&in->body, payload);
		return true;
	case 'F':
		body_close(&in->m->body);
		in->m->body.fd = steal_fd(passed);
		return in->m->body.fd >= 0 || record_broken(f, "the body is not a file");
	case 'G':
		return take_go(in, payload, f);
	default:
		return record_broken(f, "an unknown record");
	}
}

static bool
receive(struct intake_state *in, int fd, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_RECORD_MAX);
	AUTO_RECORDS struct record_in records = { .fd = fd, .passed = -1, .wait = in->wait };
	char letter = '\0';
	bool ok = true;

	*in->e = (struct envelope){ .ret = RET_UNSET };
	*in->m = (struct message){ .arena = in->arena, .body = { .fd = -1, .mem = "" } };
	while (ok && letter != 'G')
		ok = record_next(&records, &letter, &b) ?
		    take(in, letter, buf_get(&b), &records.passed, f) :
		    record_broken(f, "it ended early");
	buf_free(&in->body);
	if (!ok)
		in->e->nrcpts = 0; /* the writer may not have come to reading verdicts on them */
	return ok;
}

bool
submit_receive(int fd, bool (*wait)(void *ctx, int fd), struct arena *a, struct envelope *e,
    struct message *m, struct fail *f)
{
	struct intake_state in = {
		.arena = a, .e = e, .m = m, .body = BUF_INIT(BODY_MEMORY_MAX), .wait = wait
	};

	return receive(&in, fd, f);
}

bool
submit_receive_own(int fd, struct arena *a, struct envelope *e, struct message *m, struct fail *f)
{
	struct intake_state in = {
		.arena = a, .e = e, .m = m, .body = BUF_INIT(BODY_MEMORY_MAX), .own = true
	};

	return receive(&in, fd, f);
}

void
submit_serving(int fd)
{
	struct fail ignored;

	(void)!record_put(fd, 'T', STR(SUBMIT_SERVING), &ignored);
}

void
submit_named(const struct submit_trace *t, const char *id)
{
	AUTO_BUF struct buf b = BUF_INIT(sizeof SUBMIT_NAMED + ID_MAX);
	struct fail ignored;

	buf_fmt(&b, SUBMIT_NAMED "%s", id);
	(void)!record_put_buf(t->fd, 'T', &b, &ignored);
}

void
submit_safe(struct submit_trace *t, bool safe)
{
	struct fail ignored;
	struct str word = safe ? STR(SUBMIT_SAFE) : STR(SUBMIT_UNSAFE);

	t->taken = record_put(t->fd, 'T', word, &ignored) && safe;
}

bool
submit_line(int fd, enum trace_kind kind, struct str line)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	struct fail ignored;

	buf_char(&b, (char)('0' + (int)kind));
	buf_put(&b, line);
	return buf_ok(&b) && record_put_buf(fd, 'T', &b, &ignored);
}

static void
emit(void *ctx, enum trace_kind kind, struct str line)
{
	struct submit_trace *t = ctx;

	if ((t->flags & (kind == TRACE_DEBUG ? SUBMIT_DEBUG : SUBMIT_VERBOSE)) != 0)
		(void)submit_line(t->fd, kind, line);
}

struct trace
submit_trace(struct submit_trace *t)
{
	return (struct trace){ .emit = emit, .ctx = t };
}

bool
submit_gone(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char word;

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0 &&
	    recv(fd, &word, 1, MSG_DONTWAIT | MSG_PEEK) != 1;
}

/* A socket that is closed while something in it is unread gives the other end ECONNRESET. */
bool
submit_heard(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char more;

	(void)shutdown(fd, SHUT_WR);
	return poll(&p, 1, SUBMIT_HEARD_SECONDS * 1000) != 1 || recv(fd, &more, 1, MSG_PEEK) >= 0 ||
	    errno != ECONNRESET;
}

bool
submit_verdicts(int fd, const struct envelope *e, const struct fail *whole, enum submit_ending how,
    struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	struct record_out o;

	record_begin(&o, fd);
	for (size_t i = 0; i < e->nrcpts; i++) {
		const struct rcpt *r = &e->rcpts[i];

		buf_reset(&b);
		record_add_number(&b, (uint64_t)r->state);
		record_add_fail(&b, fail_of(r->fail));
		record_add(&b, r->router);
		record_add(&b, r->transport);
		record_add(&b, r->host);
		record_add(&b, r->confirmation);
		if (!record_hold(&o, 'R', buf_get(&b), f))
			return false;
	}
	buf_reset(&b);
	record_add_fail(&b, whole);
	record_add_number(&b, how == SUBMIT_STAYS);
	record_add_number(&b, how == SUBMIT_BUSY);
	return record_hold(&o, 'Z', buf_get(&b), f) && record_flush(&o, f);
}
