/* auth.h - logging in: the ladder of mechanisms (DESIGN 6; the only file that includes gsasl). */
#ifndef ONEHOP_SMTP_AUTH_H
#define ONEHOP_SMTP_AUTH_H

#include "conf/conf.h"
#include "conf/secret.h"
#include "smtp/session.h"

/* Try the mechanisms that the server offers and this link allows, best first, until one is taken.
 * secure: TLS that verified, or loopback: PLAIN and LOGIN may be used.
 * True: session->auth names the mechanism in lower case ("plain").
 * False: TEMP/AUTH.  Never PERM: a wrong password is the administrator's to mend. Session must be ended. */
bool auth_login(struct session *s, const struct conf *c, const struct secret *secret, bool secure,
    struct fail *f) NODISCARD;
#endif
