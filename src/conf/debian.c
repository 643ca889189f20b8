/* debian.c - what the keys of update-exim4.conf.conf and Debian's macros mean here. */
#include "conf/debian.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Macros that do not stand for one option each. */
enum test { TEST_ANY, TEST_WORD, TEST_LIST, TEST_NO_LIST };

static const struct mapping {
	const char *macro;
	enum test test;
	const char *wanted, *harmless; /* of TEST_WORD, parted by "|": they apply; they are news to
					* nobody */
	enum conf_option option;
	const char *value; /* NULL: the macro's own */
} mappings[] = {
	{ "REMOTE_SMTP_SMARTHOST_PROTOCOL", TEST_WORD, "smtps|submissions", "smtp", CONF_tls,
	    "implicit" },
	{ "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS", TEST_LIST, NULL, NULL, CONF_tls, "starttls" },
	{ "REMOTE_SMTP_SMARTHOST_TLS_VERIFY_HOSTS", TEST_NO_LIST, NULL, NULL, CONF_tls_verify,
	    "no" },
	{ "MAIN_PRIMARY_HOSTNAME_AS_QUALIFY_DOMAIN", TEST_ANY, NULL, NULL, CONF_qualify_domain,
	    "@" },
	{ "ETC_MAILNAME", TEST_ANY, NULL, NULL, CONF_qualify_domain, NULL },
};

/* Keys that have a meaning for Exim or its scripts and none here. */
static const char *const no_matter[] = { "dc_local_interfaces", "dc_relay_domains", "dc_relay_nets",
	"dc_minimaldns", "dc_mailname_in_oh", "CFILEMODE", "ue4c_keepcomments" };

/* Is there any item in a list of hosts? */
static bool
is_list(struct str value)
{
	while (value.n > 0 && (ascii_space(value.p[0]) || value.p[0] == ':'))
		value = str_skip(value, 1);
	return value.n > 0;
}

static bool
is_one_of(struct str value, const char *words)
{
	struct str rest = str_of(words);

	while (rest.p != NULL)
		if (str_ieq(str_cut(&rest, '|'), value))
			return true;
	return false;
}

static bool
applies(const struct mapping *m, struct str value)
{
	switch (m->test) {
	case TEST_ANY:
		return true;
	case TEST_WORD:
		return is_one_of(value, m->wanted);
	case TEST_LIST:
		return is_list(value);
	case TEST_NO_LIST:
		return !is_list(value);
	}
	return false;
}

/* A wrong value where security hangs on it stops everything; elsewhere it is passed over. */
static bool
settle(struct conf *c, enum conf_option o, const struct assignment *one, struct fail *f)
{
	if (conf_is_security(o) || o == CONF_configtype)
		return false;
	conf_warn(c, &one->where, "%s; ignored", f->text);
	return true;
}

/* The strictest of several macros about TLS counts, in whatever order they stand. */
static bool
is_weaker(const struct conf *c, enum conf_option o, struct str value)
{
	return o == CONF_tls && c->tls == TLS_IMPLICIT && str_eq(value, STR("starttls"));
}

/* Where Exim must have TLS a certificate that does not verify stops the mail, password or not. */
static bool
demand_proof(struct conf *c, const struct assignment *tls, struct fail *f)
{
	struct assignment proof = { STR("tls_verify"), STR("yes"), tls->where };

	if (!str_eq(tls->name, STR("tls")) || c->tls == TLS_OFF || c->tls_verify != CHOICE_AUTO)
		return true;
	return conf_set(c, &proof, f);
}

static bool
mapped(struct conf *c, const struct mapping *m, const struct assignment *one, struct fail *f)
{
	struct assignment plain = { str_of(conf_rows[m->option].names[0]),
		m->value != NULL ? str_of(m->value) : one->value, one->where };

	if (applies(m, one->value))
		return is_weaker(c, m->option, plain.value) ||
		    (conf_set(c, &plain, f) && demand_proof(c, &plain, f));
	if (m->test == TEST_WORD && !is_one_of(one->value, m->harmless))
		conf_warn(c, &one->where,
		    "%s = %.*s is not \"%s\": ignored, TLS is used as tls says", m->macro,
		    S_ARG(one->value), m->wanted);
	return true;
}

static bool
unknown(struct conf *c, const struct assignment *one, struct fail *f)
{
	enum conf_option o;
	size_t edits;
	const char *near = conf_nearest(one->name, &o, &edits);

	if (edits <= 2 && conf_is_security(o))
		return fail_conf(f, "%.*s means nothing; is it %s?", S_ARG(one->name), near);
	conf_warn(c, &one->where, "%.*s has no meaning for onehop", S_ARG(one->name));
	return true;
}

bool
debian_apply(struct conf *c, const struct assignment *one, bool ours, struct fail *f)
{
	enum conf_option o = conf_find(one->name);
	struct assignment plain = *one;

	for (size_t i = 0; i < sizeof mappings / sizeof mappings[0]; i++)
		if (str_eq(one->name, str_of(mappings[i].macro)))
			return mapped(c, &mappings[i], one, f);
	if (o == CONF_COUNT)
		return !ours || unknown(c, one, f);
	/* what Debian's template makes of dc_hide_mailname */
	if (!ours && (o == CONF_headers_rewrite || o == CONF_return_path) &&
	    str_find(one->value, '$') < one->value.n)
		return true;
	/* "$" means one thing here: the home of maildir_directory, $1 of headers_rewrite */
	if (o != CONF_maildir_directory && o != CONF_headers_rewrite &&
	    str_find(one->value, '$') < one->value.n) {
		(void)fail_conf(f,
		    "%.*s uses Exim's string expansion, which is not evaluated here; write the "
		    "value",
		    S_ARG(one->name));
		return settle(c, o, one, f);
	}
	if (str_starts(one->value, STR("CONFDIR/")))
		plain.value = str_of(
		    arena_fmt(c->arena, "%s/exim4%.*s", c->etc, S_ARG(str_skip(one->value, 7))));
	return conf_set(c, &plain, f) || settle(c, o, one, f);
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
	c->macros->split = str_eq(one->value, STR("true"));
	if (c->macros->split || one->value.n == 0 || str_eq(one->value, STR("false")))
		return true;
	return fail_conf(
	    f, "dc_use_split_config is true or false, not \"%.*s\"", S_ARG(one->value));
}

static bool
key(struct conf *c, const struct assignment *one, struct fail *f)
{
	enum conf_option o = conf_find(one->name);
	struct assignment folded = *one;

	if (str_starts(one->name, STR("dc_")))
		folded.value = fold(c->arena, one->value);
	if (str_eq(one->name, STR("dc_use_split_config")))
		return split_config(c, &folded, f);
	if (o == CONF_COUNT)
		return unknown(c, one, f);
	return conf_set(c, &folded, f) || settle(c, o, one, f);
}

bool
debian_set(struct conf *c, const struct assignment *one, struct fail *f)
{
	struct conf_macros *m = c->macros;

	(void)assignments_add(c->arena, &m->variables, one);
	for (size_t i = 0; i < sizeof no_matter / sizeof no_matter[0]; i++)
		if (str_eq(one->name, str_of(no_matter[i])))
			return true;
	if (ascii_lower(one->name.p[0]) == one->name.p[0])
		return key(c, one, f);
	if (assignments_find(&m->macros, one->name) != NULL)
		return true; /* update-exim4.conf writes ".ifndef" around each: the first counts */
	(void)assignments_add(c->arena, &m->macros, one);
	return debian_apply(c, one, true, f);
}
