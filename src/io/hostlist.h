/* hostlist.h - dc_smarthost's syntax: an ordered list of hosts with ports.  Pure. */
#ifndef ONEHOP_IO_HOSTLIST_H
#define ONEHOP_IO_HOSTLIST_H

#include "base/arena.h"
#include "base/fail.h"

enum host_kind { HOST_NAME, HOST_ADDRESS, HOST_LMTP, HOST_UNIX, HOST_SRV };

struct host {
	enum host_kind kind;
	const char *name; /* host name (A-labels), address without brackets, path, or SRV domain */
	unsigned port;    /* 0: the default (25; 465 implies implicit TLS) */
};

/* Parse "host", "host::port", "host:port" (a lone number behind one colon is a port: nobody has a
 * host called 587), "[ip]::port", "2001::db8::::1", separators ";" or ":", blanks allowed around
 * them, "lmtp:/path", "unix:/path", "srv:domain".  False: USER/CONFIG. */
bool hostlist_parse(
    struct arena *a, const char *text, struct host **out, size_t *n, struct fail *f) NODISCARD;
#endif
