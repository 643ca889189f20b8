/* parse.c - a -H file read: it may have been cut, changed, or be another program's. */
#include <stdint.h>
#include <string.h>

#include "base/id.h"
#include "base/num.h"
#include "mail/scan.h"
#include "spool/option.h"
#include "spool/queued.h"
#include "spool/spool.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { SUM_LINE = sizeof SUM_OPTION - 1 + 64 + 1 };

/* An -onehop_recipient line, which stands in front of the recipients. */
struct note {
	uint64_t index;
	bool unqualified;
	const char *original;
};

struct reader {
	struct queued *q;
	struct queued_body *body;
	struct str rest;
	struct note *notes;
	size_t nnotes;
	bool has_body;
	bool exim;       /* it is Exim's own */
	const char *why; /* what in it cannot be kept */
};

/* Exim's that are read back. */
static const struct option exim_options[] = {
	{ "body_linecount", OPTION_COUNT, offsetof(struct queued, m.body.lines) },
	{ "max_received_linelength", OPTION_COUNT, offsetof(struct queued, m.body.longest_line) },
	{ "manual_thaw", OPTION_FLAG, offsetof(struct queued, manual_thaw) },
	{ "body_zerocount", OPTION_FLAG, offsetof(struct queued, m.body.has_nul) },
};

/* The next line without its end; p == NULL: there is none. */
static struct str
next_line(struct reader *r)
{
	size_t n = str_find(r->rest, '\n');
	struct str line = str_at(r->rest.p, n);

	if (n == r->rest.n)
		return str_at(NULL, 0);
	r->rest = str_skip(r->rest, n + 1);
	return line;
}

static bool
parse_unsigned(struct str s, unsigned *out)
{
	uint64_t v;

	if (!num_parse(s, UINT32_MAX, &v))
		return false;
	*out = (unsigned)v;
	return true;
}

static bool
parse_count(struct str s, size_t max, size_t *out)
{
	uint64_t v;

	if (!num_parse(s, max, &v))
		return false;
	*out = (size_t)v;
	return true;
}

static bool
parse_time(struct str s, int64_t *out)
{
	bool minus = str_starts(s, STR("-"));
	uint64_t v;

	if (!num_parse(str_skip(s, minus), INT64_MAX, &v))
		return false;
	*out = minus ? -(int64_t)v : (int64_t)v;
	return true;
}

static int
hex(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

static bool
parse_escaped(struct arena *a, struct str s, const char **out)
{
	char *p = arena_strz(a, s);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (ascii_control(c))
			return false;
		if (c == '\\') {
			int high = i + 2 < s.n ? hex(s.p[i + 1]) : -1;
			int low = high >= 0 ? hex(s.p[i + 2]) : -1;

			if (low < 0 || (high == 0 && low == 0))
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		p[n++] = c;
	}
	p[n] = '\0';
	*out = p;
	return true;
}

/* Cut the last word off s. */
static struct str
last_word(struct str *s)
{
	size_t n = s->n;
	struct str word;

	while (n > 0 && s->p[n - 1] != ' ')
		n--;
	word = str_skip(*s, n);
	s->n = n > 0 ? n - 1 : 0;
	return word;
}

/* File name, "login uid gid", "<sender>", "received warnings". */
static bool
read_start(struct reader *r, struct fail *f)
{
	struct queued *q = r->q;
	struct str name = next_line(r), caller = next_line(r), sender = next_line(r);
	struct str times = next_line(r);

	if (times.p == NULL || name.n < 3 || name.n - 2 >= ID_MAX ||
	    !str_eq(str_skip(name, name.n - 2), STR("-H")))
		return false;
	memcpy(q->e.id, name.p, name.n - 2);
	q->e.id[name.n - 2] = '\0';
	if (!id_ok(q->e.id) || !parse_unsigned(last_word(&caller), &q->gid) ||
	    !parse_unsigned(last_word(&caller), &q->uid) || sender.n < 2 || sender.p[0] != '<' ||
	    sender.p[sender.n - 1] != '>' || !parse_unsigned(last_word(&times), &q->warnings) ||
	    !parse_time(times, &q->received))
		return false;
	q->e.login = arena_strz(q->arena, caller);
	q->e.sender = arena_strz(q->arena, str_at(sender.p + 1, sender.n - 2));
	return option_address_ok(q->e.sender, true, f);
}

static bool
read_field(struct queued *q, const struct option *o, struct str value)
{
	void *field = (char *)q + o->at;

	switch (o->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return true;
	case OPTION_UINT:
		return parse_unsigned(value, field);
	case OPTION_COUNT:
		return num_parse(value, UINT64_MAX, field);
	case OPTION_TIME:
		return parse_time(value, field);
	case OPTION_STRING:
		return parse_escaped(q->arena, value, field);
	}
	return false;
}

static bool
read_note(struct reader *r, struct str value)
{
	struct note n = { .index = 0 };
	struct str index = str_cut(&value, ' '), unqualified = str_cut(&value, ' ');

	if (value.p == NULL || !num_parse(index, QUEUED_RECIPIENTS_MAX, &n.index) ||
	    !parse_escaped(r->q->arena, value, &n.original))
		return false;
	n.unqualified = str_eq(unqualified, STR("1"));
	r->notes = arena_grow(r->q->arena, r->notes, r->nnotes, sizeof n);
	r->notes[r->nnotes++] = n;
	return true;
}

static bool
read_body(struct reader *r, struct str value)
{
	struct str size = str_cut(&value, ' ');

	if (value.n != sizeof r->body->sha256 - 1 || !num_parse(size, INT64_MAX, &r->body->size))
		return false;
	for (size_t i = 0; i < value.n; i++)
		if (hex(value.p[i]) < 0)
			return false;
	memcpy(r->body->sha256, value.p, value.n);
	r->body->sha256[value.n] = '\0';
	r->has_body = true;
	return true;
}

/* The options whose field is not filled by their value as it is. */
static bool
read_special(struct reader *r, struct str name, struct str value)
{
	struct queued *q = r->q;
	uint64_t v;

	if (str_eq(name, STR("onehop_recipient")))
		return read_note(r, value);
	if (str_eq(name, STR("onehop_body")))
		return read_body(r, value);
	if (str_eq(name, STR("frozen"))) {
		q->frozen = true;
		return parse_time(value, &q->frozen_at);
	}
	if (str_eq(name, STR("received_time_usec"))) {
		if (!num_parse(str_skip(value, 1), 999999, &v))
			return false;
		q->received_usec = (uint32_t)v;
	} else if (str_eq(name, STR("received_protocol"))) {
		q->protocol = arena_strz(q->arena, value);
		q->e.protocol = str_eq(value, STR("local")) ? NULL : q->protocol;
	} else if (str_eq(name, STR("dsn_envid"))) {
		q->e.envid = arena_strz(q->arena, value);
	} else if (str_eq(name, STR("dsn_ret"))) {
		q->e.ret = str_eq(value, STR("1")) ? RET_FULL : RET_HDRS;
	}
	return true; /* others say what is known otherwise, or are of a later version */
}

static bool
read_option(struct reader *r, struct str line)
{
	struct str name = str_skip(str_cut(&line, ' '), 1);

	for (size_t i = 0; i < ONEHOP_OPTIONS; i++)
		if (str_eq(name, str_of(onehop_options[i].name)))
			return read_field(r->q, &onehop_options[i], line);
	for (size_t i = 0; i < sizeof exim_options / sizeof exim_options[0]; i++)
		if (str_eq(name, str_of(exim_options[i].name)))
			return read_field(r->q, &exim_options[i], line);
	return read_special(r, name, line);
}

/* Exim's options that make it a message of a kind that there is not here. */
static const struct {
	const char *name, *why;
} obstacles[] = {
	{ "spool_file_wireformat", "its body has SMTP's line ends (spool_wireformat)" },
	{ "N", "it was submitted with -N, and is never to be delivered" },
};

/* "-name value"; "--name" and "--(quoter)name" what came from outside (4.94 on).  The value of an
 * ACL's variable, "-aclc NAME LENGTH", is the lines behind it. */
static bool
read_exim_option(struct reader *r, struct str line)
{
	struct str name = str_skip(line, str_starts(line, STR("--")) ? 2 : 1);
	size_t n;

	if (str_starts(name, STR("(")))
		name = str_skip(name, str_find(name, ')') + 1);
	for (size_t i = 0; i < sizeof obstacles / sizeof obstacles[0]; i++)
		if (str_eq(name, str_of(obstacles[i].name)))
			r->why = obstacles[i].why;
	if (str_starts(name, STR("acl"))) {
		if (!parse_count(last_word(&name), r->rest.n, &n) || n == r->rest.n ||
		    r->rest.p[n] != '\n')
			return false;
		r->rest = str_skip(r->rest, n + 1);
		return true;
	}
	return str_starts(name, STR("onehop_")) || read_option(r, str_at(name.p - 1, name.n + 1));
}

static bool
read_options(struct reader *r)
{
	while (str_starts(r->rest, STR("-"))) {
		struct str line = next_line(r);

		if (line.p == NULL || !(r->exim ? read_exim_option(r, line) : read_option(r, line)))
			return false;
	}
	return r->exim || (r->has_body && r->q->protocol != NULL);
}

/* The tree says by Y how many more nodes there are. */
static bool
read_tree(struct reader *r)
{
	struct queued *q = r->q;

	if (str_starts(r->rest, STR("XX\n"))) {
		r->rest = str_skip(r->rest, 3);
		return true;
	}
	for (size_t nodes = 1; nodes > 0; nodes--) {
		struct str line = next_line(r);

		if (line.n < 4 || line.p[2] != ' ')
			return false;
		for (size_t i = 0; i < 2; i++) {
			if (line.p[i] != 'Y' && line.p[i] != 'N')
				return false;
			nodes += line.p[i] == 'Y';
		}
		q->done = arena_grow(q->arena, q->done, q->ndone, sizeof *q->done);
		q->done[q->ndone++] = arena_strz(q->arena, str_skip(line, 3));
	}
	return true;
}

/* "address", or "address orcpt length,flags  0,-1#3"; to is zeroed, and large. */
static bool
read_recipient(struct queued *q, struct str line, struct rcpt *to, struct fail *f)
{
	struct str end = STR(RECIPIENT_END), length, flags;
	size_t n;

	if (str_iends(line, end)) {
		line.n -= end.n;
		flags = last_word(&line);
		length = str_cut(&flags, ',');
		if (!parse_count(length, line.n, &n) || !parse_unsigned(flags, &to->notify) ||
		    line.n < n + 1 || line.p[line.n - n - 1] != ' ')
			return false;
		to->notify = to->notify >> 1 & 15;
		if (n > 0)
			to->orcpt = arena_strz(q->arena, str_skip(line, line.n - n));
		line.n -= n + 1;
	}
	to->address = to->original = arena_strz(q->arena, line);
	return option_address_ok(to->address, false, f);
}

/* Exim's long form "address orcpt length,flags errors_to length,parent#3" becomes ours: the parent
 * of a one_time redirection is of no use here, another address for bounces would be lost. */
static bool
drop_parent(struct reader *r, struct str *line)
{
	struct str rest = *line, end = last_word(&rest);

	if (str_find(end, '#') + 2 != end.n || !ascii_digit(end.p[end.n - 1]))
		return true;
	if (!str_iends(end, STR("#3")) || !str_starts(end, STR("0,")) || rest.n == 0) {
		r->why = "a recipient has its own address for bounces, or another form";
		return false;
	}
	*line = str_of(arena_fmt(r->q->arena, "%.*s%s", (int)rest.n - 1, rest.p, RECIPIENT_END));
	return true;
}

static bool
read_recipients(struct reader *r, struct fail *f)
{
	struct envelope *e = &r->q->e;
	size_t n;

	if (!parse_count(next_line(r), QUEUED_RECIPIENTS_MAX, &n) || n == 0 || n > r->rest.n)
		return false;
	e->rcpts = arena_array(r->q->arena, n, sizeof *e->rcpts);
	for (; e->nrcpts < n; e->nrcpts++) {
		struct str line = next_line(r);

		if ((r->exim && !drop_parent(r, &line)) ||
		    !read_recipient(r->q, line, &e->rcpts[e->nrcpts], f))
			return false;
	}
	for (size_t i = 0; i < r->nnotes; i++) {
		if (r->notes[i].index >= n)
			return false;
		e->rcpts[r->notes[i].index].original = r->notes[i].original;
		e->rcpts[r->notes[i].index].unqualified = r->notes[i].unqualified;
	}
	return true;
}

/* "NNNx text": x is the type, NNN the length of text. */
static bool
read_header(struct reader *r, size_t *all)
{
	struct message *m = &r->q->m;
	size_t digits = 0, n;
	struct str text;
	char type;

	while (digits < r->rest.n && ascii_digit(r->rest.p[digits]))
		digits++;
	if (digits < 3 || !parse_count(str_at(r->rest.p, digits), QUEUED_HEADERS_MAX, &n) ||
	    r->rest.n - digits < n + 2 || r->rest.p[digits + 1] != ' ')
		return false;
	type = r->rest.p[digits];
	text = str_at(r->rest.p + digits + 2, n);
	r->rest = str_skip(r->rest, digits + 2 + n);
	*all += n;
	if (*all > QUEUED_HEADERS_MAX || strchr(" *BCFIPRST", type) == NULL ||
	    !option_header_ok(text))
		return false;
	message_append(m, arena_str(r->q->arena, text));
	m->headers[m->nheaders - 1].type = (enum header_type)type;
	return true;
}

static bool
read_headers(struct reader *r)
{
	struct str empty = next_line(r);
	size_t all = 0;

	if (empty.p == NULL || empty.n > 0)
		return false;
	while (r->rest.n > 0)
		if (!read_header(r, &all))
			return false;
	return true;
}

/* Is the checksum, the last of the options, the right one?  No value can begin a line, so the first
 * line that looks like it is it. */
static bool
is_whole(struct str text, struct fail *f)
{
	static const char mark[] = "\n" SUM_OPTION;
	const char *at = memmem(text.p, text.n, mark, sizeof mark - 1);
	char sum[65];
	size_t start;

	if (text.n > SPOOL_HEADER_MAX || str_find(text, '\0') < text.n || at == NULL)
		return false;
	start = (size_t)(at + 1 - text.p);
	if (text.n - start < SUM_LINE + 1 || text.p[start + SUM_LINE - 1] != '\n' ||
	    text.p[start + SUM_LINE] == '-')
		return false;
	return option_sum(str_at(text.p, start), str_skip(text, start + SUM_LINE), sum, f) &&
	    str_eq(str_at(text.p + start + SUM_LINE - 65, 64), str_at(sum, 64));
}

static bool
read_all(struct reader *r, struct fail *f)
{
	struct queued *q = r->q;
	const struct body where = q->m.body;
	struct fail why = FAIL_INIT;
	bool ok;

	*q = (struct queued){ .arena = q->arena, .m.arena = q->arena, .m.body = where };
	q->m.body.has_8bit = q->m.body.has_nul = false;
	ok = read_start(r, &why) && read_options(r) && read_tree(r) && read_recipients(r, &why) &&
	    read_headers(r);
	if (r->why != NULL)
		return fail_set(f, FAIL_PERM, STAGE_SPOOL, 0, "%s", r->why);
	if (!ok)
		return fail_set(f, FAIL_PERM, STAGE_SPOOL, 0, "not in the format of a -H file%s%s",
		    why.cls != FAIL_NONE ? ": " : "", why.cls != FAIL_NONE ? why.text : "");
	queued_settle(q);
	return true;
}

bool
queued_read(struct str text, struct queued *q, struct queued_body *body, struct fail *f)
{
	struct reader r = { .q = q, .body = body, .rest = text };
	struct fail why = FAIL_INIT;

	if (is_whole(text, &why))
		return read_all(&r, f);
	if (why.cls == FAIL_NONE)
		return fail_set(
		    f, FAIL_PERM, STAGE_SPOOL, 0, "not whole: its checksum is wrong or missing");
	*f = why;
	return false;
}

bool
queued_read_exim(struct str text, struct queued *q, struct fail *f)
{
	struct reader r = { .q = q, .rest = text, .exim = true };

	if (text.n > SPOOL_HEADER_MAX || str_find(text, '\0') < text.n)
		return fail_set(f, FAIL_PERM, STAGE_SPOOL, 0,
		    "not in the format of a -H file: a NUL, or too large");
	if (!read_all(&r, f))
		return false;
	q->protocol = q->protocol != NULL ? q->protocol : "local";
	return true;
}
