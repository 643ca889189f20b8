/* stamp.c - when a message came, from whom, and under which id. */
#include "mail/stamp.h"

#include <string.h>

#include "base/date.h"
#include "mail/phrase.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Resent- fields go in front of the message that is sent again. */
static void
add(struct message *m, const char *text)
{
	if (m->resent)
		message_prepend(m, str_of(text));
	else
		message_append(m, str_of(text));
}

static const char *
prefix(const struct message *m)
{
	return m->resent ? "Resent-" : "";
}

static bool
has_message_id(const struct message *m)
{
	for (size_t i = 0; i < m->nheaders; i++)
		if (m->headers[i].type == H_ID && (!m->resent || m->headers[i].resent))
			return true;
	return false;
}

static const char *
made_of(const struct message *m, const char *id, const char *host)
{
	return arena_fmt(m->arena, " <E%s@%s>\n", id, host);
}

void
stamp_message_id(struct message *m, const struct stamp *by)
{
	if (!has_message_id(m))
		add(m,
		    arena_fmt(
			m->arena, "%sMessage-Id:%s", prefix(m), made_of(m, by->id, by->host)));
}

void
stamp_date(struct message *m, const struct stamp *by)
{
	const char *name = m->resent ? "Resent-Date" : "Date";
	char date[DATE_MAX];

	if (message_find(m, str_of(name)) == NULL)
		add(m, arena_fmt(m->arena, "%s: %s\n", name, date_rfc5322(by->now, date)));
}

static struct str
received(struct arena *a, const struct stamp *by)
{
	AUTO_BUF struct buf b = BUF_INIT(HEADER_MAX);
	char date[DATE_MAX];

	buf_str(&b, "Received: from ");
	local_part_put(&b, str_of(by->login));
	buf_char(&b, ' ');
	if (by->helo != NULL)
		buf_fmt(&b, "(helo=%s)\n\t", by->helo);
	buf_fmt(&b, "by %s with %s (onehop %s)\n\t", by->host,
	    by->protocol != NULL ? by->protocol : "local", PACKAGE_VERSION);
	if (by->sender[0] != '\0')
		buf_fmt(&b, "(envelope-from <%s>)\n\t", by->sender);
	buf_fmt(&b, "id %s", by->id);
	if (by->rcpt != NULL)
		buf_fmt(&b, "\n\tfor %s", by->rcpt);
	buf_fmt(&b, ";\n\t%s\n", date_rfc5322(by->now, date));
	return arena_str(a, buf_get(&b));
}

void
stamp_received(struct message *m, const struct stamp *by)
{
	message_prepend(m, received(m->arena, by));
}

/* ------------------------------------------------------------------ anew */

static void
replace(struct header *h, struct str text)
{
	h->text = text;
	h->name.p = text.p;
}

/* Is the field on top the Received that goes with this id? */
static bool
begins_with(const struct message *m, const char *claimed)
{
	const char *id = arena_fmt(m->arena, "\n\tid %s", claimed);

	return m->nheaders > 0 && m->headers[0].type == H_RECEIVED &&
	    memmem(m->headers[0].text.p, m->headers[0].text.n, id, strlen(id)) != NULL;
}

static void
replace_message_id(struct message *m, const struct stamp *by, const char *claimed)
{
	struct str old = str_of(made_of(m, claimed, by->host));
	const char *new = made_of(m, by->id, by->host);

	for (size_t i = 0; i < m->nheaders; i++) {
		struct header *h = &m->headers[i];

		if (h->type == H_ID && str_eq(str_skip(h->text, str_find(h->text, ':') + 1), old))
			replace(h, str_of(arena_fmt(m->arena, "%.*s:%s", S_ARG(h->name), new)));
	}
}

void
stamp_anew(struct message *m, const struct stamp *by, const char *claimed)
{
	bool there = begins_with(m, claimed);

	if (there)
		replace(&m->headers[0], received(m->arena, by));
	replace_message_id(m, by, claimed);
	stamp_message_id(m, by);
	stamp_date(m, by);
	if (!there)
		stamp_received(m, by);
}
