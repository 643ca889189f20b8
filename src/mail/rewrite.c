/* rewrite.c - senders: email-addresses and masquerade. */
#include "mail/rewrite.h"

#include "conf/masks.h"
#include "conf/names.h"
#include "mail/extract.h"
#include "mail/list.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
rewrite_open(
    struct rewrite *r, const struct conf *c, struct arena *a, const struct trace *t, struct fail *f)
{
	/* a user's own, beside his configuration, stands before the system's */
	static const size_t system[] = { 0, 1, 2 }, own[] = { 1, 0, 2 };
	const size_t *order = c->home != NULL && c->email_addresses[0] == '\0' ? own : system;
	const char *const *places = conf_places(c, a, c->email_addresses,
	    arena_fmt(a, "%s/email-addresses", c->etc), "email-addresses");
	struct rewrite found = { .conf = c, .arena = a, .trace = t };

	for (size_t i = 0; i < 3 && found.map.path == NULL && places[order[i]] != NULL; i++)
		if (!map_open(&found.map, a, places[order[i]], f))
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
	struct mailbox to = { .local = { 0 } };
	const char *why;

	if (!map_find(&r->map, m->local, r->arena, &e) &&
	    !map_find(&r->map, STR("*"), r->arena, &e))
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

static bool
hides_mailname(const struct conf *c)
{
	return c->hide_mailname && c->visible_name[0] != '\0';
}

bool
hide_active(const struct conf *c)
{
	return c->configtype != TYPE_LOCAL &&
	    (hides_mailname(c) || c->return_path[0] != '\0' || c->headers_rewrite[0] != '\0');
}

static bool
change_domain(const struct conf *c, struct mailbox *box)
{
	if (!hides_mailname(c) || box->domain.n == 0 ||
	    (!domain_is_local(c, box->domain) && !domain_is_mailname(c, box->domain)))
		return false;
	box->domain = str_of(c->visible_name);
	return true;
}

/* One field of a message, and what is to be seen in it. */
struct masking {
	const struct conf *conf;
	struct mask *rules;
	size_t n;
	unsigned field;
};

static bool
fits(const struct conf *c, const struct mask *m, const struct mailbox *box)
{
	bool local = str_eq(m->local, STR("*")) || str_ieq(m->local, box->local);

	if (str_eq(m->domain, STR("+local_domains")))
		return local && domain_is_local(c, box->domain);
	if (m->domain.p[0] == '*')
		return local && str_iends(box->domain, str_skip(m->domain, 1));
	return local && str_ieq(m->domain, box->domain);
}

static bool
mask(const void *ctx, struct mailbox *box)
{
	const struct masking *k = ctx;
	bool changed = (k->field & (MASK_FROM | MASK_REPLY_TO | MASK_SENDER)) != 0 &&
	    change_domain(k->conf, box);

	for (size_t i = 0; i < k->n && box->domain.n > 0; i++) {
		const struct mask *m = &k->rules[i];

		if ((m->fields & k->field) == 0 || !fits(k->conf, m, box))
			continue;
		if (m->to_local.n > 0)
			box->local = m->to_local;
		box->domain = m->to_domain;
		changed = true;
	}
	return changed;
}

bool
hide_field(const struct conf *c, struct arena *a, unsigned field, struct str text, struct buf *out)
{
	struct masking k = { .conf = c, .field = field };
	const struct address_edit edit = { .change = mask, .ctx = &k };
	struct fail ignored; /* conf_set() has looked at them */

	return masks_parse(a, str_of(c->headers_rewrite), &k.rules, &k.n, &ignored) &&
	    address_list_edit(text, a, &edit, out);
}

struct mailbox
hide_address(const struct conf *c, struct mailbox m)
{
	if (m.local.n == 0)
		return m;
	if (c->return_path[0] != '\0')
		return mailbox_split(c->return_path);
	(void)change_domain(c, &m);
	return m;
}
