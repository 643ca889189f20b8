/* resolve.h - names to addresses, as Exim's "byname": A/AAAA and /etc/hosts, never MX. */
#ifndef ONEHOP_IO_RESOLVE_H
#define ONEHOP_IO_RESOLVE_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "io/hostlist.h"

struct endpoint {
	struct sockaddr_storage addr; /* port filled in */
	socklen_t len;
	char ip[INET6_ADDRSTRLEN];    /* as text; "" for a unix socket */
	bool loopback;                /* 127/8, ::1 or a unix socket: counts as secure */
};

struct resolved {
	const char *name;      /* as configured */
	const char *canonical; /* end of the CNAME chain or first name of the /etc/hosts line;
	                          equal to name for an address */
	struct endpoint *list; /* IPv6 first, as Exim; no duplicates */
	size_t n;
};

/* Look up one host.  family: enum conf_family's values (0 any, 1 IPv4, 2 IPv6); port: default when
 * the host has none.  deadline_ms as in io/clock.h: the resolver runs in a child that is killed then.
 * False: TEMP/RESOLVE always (a smarthost that does not resolve is never a reason to bounce). */
bool resolve_host(struct arena *a, const struct host *h, unsigned default_port, unsigned family,
    int64_t deadline_ms, struct resolved *out, struct fail *f) NODISCARD;
#endif
