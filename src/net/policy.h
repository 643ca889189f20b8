/* policy.h - what may go over a link: TLS, certificates and passwords (doc/ARCHITECTURE 6,
 * doc/SECURITY 2). Pure.
 *
 * With a credential: TLS that verified against a reference name, or loopback, or an option that
 * allows less in so many words; and even then never clear text to a host that has offered TLS
 * before, or had a private address and has it no longer.  Without one TLS is opportunistic: where
 * it is offered and does not work the mail goes out in clear, as Exim's, if there is no login at
 * all, no option says more about TLS, and it has not worked of late (doc/EXIM 16). */
#ifndef ONEHOP_NET_POLICY_H
#define ONEHOP_NET_POLICY_H

#include "conf/conf.h"
#include "conf/secret.h"
#include "net/tls.h"

struct link {
	const char *host;            /* for the sentences */
	const char *where;           /* the same with address and port */
	const char *configured;      /* N0: as written in smarthost */
	const char *ip;              /* its address, or "" */
	const struct secret *secret; /* login.n == 0: no credential */
	bool via_dns;                /* the line was found through the canonical name alone */
	bool path;                   /* a unix socket: no TLS, whatever is offered or asked for */
	bool loopback;               /* written as this machine: counts as secure */
	bool private;                /* the address is of a private network, or loopback */
	unsigned port;
	bool submissions; /* found as _submissions._tcp: as on port 465 */
	bool offered;     /* STARTTLS is in the server's list */
	bool tls;         /* the handshake is done, and: */
	enum tls_verdict verdict;
	const char *why; /* TLS_UNVERIFIED: one clause */
};

/* TLS from the first byte?  Port 465 has it (RFC 8314), unless tls = off says otherwise. */
bool policy_implicit(const struct conf *c, const struct link *l);
/* STARTTLS now?  (TLS not yet on.) */
bool policy_starttls(const struct conf *c, const struct link *l);
/* STARTTLS was refused, or the handshake failed: may the mail go on in clear?  A certificate that
 * does not verify is no such thing. */
bool policy_goes_clear(const struct conf *c, const struct link *l);
/* The names that may vouch for the certificate, SNI first; at most 2.  A name that DNS gave is
 * never one, unless it is exactly the key of the line that matched; and when there are other lines
 * too it is the only one, so that a forged CNAME cannot send one host's password to another. */
size_t policy_names(const struct link *l, const char *names[2]);
/* SEEN_... of this link, to be remembered for as long as passwords may go out in clear. */
unsigned policy_seen(const struct conf *c, const struct link *l);
/* May mail (and the password, if there is one) go over this link as it now is?
 * False: TEMP/TLS or TEMP/AUTH; the sentence says which option would allow it. */
bool policy_allows(const struct conf *c, const struct link *l, struct fail *f) NODISCARD;
#endif
