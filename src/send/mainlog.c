/* mainlog.c - Exim's main log lines. */
#include "send/mainlog.h"

#include <inttypes.h>
#include <string.h>

#include "net/stream.h"

#include "base/banned.h" /* IWYU pragma: keep */

static void
add_quoted(struct buf *out, const char *s)
{
	buf_char(out, '"');
	for (; *s != '\0'; s++) {
		if (*s == '\n') {
			buf_str(out, "\\n");
			continue;
		}
		if (*s == '"' || *s == '\\')
			buf_char(out, '\\');
		buf_char(out, *s);
	}
	buf_char(out, '"');
}

void
mainlog_arrival(struct buf *out, const struct envelope *e, const struct mainlog_arrival *a)
{
	buf_fmt(out, "<= %s", *e->sender != '\0' ? e->sender : "<>");
	if (a->parent != NULL)
		buf_fmt(out, " R=%s", a->parent);
	buf_fmt(out, " U=%s P=%s S=%" PRIu64, e->login, e->protocol != NULL ? e->protocol : "local",
	    a->size);
	if (a->msgid != NULL)
		buf_fmt(out, " id=%s", a->msgid);
}

static const char *
arrow(const struct rcpt *r)
{
	switch (r->state) {
	case RCPT_SENT:
		return r->continued ? "->" : "=>";
	case RCPT_REFUSED:
		return "**";
	case RCPT_KEPT:
	case RCPT_WAITING:
	case RCPT_RETRY:
		break;
	}
	return "==";
}

int
mainlog_defer_number(const struct fail *f)
{
	enum { LOST = -18, AUTH_PROBLEM = -48, NOT_YET = -54 };
	static const struct {
		int answered, silent; /* did the server say why? */
	} numbers[STAGE_COUNT] = {
		[STAGE_ROUTE] = { -1, -1 },
		[STAGE_RESOLVE] = { -36, -36 },
		[STAGE_TLS] = { -37, -37 },
		[STAGE_GREET] = { 0, LOST },
		[STAGE_AUTH] = { 0, AUTH_PROBLEM },
		[STAGE_MAIL] = { -45, LOST },
		[STAGE_RCPT] = { -44, LOST },
		[STAGE_DATA] = { -46, LOST },
		[STAGE_EOM] = { -46, LOST },
		[STAGE_REST] = { NOT_YET, NOT_YET },
	};

	if (f->sys != 0)
		return f->sys;
	if (f->smtp == 0 && str_starts(str_of(f->text), STR(STREAM_CLOSED)))
		return LOST;
	if (f->stage == STAGE_AUTH && f->smtp >= 500)
		return AUTH_PROBLEM;
	return f->smtp != 0 ? numbers[f->stage].answered : numbers[f->stage].silent;
}

static void
add_host(struct buf *out, const struct rcpt *r)
{
	if (r->host != NULL)
		buf_fmt(out, " H=%s", r->host);
	if (r->host != NULL && r->ip != NULL && *r->ip != '\0')
		buf_fmt(out, " [%s]%s", r->ip, r->reused ? "*" : "");
	if (r->tls != NULL)
		buf_fmt(out, " X=%s CV=%s", r->tls, r->tls_verified ? "yes" : "no");
	if (r->tls != NULL && r->tls_peer != NULL) {
		buf_str(out, " DN=");
		add_quoted(out, r->tls_peer);
	}
}

/* Exim routes in small letters, and names what was written when its local part differs. */
static void
add_address(struct buf *out, const struct rcpt *r)
{
	bool plain = strchr("|/:\"", *r->address) == NULL;
	struct str given = str_of(r->original != NULL ? r->original : r->address);
	size_t start = buf_get(out).n, n = strlen(r->address), at = given.n;

	for (size_t i = 0; i < n; i++)
		buf_char(out, plain ? ascii_lower(r->address[i]) : r->address[i]);
	while (at > 0 && given.p[at - 1] != '@')
		at--;
	if (!str_ieq(given, str_skip(buf_get(out), start)) ||
	    (buf_ok(out) && memcmp(given.p, buf_get(out).p + start, at) != 0))
		buf_fmt(out, " <%.*s>", S_ARG(given));
}

/* Exim's defer begins with the error's name, and has no more to say of a connection. */
static void
add_reason(struct buf *out, const struct rcpt *r)
{
	const struct fail *f = fail_of(r->fail);
	bool named = r->state != RCPT_REFUSED && f->sys > 0;
	const char *name = named ? fail_words(f->sys) : NULL;
	struct str text = str_of(f->text), end = str_of(name != NULL ? name : "");

	if (end.n > 0 && text.n > end.n + 2 && str_eq(str_skip(text, text.n - end.n), end)) {
		buf_fmt(out, ": %s", name);
		text.n -= end.n + 2;
		if (f->stage == STAGE_CONNECT)
			return;
	}
	buf_fmt(out, ": %.*s", S_ARG(text));
}

void
mainlog_recipient(struct buf *out, const struct rcpt *r)
{
	buf_fmt(out, "%s ", arrow(r));
	add_address(out, r);
	if (r->router != NULL)
		buf_fmt(out, " R=%s", r->router);
	if (r->transport != NULL)
		buf_fmt(out, " T=%s", r->transport);
	if (r->state != RCPT_SENT) {
		if (r->state != RCPT_REFUSED)
			buf_fmt(out, " defer (%d)", mainlog_defer_number(fail_of(r->fail)));
		add_host(out, r);
		add_reason(out, r);
		return;
	}
	add_host(out, r);
	if (r->auth != NULL)
		buf_fmt(out, " A=%s", r->auth);
	if (r->chunked)
		buf_str(out, " K");
	if (r->confirmation != NULL) {
		buf_str(out, " C=");
		add_quoted(out, r->confirmation);
	}
}

void
mainlog_undisclosed(struct buf *out, const struct rcpt *r)
{
	buf_fmt(out, "%s an undisclosed address <%s>", arrow(r), r->original);
	if (r->state != RCPT_SENT)
		buf_str(out, ": the main log says why");
}
