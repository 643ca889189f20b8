/* envelope.h - what travels with a message: sender, recipients, and what became of each.
 *
 * Built by front/, carried by the submission protocol, settled by send/ (which routes, and hands
 * the network process an envelope of the remote deliveries alone); the spool writes it. */
#ifndef ONEHOP_WIRE_ENVELOPE_H
#define ONEHOP_WIRE_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/fail.h"
#include "base/id.h"

enum rcpt_state {
	RCPT_WAITING, /* nothing said yet: try again later */
	RCPT_SENT,    /* taken by the next hop */
	RCPT_RETRY,   /* refused for now: fail says why */
	RCPT_REFUSED, /* refused for good: fail says why */
	RCPT_KEPT,    /* not delivered, and no longer the caller's: it is in the spool, or a bounce
		       * says why; fail has the reason */
};

/* RFC 3461 4.1, as bits; 0: the sender did not say. */
enum rcpt_notify { NOTIFY_NEVER = 1, NOTIFY_SUCCESS = 2, NOTIFY_FAILURE = 4, NOTIFY_DELAY = 8 };

struct rcpt {
	const char *address;  /* final: what RCPT TO says */
	const char *original; /* as submitted, for logs, ORCPT and Envelope-to */
	bool unqualified; /* had no domain as submitted: aliases are asked whatever the mailname */
	const char *router, *transport; /* Exim's names, for the log */
	const char *hosts;              /* the smarthost list that takes it */
	unsigned notify;                /* enum rcpt_notify */
	const char *orcpt; /* ORCPT as an SMTP client gave it ("rfc822;a+2Bb@c"), or NULL */
	enum rcpt_state state;
	const struct fail *fail; /* of the last try; NULL: none (fail_of()) */
	/* filled when settled by a server, for the => line */
	const char *host, *ip, *confirmation; /* the reply to the final dot */
	const char *tls, *tls_peer;           /* "TLS1.3:...", "CN=..."; NULL without TLS */
	const char *auth;                     /* "plain", "login" ... */
	bool tls_verified;
	bool continued; /* a further recipient of the same transaction: -> */
	bool chunked;   /* sent with BDAT: K */
	bool reused;    /* of a further message over the same connection: H=host [ip]* */
};

struct envelope {
	char id[ID_MAX];
	const char *sender;   /* "" is the null sender */
	const char *login;    /* of the caller: U= and MAIL's AUTH= */
	bool auth_parameter;  /* may MAIL say AUTH=login@mailname (doc/EXIM 15, last lines) */
	const char *envid;    /* -V, or NULL */
	const char *protocol; /* P= and Received's "with", when it is not "local"; else NULL */
	const char *helo;     /* -bs: the name EHLO gave, or NULL; not kept in the spool */
	enum { RET_UNSET, RET_FULL, RET_HDRS } ret;
	unsigned body_declared; /* -B: 0 unset, 7, 8 */
	bool lone_dots;         /* of the message, for the log; not kept in the spool */
	struct rcpt *rcpts;
	size_t nrcpts;
};
#endif
