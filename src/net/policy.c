/* policy.c - what may go over a link: TLS, certificates and passwords. */
#include "net/policy.h"

#include "mail/hostmatch.h"
#include "wire/told.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { PORT_SUBMISSIONS = 465 };

static bool
has_secret(const struct link *l)
{
	return l->secret != NULL && l->secret->login.n > 0;
}

bool
policy_implicit(const struct conf *c, const struct link *l)
{
	return !l->path &&
	    (c->tls == TLS_IMPLICIT ||
		(c->tls != TLS_OFF && (l->port == PORT_SUBMISSIONS || l->submissions)));
}

static bool
in_avoid_list(const struct conf *c, const char *configured, const char *canonical, const char *ip)
{
	return c->tls == TLS_OFF ||
	    (c->tls == TLS_AUTO && c->hosts_avoid_tls[0] != '\0' &&
		hostmatch_has(c->hosts_avoid_tls, configured, canonical, ip));
}

/* Is STARTTLS not to be said to this host? */
static bool
avoids_tls(const struct conf *c, const struct link *l)
{
	return in_avoid_list(c, l->configured, l->host, l->ip);
}

/* The same by what the administrator wrote alone: an answer of DNS could lead to any host. */
static bool
avoids_tls_as_written(const struct conf *c, const struct link *l)
{
	return in_avoid_list(c, l->configured, "", l->configured);
}

bool
policy_starttls(const struct conf *c, const struct link *l)
{
	return !l->tls && !l->path && l->offered && c->tls != TLS_IMPLICIT && !avoids_tls(c, l);
}

bool
policy_goes_clear(const struct conf *c, const struct link *l)
{
	return c->tls == TLS_AUTO && c->tls_verify == CHOICE_AUTO && !policy_implicit(c, l) &&
	    c->tls_trust_file[0] == '\0' && c->tls_fingerprint[0] == '\0' &&
	    c->tls_certificate[0] == '\0' && c->origin[CONF_tls_priority].file == NULL &&
	    l->secret != NULL && l->secret->none && !(l->secret->seen & SEEN_STARTTLS);
}

size_t
policy_names(const struct link *l, const char *names[2])
{
	bool keyed = has_secret(l) && l->secret->match == SECRET_CANONICAL;

	names[0] = l->configured;
	if (!keyed)
		return 1;
	if (!l->secret->only) {
		names[0] = l->secret->key;
		return 1;
	}
	names[1] = l->secret->key;
	return 2;
}

/* What helps who has a tunnel under a name. */
static const char *
if_a_tunnel(const struct link *l)
{
	bool here = str_starts(str_of(l->ip), STR("127.")) || strcmp(l->ip, "::1") == 0;

	return here ?
	    "; where it is meant to be this machine, write the address in smarthost, for a "
	    "name that leads here does not count as secure" :
	    "";
}

static bool
deny_clear(const struct conf *c, const struct link *l, struct fail *f)
{
	const struct secret *s = l->secret;

	if (!c->auth_client_allow_notls_passwords)
		return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0,
		    "%s %s, so the password of %s is not sent to it; "
		    "auth_client_allow_notls_passwords = yes would send it in clear%s",
		    l->host, avoids_tls(c, l) ? "is used without TLS" : "does not offer STARTTLS",
		    s->where, if_a_tunnel(l));
	return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0,
	    "the password of %s (%s) was found only through the name that DNS gave, and there is "
	    "no "
	    "TLS to prove it; write a line for %s itself",
	    s->where, s->key, l->configured);
}

/* The host was another, or safer, before: somebody may have come between. */
static bool
deny_changed(const struct link *l, const char *before, struct fail *f)
{
	return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0,
	    "%s %s, so the password of %s is not sent to it in clear; if that is as it should be, "
	    "remove %s",
	    l->host, before, l->secret->where, l->secret->seen_in);
}

static bool
deny_unverified(const struct conf *c, const struct link *l, struct fail *f)
{
	return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
	    "the certificate of %s is not accepted: it %s; nothing is sent%s%s. tls_fingerprint or "
	    "tls_verify = no would accept it%s",
	    l->host, l->why != NULL ? l->why : "does not verify",
	    has_secret(l) && c->tls_verify == CHOICE_AUTO ? ", for there is a password in " : "",
	    has_secret(l) && c->tls_verify == CHOICE_AUTO ? l->secret->where : "", if_a_tunnel(l));
}

/* A pattern line that only DNS led to: with other lines about, a forged CNAME could have chosen it.
 */
static bool
deny_confused(const struct link *l, struct fail *f)
{
	return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0,
	    "the password of %s (%s) was found only through the name that DNS gave for %s, and the "
	    "certificate does not prove that name; write a line for %s itself",
	    l->secret->where, l->secret->key, l->configured, l->configured);
}

unsigned
policy_seen(const struct conf *c, const struct link *l)
{
	if (!c->auth_client_allow_notls_passwords || !has_secret(l))
		return 0;
	return (l->tls || (l->offered && !avoids_tls(c, l)) ? SEEN_TLS : 0U) |
	    (l->private ? SEEN_PRIVATE : 0U);
}

bool
policy_allows(const struct conf *c, const struct link *l, struct fail *f)
{
	bool pattern = has_secret(l) && l->via_dns && l->secret->match == SECRET_PATTERN;

	if (l->path)
		return true;
	if (!l->tls && (c->tls == TLS_STARTTLS || c->tls == TLS_IMPLICIT))
		return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
		    "%s does not offer STARTTLS, and tls = %s asks for it", l->where,
		    c->tls == TLS_STARTTLS ? "starttls" : "implicit");
	if (!l->tls && c->tls_verify == CHOICE_YES && !l->loopback)
		return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
		    "there is no TLS with %s, and tls_verify = yes asks for a certificate",
		    l->where);
	if (l->tls && l->verdict == TLS_UNVERIFIED &&
	    (c->tls_verify == CHOICE_YES ||
		(c->tls_verify == CHOICE_AUTO && has_secret(l) && !l->loopback)))
		return deny_unverified(c, l, f);
	if (!has_secret(l) || l->loopback)
		return true;
	if (!l->tls && (!c->auth_client_allow_notls_passwords || pattern))
		return deny_clear(c, l, f);
	if (!l->tls && (l->secret->seen & SEEN_TLS) && !avoids_tls_as_written(c, l))
		return deny_changed(l, "offered TLS before and does not now", f);
	if (!l->tls && (l->secret->seen & SEEN_PRIVATE) && !l->private)
		return deny_changed(l, "had a private address before and has none now", f);
	if (pattern && !l->secret->only && l->verdict != TLS_PINNED)
		return deny_confused(l, f);
	return true;
}
