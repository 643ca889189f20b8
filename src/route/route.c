/* route.c - where each recipient lives: the routers, in Debian's order. */
#include "route/route.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/file.h"
#include "conf/names.h"
#include "route/subject.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct router {
	const char *name;
	enum { SCOPE_ANY, SCOPE_REMOTE, SCOPE_LOCAL } scope;
	bool check_user;                   /* only for a user with a passwd entry */
	bool (*active)(struct subject *s); /* NULL: always */
	bool (*take)(struct subject *s);   /* false: declined */
};

void
route_failed(struct arena *a, struct route *r, const struct fail *f)
{
	r->outcome = f->cls == FAIL_TEMP ? ROUTE_DEFER : ROUTE_FAIL;
	r->fail = fail_keep(a, f);
}

bool
subject_refuse(struct subject *s, enum fail_class cls, const char *fmt, ...)
{
	char text[FAIL_TEXT];
	struct fail f = FAIL_INIT;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)fail_set(&f, cls, STAGE_ROUTE, 0, "%s", text);
	route_failed(s->e->arena, s->r, &f);
	return true;
}

static bool
deliver(struct subject *s, enum transport t)
{
	s->r->outcome = ROUTE_DELIVER;
	s->r->transport = t;
	return true;
}

/* --- remote domains --- */

static bool
hubbed_active(struct subject *s)
{
	struct lsearch_entry entry;

	if (!map_find_partial(&s->e->hubbed_hosts, s->r->address.domain, s->e->arena, &entry))
		return false;
	s->hubs = entry.value;
	return true;
}

const char *
route_hubs(struct arena *a, struct str value)
{
	struct str v = str_trim(value);

	if (v.n > 0 && v.p[0] == '"') {
		v = str_skip(v, 1);
		v.n = str_find(v, '"');
	} else { /* behind the list stand Exim's options (byname, MX randomizing) */
		v.n = str_find(v, ' ');
		v.n = str_find(v, '\t');
	}
	return arena_strz(a, v);
}

static bool
hubbed_take(struct subject *s)
{
	s->r->hosts = route_hubs(s->e->arena, s->hubs);
	return deliver(s, TRANSPORT_REMOTE);
}

static bool
has_smarthost(struct subject *s)
{
	return s->e->conf->configtype != TYPE_LOCAL;
}

static bool
has_no_smarthost(struct subject *s)
{
	return !has_smarthost(s);
}

static bool
smarthost_take(struct subject *s)
{
	const struct conf *c = s->e->conf;

	if (c->smarthost[0] == '\0')
		return subject_refuse(s, FAIL_TEMP,
		    "no smarthost is set: write smarthost (dc_smarthost) into %s",
		    c->file != NULL ? c->file : "/etc/onehop/onehop.conf");
	s->r->hosts = c->smarthost;
	return deliver(s, TRANSPORT_SMARTHOST);
}

static bool
nonlocal_take(struct subject *s)
{
	return subject_refuse(s, FAIL_PERM, "Mailing to remote domains not supported");
}

/* --- local domains --- */

enum transport
transport_of(const char *local_delivery)
{
	static const enum transport named[] = { TRANSPORT_MAILDIR, TRANSPORT_SPOOL,
		TRANSPORT_PROCMAIL, TRANSPORT_MAILDROP };

	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		if (strcmp(local_delivery, transport_name(named[i])) == 0)
			return named[i];
	return str_starts(str_of(local_delivery), STR("lmtp:/")) ? TRANSPORT_LMTP : TRANSPORT_NONE;
}

static bool
local_user_take(struct subject *s)
{
	const struct conf *c = s->e->conf;
	const char *how = c->local_delivery;
	enum transport t = transport_of(how);

	s->r->user = s->local;
	if (t == TRANSPORT_LMTP)
		s->r->hosts = how;
	if (t != TRANSPORT_NONE)
		return deliver(s, t);
	if (strcmp(how, "none") == 0)
		return subject_refuse(s, FAIL_PERM,
		    "local delivery is switched off: local_delivery = none (%s)",
		    conf_where(c, CONF_local_delivery));
	return subject_refuse(s, FAIL_TEMP,
	    "local_delivery = %s (%s) is not one of maildir_home, mail_spool, procmail_pipe, "
	    "maildrop_pipe, lmtp:/path, none",
	    how, conf_where(c, CONF_local_delivery));
}

static const char real_prefix[] = "real-";

/* The prefix is not part of the user's name; the address keeps it. */
static bool
real_active(struct subject *s)
{
	return str_starts(str_of(s->local), str_of(real_prefix));
}

static bool
is_satellite(struct subject *s)
{
	return s->e->conf->configtype == TYPE_SATELLITE;
}

static bool
is_hub_domain(struct subject *s)
{
	return is_satellite(s) && str_ieq(s->r->address.domain, str_of(s->e->conf->visible_name));
}

static bool
is_root(struct subject *s)
{
	return strcmp(s->local, "root") == 0;
}

static bool
is_not_root(struct subject *s)
{
	return !is_root(s);
}

bool
same_address(struct mailbox x, struct mailbox y)
{
	return str_ieq(x.local, y.local) && str_ieq(x.domain, y.domain);
}

/* Has an ancestor with this very address been through this router?  Then it would go round. */
static bool
routed_before(const struct route *r, const char *router)
{
	for (const struct route *p = r->parent; p != NULL; p = p->parent)
		if (p->router != NULL && strcmp(p->router, router) == 0 &&
		    same_address(p->address, r->address))
			return true;
	return false;
}

/* Ask once, with the user's rights, what stands in the home.  Nobody becomes root for that. */
static bool
probe(struct subject *s)
{
	const struct route_env *e = s->e;
	struct fail f = FAIL_INIT;

	if (s->probed)
		return true;
	s->probe = (struct probe){ .found = PROBE_MAILBOX };
	if (!is_root(s) &&
	    !e->probe(e->ctx, s->local, routed_before(s->r, "userforward"), &s->probe, &f)) {
		s->r->outcome = ROUTE_DEFER;
		s->r->fail = fail_keep(e->arena, &f);
		return false;
	}
	s->probed = true;
	return true;
}

static bool
forward_take(struct subject *s)
{
	return !probe(s) || redirect_forward(s);
}

static bool
filter_take(struct subject *s, int found, enum transport t)
{
	if (!probe(s))
		return true;
	if ((int)s->probe.found != found)
		return false;
	s->r->user = s->local;
	return deliver(s, t);
}

static bool
procmail_take(struct subject *s)
{
	return filter_take(s, PROBE_PROCMAIL, TRANSPORT_PROCMAIL);
}

static bool
maildrop_take(struct subject *s)
{
	return filter_take(s, PROBE_MAILDROP, TRANSPORT_MAILDROP);
}

static const struct router routers[] = {
	{ "hubbed_hosts", SCOPE_ANY, false, hubbed_active, hubbed_take },
	{ "smarthost", SCOPE_REMOTE, false, has_smarthost, smarthost_take },
	{ "nonlocal", SCOPE_REMOTE, false, has_no_smarthost, nonlocal_take },
	{ "real_local", SCOPE_LOCAL, true, real_active, local_user_take },
	{ "system_aliases", SCOPE_LOCAL, false, NULL, redirect_aliases },
	{ "hub_user", SCOPE_LOCAL, true, is_satellite, redirect_hub_user },
	{ "hub_user_smarthost", SCOPE_LOCAL, true, is_hub_domain, smarthost_take },
	{ "userforward", SCOPE_LOCAL, true, NULL, forward_take },
	{ "procmail", SCOPE_LOCAL, true, NULL, procmail_take },
	{ "maildrop", SCOPE_LOCAL, true, NULL, maildrop_take },
	{ "local_user", SCOPE_LOCAL, true, is_not_root, local_user_take },
	{ "mail4root", SCOPE_LOCAL, false, is_root, redirect_mail4root },
};

/* Local part as passwd and aliases know it: quotes resolved. */
static const char *
local_name(struct arena *a, struct str local)
{
	char *name = arena_strz(a, local);
	char *to = name;

	if (local.n < 2 || local.p[0] != '"')
		return name;
	for (const char *p = name + 1; *p != '\0' && *p != '"'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		*to++ = *p;
	}
	*to = '\0';
	return name;
}

static struct str
lower(struct arena *a, struct str s)
{
	char *p = arena_strz(a, s);

	for (size_t i = 0; i < s.n; i++)
		p[i] = ascii_lower(p[i]);
	return str_at(p, s.n);
}

/* A recipient without a domain is looked up in the aliases even if the mail name is not ours. */
static bool
is_local(const struct route_env *e, const struct route *r)
{
	struct lsearch_entry entry;

	if (domain_is_local(e->conf, r->address.domain))
		return true;
	return r->unqualified && !routed_before(r, "system_aliases") &&
	    map_find(&e->aliases, str_of(local_name(e->arena, r->address.local)), e->arena, &entry);
}

static bool
scope_fits(const struct router *router, struct subject *s)
{
	return router->scope == SCOPE_ANY || (router->scope == SCOPE_LOCAL) == s->is_local;
}

/* May this router be asked?  real_local knows the user without its prefix. */
static bool
may_ask(const struct router *router, struct subject *s)
{
	const struct route_env *e = s->e;

	if (!scope_fits(router, s) || routed_before(s->r, router->name) ||
	    (router->active != NULL && !router->active(s)))
		return false;
	if (router->active == real_active)
		s->local += sizeof real_prefix - 1;
	if (!router->check_user)
		return true;
	if (s->user == -2)
		s->user = e->user_exists(e->ctx, s->local);
	return s->user != 0;
}

bool
route_is_private(const struct route *r, const char *viewer)
{
	for (; r != NULL && viewer != NULL; r = r->parent)
		if (r->router != NULL && strcmp(r->router, "userforward") == 0 &&
		    !str_eq(r->address.local, str_of(viewer)))
			return true;
	return false;
}

/* In small letters, which Exim routes in. */
static void
tell(const struct router *router, const struct subject *s)
{
	struct str domain = s->r->address.domain;
	char *text = router->scope == SCOPE_ANY ?
	    arena_fmt(s->e->arena, "%.*s", S_ARG(domain)) :
	    arena_fmt(s->e->arena, "%s@%.*s", s->local, S_ARG(domain));

	for (char *p = text; *p != '\0'; p++)
		*p = ascii_lower(*p);
	if (!route_is_private(s->r, s->e->viewer))
		trace_line(s->e->trace, TRACE_NOTE, "R: %s for %s", router->name, text);
}

/* One router's turn.  True: taken. */
static bool
ask(const struct router *router, struct subject *s)
{
	const char *name = s->local;
	bool taken = false;

	if (may_ask(router, s)) {
		tell(router, s);
		if (router->check_user && s->user < 0)
			taken = subject_refuse(s, FAIL_TEMP,
			    "cannot say now whether %s is a user: the user database "
			    "does not answer",
			    s->local);
		else
			taken = router->take(s);
	}
	if (taken)
		s->r->router = router->name;
	if (s->local != name) { /* the next routers see the whole local part */
		s->local = name;
		s->user = -2;
	}
	return taken;
}

size_t
route_addresses_max(const struct conf *c)
{
	return c->recipients_max > 0 ? (size_t)c->recipients_max : ROUTE_ADDRESSES_MAX;
}

static size_t
ancestors(const struct route *r)
{
	size_t n = 0;

	for (const struct route *p = r->parent; p != NULL; p = p->parent)
		n++;
	return n;
}

/* made: addresses that the recipient is now. */
static void
choose(struct subject *s, size_t made)
{
	const struct route_env *e = s->e;
	struct route *r = s->r;
	struct fail f = FAIL_INIT;

	if (r->router != NULL) /* a pipe, a file: its parent's router said all */
		return;
	s->is_local = is_local(e, r);
	if (s->is_local)
		r->address.local = lower(e->arena, r->address.local);
	s->local = local_name(e->arena, r->address.local);
	r->text = mailbox_text(e->arena, r->address);
	if (ancestors(r) > ROUTE_ANCESTORS_MAX) {
		(void)subject_refuse(s, FAIL_TEMP,
		    "routing loop: %s goes from one address to another, and on", r->original);
		return;
	}
	if (made > route_addresses_max(e->conf)) {
		(void)subject_refuse(s, FAIL_PERM,
		    "%s becomes more than %zu addresses (recipients_max)", r->original,
		    route_addresses_max(e->conf));
		return;
	}
	for (size_t i = 0; i < sizeof routers / sizeof routers[0]; i++)
		if (ask(&routers[i], s))
			return;
	(void)fail_set(&f, FAIL_PERM, STAGE_ROUTE, 0, "Unrouteable address");
	(void)snprintf(f.dsn, sizeof f.dsn, "5.1.1");
	f.exit = EX_NOUSER;
	route_failed(e->arena, r, &f);
}

static void
route_one(struct subject *s, size_t made)
{
	struct fail f = FAIL_INIT;

	choose(s, made);
	/* what was not found may be in what could not be read */
	if (!map_intact(&s->e->aliases, &f) || !map_intact(&s->e->hubbed_hosts, &f))
		(void)subject_refuse(s, FAIL_TEMP, "%s", f.text);
}

struct route *
subject_child(struct subject *s, struct mailbox address, const char *text)
{
	struct arena *a = s->e->arena;
	struct route *r = arena_alloc(a, sizeof *r);

	*r = (struct route){ .address = address,
		.text = text,
		.parent = s->r,
		.original = s->r->original,
		.outcome = ROUTE_FAIL };
	s->children = arena_grow(a, s->children, s->nchildren, sizeof(void *));
	return s->children[s->nchildren++] = r;
}

void
route_address(const struct route_env *e, struct mailbox address, bool unqualified,
    const char *original, struct routes *out)
{
	struct route *r = arena_alloc(e->arena, sizeof *r);
	struct route **pending = NULL; /* the next one is the last */
	size_t npending = 0, made = 1;

	*r = (struct route){ .address = address, .original = original, .unqualified = unqualified };
	for (;;) {
		struct subject s = { .e = e, .r = r, .user = -2 };

		out->list = arena_grow(e->arena, out->list, out->n, sizeof(void *));
		out->list[out->n++] = r;
		route_one(&s, made);
		if (r->outcome == ROUTE_PARENT && s.nchildren > 0)
			made += s.nchildren - 1;
		while (r->outcome == ROUTE_PARENT && s.nchildren > 0) {
			pending = arena_grow(e->arena, pending, npending, sizeof(void *));
			pending[npending++] = s.children[--s.nchildren];
		}
		if (npending == 0)
			return;
		r = pending[--npending];
	}
}

bool
route_open(struct route_env *e, struct fail *f)
{
	return map_open(&e->aliases, e->arena, e->conf->aliases, f) &&
	    map_open(&e->hubbed_hosts, e->arena, e->conf->hubbed_hosts, f);
}
