/* notice.c - bounces and delay warnings. */
#include "notice/notice.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/date.h"
#include "base/num.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { RETURN_MAX = 100 << 10, TEXT_MAX = 8 << 20 };

/* ------------------------------------------------------------------ its own header */

static void field(struct queued *q, const char *fmt, ...) PRINTF(2, 3);

static void
field(struct queued *q, const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof text)
		message_append(&q->m, arena_str(q->arena, str_at(text, (size_t)n)));
}

static struct str
value_of(const struct queued *about, const char *name)
{
	struct message m = about->m;
	const struct header *h = message_find(&m, str_of(name));

	if (h == NULL)
		return str_at("", 0);
	return str_trim(str_skip(h->text, str_find(h->text, ':') + 1));
}

static void
put_header(const struct notice *n, struct queued *q)
{
	const struct conf *c = n->conf;
	struct str msgid = value_of(n->about, "Message-Id");
	char date[DATE_MAX];
	const char *subject = n->kind == NOTICE_FAILED ?
	    "Mail delivery failed: returning message to sender" :
	    arena_fmt(q->arena, "Warning: message %s delayed %" PRIu64 " hours", n->about->e.id,
		n->waited / 3600);

	(void)date_rfc5322(n->now, date);
	field(q, "Received: from onehop by %s with local (onehop)\n\tid E%s\n\tfor %s; %s\n",
	    c->primary_hostname, n->id, n->about->e.sender, date);
	if (n->kind == NOTICE_FAILED)
		for (size_t i = 0; i < n->nrcpts && i < 50; i++)
			field(q, "X-Failed-Recipients: %s\n", n->rcpts[i]->address);
	field(q, "Auto-Submitted: auto-replied\n");
	field(q, "From: Mail Delivery System <Mailer-Daemon@%s>\n", c->qualify_domain);
	field(q, "To: %s\n", n->about->e.sender);
	if (msgid.n > 0 && msgid.n < 900 && str_find(msgid, '\n') == msgid.n)
		field(q, "References: %.*s\n", S_ARG(msgid));
	field(q,
	    "Content-Type: multipart/report; "
	    "report-type=delivery-status;\n\tboundary=\"%s-onehopdsn\"\n",
	    n->id);
	field(q, "MIME-Version: 1.0\n");
	field(q, "Subject: %s\n", subject);
	field(q, "Message-Id: <E%s@%s>\n", n->id, c->primary_hostname);
	field(q, "Date: %s\n", date);
}

/* ------------------------------------------------------------------ the three parts */

/* Words of a server or of ours: one line, printable. */
static void
put_line(struct buf *out, const char *indent, const char *text)
{
	buf_str(out, indent);
	for (; *text != '\0'; text++)
		buf_char(out, ascii_control(*text) ? ' ' : *text);
	buf_char(out, '\n');
}

static void
put_text(const struct notice *n, struct buf *out)
{
	if (n->kind == NOTICE_FAILED) {
		buf_str(out,
		    "This message was created automatically by mail delivery software.\n\n"
		    "A message that you sent could not be delivered to one or more of its\n"
		    "recipients. This is a permanent error. The following address(es) failed:\n\n");
	} else {
		buf_fmt(out,
		    "This message was created automatically by mail delivery software.\n"
		    "A message that you sent has not yet been delivered to one or more of its\n"
		    "recipients after more than %" PRIu64 " hours on the queue on %s.\n\n"
		    "No action is required on your part. Delivery attempts will continue for\n"
		    "some time. The message identifier is: %s\n\n",
		    n->waited / 3600, n->conf->primary_hostname, n->about->e.id);
	}
	for (size_t i = 0; i < n->nrcpts; i++) {
		const struct rcpt *r = n->rcpts[i];

		put_line(out, "  ", r->address);
		if (r->original != NULL && strcmp(r->original, r->address) != 0)
			put_line(out, "    generated from ", r->original);
		if (r->host != NULL)
			put_line(out, "    host ", r->host);
		put_line(out, "    ", r->fail.text);
	}
}

static void
put_status(const struct notice *n, struct buf *out)
{
	char date[DATE_MAX], status[12];

	buf_fmt(out, "Reporting-MTA: dns; %s\n", n->conf->primary_hostname);
	if (n->about->e.envid != NULL && n->about->e.envid[0] != '\0')
		put_line(out, "Original-Envelope-Id: ", n->about->e.envid);
	if (n->about->received > 0)
		buf_fmt(out, "Arrival-Date: %s\n", date_rfc5322(n->about->received, date));
	for (size_t i = 0; i < n->nrcpts; i++) {
		const struct rcpt *r = n->rcpts[i];
		struct fail f = r->fail;

		buf_char(out, '\n');
		if (n->kind == NOTICE_DELAYED)
			f.cls = FAIL_TEMP;
		if (r->original != NULL && strchr(r->original, '@') != NULL)
			put_line(out, "Original-Recipient: rfc822;", r->original);
		put_line(out, "Final-Recipient: rfc822;", r->address);
		buf_fmt(out, "Action: %s\n", n->kind == NOTICE_FAILED ? "failed" : "delayed");
		buf_fmt(out, "Status: %s\n", fail_status(&f, status));
		if (r->host != NULL)
			put_line(out, "Remote-MTA: dns; ", r->host);
		put_line(out,
		    r->fail.smtp != 0 ? "Diagnostic-Code: smtp; " : "Diagnostic-Code: X-onehop; ",
		    r->fail.text);
		if (n->will_retry_until > 0)
			buf_fmt(
			    out, "Will-Retry-Until: %s\n", date_rfc5322(n->will_retry_until, date));
	}
}

static bool
put_original(const struct notice *n, bool whole, struct buf *out, struct fail *f)
{
	const struct message *m = &n->about->m;
	char piece[8192];
	int64_t got = 0;

	put_line(out, "Return-path: <", arena_fmt(m->arena, "%s>", n->about->e.sender));
	for (size_t i = 0; i < m->nheaders; i++)
		if (m->headers[i].type != H_DELETED)
			buf_put(out, m->headers[i].text);
	buf_char(out, '\n');
	for (uint64_t at = 0; whole; at += (uint64_t)got) {
		got = body_read(&m->body, at, piece, sizeof piece);
		if (got <= 0)
			break;
		buf_add(out, piece, (size_t)got);
	}
	return got == 0 || fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0, "the message cannot be read");
}

static void
boundary(const struct notice *n, const char *type, struct buf *out)
{
	buf_fmt(out, "--%s-onehopdsn\n%s%s\n", n->id, type, *type != '\0' ? "\n" : "");
}

bool
notice_write(const struct notice *n, struct queued *q, struct fail *f)
{
	const struct message *m = &n->about->m;
	bool whole = n->kind == NOTICE_FAILED && n->about->e.ret != RET_HDRS &&
	    message_size(m) <= RETURN_MAX && m->body.longest_line <= 998;
	AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
	uint64_t column = 0;

	put_header(n, q);
	boundary(
	    n, "Content-type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n", &text);
	put_text(n, &text);
	buf_char(&text, '\n');
	boundary(n, "Content-type: message/delivery-status\n", &text);
	put_status(n, &text);
	buf_char(&text, '\n');
	boundary(n,
	    whole ? "Content-type: message/rfc822\nContent-Transfer-Encoding: 8bit\n" :
		    "Content-type: text/rfc822-headers\nContent-Transfer-Encoding: 8bit\n",
	    &text);
	if (!put_original(n, whole, &text, f))
		return false;
	buf_fmt(&text, "\n--%s-onehopdsn--\n", n->id);
	if (!buf_ok(&text))
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0, "the notice is too long");
	q->m.body = (struct body){ .fd = -1 };
	body_count(&q->m.body, buf_get(&text), &column);
	q->m.body.mem = arena_str(q->arena, buf_get(&text)).p;
	q->e.sender = "";
	q->e.ret = RET_UNSET;
	q->e.rcpts = arena_array(q->arena, 1, sizeof *q->e.rcpts);
	q->e.nrcpts = 1;
	q->e.rcpts[0] =
	    (struct rcpt){ .address = n->about->e.sender, .original = n->about->e.sender };
	return true;
}

bool
notice_may_warn(const struct queued *q)
{
	static const char *const bulk[] = { "bulk", "list", "junk" };
	struct message m = q->m;
	struct str precedence = value_of(q, "Precedence"),
		   submitted = value_of(q, "Auto-Submitted");

	if (q->e.sender[0] == '\0' || message_find(&m, STR("List-Id")) != NULL ||
	    message_find(&m, STR("List-Post")) != NULL ||
	    message_find(&m, STR("List-Unsubscribe")) != NULL)
		return false;
	for (size_t i = 0; i < sizeof bulk / sizeof *bulk; i++)
		if (str_ieq(precedence, str_of(bulk[i])))
			return false;
	return !str_istarts(submitted, STR("auto-"));
}
