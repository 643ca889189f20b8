/* request.c - what is said between onehop and onehop-local. */
#include "local/request.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "base/file.h"
#include "base/num.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LENGTH_SIZE = 9 }; /* eight digits and a newline */

/* One row is one string of the request; envelope_to may come more than once. */
static const struct {
	const char *name;
	size_t at;
} strings[] = {
	{ "path", offsetof(struct local_request, path) },
	{ "maildir", offsetof(struct local_request, maildir) },
	{ "host", offsetof(struct local_request, host) },
	{ "qualify", offsetof(struct local_request, qualify) },
	{ "id", offsetof(struct local_request, id) },
	{ "sender", offsetof(struct local_request, sender) },
	{ "recipient", offsetof(struct local_request, recipient) },
};

enum { NSTRINGS = sizeof strings / sizeof strings[0] };

static const char **
field(struct local_request *r, size_t i)
{
	return (const char **)(void *)((char *)r + strings[i].at);
}

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (ascii_control(s.p[i]) && s.p[i] != '\t')
			return true;
	return false;
}

static void
put(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	if (has_control(str_of(value)))
		b->bad = true;
	buf_fmt(b, "%s %s\n", name, value);
}

bool
request_write(const struct local_request *r, struct buf *out, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(REQUEST_MAX);
	struct local_request copy = *r;

	buf_fmt(&b, "skip_forward %d\ntransport %u\nnow %" PRIu64 "\nsize %" PRIu64 "\n",
	    r->skip_forward, (unsigned)r->transport, r->now, r->size);
	for (size_t i = 0; i < NSTRINGS; i++)
		put(&b, strings[i].name, *field(&copy, i));
	for (size_t i = 0; i < r->nenvelope_to; i++)
		put(&b, "envelope_to", r->envelope_to[i]);
	if (!buf_ok(&b))
		return fail_set(
		    f, FAIL_PERM, STAGE_LOCAL, 0, "a control character in an address or a path");
	buf_fmt(out, "%08zx\n", b.n);
	buf_put(out, buf_get(&b));
	return true;
}

static bool
take_number(struct local_request *r, struct str name, struct str value)
{
	uint64_t n;

	if (!num_parse(value, INT64_MAX, &n))
		return false;
	if (str_eq(name, STR("skip_forward")))
		r->skip_forward = n != 0;
	else if (str_eq(name, STR("transport")) && n <= TRANSPORT_BYPASSED)
		r->transport = (enum transport)n;
	else if (str_eq(name, STR("now")))
		r->now = n;
	else if (str_eq(name, STR("size")))
		r->size = n;
	else
		return false;
	return true;
}

static bool
take_line(struct arena *a, struct local_request *r, struct str line)
{
	struct str name = str_cut(&line, ' ');

	if (line.p == NULL || has_control(line))
		return false;
	if (str_eq(name, STR("envelope_to"))) {
		r->envelope_to =
		    arena_grow(a, r->envelope_to, r->nenvelope_to, sizeof *r->envelope_to);
		r->envelope_to[r->nenvelope_to++] = arena_strz(a, line);
		return true;
	}
	for (size_t i = 0; i < NSTRINGS; i++)
		if (str_eq(name, str_of(strings[i].name))) {
			*field(r, i) = arena_strz(a, line);
			return true;
		}
	return take_number(r, name, line);
}

static bool
read_length(int fd, size_t *n)
{
	char text[LENGTH_SIZE];

	*n = 0;
	if (fd_read_full(fd, text, sizeof text) != sizeof text || text[LENGTH_SIZE - 1] != '\n')
		return false;
	for (size_t i = 0; i < LENGTH_SIZE - 1; i++) {
		const char *digits = "0123456789abcdef";
		const char *d = text[i] != '\0' ? strchr(digits, text[i]) : NULL;

		if (d == NULL)
			return false;
		*n = *n * 16 + (size_t)(d - digits);
	}
	return *n <= REQUEST_MAX;
}

bool
request_read(int fd, struct arena *a, struct local_request *r, struct fail *f)
{
	struct local_request got = { .transport = TRANSPORT_NONE };
	struct str rest;
	size_t n;
	char *p;

	for (size_t i = 0; i < NSTRINGS; i++)
		*field(&got, i) = "";
	if (!read_length(fd, &n))
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "onehop-local is started by onehop and onehop-send, not by hand");
	p = arena_alloc(a, n + 1);
	if (fd_read_full(fd, p, n) != (ssize_t)n)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "the request ended early");
	rest = str_at(p, n);
	while (rest.n > 0)
		if (!take_line(a, &got, str_cut(&rest, '\n')))
			return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
			    "a request that is not understood; are all programs of one version?");
	*r = got;
	return true;
}

void
reply_ok(struct buf *out)
{
	buf_str(out, "ok\n");
}

void
reply_fail(struct buf *out, const struct fail *why)
{
	buf_fmt(out, "fail %u %d %d %s %s\n", (unsigned)why->cls, why->sys, why->exit,
	    why->dsn[0] != '\0' ? why->dsn : "-", why->text);
}

void
reply_probe(struct buf *out, const struct probe *p)
{
	buf_fmt(out, "found %u\n", (unsigned)p->found);
	if (p->discard)
		buf_str(out, "discard\n");
	if (p->skipped != NULL)
		buf_fmt(out, "skipped %s\n", p->skipped);
	for (size_t i = 0; i < p->nitems; i++)
		buf_fmt(out, "item %u %s\n", (unsigned)p->items[i].transport, p->items[i].text);
}

static bool
take_item(struct arena *a, struct probe *p, struct str line)
{
	uint64_t t;

	if (!num_parse(str_cut(&line, ' '), TRANSPORT_BYPASSED, &t) || line.n == 0)
		return false;
	if (t != TRANSPORT_NONE && t != TRANSPORT_FILE && t != TRANSPORT_DIRECTORY &&
	    t != TRANSPORT_PIPE && t != TRANSPORT_BYPASSED)
		return false;
	p->items = arena_grow(a, p->items, p->nitems, sizeof *p->items);
	p->items[p->nitems++] =
	    (struct probe_item){ .transport = (enum transport)t, .text = arena_strz(a, line) };
	return true;
}

static bool
take_answer(struct arena *a, struct probe *p, struct str line)
{
	struct str name = str_cut(&line, ' ');
	uint64_t n;

	if (str_eq(name, STR("found")) && num_parse(line, PROBE_MAILDROP, &n))
		p->found = (unsigned)n;
	else if (str_eq(name, STR("discard")))
		p->discard = true;
	else if (str_eq(name, STR("skipped")))
		p->skipped = arena_strz(a, line);
	else
		return str_eq(name, STR("item")) && take_item(a, p, line);
	return true;
}

/* "fail CLASS ERRNO EXIT DSN TEXT" */
static bool
take_fail(struct str line, struct fail *f)
{
	uint64_t cls, sys, ex;
	struct str dsn;

	if (!num_parse(str_cut(&line, ' '), FAIL_USER, &cls) || cls == FAIL_NONE ||
	    !num_parse(str_cut(&line, ' '), 4095, &sys) ||
	    !num_parse(str_cut(&line, ' '), 255, &ex))
		return false;
	dsn = str_cut(&line, ' ');
	(void)fail_set(f, (enum fail_class)cls, STAGE_LOCAL, 0, "%.*s", S_ARG(line));
	f->sys = (int)sys;
	f->exit = (int)ex;
	if (!str_eq(dsn, STR("-")))
		(void)snprintf(f->dsn, sizeof f->dsn, "%.*s", S_ARG(dsn));
	return true;
}

bool
reply_read(struct str text, struct arena *a, struct probe *p, struct fail *f)
{
	struct probe got = { .found = PROBE_NO_USER };

	while (text.n > 0 && text.p[text.n - 1] == '\n') {
		struct str line = str_cut(&text, '\n');

		if (has_control(line))
			break;
		if (str_eq(line, STR("ok")) && text.n == 0) {
			if (p != NULL)
				*p = got;
			return true;
		}
		if (str_starts(line, STR("fail "))) {
			if (take_fail(str_skip(line, 5), f))
				return false;
			break;
		}
		if (p == NULL || !take_answer(a, &got, line))
			break;
	}
	return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "onehop-local gave no answer");
}
