/* rewrite.c - senders: email-addresses and masquerade. */
#include "addr/rewrite.h"

#include "addr/extract.h"
#include "addr/list.h"
#include "conf/names.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
rewrite_open(
    struct rewrite *r, const struct conf *c, struct arena *a, const struct trace *t, struct fail *f)
{
	const char *const *places = conf_places(c, a, c->email_addresses,
	    arena_fmt(a, "%s/email-addresses", c->etc), "email-addresses");
	struct rewrite found = { .conf = c, .arena = a, .trace = t };

	for (; *places != NULL && found.map.path == NULL; places++)
		if (!map_open(&found.map, a, *places, f))
			return false;
	if (found.map.path == NULL && c->email_addresses[0] != '\0')
		trace_line(t, TRACE_LOG, "email_addresses: there is no file %s (%s)",
		    c->email_addresses, conf_where(c, CONF_email_addresses));
	*r = found;
	return true;
}

const char *
rewrite_value(struct arena *a, struct str value, struct mailbox *out)
{
	struct address x;

	if (!extract_address(a, value, NULL, false, &x))
		return arena_fmt(
		    a, "unparseable address: %s in address %.*s", x.reason, S_ARG(value));
	if (x.box.domain.n == 0)
		return arena_fmt(a, "unqualified address \"%.*s\"", S_ARG(x.box.local));
	*out = x.box;
	return NULL;
}

/* What the map has for a local part. */
enum mapped { NO_KEY, UNUSABLE, MAPPED };

static enum mapped
map_value(const struct rewrite *r, struct mailbox *m)
{
	struct lsearch_entry e;
	struct mailbox to;
	const char *why;

	if (!map_find(&r->map, m->local, r->arena, &e))
		return NO_KEY;
	why = rewrite_value(r->arena, e.value, &to);
	if (why != NULL) {
		trace_line(r->trace, TRACE_WARNING, "Rewrite of %s yielded %s (%s:%u)",
		    mailbox_text(r->arena, *m), why, r->map.path, e.line);
		return UNUSABLE;
	}
	*m = to;
	return MAPPED;
}

/* Exim's two rules, for local domains and for the mail name; an unusable value ends them.  True
 * when one of them changed it. */
static bool
apply_rules(const struct rewrite *r, struct mailbox *m)
{
	enum mapped first = NO_KEY;

	if (r->map.path == NULL || m->local.n == 0 || m->domain.n == 0)
		return false;
	if (domain_is_local(r->conf, m->domain))
		first = map_value(r, m);
	if (first != UNUSABLE && domain_is_mailname(r->conf, m->domain))
		return map_value(r, m) == MAPPED || first == MAPPED;
	return first == MAPPED;
}

struct mailbox
rewrite_address(const struct rewrite *r, struct mailbox m)
{
	(void)apply_rules(r, &m);
	return m;
}

static bool
qualify(const void *ctx, struct mailbox *box)
{
	const struct rewrite *r = ctx;

	if (box->domain.n > 0 || r->bare || r->conf->qualify_domain[0] == '\0')
		return false;
	box->domain = str_of(r->conf->qualify_domain);
	return true;
}

static bool
change_sender(const void *ctx, struct mailbox *box)
{
	bool qualified = qualify(ctx, box);

	return apply_rules(ctx, box) || qualified;
}

static void
log_bad(const void *ctx, const char *reason)
{
	trace_line(((const struct rewrite *)ctx)->trace, TRACE_LOG, "rewrite: %s", reason);
}

bool
rewrite_field(const struct rewrite *r, struct str text, bool map, struct buf *out)
{
	const struct address_edit edit = {
		.change = map ? change_sender : qualify,
		.bad = log_bad,
		.ctx = r,
		.author = map,
	};

	return address_list_edit(text, r->arena, &edit, out);
}

bool
hide_active(const struct conf *c)
{
	return c->hide_mailname && c->visible_name[0] != '\0' &&
	    (c->configtype == TYPE_SMARTHOST || c->configtype == TYPE_SATELLITE);
}

static bool
change_domain(const void *ctx, struct mailbox *box)
{
	const struct conf *c = ctx;

	if (box->domain.n == 0 ||
	    (!domain_is_local(c, box->domain) && !domain_is_mailname(c, box->domain)))
		return false;
	box->domain = str_of(c->visible_name);
	return true;
}

bool
hide_field(const struct conf *c, struct arena *a, struct str text, struct buf *out)
{
	const struct address_edit edit = { .change = change_domain, .ctx = c };

	return address_list_edit(text, a, &edit, out);
}

struct mailbox
hide_address(const struct conf *c, struct mailbox m)
{
	(void)change_domain(c, &m);
	return m;
}
