/* trust.h - of a file of many certificates, the few that are needed.  Of onehop-tls.so.
 *
 * GnuTLS parses all of the system's 140 authorities to use one (66 million instructions).  Here the
 * file is only decoded, and a certificate is parsed when it holds a name that is asked for:
 * GnuTLS compares names byte for byte, too. */
#ifndef ONEHOP_NET_TRUST_H
#define ONEHOP_NET_TRUST_H

#include "base/buf.h"

enum { TRUST_NAMES_MAX = 16, CERTIFICATE_MAX = 64 * 1024 };

/* The next PEM certificate of *rest, decoded into *der (which is reset first); *rest moves behind
 * it. Blocks that cannot be decoded are passed over.  False: there is none any more. */
bool trust_next(struct str *rest, struct buf *der) NODISCARD;
/* Does der hold one of the n names (DER of a distinguished name)? */
bool trust_holds(struct str der, const struct str *names, size_t n);
#endif
