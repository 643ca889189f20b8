/* hostlist.h - dc_smarthost's syntax: an ordered list of hosts with ports.  Pure. */
#ifndef ONEHOP_MAIL_HOSTLIST_H
#define ONEHOP_MAIL_HOSTLIST_H

#include "conf/conf.h"

enum host_kind { HOST_NAME, HOST_ADDRESS, HOST_LMTP, HOST_UNIX, HOST_SRV };

struct host {
	enum host_kind kind;
	const char *name; /* host name (A-labels), address without brackets, path, or SRV domain */
	unsigned port;    /* 0: the default (25; 465 implies implicit TLS) */
};

/* Parse "host", "host::port", "host:port" and "host port" (a lone number behind one colon or a
 * blank is a port: nobody has a host called 587), "[ip]::port", "[host]::port" as Postfix has it,
 * "2001::db8::::1", separators ";" or ":", blanks allowed around them, "lmtp:/path", "unix:/path",
 * "srv:domain".  False: USER/CONFIG, with the nearest right form where there is one. */
bool hostlist_parse(
    struct arena *a, const char *text, struct host **out, size_t *n, struct fail *f) NODISCARD;
/* hostlist_parse() for the hosts of a route: the sentence says where smarthost was set, if they are
 * it. */
bool hostlist_of_route(const struct conf *c, struct arena *a, const char *text, struct host **out,
    size_t *n, struct fail *f) NODISCARD;
/* Does a host of the list have this name, and is it of one of these kinds (1 << HOST_...)? */
bool hostlist_has(struct arena *a, const char *text, const char *name, unsigned kinds);
/* For hostmatch.h: cut the next item off a list, in which ":" stands between items and "::" in
 * them; is it an IPv6 address as people write it; is it a name of a host, else *f? */
struct str hostlist_item(struct str *rest);
bool hostlist_plain_ipv6(struct str s);
bool hostlist_name_works(struct str s, struct fail *f) NODISCARD;
#endif
