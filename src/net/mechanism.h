/* mechanism.h - one mechanism spoken with the server, from AUTH to its last word (RFC 4954).
 *
 * PLAIN, LOGIN, EXTERNAL, OAUTHBEARER and XOAUTH2 are written here; sasl.h computes the rest. */
#ifndef ONEHOP_NET_MECHANISM_H
#define ONEHOP_NET_MECHANISM_H

#include "conf/secret.h"
#include "net/session.h"

/* What a mechanism is given: what it needs and, but for the certificate, all that it gets to see.
 * A binding that a SCRAM without -PLUS does not need would make libgsasl say "y" or fail. */
enum { GIVE_NAME = 1, GIVE_PASSWORD = 2, GIVE_TOKEN = 4, GIVE_BINDING = 8, GIVE_CERTIFICATE = 16 };

struct talk;
struct mechanism {
	const char *name, *log; /* log: as Exim names its authenticators */
	unsigned given;
	unsigned family;   /* those that fail together when the password is wrong; 0: alone */
	bool first;        /* it speaks first: what it says goes with AUTH */
	bool computed;     /* by libgsasl */
	unsigned proof_at; /* the response, from 1, that has the proof in it */
	int (*answer)(struct talk *t, struct buf *out); /* private */
};

enum { MECHANISMS = 10 };
/* The strongest first. */
extern const struct mechanism ladder[MECHANISMS];

enum outcome {
	LOGIN_TAKEN,
	LOGIN_REFUSED,  /* 5xx: another may do, on this connection if the server keeps it */
	LOGIN_LEFT_OUT, /* our side, or the library, cannot; the server has said nothing about it */
	LOGIN_LATER,    /* 4xx: not now, with whatever mechanism */
	LOGIN_LOST,     /* the server hung up in answer: closed, reset, 421 */
	LOGIN_UNPROVEN, /* the server did not show that it knows the password, or is who TLS binds
			   us to: it gets nothing more */
	LOGIN_BROKEN,   /* no answer in time, or one that is not SMTP */
};

struct spoken {
	enum outcome what;
	bool refusal; /* it said 5xx, or hung up, after what shows that we know the secret */
	bool begun;   /* the server has answered the command AUTH at all */
};

/* Say AUTH and what m has to say.  The session is to be ended after LATER, UNPROVEN and BROKEN, and
 * is dead after LOST.  *f, unless TAKEN: TEMP/AUTH, or USER/AUTH for LEFT_OUT. */
struct spoken mechanism_speak(
    struct session *s, const struct mechanism *m, struct secret *secret, struct fail *f);
#endif
