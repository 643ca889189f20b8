/* routes.c - -bt, -bv and -bi: where addresses go, and why. */
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "front/show.h"
#include "front/transcript.h"
#include "local/client.h"
#include "mail/list.h"
#include "net/resolve.h"
#include "route/alias.h"
#include "route/route.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { SMTP_PORT = 25 };

struct looking {
	struct session_start *start;
	struct route_env env;
	struct buf out;
	int status;         /* 0, 1 deferred, 2 failed: the worst */
	const char **shown; /* the addresses of deliveries that were shown */
	size_t nshown;
};

static void
worse(struct looking *l, int status)
{
	if (status > l->status)
		l->status = status;
}

static unsigned
port_of(const struct endpoint *e)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	switch (e->addr.ss_family) {
	case AF_INET6:
		memcpy(&six, &e->addr, sizeof six);
		return ntohs(six.sin6_port);
	case AF_INET:
		memcpy(&four, &e->addr, sizeof four);
		return ntohs(four.sin_port);
	default:
		return 0;
	}
}

static int
wider(int width, const char *text)
{
	return text != NULL && (int)strlen(text) > width ? (int)strlen(text) : width;
}

/* The hosts that would be tried: "  host NAME [IP] port=N", both padded to the same width. */
static bool
add_hosts(struct looking *l, const struct route *r, struct buf *lines, struct fail *f)
{
	const struct conf *c = &l->start->conf;
	struct arena *a = l->start->arena;
	struct resolve_options how = { SMTP_PORT, c->ip_family,
		clock_ms() + (int64_t)c->connect_timeout * 1000, NULL, NULL };
	struct host *hosts;
	size_t n, found = 0;
	int width = 0, ip_width = 0;

	if (!hostlist_of_route(c, a, r->hosts, &hosts, &n, f))
		return false;
	struct resolved *all = arena_array(a, n, sizeof *all);

	for (size_t i = 0; i < n; i++) {
		if (!resolve_host(a, &hosts[i], &how, &all[i], f))
			continue;
		found++;
		width = wider(width, all[i].canonical);
		for (size_t k = 0; k < all[i].n; k++)
			ip_width = wider(ip_width, all[i].list[k].ip);
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < all[i].n; k++) {
			const struct endpoint *e = &all[i].list[k];

			buf_fmt(lines, "  host %-*s", width, all[i].canonical);
			if (e->ip[0] != '\0')
				buf_fmt(
				    lines, " [%s]%*s", e->ip, ip_width - (int)strlen(e->ip), "");
			if (hosts[i].port != 0)
				buf_fmt(lines, " port=%u", port_of(e));
			buf_char(lines, '\n');
		}
	return found > 0;
}

/* A recipient is shown as it was given, capitals and all; what it became as routing has it. */
static const char *
shown_address(const struct route *r)
{
	return r->parent == NULL ? r->original : r->text;
}

static void
add_parents(struct looking *l, const struct route *r)
{
	for (const struct route *p = r->parent; p != NULL; p = p->parent)
		buf_fmt(&l->out, "    <-- %s\n", shown_address(p));
}

static void
add_failure(struct looking *l, const struct route *r, const struct fail *f, bool for_good)
{
	worse(l, for_good ? 2 : 1);
	buf_fmt(&l->out, "%s %s: %s\n", shown_address(r),
	    for_good ? "is undeliverable" : "cannot be resolved at this time", f->text);
	add_parents(l, r);
}

static bool
is_duplicate(struct looking *l, const char *address)
{
	for (size_t i = 0; i < l->nshown; i++)
		if (strcmp(l->shown[i], address) == 0)
			return true;
	l->shown = arena_grow(l->start->arena, l->shown, l->nshown, sizeof *l->shown);
	l->shown[l->nshown++] = address;
	return false;
}

/* A pipe, a file or a directory, which has no routers of its own. */
static bool
is_end(const struct route *r)
{
	return r->parent != NULL &&
	    (r->transport == TRANSPORT_PIPE || r->transport == TRANSPORT_FILE ||
		r->transport == TRANSPORT_DIRECTORY || r->transport == TRANSPORT_BYPASSED);
}

static void
add_end(struct looking *l, const struct route *r)
{
	buf_fmt(&l->out, "%s -> %s\n  transport = %s\n", shown_address(r->parent), r->text,
	    transport_name(r->transport == TRANSPORT_BYPASSED ? TRANSPORT_FILE : r->transport));
}

static void
add_delivery(struct looking *l, const struct route *r)
{
	AUTO_BUF struct buf hosts = BUF_INIT(65536);
	struct fail f = FAIL_INIT;

	if (r->hosts != NULL && !add_hosts(l, r, &hosts, &f)) {
		add_failure(l, r, &f, false);
		return;
	}
	buf_fmt(&l->out, "%s%s\n", shown_address(r),
	    is_duplicate(l, shown_address(r)) ? "   [duplicate, would not be delivered]" : "");
	add_parents(l, r);
	buf_fmt(
	    &l->out, "  router = %s, transport = %s\n", r->router, transport_name(r->transport));
	buf_put(&l->out, buf_get(&hosts));
}

/* As Exim: what failed and what needs no router first, then local deliveries, then remote ones. */
static void
add_routes(struct looking *l, const struct routes *all)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct route *r = all->list[i];

		if (r->outcome == ROUTE_FAIL || r->outcome == ROUTE_DEFER)
			add_failure(l, r, fail_of(r->fail), r->outcome == ROUTE_FAIL);
		else if (r->outcome != ROUTE_PARENT && is_end(r))
			add_end(l, r);
		else if (r->outcome == ROUTE_DISCARD)
			buf_fmt(&l->out, "mail to %s is discarded\n", r->original);
	}
	for (int remote = 0; remote < 2; remote++)
		for (size_t i = 0; i < all->n; i++) {
			const struct route *r = all->list[i];

			if (r->outcome == ROUTE_DELIVER && !is_end(r) &&
			    transport_is_local(r->transport) == (remote == 0))
				add_delivery(l, r);
		}
}

/* What an address became, if that is one address alone. */
static const struct route *
only_child(const struct routes *all, const struct route *parent)
{
	const struct route *child = NULL;

	for (size_t i = 0; i < all->n; i++) {
		if (all->list[i]->parent != parent)
			continue;
		if (child != NULL)
			return NULL;
		child = all->list[i];
	}
	return child;
}

/* -bv says one line an address: it stands or falls as it was given, or with the one that it is
 * another name of. */
static void
add_verdict(struct looking *l, const struct routes *all, const char *address)
{
	const struct route *r = NULL, *next = only_child(all, NULL);

	while (next != NULL) {
		r = next;
		next = only_child(all, r);
	}
	if (r == NULL || (r->outcome != ROUTE_FAIL && r->outcome != ROUTE_DEFER)) {
		buf_fmt(&l->out, "%s verified\n", address);
		return;
	}
	worse(l, r->outcome == ROUTE_FAIL ? 2 : 1);
	buf_fmt(&l->out, "%s %s: %s\n", address,
	    r->outcome == ROUTE_FAIL ? "failed to verify" : "cannot be resolved at this time",
	    fail_of(r->fail)->text);
}

static void
look(struct looking *l, const char *argument)
{
	struct arena *a = l->start->arena;
	struct address_list list = address_list_open(str_of(argument));
	struct address item;

	while (address_list_next(&list, a, &item)) {
		struct routes all = { .n = 0 };
		struct mailbox m = item.box;
		struct fail f = FAIL_INIT;
		const char *text;

		if (item.bad || !mailbox_ok(m, &f)) {
			buf_fmt(&l->out, "syntax error: %s\n", item.bad ? item.reason : f.text);
			worse(l, 2);
			continue;
		}
		if (m.domain.n == 0)
			m.domain = str_of(l->start->conf.qualify_domain);
		text = mailbox_text(a, m);
		route_address(&l->env, m, item.box.domain.n == 0, text, &all);
		if (l->start->cmd->mode == MODE_VERIFY)
			add_verdict(l, &all, text);
		else
			add_routes(l, &all);
	}
}

static bool
say(struct looking *l)
{
	bool ok = buf_ok(&l->out) && fd_write_full(STDOUT_FILENO, buf_get(&l->out).p, l->out.n);

	buf_reset(&l->out);
	return ok;
}

/* Without arguments the addresses are on standard input, each answered before the next is read. */
static bool
look_at_lines(struct looking *l)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	bool ok;

	buf_str(&l->out, "> ");
	while ((ok = say(l)) && (n = getline(&line, &room, stdin)) >= 0) {
		look(l, arena_strz(l->start->arena, str_trim(str_at(line, (size_t)n))));
		buf_str(&l->out, "> ");
	}
	free(line);
	buf_char(&l->out, '\n');
	return ok && say(l);
}

int
show_routes(struct session_start *s)
{
	struct transcript t = { .fd = STDERR_FILENO, .verbose = s->cmd->mode == MODE_TEST };
	struct trace trace = transcript_trace(&t);
	struct local_asker asker = { &s->conf, s->arena };
	struct looking l = { .start = s, .out = BUF_INIT(1 << 24) };
	struct fail f = FAIL_INIT;
	bool ok;

	l.env = (struct route_env){ .conf = &s->conf,
		.arena = s->arena,
		.trace = &trace,
		.probe = local_probe_for_route,
		.user_exists = local_user_exists,
		.ctx = &asker };
	if (!show_as_sender(s, &f) || !route_open(&l.env, &f))
		return cli_complain(&f);
	for (size_t i = 0; i < s->cmd->narguments; i++)
		look(&l, s->cmd->arguments[i]);
	ok = s->cmd->narguments > 0 ? say(&l) : look_at_lines(&l);
	buf_free(&l.out);
	return ok ? l.status : EX_IOERR;
}

struct alias_check {
	struct arena *a;
	const char *file;
	int status;
};

static void
check_alias(void *ctx, const struct lsearch_entry *entry)
{
	struct alias_check *k = ctx;
	struct alias_list l = alias_list_open(entry->value);
	struct alias_item item;

	while (alias_list_next(&l, k->a, &item)) {
		const char *fault = alias_fault(k->a, &item);
		struct fail f = FAIL_INIT;

		if (fault == NULL)
			continue;
		(void)fail_set(&f, FAIL_USER, STAGE_ADDRESS, 0, "%s:%u: alias %.*s: %.*s: %s",
		    k->file, entry->line, S_ARG(entry->key), S_ARG(item.text), fault);
		k->status = cli_complain(&f);
	}
}

int
show_aliases(struct session_start *s)
{
	struct route_env env = { .conf = &s->conf, .arena = s->arena };
	struct alias_check k = { .a = s->arena, .status = EX_OK };
	struct fail f = FAIL_INIT;

	if (!route_open(&env, &f))
		return cli_complain(&f);
	k.file = env.aliases.path;
	if (!map_each(&env.aliases, check_alias, &k, &f))
		return cli_complain(&f);
	return k.status;
}
