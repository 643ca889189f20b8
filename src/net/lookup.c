/* lookup.c - what the resolving child does: the C library's resolver, into a flat answer. */
#include "net/lookup.h"

#include <arpa/nameser.h>
#include <errno.h>
#include <resolv.h>
#include <stdio.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum { FAMILY_V4 = 1, FAMILY_V6 = 2, TARGETS_MAX = 8, REPLY_MAX = 4096 };

static bool
known(const struct answer *out, const struct addrinfo *ai)
{
	for (uint32_t i = 0; i < out->n; i++)
		if (out->list[i].len == ai->ai_addrlen &&
		    memcmp(&out->list[i].addr, ai->ai_addr, ai->ai_addrlen) == 0)
			return true;
	return false;
}

static void
add_address(const struct addrinfo *ai, struct answer *out)
{
	struct endpoint *e = &out->list[out->n];

	if (out->n >= ENDPOINTS_MAX || ai->ai_addrlen > sizeof(e->addr) || known(out, ai))
		return;
	memcpy(&e->addr, ai->ai_addr, ai->ai_addrlen);
	e->len = ai->ai_addrlen;
	out->n++;
}

/* The i-th address of a family in the resolver's list, or NULL. */
static const struct addrinfo *
nth(const struct addrinfo *list, int family, size_t i)
{
	for (; list != NULL; list = list->ai_next)
		if (list->ai_family == family && i-- == 0)
			return list;
	return NULL;
}

void
lookup_addresses(const char *name, unsigned port, unsigned family, struct answer *out)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;
	char service[16];

	hints.ai_family = family == FAMILY_V4 ? AF_INET :
	    family == FAMILY_V6               ? AF_INET6 :
						AF_UNSPEC;
	(void)snprintf(service, sizeof(service), "%u", port);
	out->error = getaddrinfo(name, service, &hints, &list);
	out->sys = out->error == EAI_SYSTEM ? errno : 0;
	if (out->error != 0)
		return;
	if (list->ai_canonname != NULL && out->canonical[0] == '\0')
		(void)snprintf(out->canonical, sizeof(out->canonical), "%s", list->ai_canonname);
	for (size_t i = 0; i < ENDPOINTS_MAX; i++) {
		const struct addrinfo *v6 = nth(list, AF_INET6, i), *v4 = nth(list, AF_INET, i);

		if (v6 != NULL)
			add_address(v6, out);
		if (v4 != NULL)
			add_address(v4, out);
	}
	freeaddrinfo(list);
}

static bool
before(const struct target *a, const struct target *b)
{
	return a->priority < b->priority || (a->priority == b->priority && a->weight > b->weight);
}

static unsigned
get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* One SRV record's data of n bytes at rd.  False: it cannot be read. */
static bool
parse_target(const unsigned char *reply, const unsigned char *end, const unsigned char *rd,
    size_t n, struct target *t)
{
	if (n < 7 || dn_expand(reply, end, rd + 6, t->name, sizeof(t->name)) < 0)
		return false;
	t->priority = get16(rd);
	t->weight = get16(rd + 2);
	t->port = get16(rd + 4);
	return true;
}

static void
insert(struct target *list, size_t n, struct target t)
{
	for (; n > 0 && before(&t, &list[n - 1]); n--)
		list[n] = list[n - 1];
	list[n] = t;
}

/* The answer section of a reply, or NULL. */
static const unsigned char *
skip_question(const unsigned char *reply, const unsigned char *end)
{
	const unsigned char *p = reply + NS_HFIXEDSZ;

	for (unsigned i = get16(reply + 4); i > 0; i--) {
		int n = p < end ? dn_skipname(p, end) : -1;

		if (n < 0 || end - p < n + NS_QFIXEDSZ)
			return NULL;
		p += n + NS_QFIXEDSZ;
	}
	return p;
}

bool
lookup_parse_srv(const unsigned char *reply, size_t len, struct target *list, size_t max, size_t *n)
{
	const unsigned char *end = reply + len, *p;
	size_t found = 0;

	if (len < NS_HFIXEDSZ || (p = skip_question(reply, end)) == NULL)
		return false;
	for (unsigned i = get16(reply + 6); i > 0 && found < max; i--) {
		int name = p < end ? dn_skipname(p, end) : -1;
		struct target t = { 0 };
		unsigned type, size;

		if (name < 0 || end - p < name + NS_RRFIXEDSZ)
			return false;
		p += name;
		type = get16(p);
		size = get16(p + 8);
		p += NS_RRFIXEDSZ;
		if (end - p < (ptrdiff_t)size)
			return false;
		if (type == ns_t_srv && !parse_target(reply, end, p, size, &t))
			return false;
		/* RFC 2782: the root as target says that there is no such service. */
		if (t.name[0] != '\0' && strcmp(t.name, ".") != 0 && t.port != 0)
			insert(list, found++, t);
		p += size;
	}
	*n = found;
	return true;
}

/* True: there were records, and *out has their addresses or the last error. */
static bool
one_service(const char *service, const char *domain, unsigned family, struct answer *out)
{
	unsigned char reply[REPLY_MAX];
	struct target list[TARGETS_MAX];
	char name[NI_MAXHOST];
	size_t n = 0;
	int len;

	(void)snprintf(name, sizeof(name), "%s.%s", service, domain);
	len = res_query(name, ns_c_in, ns_t_srv, reply, sizeof(reply));
	if (len < 0) {
		out->error = h_errno == TRY_AGAIN ? EAI_AGAIN : EAI_NONAME;
		return false;
	}
	if ((size_t)len > sizeof(reply) ||
	    !lookup_parse_srv(reply, (size_t)len, list, TARGETS_MAX, &n)) {
		out->error = EAI_FAIL;
		return false;
	}
	out->error = EAI_NONAME;
	for (size_t i = 0; i < n; i++)
		lookup_addresses(list[i].name, list[i].port, family, out);
	if (out->n > 0)
		out->error = 0;
	return n > 0;
}

void
lookup_service(const char *domain, unsigned family, struct answer *out)
{
	/* A name server that fails is no proof that there is no TLS-only service. */
	out->implicit_tls = one_service("_submissions._tcp", domain, family, out);
	if (!out->implicit_tls && out->error != EAI_AGAIN)
		(void)one_service("_submission._tcp", domain, family, out);
}
