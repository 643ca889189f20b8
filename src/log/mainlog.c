/* mainlog.c - Exim's main log lines. */
#include "log/mainlog.h"

#include <inttypes.h>
#include <string.h>

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
mainlog_arrival(struct buf *out, const struct envelope *e, uint64_t size, const char *msgid)
{
	buf_fmt(out, "<= %s U=%s P=%s S=%" PRIu64, *e->sender != '\0' ? e->sender : "<>", e->login,
	    e->protocol != NULL ? e->protocol : "local", size);
	if (msgid != NULL)
		buf_fmt(out, " id=%s", msgid);
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

static void
add_host(struct buf *out, const struct rcpt *r)
{
	if (r->host != NULL)
		buf_fmt(out, " H=%s", r->host);
	if (r->host != NULL && r->ip != NULL && *r->ip != '\0')
		buf_fmt(out, " [%s]", r->ip);
	if (r->tls != NULL)
		buf_fmt(out, " X=%s CV=%s", r->tls, r->tls_verified ? "yes" : "no");
	if (r->tls != NULL && r->tls_peer != NULL) {
		buf_str(out, " DN=");
		add_quoted(out, r->tls_peer);
	}
}

void
mainlog_recipient(struct buf *out, const struct rcpt *r)
{
	buf_fmt(out, "%s %s", arrow(r), r->address);
	if (r->original != NULL && strcmp(r->original, r->address) != 0)
		buf_fmt(out, " <%s>", r->original);
	if (r->router != NULL)
		buf_fmt(out, " R=%s", r->router);
	if (r->transport != NULL)
		buf_fmt(out, " T=%s", r->transport);
	if (r->state != RCPT_SENT) {
		if (r->state != RCPT_REFUSED)
			buf_fmt(out, " defer (%d)", r->fail.sys);
		add_host(out, r);
		buf_fmt(out, ": %s", r->fail.text);
		return;
	}
	add_host(out, r);
	if (r->auth != NULL)
		buf_fmt(out, " A=%s", r->auth);
	if (r->confirmation != NULL) {
		buf_str(out, " C=");
		add_quoted(out, r->confirmation);
	}
}
