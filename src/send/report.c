/* report.c - the two parts of a notice that are about the recipients. */
#include "send/report.h"

#include <inttypes.h>

#include "base/date.h"
#include "net/parameters.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LINE_LONGEST = 900, EXIMS_SPLIT = 45, SUBJECT_LONGEST = 200 };

/* How words of a server, an administrator or a sender are put on lines of ours. */
struct style {
	const char *indent; /* of the lines behind the first */
	bool ascii;
	bool split; /* Exim's: behind a colon, once a line has some length */
};

static void
put_words(struct buf *out, const struct style *style, struct str words)
{
	size_t column = 0;
	char last = '\0';

	while (words.n > 0) {
		size_t n = ascii_8bit(words.p[0]) ? str_shown(words) : 1;
		size_t whole = str_utf8(words);
		bool newline = str_starts(words, STR("\\n")), blank = words.p[0] == ' ';

		if (newline || column >= LINE_LONGEST ||
		    (style->split && blank && last == ':' && column > EXIMS_SPLIT)) {
			buf_fmt(out, "\n%s", style->indent);
			column = 0;
			last = '\0';
			words = str_skip(words, newline ? 2 : blank);
			continue;
		}
		last = words.p[0];
		if (ascii_control(last))
			buf_char(out, ' ');
		else if (n == 0 || (style->ascii && n > 1))
			buf_char(out, '?');
		else
			buf_add(out, words.p, n);
		column += n > 0 ? n : 1;
		words = str_skip(words, whole > 0 ? whole : 1);
	}
}

/* "before", then the words on one line (and its continuations). */
static void
put_line(struct buf *out, const struct style *style, const char *before, const char *words)
{
	buf_str(out, before);
	put_words(out, style, str_of(words));
	buf_char(out, '\n');
}

static bool
has_domain(const char *address)
{
	return address != NULL && address[0] != '|' && address[0] != '/' &&
	    strchr(address, '@') != NULL;
}

const char *
report_address(const struct notice *n, const struct rcpt *r)
{
	const char *sent = has_domain(r->address) ? r->address : NULL;

	/* the recipient as it was written, capitals and all, unless it became another address */
	if (has_domain(r->original) && (sent == NULL || str_ieq(str_of(r->original), str_of(sent))))
		return r->original;
	if (sent != NULL)
		return sent;
	return arena_fmt(n->about->arena, "%s@%s", r->original != NULL ? r->original : r->address,
	    n->conf->qualify_domain);
}

bool
report_is_global(const struct notice *n)
{
	for (size_t i = 0; i < n->nrcpts; i++)
		if (str_8bit(str_of(report_address(n, n->rcpts[i]))))
			return true;
	return false;
}

/* Exim names the time of the rule, not the time of the try that came behind it. */
const char *
report_waited(const struct notice *n, char out[32])
{
	uint64_t step = n->conf->delay_warning, waited = n->waited;

	if (step > 0 && waited >= step)
		waited -= waited % step;
	if (waited < (uint64_t)2 * 3600)
		(void)snprintf(out, 32, "%" PRIu64 " minutes", waited / 60);
	else
		(void)snprintf(out, 32, "%" PRIu64 " hours", waited / 3600);
	return out;
}

struct str
report_field(const struct queued *q, const char *name)
{
	struct message m = q->m;
	const struct header *h = message_find(&m, str_of(name));

	return h == NULL ? str_at("", 0) : str_trim(str_skip(h->text, str_find(h->text, ':') + 1));
}

/* ------------------------------------------------------------------ for people */

static void
put_recipients(const struct notice *n, struct buf *out)
{
	const struct style plain = { .indent = "    " },
			   reason = { .indent = "    ", .split = true };

	for (size_t i = 0; i < n->nrcpts; i++) {
		const struct rcpt *r = n->rcpts[i];
		const char *address = report_address(n, r);

		put_line(out, &plain, "  ", address);
		if (i >= NOTICE_REASONS_MAX)
			continue;
		if (has_domain(r->original) && strcmp(r->original, address) != 0)
			put_line(out, &plain, "    ",
			    arena_fmt(n->about->arena, "(generated from %s)", r->original));
		if (r->host != NULL && r->ip != NULL && r->ip[0] != '\0')
			buf_fmt(out, "    host %s [%s]\n", r->host, r->ip);
		if (fail_of(r->fail)->text[0] != '\0')
			put_line(out, &reason,
			    n->kind == NOTICE_FAILED ? "    " : "    Delay reason: ",
			    r->fail->text);
	}
}

static void
put_subject(const struct notice *n, struct buf *out)
{
	const struct style style = { .indent = " " };
	struct str subject = report_field(n->about, "Subject"),
		   date = report_field(n->about, "Date");

	buf_fmt(out, "The message identifier is:     %s\n", n->about->e.id);
	if (subject.n > 0) {
		buf_str(out, "The subject of the message is: ");
		put_words(out, &style,
		    str_at(subject.p, subject.n < SUBJECT_LONGEST ? subject.n : SUBJECT_LONGEST));
		buf_char(out, '\n');
	}
	if (date.n > 0 && date.n < DATE_MAX) {
		buf_str(out, "The date of the message is:    ");
		put_words(out, &style, date);
		buf_char(out, '\n');
	}
}

static void
put_delay(const struct notice *n, struct buf *out)
{
	bool one = n->nrcpts == 1;
	char waited[32];

	buf_fmt(out,
	    "This message was created automatically by mail delivery software.\n"
	    "A message that you sent has not yet been delivered to one or more of its\n"
	    "recipients after more than %s on the queue on %s.\n\n",
	    report_waited(n, waited), n->conf->primary_hostname);
	put_subject(n, out);
	buf_fmt(out, "\nThe %s to which the message has not yet been delivered %s:\n\n",
	    one ? "address" : "addresses", one ? "is" : "are");
	put_recipients(n, out);
	buf_str(out,
	    "\nNo action is required on your part. Delivery attempts will continue for\n"
	    "some time, and this warning may be repeated at intervals if the message\n"
	    "remains undelivered. Eventually the mail delivery software will give up,\n"
	    "and when that happens, the message will be returned to you.\n");
}

void
report_text(const struct notice *n, struct buf *out)
{
	if (n->kind == NOTICE_DELAYED) {
		put_delay(n, out);
		return;
	}
	buf_str(out,
	    "This message was created automatically by mail delivery software.\n\n"
	    "A message that you sent could not be delivered to one or more of its\n"
	    "recipients. This is a permanent error. The following address(es) failed:\n\n");
	put_recipients(n, out);
}

/* ------------------------------------------------------------------ for programs */

/* Original-Recipient: what the sender called the recipient, by ORCPT or by the address that became
 * this one here. */
static void
put_original(
    const struct notice *n, const struct rcpt *r, const struct style *style, struct buf *out)
{
	const char *type = style->ascii ? "rfc822" : "utf-8";

	if (r->orcpt != NULL) {
		struct str given = str_of(r->orcpt);

		(void)!parameters_xtext_read(n->about->arena, given, &given);
		put_line(out, style, "Original-Recipient: ", arena_strz(n->about->arena, given));
	} else if (has_domain(r->original) && strcmp(r->original, report_address(n, r)) != 0)
		put_line(out, style, "Original-Recipient: ",
		    arena_fmt(n->about->arena, "%s;%s",
			str_8bit(str_of(r->original)) ? type : "rfc822", r->original));
}

/* The server's own words: what stands behind "SMTP error from ... after ...: ". */
static void
put_diagnostic(const struct fail *f, const struct style *style, struct buf *out)
{
	char code[16];
	const char *words;

	if (f->text[0] == '\0')
		return;
	(void)snprintf(code, sizeof code, ": %03d", f->smtp);
	words = f->smtp != 0 ? strstr(f->text, code) : NULL;
	if (words != NULL)
		put_line(out, style, "Diagnostic-Code: smtp; ", words + 2);
	else
		put_line(out, style,
		    f->stage == STAGE_LOCAL ? "Diagnostic-Code: X-Unix; " :
					      "Diagnostic-Code: X-onehop; ",
		    f->text);
}

static void
put_recipient(const struct notice *n, const struct rcpt *r, const struct style *style, bool reason,
    struct buf *out)
{
	const char *address = report_address(n, r);
	struct fail f = *fail_of(r->fail);
	char status[12], date[DATE_MAX];

	f.cls = n->kind == NOTICE_FAILED ? FAIL_PERM : FAIL_TEMP;
	put_original(n, r, style, out);
	put_line(out, style,
	    str_8bit(str_of(address)) ? "Final-Recipient: utf-8;" : "Final-Recipient: rfc822;",
	    address);
	buf_fmt(out, "Action: %s\nStatus: %s\n", n->kind == NOTICE_FAILED ? "failed" : "delayed",
	    fail_status(&f, status));
	if (!reason)
		return;
	if (r->host != NULL && r->host[0] != '\0')
		buf_fmt(out, "Remote-MTA: %s; %s\n", r->host[0] == '/' ? "x-unix" : "dns", r->host);
	put_diagnostic(fail_of(r->fail), style, out);
	if (n->kind == NOTICE_DELAYED && n->will_retry_until > 0)
		buf_fmt(out, "Will-Retry-Until: %s\n", date_rfc5322(n->will_retry_until, date));
}

void
report_status(const struct notice *n, struct buf *out)
{
	const struct style style = { .indent = " ", .ascii = !report_is_global(n) };
	const struct queued *q = n->about;
	char date[DATE_MAX];

	if (q->e.envid != NULL && q->e.envid[0] != '\0')
		put_line(out, &style, "Original-Envelope-Id: ", q->e.envid);
	buf_fmt(out, "Reporting-MTA: dns; %s\n", n->conf->primary_hostname);
	if (q->received > 0)
		buf_fmt(out, "Arrival-Date: %s\n", date_rfc5322(q->received, date));
	for (size_t i = 0; i < n->nrcpts; i++) {
		buf_char(out, '\n');
		put_recipient(n, n->rcpts[i], &style, i < NOTICE_REASONS_MAX, out);
	}
}
