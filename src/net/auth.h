/* auth.h - logging in: the ladder of mechanisms (doc/ARCHITECTURE 6, RFC 4954). */
#ifndef ONEHOP_NET_AUTH_H
#define ONEHOP_NET_AUTH_H

#include "conf/conf.h"
#include "net/mechanism.h"
#include "wire/told.h"

/* What is told of a login. */
struct login_told {
	enum login_news what;
	const struct secret *secret;
	const char *mechanism, *words; /* NO, HUNG_UP */
};

/* One login at one host, over as many connections as it takes: a server may hang up when it has
 * refused a mechanism.  The owner sets the first three. */
struct login {
	const struct conf *conf;
	struct secret *secret; /* login.n == 0: our certificate alone */
	bool secure;           /* TLS that is accepted, or loopback, on the connection at hand */
	bool again;            /* after a failure: another connection is worth it */
	unsigned refusals;     /* that followed upon a proof */
	/* where it is remembered; NULL: nowhere.  BEGINS: *left_out gets what is left out at first;
	 * BEGINS and NO: false (with *f): nothing, or nothing more, is to be tried */
	bool (*tell)(void *ctx, const struct login_told *t, struct buf *left_out, struct fail *f);
	void *ctx;
	/* private, bits of the ladder: asked of the server; not to be tried (again); of those: what
	 * the server hung up on, what our side cannot do */
	unsigned tried, over, hung_up, left_out;
	unsigned last; /* refused on this connection: its bit, or 0 */
	bool begun;
	struct fail why;
};

/* Try the mechanisms that the server offers and this link allows, best first (or in the order of
 * auth_mechanisms), until one is taken; none twice.  A 5xx moves on to the next, and so does what
 * our side or the library cannot do, and a connection that the server ends in answer: a = again is
 * set, and the next is for a new one.  A server that fails to prove itself gets no other.  At most
 * AUTH_REFUSALS_MAX refusals (any 5xx, or a hang-up, once a proof of the password went out); those
 * of one family count as one: the second SCRAM is not tried when the first was refused so.
 * A password that begins with "oauth:" is a token for OAUTHBEARER and XOAUTH2 only.
 * Without secure, auth_client_allow_notls_passwords must be on.
 * True: s->auth names the mechanism as Exim's log does ("plain", "cram_md5").  False: TEMP/AUTH:
 * which mechanisms failed, why, and what would help.  Never PERM: a wrong password is the
 * administrator's to mend.  The session must be ended. */
enum { AUTH_REFUSALS_MAX = LOGIN_REFUSALS_MAX };
bool auth_login(struct session *s, struct login *a, struct fail *f) NODISCARD;
/* No further connection is made for it. */
void auth_over(struct login *a);
/* After a failure with again set no other connection could be had: *f as if none had been tried. */
bool auth_explain(const struct session *s, const struct login *a, struct fail *f);
/* Can our client certificate be used to log in here?  (A server that offers EXTERNAL has seen it.)
 */
bool auth_external(const struct session *s, const struct conf *c) NODISCARD;
#endif
