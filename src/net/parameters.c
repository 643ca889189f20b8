/* parameters.c - what stands behind MAIL and RCPT, and what may stand in a path. */
#include "net/parameters.h"

#include <string.h>

#include "base/str.h"
#include "mail/mailbox.h"
#include "net/caps.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct {
	enum rcpt_notify bit;
	struct str word;
} notifies[] = {
	{ NOTIFY_NEVER, STR("NEVER") },
	{ NOTIFY_SUCCESS, STR("SUCCESS") },
	{ NOTIFY_FAILURE, STR("FAILURE") },
	{ NOTIFY_DELAY, STR("DELAY") },
};

/* RFC 3461 4: printable ASCII but "+" and "=" stands for itself. */
void
parameters_xtext(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++)
		if (*s > ' ' && *s < 0x7f && *s != '+' && *s != '=')
			buf_char(out, *s);
		else
			buf_fmt(out, "+%02X", (unsigned)(unsigned char)*s);
}

static int
hex(char c)
{
	if (ascii_digit(c))
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
parameters_xtext_read(struct arena *a, struct str s, struct str *out)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c <= ' ' || c == '=' || c == 0x7f || ascii_8bit(c))
			return false;
		if (c == '+') {
			if (i + 2 >= s.n || hex(s.p[i + 1]) < 0 || hex(s.p[i + 2]) < 0)
				return false;
			c = (char)(hex(s.p[i + 1]) * 16 + hex(s.p[i + 2]));
			i += 2;
		}
		p[n++] = c;
	}
	*out = str_at(p, n);
	return true;
}

/* A last look at what stands between < and >: nothing in it may end the path early. */
bool
parameters_path_ok(const char *path)
{
	bool quoted = false;

	for (const char *p = path; *p != '\0'; p++) {
		if (ascii_control(*p))
			return false;
		if (*p == '\\' && quoted && p[1] != '\0')
			p++;
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted && (*p == '<' || *p == '>' || *p == ' '))
			return false;
	}
	return !quoted;
}

unsigned
parameters_notify(struct str word)
{
	for (size_t i = 0; i < sizeof notifies / sizeof notifies[0]; i++)
		if (str_ieq(word, notifies[i].word))
			return notifies[i].bit;
	return 0;
}

bool
parameters_need_utf8(const struct envelope *e, const size_t *which, size_t n)
{
	bool needed = str_8bit(mailbox_split(e->sender).local);

	for (size_t i = 0; i < n && !needed; i++)
		needed = str_8bit(mailbox_split(e->rcpts[which[i]].address).local);
	return needed;
}

bool
parameters_want_dsn(const struct envelope *e, const size_t *which, size_t n)
{
	bool wanted = e->ret != RET_UNSET || (e->envid != NULL && e->envid[0] != '\0');

	for (size_t i = 0; i < n && !wanted; i++)
		wanted = e->rcpts[which[i]].notify != 0 || e->rcpts[which[i]].orcpt != NULL;
	return wanted;
}

void
parameters_mail(
    unsigned have, const struct envelope *e, const struct mail_wants *w, struct buf *out)
{
	if (have & CAP_SIZE)
		buf_fmt(out, " SIZE=%ju", (uintmax_t)w->size);
	if ((have & CAP_8BITMIME) && w->body_8bit)
		buf_str(out, " BODY=8BITMIME");
	if (w->utf8)
		buf_str(out, " SMTPUTF8");
	if ((have & CAP_DSN) && e->ret != RET_UNSET)
		buf_str(out, e->ret == RET_FULL ? " RET=FULL" : " RET=HDRS");
	if ((have & CAP_DSN) && e->envid != NULL && e->envid[0] != '\0') {
		buf_str(out, " ENVID=");
		parameters_xtext(out, e->envid);
	}
	if (w->auth != NULL && (have & CAP_AUTH)) {
		buf_str(out, " AUTH=");
		parameters_xtext(out, w->auth);
	}
}

void
parameters_rcpt(unsigned have, const struct rcpt *r, struct buf *out)
{
	const char *glue = " NOTIFY=";

	if (!(have & CAP_DSN) || (r->notify == 0 && r->orcpt == NULL))
		return;
	for (size_t i = 0; i < sizeof notifies / sizeof notifies[0]; i++)
		if (r->notify & notifies[i].bit) {
			buf_fmt(out, "%s%.*s", glue, S_ARG(notifies[i].word));
			glue = ",";
		}
	if (r->orcpt != NULL)
		buf_fmt(out, " ORCPT=%s", r->orcpt);
	else if (r->original != NULL && !str_8bit(str_of(r->original)) &&
	    strchr(r->original, '@') != NULL) {
		buf_str(out, " ORCPT=rfc822;");
		parameters_xtext(out, r->original);
	}
}
