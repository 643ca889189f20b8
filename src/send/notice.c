/* notice.c - bounces and delay warnings. */
#include "send/notice.h"

#include <errno.h>

#include "base/date.h"
#include "mail/fold.h"
#include "net/mime.h"
#include "net/output.h"
#include "send/report.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	RETURN_MAX = 100 << 10, /* Exim's bounce_return_size_limit */
	PART_MAX = 64 << 20,    /* more than QUEUED_RECIPIENTS_MAX recipients can fill */
	FAILED_MAX = 50,        /* Exim's, in X-Failed-Recipients */
	REFERENCES_MAX = 12,    /* Exim's */
	MSGID_LONGEST = 250,
	BOUNDARY_LONGEST = 70 /* RFC 2046 5.1.1 */
};

/* ------------------------------------------------------------------ the message that is returned
 */

static void
put_field(const struct notice *n, struct str field, struct buf *out)
{
	if (fold_needed(field, LINE_MAX_OCTETS))
		field = fold_field(n->about->arena, field, LINE_MAX_OCTETS);
	buf_put(out, field);
}

/* The header of the message.  Fields that would make it longer than RETURN_MAX are left out. */
static void
put_fields(const struct notice *n, struct buf *out)
{
	const struct message *m = &n->about->m;
	size_t total = 0;

	buf_fmt(out, "Return-path: <%s>\n", n->about->e.sender);
	for (size_t i = 0; i < m->nheaders; i++) {
		struct str field = m->headers[i].text;

		if (m->headers[i].type == H_DELETED || total + field.n > RETURN_MAX)
			continue;
		total += field.n;
		put_field(n, field, out);
	}
}

static bool
put_body(const struct body *b, struct buf *out, struct fail *f)
{
	char piece[8192];
	int64_t got;

	for (uint64_t at = 0; (got = body_read(b, at, piece, sizeof piece)) > 0;
	     at += (uint64_t)got)
		buf_add(out, piece, (size_t)got);
	return got == 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno, "the message to return cannot be read");
}

/* May the whole message be part of a report: small enough, with lines that SMTP can carry and no
 * NUL? */
static bool
fits(const struct message *m)
{
	return message_size(m) <= RETURN_MAX && m->body.longest_line <= LINE_MAX_OCTETS &&
	    !m->body.has_nul;
}

/* The third part of a report: the message (*whole), or its header alone. */
static bool
put_original(const struct notice *n, bool *whole, struct buf *out, struct fail *f)
{
	bool asked = n->kind == NOTICE_FAILED && n->about->e.ret != RET_HDRS;

	*whole = asked && fits(&n->about->m);
	put_fields(n, out);
	if (asked && !*whole)
		buf_str(out,
		    "X-Onehop-DSN-Information: "
		    "Due to administrative limits only headers are returned\n");
	buf_char(out, '\n');
	return !*whole || put_body(&n->about->m.body, out, f);
}

/* ------------------------------------------------------------------ its parts and its boundary */

enum { PART_TEXT, PART_STATUS, PART_ORIGINAL, PARTS };

struct part {
	const char *type;
	struct buf body;
};

static void parts_free(struct part (*parts)[PARTS])
{
	for (size_t i = 0; i < PARTS; i++)
		buf_free(&(*parts)[i].body);
}

/* Does begin occur in s?  Count the digits that come behind it. */
static bool
occurs(struct str begin, struct str s, size_t follow[10])
{
	const char *at;
	bool any = false;

	while ((at = memmem(s.p, s.n, begin.p, begin.n)) != NULL) {
		any = true;
		s = str_skip(s, (size_t)(at - s.p) + begin.n);
		if (s.n > 0 && ascii_digit(s.p[0]))
			follow[s.p[0] - '0']++;
	}
	return any;
}

/* A boundary that no line of the parts can be: as long as it occurs, the digit is added that
 * follows it in the fewest places. */
static const char *
make_boundary(const char *id, const struct part parts[PARTS], char out[BOUNDARY_LONGEST + 1])
{
	size_t n = (size_t)snprintf(out, BOUNDARY_LONGEST, "%.*s-onehopdsn", ID_MAX, id);
	bool any = true;

	while (any && n < BOUNDARY_LONGEST) {
		size_t follow[10] = { 0 }, rarest = 0;

		any = false;
		for (size_t i = 0; i < PARTS; i++)
			any |= occurs(str_at(out, n), buf_get(&parts[i].body), follow);
		for (size_t d = 1; any && d < 10; d++)
			if (follow[d] < follow[rarest])
				rarest = d;
		if (any)
			out[n++] = (char)('0' + rarest);
		out[n] = '\0';
	}
	return out;
}

static void
join(const struct part parts[PARTS], const char *boundary, struct buf *out)
{
	for (size_t i = 0; i < PARTS; i++) {
		struct str body = buf_get(&parts[i].body);

		buf_fmt(out, "--%s\nContent-type: %s\n", boundary, parts[i].type);
		if (str_8bit(body))
			buf_str(out, "Content-Transfer-Encoding: 8bit\n");
		buf_char(out, '\n');
		buf_put(out, body);
		buf_char(out, '\n');
	}
	buf_fmt(out, "--%s--\n", boundary);
}

static bool
too_long(struct fail *f)
{
	return fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0, "the notice about it would be too long");
}

static bool
make_parts(const struct notice *n, struct part parts[PARTS], struct fail *f)
{
	bool whole, global = report_is_global(n);

	if (!put_original(n, &whole, &parts[PART_ORIGINAL].body, f))
		return false;
	report_text(n, &parts[PART_TEXT].body);
	report_status(n, &parts[PART_STATUS].body);
	parts[PART_TEXT].type = str_8bit(buf_get(&parts[PART_TEXT].body)) ?
	    "text/plain; charset=utf-8" :
	    "text/plain; charset=us-ascii";
	parts[PART_STATUS].type =
	    global ? "message/global-delivery-status" : "message/delivery-status";
	parts[PART_ORIGINAL].type = whole ? "message/rfc822" : "text/rfc822-headers";
	for (size_t i = 0; i < PARTS; i++)
		if (!buf_ok(&parts[i].body))
			return too_long(f);
	return true;
}

/* ------------------------------------------------------------------ its header */

/* The next <msg-id> in a field, or p NULL: what else stands there is no reference. */
static struct str
next_msgid(struct str *rest)
{
	while (rest->n > 0) {
		struct str at = str_skip(*rest, str_find(*rest, '<'));
		size_t n = 1;

		while (n < at.n && at.p[n] != '>' && at.p[n] != '<' && !ascii_space(at.p[n]) &&
		    !ascii_control(at.p[n]))
			n++;
		*rest = str_skip(at, n);
		if (n > 1 && n < at.n && at.p[n] == '>' && n < MSGID_LONGEST)
			return str_at(at.p, n + 1);
	}
	return str_at(NULL, 0);
}

/* The thread of the message, its first and its last ones, and the message. */
static void
put_references(const struct notice *n, struct buf *out)
{
	struct str own = report_field(n->about, "Message-Id"),
		   thread = report_field(n->about, "References"), list[REFERENCES_MAX], one;
	size_t got = 0;

	if (thread.n == 0)
		thread = report_field(n->about, "In-Reply-To");
	while ((one = next_msgid(&thread)).p != NULL) {
		if (got == REFERENCES_MAX - 1) {
			memmove(list + 1, list + 2, (got - 2) * sizeof *list);
			got--;
		}
		list[got++] = one;
	}
	if ((one = next_msgid(&own)).p != NULL)
		list[got++] = one;
	for (size_t i = 0; i < got; i++)
		buf_fmt(out, "%s%.*s\n", i == 0 ? "References: " : " ", S_ARG(list[i]));
}

static void
put_failed(const struct notice *n, struct buf *out)
{
	for (size_t i = 0; i < n->nrcpts && i < FAILED_MAX; i++)
		buf_fmt(out, "%s%s", i == 0 ? "X-Failed-Recipients: " : ",\n  ",
		    report_address(n, n->rcpts[i]));
	if (n->nrcpts > 0)
		buf_char(out, '\n');
}

static void
put_header(const struct notice *n, const struct queued *q, const char *boundary, bool has_8bit,
    struct buf *out)
{
	const struct conf *c = n->conf;
	const char *to = n->about->e.sender;
	char date[DATE_MAX], waited[32];

	(void)date_rfc5322(n->now, date);
	buf_fmt(out, "Received: from %s by %s with local (onehop %s)\n\tid %s\n\tfor %s;\n\t%s\n",
	    q->e.login, c->primary_hostname, PACKAGE_VERSION, n->id, to, date);
	if (n->kind == NOTICE_FAILED)
		put_failed(n, out);
	buf_fmt(out,
	    "Auto-Submitted: auto-replied\n"
	    "From: Mail Delivery System <Mailer-Daemon@%s>\n"
	    "To: %s\n",
	    c->qualify_domain, to);
	put_references(n, out);
	buf_fmt(out,
	    "Content-Type: multipart/report; report-type=delivery-status; boundary=%s\n"
	    "MIME-Version: 1.0\n",
	    boundary);
	if (has_8bit)
		buf_str(out, "Content-Transfer-Encoding: 8bit\n");
	if (n->kind == NOTICE_FAILED)
		buf_str(out, "Subject: Mail delivery failed: returning message to sender\n");
	else
		buf_fmt(out, "Subject: Warning: message %s delayed %s\n", n->about->e.id,
		    report_waited(n, waited));
	buf_fmt(out, "Message-Id: <E%s@%s>\nDate: %s\n", n->id, c->primary_hostname, date);
}

static void
finish(const struct notice *n, struct str body, struct queued *q)
{
	const char *to = n->about->e.sender;
	uint64_t column = 0;

	q->m.body = (struct body){ .fd = -1 };
	body_count(&q->m.body, body, &column);
	q->m.body.mem = arena_str(q->arena, body).p;
	q->e.sender = "";
	q->e.ret = RET_UNSET;
	q->e.rcpts = arena_array(q->arena, 1, sizeof *q->e.rcpts);
	q->e.nrcpts = 1;
	q->e.rcpts[0] = (struct rcpt){ .address = to, .original = to };
}

static bool
write_parts(const struct notice *n, struct part parts[PARTS], struct queued *q, struct fail *f)
{
	AUTO_BUF struct buf header = BUF_INIT(HEADER_MAX);
	AUTO_BUF struct buf body = BUF_INIT(PART_MAX);
	char boundary[BOUNDARY_LONGEST + 1];

	if (!make_parts(n, parts, f))
		return false;
	join(parts, make_boundary(n->id, parts, boundary), &body);
	put_header(n, q, boundary, str_8bit(buf_get(&body)), &header);
	if (!buf_ok(&header) || !buf_ok(&body) ||
	    !mime_fields(&q->m, arena_str(q->arena, buf_get(&header))))
		return too_long(f);
	finish(n, buf_get(&body), q);
	return true;
}

bool
notice_write(const struct notice *n, struct queued *q, struct fail *f)
{
	__attribute__((
	    cleanup(parts_free))) struct part parts[PARTS] = { { .body = BUF_INIT(PART_MAX) },
		{ .body = BUF_INIT(PART_MAX) }, { .body = BUF_INIT(PART_MAX) } };

	return write_parts(n, parts, q, f);
}

/* ------------------------------------------------------------------ may a delay be told? */

static bool
contains(struct str s, struct str word)
{
	for (; s.n >= word.n; s = str_skip(s, 1))
		if (str_istarts(s, word))
			return true;
	return false;
}

/* Mail of a list or a program. */
static bool
is_automatic(struct str field)
{
	struct str name = str_trim(str_cut(&field, ':'));

	if (str_ieq(name, STR("Precedence")))
		return contains(field, STR("bulk")) || contains(field, STR("list")) ||
		    contains(field, STR("junk"));
	if (str_ieq(name, STR("Auto-Submitted")))
		return contains(field, STR("auto-generated")) ||
		    contains(field, STR("auto-replied"));
	return str_istarts(name, STR("List-")) && str_trim(field).n > 0;
}

bool
notice_may_warn(const struct queued *q)
{
	for (size_t i = 0; i < q->m.nheaders; i++)
		if (q->m.headers[i].type != H_DELETED && is_automatic(q->m.headers[i].text))
			return false;
	return q->e.sender[0] != '\0';
}
