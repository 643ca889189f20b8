/* submission.c - header fix-ups for a locally submitted message, in Exim's order. */
#include "front/submission.h"

#include <sysexits.h>

#include "mail/extract.h"
#include "mail/phrase.h"
#include "mail/stamp.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* What all steps need. */
struct submission {
	struct message *m;
	const struct rewrite *rw;
	const struct submitter *who;
	const char *prefix;    /* "Resent-" before what is generated, or "" */
	const char *name;      /* the full name as a display name, may be "" */
	struct mailbox login;  /* login@qualify_domain */
	struct mailbox sender; /* the envelope sender, not rewritten yet */
	bool forced;           /* force_sender holds for this caller */
};

static struct str
to_arena(const struct submission *s, const struct buf *b)
{
	return arena_str(s->m->arena, buf_get(b));
}

/* Does the field count when it is asked whether the message has it? */
static bool
counts(const struct submission *s, const struct header *h)
{
	return !s->m->resent || h->resent;
}

static const struct header *
find_type(const struct submission *s, enum header_type type)
{
	for (size_t i = 0; i < s->m->nheaders; i++)
		if (s->m->headers[i].type == type && counts(s, &s->m->headers[i]))
			return &s->m->headers[i];
	return NULL;
}

static struct str
field_body(const struct header *h)
{
	return str_skip(h->text, str_find(h->text, ':') + 1);
}

static void
begin(struct submission *s)
{
	AUTO_BUF struct buf name = BUF_INIT(HEADER_MAX);
	AUTO_BUF struct buf login = BUF_INIT(HEADER_MAX);
	const struct conf *c = s->rw->conf;

	phrase_put(&name, str_of(s->who->gecos_name != NULL ? s->who->gecos_name : ""));
	local_part_put(&login, str_of(s->who->login));
	s->name = to_arena(s, &name).p;
	s->login.local = to_arena(s, &login);
	s->login.domain = str_of(c->qualify_domain);
	s->prefix = s->m->resent ? "Resent-" : "";
	s->forced = c->force_sender && !s->who->trusted;
	s->sender = s->login;
	if (s->who->sender_given && (!s->forced || s->who->sender.local.n == 0))
		s->sender = s->who->sender;
}

static bool
never_leaves(const struct submission *s, const struct header *h)
{
	return h->type == H_BCC || (h->type == H_SENDER && s->forced && counts(s, h)) ||
	    str_ieq(h->name, STR("Return-Path")) || str_ieq(h->name, STR("Envelope-To")) ||
	    str_ieq(h->name, STR("Delivery-Date"));
}

static void
remove_fields(struct submission *s)
{
	for (size_t i = 0; i < s->m->nheaders; i++)
		if (never_leaves(s, &s->m->headers[i]))
			s->m->headers[i].type = H_DELETED;
}

/* cron's "From: root": only the login, to be shown as a person. */
static bool
is_login_alone(const struct submission *s, const struct header *h)
{
	struct str body = str_ltrim(field_body(h));

	if (body.n > 0 && body.p[body.n - 1] == '\n')
		body.n--;
	return h->type == H_FROM && counts(s, h) && str_ieq(body, str_of(s->who->login));
}

/* name NULL: the address stands alone. */
static void
add_person(struct submission *s, const char *field, const char *name, struct mailbox m)
{
	struct arena *a = s->m->arena;
	const char *address = mailbox_text(a, m);

	message_append(s->m,
	    str_of(name != NULL ? arena_fmt(a, "%s%s: %s <%s>\n", s->prefix, field, name, address) :
				  arena_fmt(a, "%s%s: %s\n", s->prefix, field, address)));
}

static void
replace_login(struct submission *s)
{
	size_t n = s->m->nheaders;

	if (s->who->protocol != NULL) /* not for SMTP on standard input */
		return;
	for (size_t i = 0; i < n; i++)
		if (is_login_alone(s, &s->m->headers[i])) {
			s->m->headers[i].type = H_DELETED;
			add_person(s, "From", s->name, s->login);
		}
}

/* From is obligatory (RFC 5322 3.6): where the sender is nobody, the caller is named. */
static void
add_from(struct submission *s)
{
	const struct submitter *who = s->who;
	bool null = s->sender.local.n == 0;
	bool named = !who->trusted || who->name_given || null ||
	    (who->protocol == NULL && !who->sender_given);

	if (find_type(s, H_FROM) == NULL)
		add_person(s, "From", named && s->name[0] != '\0' ? s->name : NULL,
		    null ? s->login : s->sender);
}

/* Is the caller the author, and the only one (RFC 5322 3.6.2)? */
static bool
is_from_caller(const struct submission *s, const struct header *from)
{
	struct str body = field_body(from);
	struct address x;

	if (!extract_address(s->m->arena, body, NULL, false, &x) &&
	    !extract_loose(s->m->arena, body, true, &x))
		return false;
	if (!str_ieq(x.box.local, s->login.local))
		return false;
	return x.box.domain.n == 0 || str_ieq(x.box.domain, s->login.domain);
}

static void
add_sender(struct submission *s)
{
	const struct header *from = find_type(s, H_FROM);

	if (s->forced && from != NULL && !is_from_caller(s, from))
		add_person(s, "Sender", s->name, s->login);
}

static bool
holds_addresses(const struct header *h, bool *map)
{
	*map = h->type == H_FROM || h->type == H_SENDER || h->type == H_REPLYTO;
	return *map || h->type == H_TO || h->type == H_CC;
}

static bool
rewrite_fields(struct submission *s, struct fail *f)
{
	AUTO_BUF struct buf out = BUF_INIT(HEADER_MAX);

	for (size_t i = 0; i < s->m->nheaders; i++) {
		struct header *h = &s->m->headers[i];
		bool map;

		buf_reset(&out);
		if (!holds_addresses(h, &map) || !rewrite_field(s->rw, h->text, map, &out))
			continue;
		if (!buf_ok(&out)) {
			(void)fail_set(f, FAIL_PERM, STAGE_INPUT, 0,
			    "the %.*s field is longer than %d octets with its addresses completed",
			    S_ARG(h->name), HEADER_MAX);
			f->exit = EX_DATAERR;
			return false;
		}
		h->text = to_arena(s, &out);
		h->name = str_at(h->text.p, h->name.n);
	}
	return true;
}

bool
submission_fix(struct message *m, const struct rewrite *r, struct submitter *who,
    const struct recipients *rcpts, const struct submission_time *t, struct fail *f)
{
	struct submission s = { .m = m, .rw = r, .who = who };
	struct stamp by = { .now = t->now,
		.id = t->id,
		.host = r->conf->primary_hostname,
		.login = who->login,
		.helo = who->helo,
		.protocol = who->protocol,
		.sender = "" };

	begin(&s);
	remove_fields(&s);
	replace_login(&s);
	stamp_message_id(m, &by);
	add_from(&s);
	add_sender(&s);
	s.sender = rewrite_address(r, s.sender);
	if (!rewrite_fields(&s, f))
		return false;
	if (s.sender.local.n > 0)
		by.sender = mailbox_text(m->arena, s.sender);
	if (rcpts->n == 1)
		by.rcpt = mailbox_text(m->arena, rcpts->list[0]);
	stamp_date(m, &by);
	stamp_received(m, &by);
	who->sender = s.sender;
	return map_intact(&r->map, f);
}
