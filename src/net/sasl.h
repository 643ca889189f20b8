/* sasl.h - the SASL mechanisms that need computing: CRAM-MD5 and SCRAM (RFC 2195, 5802, 7677).
 * sasl.c, which is in onehop-sasl.so, is the only file that includes gsasl. */
#ifndef ONEHOP_NET_SASL_H
#define ONEHOP_NET_SASL_H

#include "base/buf.h"
#include "base/fail.h"

struct sasl;

struct sasl_login {
	struct str login, password; /* the caller's; copies are wiped by sasl_free() */
	const char *binding_type;   /* "tls-exporter", "tls-unique" or "" */
	struct str binding;         /* for -PLUS alone: libgsasl fails the others with one */
};

/* Rounds that SCRAM's server may ask for: RFC 5802 5.1 wants 4096 at least; the most are about a
 * second of work. */
enum { SASL_ROUNDS_MIN = 4096, SASL_ROUNDS_MAX = 1000000 };

/* Start one mechanism ("SCRAM-SHA-256").  NULL: TEMP/AUTH: it is not to be had, another must do. */
struct sasl *sasl_new(
    const char *mechanism, const struct sasl_login *who, struct fail *f) NODISCARD;
/* Take what the server said (decoded; empty at the start of a mechanism in which the client
 * speaks first) and append what is to be said.  *done: nothing is left to say, and what the
 * server had to prove is proved.  False: TEMP/AUTH: the server's part is wrong, or does not prove
 * what it should; USER/AUTH: ours cannot be prepared (a password that is no UTF-8), the server has
 * no part in it. */
bool sasl_step(
    struct sasl *x, struct str challenge, struct buf *out, bool *done, struct fail *f) NODISCARD;
void sasl_free(struct sasl *x);
/* Can libgsasl be loaded?  False: TEMP/AUTH. */
bool sasl_check(struct fail *f) NODISCARD;
#endif
