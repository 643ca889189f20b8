/* tls.h - TLS over a stream (the only directory that includes gnutls).
 *
 * Programs link net/tlsmodule.c, which loads onehop-tls.so at the first call: linking GnuTLS costs
 * a start 2.6 million instructions, and most starts of onehop-send need none of it.  Unit tests
 * link net/tls.c itself. */
#ifndef ONEHOP_NET_TLS_H
#define ONEHOP_NET_TLS_H

#include "base/arena.h"
#include "conf/conf.h"
#include "net/stream.h"
#include "net/tlsfiles.h"

enum tls_verdict {
	TLS_UNVERIFIED, /* chain or name did not verify: why says what */
	TLS_VERIFIED,   /* chain and one of the reference names */
	TLS_PINNED,     /* one of tls_fingerprint; when that is set nothing else will do */
};

struct tls_info {
	bool refused; /* tls_start() failed, and it was the server or the way to it */
	enum tls_verdict verdict;
	/* The reference name that matched; NULL unless TLS_VERIFIED. */
	const char *name;
	/* Exim's X=: "TLS1.3:ECDHE_X25519__RSA_PSS_RSAE_SHA256__AES_256_GCM:256" */
	const char *cipher;
	/* Exim's DN=: "CN=smtp.isp.example" */
	const char *peer;
	/* TLS_UNVERIFIED: what is said of the certificate, for the person who must act: "is for
	 * mail.evil, not for smtp.isp", "expired on 2026-01-01", "is self-signed; its SHA-256
	 * fingerprint is ..."; else "". */
	const char *why;
};

struct tls_options {
	const struct conf *conf;  /* the tls_ options */
	const char *const *names; /* reference names, host names or addresses; the first is sent as
				     SNI when it is a host name */
	size_t nnames;
	const struct tls_files *files; /* NULL: they are read */
};

/* Handshake on s, in place and within its deadline: afterwards s reads and writes through TLS.  Its
 * last flight is held back until the first write or read, so that a command travels with it.
 * Verification is done and reported, the decision is the caller's.  Of the certificate store
 * only the issuers that the chain names are parsed.
 * False: TEMP/TLS, the handshake failed, or s holds bytes that came in clear; s can only be
 * closed. */
bool tls_start(struct stream *s, const struct tls_options *o, struct arena *a,
    struct tls_info *info, struct fail *f) NODISCARD;
/* -bV: can the tls_ options work?  GnuTLS is loaded, and what they name is read as tls_start()
 * would; proof: a certificate must verify here, so there must be authorities to do it with. False:
 * TEMP/TLS, with the place where the option was set. */
bool tls_check(const struct conf *c, bool proof, struct arena *a, struct fail *f) NODISCARD;
/* Channel binding data for SCRAM-PLUS, and its *type: "tls-exporter" (TLS 1.3) or "tls-unique".
 * Empty when s has none. */
struct str tls_channel_binding(struct stream *s, struct arena *a, const char **type);
#endif
