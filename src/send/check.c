/* check.c - can this configuration work? */
#include "send/check.h"

#include <errno.h>
#include <stdarg.h>

#include "mail/hostlist.h"
#include "mail/rewrite.h"
#include "net/sasl.h"
#include "net/tls.h"
#include "route/alias.h"
#include "route/route.h"
#include "send/command.h"
#include "send/passwd.h"
#include "send/values.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct check {
	struct arena *a;
	const struct conf *c;
	struct buf *wrong, *notes;
	bool login; /* there is one, or it cannot be said that there is none */
};

/* Append a line, unless it is there already. */
PRINTF(2, 0)
static void
add(struct buf *to, const char *fmt, va_list ap)
{
	char line[FAIL_TEXT];
	int n = vsnprintf(line, sizeof line - 1, fmt, ap);

	if (n < 0)
		return;
	if (n > (int)sizeof line - 2)
		n = (int)sizeof line - 2;
	line[n++] = '\n';
	if (to->n == 0 || memmem(to->p, to->n, line, (size_t)n) == NULL)
		buf_add(to, line, (size_t)n);
}

static void PRINTF(2, 3) wrong(const struct check *k, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(k->wrong, fmt, ap);
	va_end(ap);
}

static void PRINTF(2, 3) note(const struct check *k, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(k->notes, fmt, ap);
	va_end(ap);
}

static void
tell(void *ctx, const char *why)
{
	wrong(ctx, "%s", why);
}

/* What one option needs of another. */
static void
check_whole(const struct check *k, bool sections)
{
	const struct conf *c = k->c;

	if (c->configtype != TYPE_LOCAL && c->smarthost[0] == '\0') {
		const char *file = c->file != NULL ? c->file : "/etc/onehop/onehop.conf";

		if (sections)
			note(k, "Warning: %s: senders of no section have no smarthost", file);
		else
			wrong(k,
			    "no smarthost is set, and mail for other hosts waits: write smarthost "
			    "(dc_smarthost) into %s",
			    file);
	}
	if (c->configtype == TYPE_SATELLITE && c->visible_name[0] == '\0')
		wrong(k,
		    "%s: configtype = satellite needs visible_name (dc_readhost), the domain where "
		    "local users have their mail",
		    conf_where(c, CONF_configtype));
	if (c->tls_privatekey[0] != '\0' && c->tls_certificate[0] == '\0')
		wrong(k, "%s: tls_privatekey is for tls_certificate, which is not set",
		    conf_where(c, CONF_tls_privatekey));
}

/* ------------------------------------------------------------------ files */

static void
check_passwords(struct check *k)
{
	const struct conf *c = k->c;
	struct str command = str_of(c->password_command);
	struct fail f = FAIL_INIT;
	size_t lines = 0;
	bool own = command_login(&command).n > 0;

	if (!passwd_check(c, k->a, tell, k, &lines, &f)) {
		k->login = true;
		if (f.cls == FAIL_TEMP) /* not ours to read, or a credential of the units */
			note(k, "Not checked: %s", f.text);
		else
			wrong(k, "%s", f.text);
		return;
	}
	k->login = lines > 0 || own;
	if (c->password_command[0] != '\0' && !k->login)
		wrong(k,
		    "%s: password_command is for no login: write LOGIN:COMMAND, or HOST:LOGIN into "
		    "passwd.client",
		    conf_where(c, CONF_password_command));
}

struct table {
	struct check *k;
	const char *path;
};

static void
check_alias(void *ctx, const struct lsearch_entry *e)
{
	AUTO_ARENA struct arena a = { NULL };
	const struct table *t = ctx;
	struct alias_items items = { NULL, 0 };
	struct fail f = FAIL_INIT;

	if (!alias_expand(&a, e->value, route_addresses_max(t->k->c), &items, &f))
		wrong(t->k, "%s:%u: alias %.*s: %s", t->path, e->line, S_ARG(e->key), f.text);
	for (size_t i = 0; i < items.n; i++) {
		const struct alias_item *it = &items.list[i];
		const char *fault = alias_fault(&a, it);

		if (fault != NULL)
			wrong(t->k, "%s:%u: alias %.*s: %.*s: %s", t->path, e->line, S_ARG(e->key),
			    S_ARG(it->included != NULL ? str_of(it->included) : it->text), fault);
	}
}

static void
check_hub(void *ctx, const struct lsearch_entry *e)
{
	AUTO_ARENA struct arena a = { NULL };
	const struct table *t = ctx;
	struct fail f = FAIL_INIT;
	struct host *list;
	size_t n;

	if (!hostlist_parse(&a, route_hubs(&a, e->value), &list, &n, &f))
		wrong(t->k, "%s:%u: %s", t->path, e->line, f.text);
}

static void
check_sender(void *ctx, const struct lsearch_entry *e)
{
	AUTO_ARENA struct arena a = { NULL };
	const struct table *t = ctx;
	struct mailbox ignored;
	const char *why = rewrite_value(&a, e->value, &ignored);

	if (why != NULL)
		wrong(
		    t->k, "%s:%u: %.*s is not rewritten: %s", t->path, e->line, S_ARG(e->key), why);
	else if (str_find(e->key, '@') < e->key.n)
		note(t->k,
		    "%s:%u: %.*s never fits: a line begins with a local part, without domain",
		    t->path, e->line, S_ARG(e->key));
}

static void
check_map(struct check *k, const struct map *m,
    void (*each)(void *ctx, const struct lsearch_entry *e), struct fail *f)
{
	struct table t = { k, m->path };

	if (!map_each(m, each, &t, f))
		wrong(k, "%s", f->text);
}

static void
check_maps(struct check *k)
{
	const struct trace quiet = { NULL, NULL };
	struct route_env env = { .conf = k->c, .arena = k->a };
	struct rewrite senders;
	struct fail f = FAIL_INIT;

	if (!route_open(&env, &f)) {
		wrong(k, "%s", f.text);
	} else {
		check_map(k, &env.aliases, check_alias, &f);
		check_map(k, &env.hubbed_hosts, check_hub, &f);
	}
	if (!rewrite_open(&senders, k->c, k->a, &quiet, &f))
		wrong(k, "%s", f.text);
	else
		check_map(k, &senders.map, check_sender, &f);
}

/* ------------------------------------------------------------------ what is loaded */

/* A key that only user onehop may read is no fault. */
static bool
may_not_read(const struct check *k, const char *file)
{
	if (file[0] != '/' || access(file, R_OK) == 0 || errno != EACCES)
		return false;
	note(k, "Not checked: uid %u may not read %s", geteuid(), file);
	return true;
}

static void
check_tls(const struct check *k)
{
	struct conf c = *k->c;
	struct fail f = FAIL_INIT;
	bool proof = c.tls_verify == CHOICE_YES || (c.tls_verify == CHOICE_AUTO && k->login);

	if (c.configtype == TYPE_LOCAL || c.tls == TLS_OFF)
		return;
	if (may_not_read(k, c.tls_certificate) || may_not_read(k, c.tls_privatekey))
		c.tls_certificate = c.tls_privatekey = "";
	if (may_not_read(k, c.tls_trust_file))
		c.tls_trust_file = "";
	if (!tls_check(&c, proof, k->a, &f))
		wrong(k, "%s", f.text);
}

static void
check_libraries(const struct check *k)
{
	struct fail f = FAIL_INIT;

	if (k->login && !sasl_check(&f))
		note(k, "Warning: there is no SCRAM and no CRAM-MD5: %s", f.text);
}

/* before: what has been looked at, or NULL. */
static void
check_variant(struct check *k, const struct conf *c, const struct conf *before, bool sections)
{
	k->c = c;
	values_check(c, k->a, tell, k);
	check_whole(k, sections);
	check_passwords(k);
	if (before == NULL || strcmp(c->aliases, before->aliases) != 0 ||
	    strcmp(c->hubbed_hosts, before->hubbed_hosts) != 0 ||
	    strcmp(c->email_addresses, before->email_addresses) != 0)
		check_maps(k);
	check_tls(k);
	check_libraries(k);
}

void
check_conf(struct arena *a, const struct conf *c, struct buf *wrong_lines, struct buf *notes)
{
	struct check k = { .a = a, .wrong = wrong_lines, .notes = notes };
	size_t sections = conf_sections(c);

	check_variant(&k, c, NULL, sections > 0);
	if (sections > 0 && c->home == NULL && !c->force_sender)
		note(&k,
		    "Warning: %s: every user may send as a sender of a section, with the login "
		    "that is "
		    "for it: force_sender = yes would leave it to trusted_users and to the "
		    "sender's own",
		    c->file);
	for (size_t i = 0; i < sections; i++) {
		struct fail f = FAIL_INIT;
		struct conf with;

		if (conf_with_section(c, i, &with, &f))
			check_variant(&k, &with, c, true);
		else
			wrong(&k, "%s", f.text);
	}
}
