/* resolve.h - names to addresses, as Exim's "byname": A/AAAA and /etc/hosts, never MX. */
#ifndef ONEHOP_NET_RESOLVE_H
#define ONEHOP_NET_RESOLVE_H

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "mail/hostlist.h"

enum { ENDPOINTS_MAX = 32 }; /* addresses of one host that are used; the rest is left out */

struct endpoint {
	struct sockaddr_storage addr; /* port filled in */
	socklen_t len;
	char ip[INET6_ADDRSTRLEN]; /* as text; "" for a unix socket */
	bool loopback;             /* counts as secure: written as 127.x, ::1, localhost or a path;
				    * never a name that leads there */
	bool private;              /* loopback, or RFC 1918, 3927, 4193, link-local IPv6 */
};

struct resolved {
	const char *name; /* as configured */
	const char
	    *canonical;        /* end of the CNAME chain or first name of the /etc/hosts line;
				  equal to name for an address or a path; SRV: of the first target */
	struct endpoint *list; /* IPv6 first, as Exim, then the families in turn (RFC 8305 section
				  4), no duplicates; SRV: target by target */
	size_t n;
	bool
	    implicit_tls; /* found as _submissions._tcp (RFC 8314 section 5.1), whatever the port */
};

/* What a resolver has found, as it travels from process to process: no pointers, and nothing in it
 * is believed before resolve_host() has looked at it. */
struct answer {
	int error; /* 0 or EAI_... */
	int sys;   /* errno for EAI_SYSTEM */
	bool implicit_tls;
	uint32_t n;
	char canonical[NI_MAXHOST];
	struct endpoint list[ENDPOINTS_MAX];
};

struct resolve_options {
	unsigned default_port; /* when the host has none */
	unsigned family;       /* enum conf_family's values: 0 any, 1 IPv4, 2 IPv6 */
	int64_t deadline_ms;   /* as in base/clock.h */
	/* Asked to look a name up, with its port; NULL: resolve_ask() does it here. */
	bool (*ask)(void *ctx, const struct host *h, const struct resolve_options *o,
	    struct answer *out, struct fail *f);
	void *ctx;
};

/* Look up one host.  localhost and the names below it are 127.0.0.1 and ::1 in this order, whatever
 * /etc/hosts and name servers would say (RFC 6761 section 6.3).  Addresses and paths need no child,
 * either.  False: TEMP/RESOLVE always (a smarthost that does not resolve is never a reason to
 * bounce). */
bool resolve_host(struct arena *a, const struct host *h, const struct resolve_options *o,
    struct resolved *out, struct fail *f) NODISCARD;
/* Have a child look up h, a name or a service, by the C library's resolver, so that neither its
 * modules nor its waits are this process's.  confine(fd), which may be NULL, is the first that the
 * child does: fd is all that it needs; it returns the number that fd has then, or -1, and the child
 * ends.  The child is killed at the deadline, and when this process is told to stop
 * (base/stop.h).  False: TEMP/RESOLVE: there is no answer. */
bool resolve_ask(const struct host *h, const struct resolve_options *o, int (*confine)(int fd),
    struct answer *out, struct fail *f) NODISCARD;
/* One address ("192.0.2.1", "2001:db8::1", "fe80::1%eth0") without any look-up.  False: it is none.
 */
bool endpoint_parse(const char *address, unsigned port, struct endpoint *out) NODISCARD;
/* 0: a unix socket. */
unsigned endpoint_port(const struct endpoint *e);
/* Where that is, in the words of a sentence: "NAME (IP) port N", "IP port N" when that is the name,
 * "the socket PATH". */
void endpoint_words(const struct endpoint *e, const char *name, struct buf *out);
#endif
