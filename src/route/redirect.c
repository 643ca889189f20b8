/* redirect.c - routers that turn one address into others: system_aliases, userforward, hub_user. */
#include <string.h>

#include "conf/names.h"
#include "route/alias.h"
#include "route/subject.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* An address that is itself a result: nothing is left to route. */
static struct route *
add_final(struct subject *s, const char *router, const char *text)
{
	struct route *r = subject_child(s, s->r->address, text);

	r->router = router;
	return r;
}

static bool
become_parent(struct subject *s)
{
	if (s->nchildren == 0)
		return false;
	s->r->outcome = ROUTE_PARENT;
	return true;
}

static bool
discard(struct subject *s)
{
	s->r->outcome = ROUTE_DISCARD;
	s->r->text = ":blackhole:";
	return true;
}

/* Exim's check_ancestor: what would go back to an ancestor stays with the present address. */
static bool
is_ancestor(const struct route *r, struct mailbox m)
{
	for (; r != NULL; r = r->parent)
		if (same_address(r->address, m))
			return true;
	return false;
}

/* "\name" belongs to the domain of the address it came from, "name" to the mail name. */
static bool
add_address(struct subject *s, struct str text, bool check_ancestor, struct fail *f)
{
	const struct route_env *e = s->e;
	const struct route *from = s->r;
	bool bare = text.n > 0 && text.p[0] == '\\';
	struct mailbox m;
	bool unqualified;

	if (!mailbox_parse(e->arena, bare ? str_skip(text, 1) : text, false, &m, f))
		return false;
	unqualified = m.domain.n == 0;
	if (unqualified)
		m.domain = bare ? from->address.domain : str_of(e->conf->qualify_domain);
	if (!mailbox_ok(m, f))
		return false;
	if (check_ancestor && is_ancestor(from, m)) {
		m = from->address;
		unqualified = from->unqualified;
	}
	subject_child(s, m, mailbox_text(e->arena, m))->unqualified = unqualified;
	return true;
}

static const char *
where(const struct subject *s, const struct lsearch_entry *entry)
{
	const struct route_env *e = s->e;

	return arena_fmt(e->arena, "%s:%u", e->aliases.path, entry->line);
}

/* Exim defers these for ever; the sender had better hear of it at once. */
static void
refuse_item(struct subject *s, const struct alias_item *it, const struct lsearch_entry *entry)
{
	struct arena *a = s->e->arena;
	const char *what = it->kind == ALIAS_PIPE ? "a pipe" :
	    it->kind == ALIAS_FILE                ? "a file" :
						    "a directory";
	struct fail f = FAIL_INIT;
	struct route *r = add_final(s, "system_aliases",
	    arena_fmt(a, "%s%.*s", it->kind == ALIAS_PIPE ? "|" : "", S_ARG(it->text)));

	(void)fail_set(&f, FAIL_PERM, STAGE_ROUTE, 0,
	    "the alias %.*s in %s asks for %s; onehop delivers aliases to addresses only",
	    S_ARG(entry->key), where(s, entry), what);
	route_failed(a, r, &f);
}

static void
drop(struct route *r)
{
	r->outcome = ROUTE_DISCARD;
	r->transport = TRANSPORT_BYPASSED;
}

/* ":fail:" behind other addresses: they get it, and the alias fails all the same. */
static void
fail_beside(struct subject *s, const struct alias_item *it)
{
	struct route *r = add_final(s, "system_aliases", s->r->text);
	struct str why = it->text.n > 0 ? it->text : STR("the alias says :fail:");
	struct fail f = FAIL_INIT;

	(void)fail_set(&f, FAIL_PERM, STAGE_ROUTE, 0, "%.*s", S_ARG(why));
	route_failed(s->e->arena, r, &f);
}

/* *f has what add_address() said. */
static bool
bad_item(const struct alias_item *it, struct fail *f)
{
	if (it->included != NULL)
		return fail_set(f, FAIL_TEMP, STAGE_ROUTE, 0, "%s is no address", it->included);
	if (it->kind == ALIAS_BAD)
		return fail_set(
		    f, FAIL_TEMP, STAGE_ROUTE, 0, "%s in \"%.*s\"", it->reason, S_ARG(it->text));
	return false;
}

static bool
add_alias_item(struct subject *s, const struct alias_item *it, const struct lsearch_entry *entry,
    struct fail *f)
{
	if (it->kind == ALIAS_ADDRESS && add_address(s, it->text, false, f))
		return true;
	if (it->kind == ALIAS_ADDRESS || it->kind == ALIAS_BAD)
		return bad_item(it, f);
	if (it->kind == ALIAS_FAIL)
		fail_beside(s, it);
	else if (it->kind == ALIAS_DEVNULL)
		drop(add_final(s, "system_aliases", "/dev/null"));
	else
		refuse_item(s, it, entry);
	return true;
}

static bool
take_verdict(struct subject *s, const struct alias_item *it, const struct lsearch_entry *entry)
{
	if (it->kind == ALIAS_BLACKHOLE)
		return discard(s);
	if (it->kind == ALIAS_FAIL) {
		if (it->text.n > 0)
			return subject_refuse(s, FAIL_PERM, "%.*s", S_ARG(it->text));
		return subject_refuse(
		    s, FAIL_PERM, "the alias %.*s says :fail:", S_ARG(entry->key));
	}
	if (it->kind == ALIAS_DEFER) {
		if (it->text.n > 0)
			return subject_refuse(s, FAIL_TEMP, "%.*s", S_ARG(it->text));
		return subject_refuse(s, FAIL_TEMP,
		    "the alias %.*s in %s says :defer:", S_ARG(entry->key), where(s, entry));
	}
	return false; /* :unknown: - as if it were not there */
}

bool
redirect_aliases(struct subject *s)
{
	const struct route_env *e = s->e;
	struct lsearch_entry entry;
	struct alias_items items;
	struct fail why = FAIL_INIT;

	if (!map_find(&e->aliases, str_of(s->local), e->arena, &entry))
		return false;
	if (!alias_expand(e->arena, entry.value, route_addresses_max(e->conf), &items, &why))
		return subject_refuse(
		    s, why.cls, "error in redirect data: %s (%s)", why.text, where(s, &entry));
	if (items.n == 1 && alias_is_verdict(items.list[0].kind))
		return take_verdict(s, &items.list[0], &entry);
	for (size_t i = 0; i < items.n; i++)
		if (!add_alias_item(s, &items.list[i], &entry, &why))
			return subject_refuse(s, FAIL_TEMP, "error in redirect data: %s (%s)",
			    why.text, where(s, &entry));
	return become_parent(s);
}

/* A file, directory or pipe of the user's own .forward. */
static void
add_delivery(struct subject *s, const struct probe_item *it)
{
	struct route *r = add_final(s, "userforward",
	    it->transport == TRANSPORT_PIPE ? arena_fmt(s->e->arena, "|%s", it->text) : it->text);

	r->outcome = ROUTE_DELIVER;
	r->transport = it->transport;
	r->user = s->local;
	r->path = it->text;
	if (it->transport == TRANSPORT_BYPASSED)
		drop(r);
}

bool
redirect_forward(struct subject *s)
{
	const struct route_env *e = s->e;
	struct fail why = FAIL_INIT;
	bool own = e->viewer == NULL || strcmp(e->viewer, s->local) == 0;
	enum trace_kind kind = own ? TRACE_LOG : TRACE_PRIVATE;

	if (s->probe.skipped != NULL)
		trace_line(e->trace, kind, "%s: skipped an item of the .forward of %s: %s",
		    s->r->text, s->local, s->probe.skipped);
	if (s->probe.found != PROBE_FORWARD)
		return false;
	if (s->probe.discard)
		return discard(s);
	for (size_t i = 0; i < s->probe.nitems; i++) {
		const struct probe_item *it = &s->probe.items[i];

		if (it->transport != TRANSPORT_NONE)
			add_delivery(s, it);
		else if (!add_address(s, str_of(it->text), true, &why))
			trace_line(e->trace, kind, "%s: skipped in .forward of %s: %s", s->r->text,
			    s->local, why.text);
	}
	return become_parent(s);
}

bool
redirect_hub_user(struct subject *s)
{
	const struct conf *conf = s->e->conf;
	struct mailbox m = { s->r->address.local, str_of(conf->visible_name) };

	if (m.domain.n == 0)
		return subject_refuse(s, FAIL_TEMP,
		    "configtype = satellite (%s) needs visible_name (dc_readhost), the domain "
		    "where local users have their mail",
		    conf_where(conf, CONF_configtype));
	(void)subject_child(s, m, mailbox_text(s->e->arena, m));
	return become_parent(s);
}

bool
redirect_mail4root(struct subject *s)
{
	struct route *r = add_final(s, "mail4root", "/var/mail/mail");

	r->outcome = ROUTE_DELIVER;
	r->transport = TRANSPORT_FILE;
	r->user = "mail";
	r->path = r->text;
	return become_parent(s);
}
