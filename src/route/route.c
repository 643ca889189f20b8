/* route.c - where each recipient lives: the routers, in Debian's order. */
#include "route/route.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/file.h"
#include "conf/lsearch.h"
#include "conf/names.h"
#include "route/walk.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct router {
	const char *name;
	enum { SCOPE_ANY, SCOPE_REMOTE, SCOPE_LOCAL } scope;
	bool check_user;                         /* only for a user with a passwd entry */
	bool (*active)(const struct subject *s); /* NULL: always */
	bool (*take)(struct subject *s);         /* false: declined */
};

static bool
outcome(struct subject *s, enum route_outcome how, enum fail_class cls, const char *text)
{
	s->r->outcome = how;
	(void)fail_set(&s->r->fail, cls, STAGE_ROUTE, 0, "%s", text);
	return true;
}

bool
subject_defer(struct subject *s, const char *fmt, ...)
{
	char text[FAIL_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return outcome(s, ROUTE_DEFER, FAIL_TEMP, text);
}

bool
subject_fail(struct subject *s, const char *fmt, ...)
{
	char text[FAIL_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return outcome(s, ROUTE_FAIL, FAIL_PERM, text);
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
hubbed_active(const struct subject *s)
{
	const struct route_env *e = s->walk->e;
	struct lsearch_entry entry;

	return lsearch_find_partial(e->hubbed_hosts, s->r->address.domain, e->arena, &entry);
}

static bool
hubbed_take(struct subject *s)
{
	const struct route_env *e = s->walk->e;
	struct lsearch_entry entry;
	struct str v;

	if (!lsearch_find_partial(e->hubbed_hosts, s->r->address.domain, e->arena, &entry))
		return false;
	v = str_trim(entry.value);
	if (v.n > 0 && v.p[0] == '"') {
		v = str_skip(v, 1);
		v = str_at(v.p, str_find(v, '"'));
	} else { /* behind the list stand Exim's options (byname, MX randomizing) */
		v = str_at(v.p, str_find(v, ' '));
		v = str_at(v.p, str_find(v, '\t'));
	}
	s->r->hosts = arena_strz(e->arena, v);
	return deliver(s, TRANSPORT_REMOTE);
}

static bool
has_smarthost(const struct subject *s)
{
	return s->walk->e->conf->configtype != TYPE_LOCAL;
}

static bool
has_no_smarthost(const struct subject *s)
{
	return !has_smarthost(s);
}

static bool
smarthost_take(struct subject *s)
{
	const struct conf *c = s->walk->e->conf;

	if (c->smarthost[0] == '\0')
		return subject_defer(s,
		    "no smarthost is set: write smarthost (dc_smarthost) into %s",
		    c->file != NULL ? c->file : "/etc/onehop/onehop.conf");
	s->r->hosts = c->smarthost;
	return deliver(s, TRANSPORT_SMARTHOST);
}

static bool
nonlocal_take(struct subject *s)
{
	return subject_fail(s, "Mailing to remote domains not supported");
}

/* --- local domains --- */

static bool
local_transport(struct subject *s, const char *user)
{
	static const struct {
		const char *name;
		enum transport transport;
	} names[] = {
		{ "maildir_home", TRANSPORT_MAILDIR },
		{ "mail_spool", TRANSPORT_SPOOL },
		{ "procmail_pipe", TRANSPORT_PROCMAIL },
		{ "maildrop_pipe", TRANSPORT_MAILDROP },
	};
	const struct conf *c = s->walk->e->conf;
	const char *how = c->local_delivery;

	s->r->user = user;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(how, names[i].name) == 0)
			return deliver(s, names[i].transport);
	if (str_starts(str_of(how), STR("lmtp:/"))) {
		s->r->hosts = how;
		return deliver(s, TRANSPORT_LMTP);
	}
	if (strcmp(how, "none") == 0)
		return subject_fail(s, "local delivery is switched off: local_delivery = none (%s)",
		    conf_where(c, CONF_local_delivery));
	return subject_defer(s,
	    "local_delivery = %s (%s) is not one of maildir_home, mail_spool, procmail_pipe, "
	    "maildrop_pipe, lmtp:/path, none",
	    how, conf_where(c, CONF_local_delivery));
}

static const char real_prefix[] = "real-";

/* The prefix is not part of the user's name; the address keeps it. */
static bool
real_active(const struct subject *s)
{
	return str_starts(str_of(s->local), str_of(real_prefix));
}

static bool
real_take(struct subject *s)
{
	return local_transport(s, s->local);
}

static bool
aliases_active(const struct subject *s)
{
	return s->local[0] != '\0';
}

static bool
is_satellite(const struct subject *s)
{
	return s->walk->e->conf->configtype == TYPE_SATELLITE;
}

static bool
is_hub_domain(const struct subject *s)
{
	return is_satellite(s) &&
	    str_ieq(s->r->address.domain, str_of(s->walk->e->conf->visible_name));
}

static bool
is_root(const struct subject *s)
{
	return strcmp(s->local, "root") == 0;
}

static bool
is_not_root(const struct subject *s)
{
	return !is_root(s);
}

/* Has an ancestor with this very address been through this router?  Then it would go round. */
static bool
routed_before(const struct route *r, const char *router)
{
	for (const struct route *p = r->parent; p != NULL; p = p->parent)
		if (p->router != NULL && strcmp(p->router, router) == 0 &&
		    str_ieq(p->address.local, r->address.local) &&
		    str_ieq(p->address.domain, r->address.domain))
			return true;
	return false;
}

/* Ask once, with the user's rights, what stands in the home.  Nobody becomes root for that. */
static bool
probe(struct subject *s)
{
	const struct route_env *e = s->walk->e;
	struct fail why = FAIL_INIT;

	if (s->probed)
		return true;
	s->probe = (struct probe){ .found = PROBE_MAILBOX };
	if (!is_root(s) &&
	    !e->probe(e->ctx, s->local, routed_before(s->r, "userforward"), &s->probe, &why)) {
		(void)subject_defer(s, "%s", why.text);
		s->r->fail = why;
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

static bool
local_user_take(struct subject *s)
{
	return local_transport(s, s->local);
}

static const struct router routers[] = {
	{ "hubbed_hosts", SCOPE_ANY, false, hubbed_active, hubbed_take },
	{ "smarthost", SCOPE_REMOTE, false, has_smarthost, smarthost_take },
	{ "nonlocal", SCOPE_REMOTE, false, has_no_smarthost, nonlocal_take },
	{ "real_local", SCOPE_LOCAL, true, real_active, real_take },
	{ "system_aliases", SCOPE_LOCAL, false, aliases_active, redirect_aliases },
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
is_local(const struct walk *w, const struct route *r)
{
	const struct route_env *e = w->e;
	struct lsearch_entry entry;

	if (domain_is_local(e->conf, r->address.domain))
		return true;
	return r->unqualified && !routed_before(r, "system_aliases") &&
	    lsearch_find(
		e->aliases, str_of(local_name(e->arena, r->address.local)), e->arena, &entry);
}

static bool
scope_fits(const struct router *router, const struct subject *s)
{
	return router->scope == SCOPE_ANY || (router->scope == SCOPE_LOCAL) == s->is_local;
}

/* May this router be asked?  real_local knows the user without its prefix. */
static bool
may_ask(const struct router *router, struct subject *s)
{
	const struct route_env *e = s->walk->e;

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

/* One router's turn.  True: taken. */
static bool
ask(const struct router *router, struct subject *s)
{
	const struct route_env *e = s->walk->e;
	const char *name = s->local;
	bool taken = false;

	if (may_ask(router, s)) {
		if (router->scope == SCOPE_ANY)
			trace_line(e->trace, TRACE_NOTE, "R: %s for %.*s", router->name,
			    S_ARG(s->r->address.domain));
		else
			trace_line(e->trace, TRACE_NOTE, "R: %s for %s@%.*s", router->name,
			    s->local, S_ARG(s->r->address.domain));
		if (router->check_user && s->user < 0)
			taken = subject_defer(s,
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

static void
unrouteable(struct subject *s)
{
	(void)subject_fail(s, "Unrouteable address");
	(void)snprintf(s->r->fail.dsn, sizeof s->r->fail.dsn, "5.1.1");
	s->r->fail.exit = EX_NOUSER;
}

static size_t
ancestors(const struct route *r)
{
	size_t n = 0;

	for (const struct route *p = r->parent; p != NULL; p = p->parent)
		n++;
	return n;
}

static void
route_one(struct walk *w, struct route *r)
{
	struct subject s = { .walk = w, .r = r, .user = -2 };

	if (r->router != NULL) /* a pipe, a file: its parent's router said all */
		return;
	s.is_local = is_local(w, r);
	if (s.is_local)
		r->address.local = lower(w->e->arena, r->address.local);
	s.local = local_name(w->e->arena, r->address.local);
	r->text = mailbox_text(w->e->arena, r->address);
	if (ancestors(r) > ROUTE_ANCESTORS_MAX || w->made > ROUTE_ADDRESSES_MAX) {
		(void)subject_defer(&s, "routing loop: %s became too many addresses", r->original);
		return;
	}
	for (size_t i = 0; i < sizeof routers / sizeof routers[0]; i++)
		if (ask(&routers[i], &s))
			return;
	unrouteable(&s);
}

struct route *
walk_make(struct walk *w, const struct route *parent, struct mailbox address, const char *text)
{
	struct route *r = arena_alloc(w->e->arena, sizeof *r);

	w->made++;
	r->address = address;
	r->text = text;
	r->parent = parent;
	r->original = parent != NULL ? parent->original : text;
	r->outcome = ROUTE_FAIL;
	return r;
}

void
walk_push(struct walk *w, struct route *const *list, size_t n)
{
	while (n-- > 0) {
		w->pending = arena_grow(w->e->arena, w->pending, w->npending, sizeof(void *));
		w->pending[w->npending++] = list[n];
	}
}

void
route_address(const struct route_env *e, struct mailbox address, bool unqualified,
    const char *original, struct routes *out)
{
	struct walk w = { .e = e };
	struct route *r = walk_make(&w, NULL, address, original);

	r->unqualified = unqualified;
	walk_push(&w, &r, 1);
	while (w.npending > 0) {
		r = w.pending[--w.npending];
		out->list = arena_grow(e->arena, out->list, out->n, sizeof(void *));
		out->list[out->n++] = r;
		route_one(&w, r);
	}
}

static bool
read_optional(struct arena *a, const char *path, struct str *out, struct fail *f)
{
	struct fail why = FAIL_INIT;

	*out = STR("");
	if (path[0] == '\0' || file_read(a, path, out, &why) || why.sys == ENOENT)
		return true;
	*f = why;
	return false;
}

bool
route_open(struct route_env *e, struct fail *f)
{
	e->aliases_file = e->conf->aliases;
	return read_optional(e->arena, e->conf->aliases, &e->aliases, f) &&
	    read_optional(e->arena, e->conf->hubbed_hosts, &e->hubbed_hosts, f);
}
