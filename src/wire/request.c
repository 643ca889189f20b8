/* request.c - what is said between onehop and onehop-local. */
#include "wire/request.h"

#include "base/file.h"
#include "base/num.h"
#include "wire/record.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { ERRNO_MAX = 4095, EXIT_MAX = 255, OPENING_MAX = 1024 };

static const char version[] = "1";

/* They would become lines of a mailbox or of a log. */
static bool
has_control(struct str fields)
{
	for (size_t i = 0; i < fields.n; i++)
		if (ascii_control(fields.p[i]) && fields.p[i] != '\t' && fields.p[i] != '\0')
			return true;
	return false;
}

static void
put_frame(struct buf *out, const struct buf *fields)
{
	buf_fmt(out, "%0*zu", FRAME_LENGTH, fields->n);
	buf_put(out, buf_get(fields));
	out->bad |= fields->bad;
}

bool
frame_read(int fd, struct arena *a, struct str *fields)
{
	char digits[FRAME_LENGTH], *p;
	uint64_t n;

	if (fd_read_full(fd, digits, sizeof digits) != (ssize_t)sizeof digits ||
	    !num_parse(str_at(digits, sizeof digits), FRAME_MAX, &n))
		return false;
	p = arena_alloc(a, (size_t)n + 1);
	if (fd_read_full(fd, p, (size_t)n) != (ssize_t)n || has_control(str_at(p, (size_t)n)))
		return false;
	*fields = str_at(p, (size_t)n);
	return true;
}

void
opening_write(const char *verb, const char *user, struct buf *out)
{
	AUTO_BUF struct buf b = BUF_INIT(OPENING_MAX);

	record_add(&b, verb);
	record_add(&b, user);
	put_frame(out, &b);
}

bool
opening_read(int fd, struct arena *a, const char **verb, const char **user)
{
	struct str rest;

	if (!frame_read(fd, a, &rest))
		return false;
	*verb = record_text(&rest, a);
	*user = record_text(&rest, a);
	return rest.n == 0;
}

bool
request_write(const struct local_request *r, struct buf *out, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(FRAME_MAX);

	record_add(&b, version);
	record_add_number(&b, r->skip_forward);
	record_add_number(&b, r->transport);
	record_add_number(&b, r->now);
	record_add_number(&b, r->size);
	record_add(&b, r->path);
	record_add(&b, r->maildir);
	record_add(&b, r->host);
	record_add(&b, r->qualify);
	record_add(&b, r->id);
	record_add(&b, r->sender);
	record_add(&b, r->recipient);
	for (size_t i = 0; i < r->nenvelope_to; i++)
		record_add(&b, r->envelope_to[i]);
	if (!buf_ok(&b) || has_control(buf_get(&b)))
		return fail_set(
		    f, FAIL_PERM, STAGE_LOCAL, 0, "a control character in an address or a path");
	put_frame(out, &b);
	return true;
}

bool
request_read(int fd, struct arena *a, struct local_request *r, struct fail *f)
{
	struct local_request got;
	const char **to = NULL;
	struct str rest;
	size_t n = 0;

	if (!frame_read(fd, a, &rest) || !str_eq(record_field(&rest), STR(version)))
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "onehop-local is started by onehop and onehop-send of its own version, not "
		    "by hand");
	got.skip_forward = record_number(&rest) != 0;
	got.transport = (enum transport)record_number(&rest);
	got.now = record_number(&rest);
	got.size = record_number(&rest);
	got.path = record_text(&rest, a);
	got.maildir = record_text(&rest, a);
	got.host = record_text(&rest, a);
	got.qualify = record_text(&rest, a);
	got.id = record_text(&rest, a);
	got.sender = record_text(&rest, a);
	got.recipient = record_text(&rest, a);
	if (rest.p == NULL || got.transport > TRANSPORT_BYPASSED)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "a request that is not understood");
	while (rest.n > 0) {
		to = arena_grow(a, to, n, sizeof *to);
		to[n++] = record_text(&rest, a);
	}
	got.envelope_to = to;
	got.nenvelope_to = n;
	*r = got;
	return true;
}

void
reply_ok(struct buf *out, const struct probe *p)
{
	AUTO_BUF struct buf b = BUF_INIT(FRAME_MAX);

	record_add(&b, "ok");
	if (p != NULL) {
		record_add_number(&b, p->found);
		record_add_number(&b, p->discard);
		record_add(&b, p->skipped);
		for (size_t i = 0; i < p->nitems; i++) {
			record_add_number(&b, p->items[i].transport);
			record_add(&b, p->items[i].text);
		}
	}
	put_frame(out, &b);
}

void
reply_fail(struct buf *out, const struct fail *why)
{
	AUTO_BUF struct buf b = BUF_INIT(FRAME_MAX);

	record_add(&b, "fail");
	record_add_number(&b, why->cls);
	record_add_number(&b, (unsigned)why->sys);
	record_add_number(&b, (unsigned)why->exit);
	record_add(&b, why->dsn);
	record_add(&b, why->text);
	put_frame(out, &b);
}

static bool
take_probe(struct str rest, struct arena *a, struct probe *p)
{
	uint64_t found = record_number(&rest);

	*p = (struct probe){ .found = found <= PROBE_MAILDROP ? (unsigned)found : PROBE_NO_USER };
	p->discard = record_number(&rest) != 0;
	p->skipped = record_optional(&rest, a);
	while (rest.n > 0) {
		uint64_t t = record_number(&rest);
		const char *text = record_text(&rest, a);

		if (text[0] == '\0' ||
		    (t != TRANSPORT_NONE && t != TRANSPORT_FILE && t != TRANSPORT_DIRECTORY &&
			t != TRANSPORT_PIPE && t != TRANSPORT_BYPASSED))
			return false;
		p->items = arena_grow(a, p->items, p->nitems, sizeof *p->items);
		p->items[p->nitems++] = (struct probe_item){ (enum transport)t, text };
	}
	return rest.p != NULL && found <= PROBE_MAILDROP;
}

/* False: it makes no sense. */
static bool
take_fail(struct str rest, struct fail *f)
{
	uint64_t cls = record_number(&rest), sys = record_number(&rest), ex = record_number(&rest);
	struct str dsn = record_field(&rest);
	struct str text = record_field(&rest);

	if (cls == FAIL_NONE || cls > FAIL_USER || sys > ERRNO_MAX || ex > EXIT_MAX || text.n == 0)
		return false;
	(void)fail_set(f, (enum fail_class)cls, STAGE_LOCAL, 0, "%.*s", S_ARG(text));
	f->sys = (int)sys;
	f->exit = (int)ex;
	(void)snprintf(f->dsn, sizeof f->dsn, "%.*s", S_ARG(dsn));
	return true;
}

bool
reply_read(struct str fields, struct arena *a, struct probe *p, struct fail *f)
{
	struct str verdict = record_field(&fields);
	struct probe got;

	if (str_eq(verdict, STR("ok")) && p == NULL)
		return true;
	if (str_eq(verdict, STR("ok")) && take_probe(fields, a, &got)) {
		*p = got;
		return true;
	}
	if (!str_eq(verdict, STR("fail")) || !take_fail(fields, f))
		(void)fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "onehop-local gave no answer");
	return false;
}
