/* auth.h - logging in: the ladder of mechanisms (DESIGN 6, RFC 4954).
 *
 * PLAIN, LOGIN, EXTERNAL, OAUTHBEARER and XOAUTH2 are written here; sasl.h computes the rest. */
#ifndef ONEHOP_SMTP_AUTH_H
#define ONEHOP_SMTP_AUTH_H

#include "conf/conf.h"
#include "conf/secret.h"
#include "smtp/session.h"

/* Try the mechanisms that the server offers and this link allows, best first (or in the order of
 * auth_mechanisms), until one is taken.  A 5xx moves on to the next; when the server says that the
 * password itself is wrong (535), at most AUTH_WRONG_MAX mechanisms are tried.
 * A password that begins with "oauth:" is a token for OAUTHBEARER and XOAUTH2 only.
 * secure: TLS that is accepted, or loopback; without it auth_client_allow_notls_passwords must be
 * on. True: s->auth names the mechanism as Exim's log does ("plain", "cram_md5"). False: TEMP/AUTH.
 * Never PERM: a wrong password is the administrator's to mend.  The session must be ended. */
enum { AUTH_WRONG_MAX = 3 };
bool auth_login(struct session *s, const struct conf *c, const struct secret *secret, bool secure,
    struct fail *f) NODISCARD;
/* Can our client certificate be used to log in here?  (A server that offers EXTERNAL has seen it.)
 */
bool auth_external(const struct session *s, const struct conf *c) NODISCARD;
#endif
