/* told.h - what the process that talks to the network tells of hosts and logins; spool/hosts.h and
 * spool/logins.h keep it. */
#ifndef ONEHOP_WIRE_TOLD_H
#define ONEHOP_WIRE_TOLD_H

/* What earlier runs saw of a host.  Clear text would betray the first two (doc/SECURITY 2). */
enum {
	SEEN_TLS = 1,      /* it offered TLS */
	SEEN_PRIVATE = 2,  /* it had a private address */
	SEEN_STARTTLS = 4, /* STARTTLS worked in the last 30 days */
	SEEN_STARTTLS_TODAY = 8,
	SEEN_NO_PIPELINING = 16, /* it offered this in the last day, and did not keep it */
	SEEN_NO_CHUNKING = 32,
};

enum {
	LOGIN_REFUSALS_MAX = 3, /* in all processes and connections together, until it rests */
	LOGIN_NAMES_MAX = 256, /* octets of the mechanisms that are left out, with blanks between */
};

enum login_news {
	LOGIN_BEGINS,
	LOGIN_NO,      /* refused, upon a proof of the password */
	LOGIN_HUNG_UP, /* the server ended the connection over this mechanism */
	LOGIN_YES,
	LOGIN_OVER,
};
#endif
