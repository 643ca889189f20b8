/* debian.c - what the keys of update-exim4.conf.conf and Debian's macros mean here. */
#include "conf/debian.h"

#include "conf/table.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Macros that do not stand for one option each. */
enum test { TEST_ANY, TEST_EQUAL, TEST_LIST, TEST_NO_LIST };

static const struct mapping {
	const char *macro;
	enum test test;
	const char *wanted; /* of TEST_EQUAL */
	enum conf_option option;
	const char *value; /* NULL: the macro's own */
} mappings[] = {
	{ "REMOTE_SMTP_SMARTHOST_PROTOCOL", TEST_EQUAL, "smtps", CONF_tls, "implicit" },
	{ "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS", TEST_LIST, NULL, CONF_tls, "starttls" },
	{ "REMOTE_SMTP_SMARTHOST_HOSTS_AVOID_TLS", TEST_EQUAL, "*", CONF_tls, "off" },
	{ "REMOTE_SMTP_SMARTHOST_TLS_VERIFY_HOSTS", TEST_NO_LIST, NULL, CONF_tls_verify, "no" },
	{ "MAIN_PRIMARY_HOSTNAME_AS_QUALIFY_DOMAIN", TEST_ANY, NULL, CONF_qualify_domain, "@" },
	{ "ETC_MAILNAME", TEST_ANY, NULL, CONF_qualify_domain, NULL },
};

/* Keys that have a meaning for Exim or its scripts and none here. */
static const char *const no_matter[] = { "dc_local_interfaces", "dc_relay_domains", "dc_relay_nets",
	"dc_minimaldns", "dc_mailname_in_oh", "CFILEMODE", "ue4c_keepcomments" };

struct conf_macros *
debian_state(struct conf *c)
{
	if (c->macros == NULL)
		c->macros = arena_alloc(c->arena, sizeof *c->macros);
	return c->macros;
}

const struct assignment *
debian_find(const struct assignment *list, size_t n, struct str name)
{
	while (n > 0)
		if (str_eq(list[--n].name, name))
			return &list[n];
	return NULL;
}

static struct assignment *
add(struct arena *a, struct assignment *list, size_t *n, const struct assignment *one)
{
	list = arena_grow(a, list, *n, sizeof *list);
	list[(*n)++] =
	    (struct assignment){ arena_str(a, one->name), arena_str(a, one->value), one->where };
	return list;
}

void
debian_define(struct conf *c, const struct assignment *one)
{
	struct conf_macros *m = debian_state(c);

	if (m->n < MACROS_MAX)
		m->macros = add(c->arena, m->macros, &m->n, one);
}

/* Is there any item in a list of hosts? */
static bool
is_list(struct str value)
{
	while (value.n > 0 && (ascii_space(value.p[0]) || value.p[0] == ':'))
		value = str_skip(value, 1);
	return value.n > 0;
}

static bool
applies(const struct mapping *m, struct str value)
{
	switch (m->test) {
	case TEST_ANY:
		return true;
	case TEST_EQUAL:
		return str_ieq(value, str_of(m->wanted));
	case TEST_LIST:
		return is_list(value);
	case TEST_NO_LIST:
		return !is_list(value);
	}
	return false;
}

/* A wrong value where security hangs on it stops everything; elsewhere it is passed over. */
static bool
settle(struct conf *c, enum conf_option o, bool ok, struct fail *f)
{
	if (ok)
		return true;
	if (conf_is_security(o) || o == CONF_configtype)
		return false;
	conf_warn(c, "%s; ignored", f->text);
	return true;
}

/* The stricter of several macros about TLS wins, in whatever order they stand. */
static bool
is_weaker(const struct conf *c, const struct mapping *m)
{
	static const unsigned strength[] = {
		[TLS_OFF] = 1, [TLS_AUTO] = 0, [TLS_STARTTLS] = 2, [TLS_IMPLICIT] = 3
	};
	unsigned new = strcmp(m->value, "off") == 0 ? 1 : strcmp(m->value, "starttls") == 0 ? 2 : 3;

	return new < strength[c->tls];
}

static bool
mapped(struct conf *c, const struct mapping *m, const struct assignment *one, struct fail *f)
{
	struct str value = m->value != NULL ? str_of(m->value) : one->value;

	if (!applies(m, one->value)) {
		if (m->test == TEST_EQUAL && is_list(one->value))
			conf_warn(c,
			    "%s:%u: %s = %.*s is not \"%s\": ignored, TLS is used as tls says",
			    one->where.file, one->where.line, m->macro, S_ARG(one->value),
			    m->wanted);
		return true;
	}
	if (m->option == CONF_tls && m->value != NULL && is_weaker(c, m))
		return true;
	return conf_set(c, str_of(conf_rows[m->option].name), value, one->where, f);
}

static bool
unknown(struct conf *c, const struct assignment *one, struct fail *f)
{
	enum conf_option o;
	size_t edits;
	const char *near = conf_nearest(one->name, &o, &edits);

	if (edits <= 2 && conf_is_security(o))
		return fail_conf(f, "%s:%u: %.*s means nothing; is it %s?", one->where.file,
		    one->where.line, S_ARG(one->name), near);
	conf_warn(c, "%s:%u: %.*s has no meaning for onehop", one->where.file, one->where.line,
	    S_ARG(one->name));
	return true;
}

/* Exim expands values; here a "$" means one thing only, the home of maildir_directory. */
static bool
is_expansion(enum conf_option o, struct str value)
{
	return o != CONF_maildir_directory && str_find(value, '$') < value.n;
}

bool
debian_apply(struct conf *c, const struct assignment *one, bool ours, struct fail *f)
{
	enum conf_option o = conf_find(one->name);
	struct str value = one->value;

	for (size_t i = 0; i < sizeof mappings / sizeof mappings[0]; i++)
		if (str_eq(one->name, str_of(mappings[i].macro)))
			return mapped(c, &mappings[i], one, f);
	if (o == CONF_COUNT)
		return !ours || unknown(c, one, f);
	if (is_expansion(o, value))
		return settle(c, o,
		    fail_conf(f,
			"%s:%u: %.*s uses Exim's string expansion, which is "
			"not evaluated here; write the value",
			one->where.file, one->where.line, S_ARG(one->name)),
		    f);
	if (str_starts(value, STR("CONFDIR/")))
		value = str_of(
		    arena_fmt(c->arena, "%s/exim4%.*s", c->etc, S_ARG(str_skip(value, 7))));
	return settle(c, o, conf_set(c, one->name, value, one->where, f), f);
}

/* As "echo $x | tr A-Z a-z" of update-exim4.conf: blanks folded, ends trimmed, lower case.  A path
 * is onehop's own addition to the syntax and keeps its capitals. */
static struct str
fold(struct arena *a, struct str s)
{
	bool path = str_find(s, '/') < s.n;
	char *p;
	size_t n = 0;

	s = str_trim(s);
	p = arena_alloc(a, s.n + 1);
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_space(s.p[i]))
			p[n++] = path ? s.p[i] : ascii_lower(s.p[i]);
		else if (!ascii_space(s.p[i - 1]))
			p[n++] = ' ';
	}
	return str_at(p, n);
}

static bool
split_config(struct conf *c, const struct assignment *one, struct fail *f)
{
	if (str_eq(one->value, STR("true")))
		debian_state(c)->split = true;
	else if (one->value.n == 0 || str_eq(one->value, STR("false")))
		debian_state(c)->split = false;
	else
		return fail_conf(f, "%s:%u: dc_use_split_config is true or false, not \"%.*s\"",
		    one->where.file, one->where.line, S_ARG(one->value));
	return true;
}

static bool
key(struct conf *c, struct assignment *one, struct fail *f)
{
	enum conf_option o = conf_find(one->name);

	if (str_eq(one->name, STR("dc_use_split_config"))) {
		one->value = fold(c->arena, one->value);
		return split_config(c, one, f);
	}
	if (o == CONF_COUNT)
		return unknown(c, one, f);
	if (str_starts(one->name, STR("dc_")))
		one->value = fold(c->arena, one->value);
	return settle(c, o, conf_set(c, one->name, one->value, one->where, f), f);
}

bool
debian_set(
    struct conf *c, struct str name, struct str value, struct conf_origin where, struct fail *f)
{
	struct assignment one = { name, value, where };
	struct conf_macros *m = debian_state(c);

	if (m->nvariables < MACROS_MAX)
		m->variables = add(c->arena, m->variables, &m->nvariables, &one);
	for (size_t i = 0; i < sizeof no_matter / sizeof no_matter[0]; i++)
		if (str_eq(name, str_of(no_matter[i])))
			return true;
	if (ascii_lower(name.p[0]) == name.p[0])
		return key(c, &one, f);
	if (debian_find(m->macros, m->n, name) != NULL)
		return true; /* update-exim4.conf writes ".ifndef" around each: the first counts */
	debian_define(c, &one);
	return debian_apply(c, &one, true, f);
}
