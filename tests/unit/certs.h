/* certs.h - throw-away certificates, made when a test starts. */
#ifndef ONEHOP_TESTS_CERTS_H
#define ONEHOP_TESTS_CERTS_H

#include <gnutls/x509.h>
#include <stdbool.h>

struct cert {
	gnutls_x509_crt_t crt;
	gnutls_x509_privkey_t key;
};

struct cert_wish {
	const char *cn;
	const char *dns[4];
	const char *ip;
	bool ca, client_only;
	bool endless;           /* it has "no well-defined expiration date" (RFC 5280 4.1.2.5) */
	int from_days, to_days; /* from now; 0, 0: ten years around it */
};

/* Signed by issuer, or by itself when that is NULL. */
struct cert cert_make(const struct cert_wish *w, const struct cert *issuer);
void cert_free(struct cert *c);
/* Append as PEM to the file: the certificate, and the key too. */
void cert_save(const struct cert *c, const char *path, bool key);
/* Its SHA-256 fingerprint in hexadecimal, with sep between the bytes. */
void cert_fingerprint(const struct cert *c, const char *sep, bool upper, char out[97]);
#endif
