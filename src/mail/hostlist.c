/* hostlist.c - dc_smarthost's syntax: an ordered list of hosts with ports.
 *
 * Exim's list quoting: a single ':' ends an item, a doubled one is a colon in it.  Debian turns ';'
 * into ':' first; here ';' is always a separator. */
#include "mail/hostlist.h"

#include <arpa/inet.h>

#include "base/buf.h"
#include "base/num.h"
#include "mail/domain.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { HOSTS_MAX = 64, NAME_LONGEST = 253, SMTP_PORT = 25 };

struct list {
	struct arena *a;
	size_t n;
	struct host host[HOSTS_MAX];
};

/* An address as inet_pton() reads it; a scope ("fe80::1%eth0") is for the kernel to judge. */
static bool
is_address(struct str s)
{
	char z[INET6_ADDRSTRLEN];
	unsigned char bin[16];
	struct str scope = s;
	struct str ip = str_cut(&scope, '%');

	if (ip.n == 0 || ip.n >= sizeof(z) || (scope.p != NULL && scope.n == 0))
		return false;
	for (size_t i = 0; scope.p != NULL && i < scope.n; i++)
		if (!ascii_alnum(scope.p[i]) && strchr("-._", scope.p[i]) == NULL)
			return false;
	memcpy(z, ip.p, ip.n);
	z[ip.n] = '\0';
	return inet_pton(AF_INET6, z, bin) == 1 ||
	    (scope.p == NULL && inet_pton(AF_INET, z, bin) == 1);
}

/* A whole piece that is an IPv6 address as people write it.  "fade::25" stays what it is to Exim,
 * the host fade on port 25: a lone colon must tell, and a start that addresses in use have. */
bool
hostlist_plain_ipv6(struct str s)
{
	bool lone = str_starts(s, STR(":"));

	if (s.n == 0 ||
	    !(lone || ascii_digit(s.p[0]) || str_istarts(s, STR("fc")) ||
		str_istarts(s, STR("fd")) || str_istarts(s, STR("fe"))))
		return false;
	for (size_t i = 0; i < s.n && !lone; i++) {
		size_t run = 0;

		while (i + run < s.n && s.p[i + run] == ':')
			run++;
		lone = run == 1;
		i += run;
	}
	return lone && is_address(s);
}

static struct str
undouble(struct arena *a, struct str s)
{
	char *out = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++) {
		out[n++] = s.p[i];
		if (s.p[i] == ':' && i + 1 < s.n && s.p[i + 1] == ':')
			i++;
	}
	return str_at(out, n);
}

/* Cut the next item off *rest.   Brackets protect colons. */
struct str
hostlist_item(struct str *rest)
{
	struct str s = *rest, item;
	size_t i = 0;
	bool bracket = false;

	for (; i < s.n; i++) {
		if (s.p[i] == '[' || s.p[i] == ']')
			bracket = s.p[i] == '[' && str_find(str_skip(s, i), ']') < s.n - i;
		if (s.p[i] != ':' || bracket)
			continue;
		if (i + 1 < s.n && s.p[i + 1] == ':')
			i++;
		else
			break;
	}
	item = str_trim(str_at(s.p, i));
	*rest = i < s.n ? str_skip(s, i + 1) : (struct str){ NULL, 0 };
	return item;
}

/* The names under which people know the ports of mail. */
static const struct service {
	const char *name;
	unsigned port;
} services[] = { { "smtp", SMTP_PORT }, { "smtps", 465 }, { "ssmtp", 465 }, { "submissions", 465 },
	{ "submission", 587 } };

/* The port of a service, or 0. */
static unsigned
service_port(struct str name)
{
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (str_ieq(name, str_of(services[i].name)))
			return services[i].port;
	return 0;
}

static bool
parse_port(struct str s, unsigned *port, struct fail *f)
{
	unsigned meant = service_port(s);
	uint64_t v;

	if (meant != 0)
		return fail_conf(
		    f, "\"%.*s\" is not a port: write its number, %u", S_ARG(s), meant);
	if (!num_parse(s, 65535, &v) || v == 0)
		return fail_conf(f, "\"%.*s\" is not a port: 1 to 65535", S_ARG(s));
	*port = (unsigned)v;
	return true;
}

static bool
digits(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!ascii_digit(s.p[i]))
			return false;
	return s.n > 0;
}

/* "{{ smarthost }}", "${SMARTHOST}", "@SMARTHOST@", "%SMARTHOST%", "<smarthost>": what
 * configuration managers and guides leave. */
static bool
is_blank_form(struct str s)
{
	char first = s.n > 1 ? s.p[0] : 'a', last = s.n > 1 ? s.p[s.n - 1] : 'a';

	return memmem(s.p, s.n, "{{", 2) != NULL || str_find(s, '$') < s.n ||
	    (first == last && str_find(STR("@%_"), first) < 3) || (first == '<' && last == '>');
}

/* A name that the resolver would not take for a number ("587" is 0.0.2.75 to it). */
bool
hostlist_name_works(struct str s, struct fail *f)
{
	struct str rest = s.n > 0 && s.p[s.n - 1] == '.' ? str_at(s.p, s.n - 1) : s;
	struct str label = rest;

	if (rest.n > NAME_LONGEST)
		return fail_conf(
		    f, "the host name \"%.40s...\" is longer than 253 characters", s.p);
	if (is_blank_form(s))
		return fail_conf(f,
		    "\"%.*s\" is the blank of a template that was not filled in: write the name of "
		    "the host",
		    S_ARG(s));
	for (size_t i = 0; i < s.n; i++)
		if (ascii_space(s.p[i]) || s.p[i] == ',')
			return fail_conf(f,
			    "\"%.*s\" has a %s in it: separate hosts by \";\", and a port by "
			    "\"::\"",
			    S_ARG(s), s.p[i] == ',' ? "comma" : "blank");
	while (rest.p != NULL) {
		label = str_cut(&rest, '.');
		if (label.n == 0 || label.n > 63 || label.p[0] == '-')
			return fail_conf(f, "\"%.*s\" is not a host name", S_ARG(s));
		for (size_t i = 0; i < label.n; i++)
			if (!ascii_alnum(label.p[i]) && label.p[i] != '-' && label.p[i] != '_')
				return fail_conf(f, "\"%.*s\" is not a host name", S_ARG(s));
	}
	if (digits(label))
		return fail_conf(f, "\"%.*s\" is neither a host name nor an address", S_ARG(s));
	return true;
}

static bool
add(struct list *l, struct host h, struct str name, struct fail *f)
{
	struct str ascii = { 0 };

	if (l->n >= HOSTS_MAX)
		return fail_conf(f, "more than %d hosts", HOSTS_MAX);
	if (h.kind == HOST_NAME || h.kind == HOST_SRV) {
		if (!domain_to_ascii(l->a, name, &ascii, f)) {
			f->stage = STAGE_CONFIG;
			return false;
		}
		if (!hostlist_name_works(ascii, f))
			return false;
		name = ascii;
	}
	h.name = arena_strz(l->a, name);
	l->host[l->n++] = h;
	return true;
}

/* "[address]", "[address]:port" with single or doubled colons in either place; "[name]:port" is how
 * Postfix says that the name is not looked up for MX, which nobody does here. */
static bool
add_bracketed(struct list *l, struct str item, struct fail *f)
{
	struct host h = { .kind = HOST_ADDRESS };
	size_t end = str_find(item, ']');
	struct str name = str_trim(str_at(item.p + 1, end - 1));
	struct str port = undouble(l->a, str_ltrim(str_skip(item, end + 1)));

	if (!is_address(name))
		name = undouble(l->a, name);
	if (!is_address(name))
		h.kind = HOST_NAME;
	if (h.kind == HOST_NAME && (name.n == 0 || str_find(name, ':') < name.n))
		return fail_conf(
		    f, "\"%.*s\" is neither an address nor a name in brackets", S_ARG(item));
	if (port.n > 0 && port.p[0] != ':')
		return fail_conf(
		    f, "\"%.*s\" is not a host: a port stands behind \"]::\"", S_ARG(item));
	return (port.n == 0 || parse_port(str_trim(str_skip(port, 1)), &h.port, f)) &&
	    add(l, h, name, f);
}

/* "smtp.isp.example 587": nobody has a host of that name. */
static void
take_port_behind_blank(struct str *item, struct host *h)
{
	struct str rest = *item, name = str_word(&rest), port = str_word(&rest);
	uint64_t v = 0;

	if (!digits(port) || str_trim(rest).n > 0 || str_find(name, ':') < name.n ||
	    !num_parse(port, 65535, &v) || v == 0)
		return;
	*item = name;
	h->port = (unsigned)v;
}

static bool
add_host(struct list *l, struct str item, struct fail *f)
{
	struct host h = { .kind = HOST_NAME };
	size_t colon;

	if (item.p[0] == '[' && str_find(item, ']') < item.n)
		return add_bracketed(l, item, f);
	item = undouble(l->a, item);
	take_port_behind_blank(&item, &h);
	for (colon = item.n; colon > 0 && item.p[colon - 1] != ':'; colon--)
		;
	if (!is_address(item) && colon > 0) {
		if (!parse_port(str_skip(item, colon), &h.port, f))
			return false;
		item = str_trim(str_at(item.p, colon - 1));
	}
	if (is_address(item))
		h.kind = HOST_ADDRESS;
	return add(l, h, item, f);
}

/* "lmtp:/path", "unix:/path" or "srv:domain" at the start of *rest: taken off, *taken set. */
static bool
add_special(struct list *l, struct str *rest, bool *taken, struct fail *f)
{
	static const struct {
		const char *prefix;
		enum host_kind kind;
	} special[] = { { "lmtp:", HOST_LMTP }, { "unix:", HOST_UNIX }, { "srv:", HOST_SRV } };

	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		struct str prefix = str_of(special[i].prefix), tail = str_skip(*rest, prefix.n),
			   item;
		struct host h = { .kind = special[i].kind };

		if (!str_istarts(*rest, prefix) || str_starts(tail, STR(":")))
			continue;
		item = undouble(l->a, hostlist_item(&tail));
		if (h.kind != HOST_SRV && (item.n == 0 || item.p[0] != '/' || item.n > 107))
			return fail_conf(f,
			    "\"%s\" needs the path of a socket, from / on, of at most 107 bytes",
			    special[i].prefix);
		*rest = tail;
		*taken = true;
		return add(l, h, item, f);
	}
	return true;
}

/* The length of what stands before "://", or 0.  "unix://run/x" is a path. */
static size_t
url_scheme(struct str s)
{
	size_t n = str_find(s, ':');

	if (!str_starts(str_skip(s, n), STR("://")) || str_ieq(str_at(s.p, n), STR("lmtp")) ||
	    str_ieq(str_at(s.p, n), STR("unix")))
		return 0;
	return n;
}

/* "smtps://host:port/": not taken, but told what it would be here. */
static bool
refuse_url(struct list *l, struct str url, size_t scheme, struct fail *f)
{
	struct str rest = str_skip(url, scheme + 3), host, port;
	unsigned meant = service_port(str_at(url.p, scheme));

	rest = str_at(rest.p, str_find(rest, '/'));
	rest = undouble(
	    l->a, str_skip(rest, str_find(rest, '@') < rest.n ? str_find(rest, '@') + 1 : 0));
	host = str_cut(&rest, ':');
	port = rest.p != NULL ? rest : str_of(arena_fmt(l->a, "%u", meant));
	if (meant == 0 || host.n == 0)
		return fail_conf(
		    f, "\"%.*s\" is not a host: write its name and ::port", S_ARG(url));
	return fail_conf(f, "\"%.*s\" is not a host: write %.*s::%.*s%s", S_ARG(url), S_ARG(host),
	    S_ARG(port), meant == 465 && !str_eq(port, STR("465")) ? ", and tls = implicit" : "");
}

/* One piece between semicolons. */
static bool
parse_piece(struct list *l, struct str rest, struct fail *f)
{
	struct host *open = NULL; /* the host before, when it has no port yet */
	size_t scheme = url_scheme(rest);

	if (scheme > 0)
		return refuse_url(l, rest, scheme, f);

	while (rest.p != NULL) {
		struct str item;
		bool taken = false;

		rest = str_ltrim(rest);
		if (!add_special(l, &rest, &taken, f))
			return false;
		if (taken) {
			open = NULL;
			continue;
		}
		item = hostlist_item(&rest);
		if (open != NULL && (digits(item) || service_port(item) > SMTP_PORT)) {
			if (!parse_port(item, &open->port, f))
				return false;
			open = NULL;
		} else if (item.n > 0) {
			if (!add_host(l, item, f))
				return false;
			open = &l->host[l->n - 1];
			if (open->port != 0)
				open = NULL;
		}
	}
	return true;
}

bool
hostlist_of_route(const struct conf *c, struct arena *a, const char *text, struct host **out,
    size_t *n, struct fail *f)
{
	if (hostlist_parse(a, text, out, n, f))
		return true;
	if (strcmp(text, c->smarthost) == 0)
		fail_prefix(f, "%s: smarthost", conf_where(c, CONF_smarthost));
	return false;
}

bool
hostlist_parse(struct arena *a, const char *text, struct host **out, size_t *n, struct fail *f)
{
	struct list l = { .a = a };
	struct str rest = str_of(text);

	while (rest.p != NULL) {
		struct str piece = str_trim(str_cut(&rest, ';'));

		if (hostlist_plain_ipv6(piece)) {
			if (!add(&l, (struct host){ .kind = HOST_ADDRESS }, piece, f))
				return false;
		} else if (!parse_piece(&l, piece, f)) {
			return false;
		}
	}
	if (l.n == 0)
		return fail_conf(f, "no host is named");
	*out = arena_array(a, l.n, sizeof(**out));
	memcpy(*out, l.host, l.n * sizeof(**out));
	*n = l.n;
	return true;
}

bool
hostlist_has(struct arena *a, const char *text, const char *name, unsigned kinds)
{
	struct fail ignored;
	struct host *list;
	size_t n = 0;

	if (text[0] == '\0' || !hostlist_parse(a, text, &list, &n, &ignored))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].name, name) == 0 && (kinds & 1U << list[i].kind) != 0)
			return true;
	return false;
}
