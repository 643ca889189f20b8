/* verify.h - is the other end who it should be?  Of onehop-tls.so. */
#ifndef ONEHOP_NET_VERIFY_H
#define ONEHOP_NET_VERIFY_H

#include <gnutls/gnutls.h>

#include "net/tls.h"

/* Judge the certificates that the handshake of session brought, against tls_fingerprint, or the
 * trusted authorities and the names.  Fills verdict, name, peer and why of *info; never fails. */
void verify_peer(
    gnutls_session_t session, const struct tls_options *o, struct arena *a, struct tls_info *info);
/* tls_check() for tls_fingerprint and the trusted authorities. */
bool verify_check(const struct conf *c, const struct tls_file *trust, bool proof, struct arena *a,
    struct fail *f) NODISCARD;
#endif
