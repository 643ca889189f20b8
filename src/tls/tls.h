/* tls.h - TLS over a stream (the only directory that includes gnutls). */
#ifndef ONEHOP_TLS_TLS_H
#define ONEHOP_TLS_TLS_H

#include "base/arena.h"
#include "conf/conf.h"
#include "io/stream.h"

enum tls_verdict {
	TLS_UNVERIFIED, /* chain or name did not verify: why says what */
	TLS_VERIFIED,   /* chain and one of the reference names */
	TLS_PINNED,     /* one of tls_fingerprint */
};

struct tls_info {
	enum tls_verdict verdict;
	const char *name;    /* the reference name that matched */
	const char *cipher;  /* Exim's X=: "TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256" */
	const char *peer;    /* Exim's DN=: "CN=smtp.isp.example" */
	const char *why;     /* one clause for the person who must act: "the certificate is for
	                        mail.evil, not for smtp.isp" / "expired on 2026-01-01" / "is signed by an
	                        authority that is not trusted" */
};

/* Handshake on s, in place: afterwards s reads and writes through TLS.  names[0] is sent as SNI when
 * it is a host name.  Verification is done and reported, the decision is the caller's.
 * The certificate store is read only when a full handshake needs it, and then only the issuers
 * that the chain needs.  False: TEMP/TLS, the handshake failed; s can only be closed. */
bool tls_start(struct stream *s, const struct conf *c, const char *const *names, size_t nnames,
    struct arena *a, struct tls_info *info, struct fail *f) NODISCARD;
/* Channel binding data for SCRAM-PLUS: "tls-exporter" (TLS 1.3) or "tls-unique"; empty when s has none. */
struct str tls_channel_binding(struct stream *s, struct arena *a, const char **type);
#endif
