/* lookup.h - what the resolving child does: the C library's resolver, into a flat answer.
 *
 * Private to net/resolve.c.  Everything in it may hang, load modules or crash. */
#ifndef ONEHOP_NET_LOOKUP_H
#define ONEHOP_NET_LOOKUP_H

#include "net/resolve.h"

/* A and AAAA of name, appended to *out; the first canonical name is kept. */
void lookup_addresses(const char *name, unsigned port, unsigned family, struct answer *out);
/* The targets of _submissions._tcp.domain, or of _submission._tcp.domain, with their addresses. */
void lookup_service(const char *domain, unsigned family, struct answer *out);
/* Order the SRV records of one reply (RFC 2782: priority, then weight): *n targets.
 * Pure; false: not a reply that can be read. */
struct target {
	unsigned priority, weight, port;
	char name[NI_MAXHOST];
};
bool lookup_parse_srv(
    const unsigned char *reply, size_t len, struct target *list, size_t max, size_t *n) NODISCARD;
#endif
