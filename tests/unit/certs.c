/* certs.c - throw-away certificates. */
#include "certs.h"

#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
must(int rc)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "certs.c: %s\n", gnutls_strerror(rc));
	abort();
}

static void
set_names(gnutls_x509_crt_t crt, const struct cert_wish *w)
{
	unsigned char bin[4];

	must(gnutls_x509_crt_set_dn_by_oid(
	    crt, GNUTLS_OID_X520_COMMON_NAME, 0, w->cn, (unsigned)strlen(w->cn)));
	for (size_t i = 0; i < 4 && w->dns[i] != NULL; i++)
		must(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, w->dns[i],
		    (unsigned)strlen(w->dns[i]), GNUTLS_FSAN_APPEND));
	if (w->ip != NULL && inet_pton(AF_INET, w->ip, bin) == 1)
		must(gnutls_x509_crt_set_subject_alt_name(
		    crt, GNUTLS_SAN_IPADDRESS, bin, sizeof(bin), GNUTLS_FSAN_APPEND));
}

/* GnuTLS knows names of a certificate only when it has read it. */
static void
read_again(struct cert *c)
{
	gnutls_datum_t der;

	must(gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_DER, &der));
	gnutls_x509_crt_deinit(c->crt);
	must(gnutls_x509_crt_init(&c->crt));
	must(gnutls_x509_crt_import(c->crt, &der, GNUTLS_X509_FMT_DER));
	gnutls_free(der.data);
}

struct cert
cert_make(const struct cert_wish *w, const struct cert *issuer)
{
	struct cert c;
	unsigned char serial[8];
	time_t now = time(NULL), day = 86400;
	bool always = w->from_days == 0 && w->to_days == 0;

	must(gnutls_x509_privkey_init(&c.key));
	must(gnutls_x509_privkey_generate(
	    c.key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
	must(gnutls_x509_crt_init(&c.crt));
	must(gnutls_x509_crt_set_version(c.crt, 3));
	must(gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof(serial)));
	serial[0] &= 0x7f;
	must(gnutls_x509_crt_set_serial(c.crt, serial, sizeof(serial)));
	set_names(c.crt, w);
	must(gnutls_x509_crt_set_key(c.crt, c.key));
	must(gnutls_x509_crt_set_activation_time(
	    c.crt, now + day * (always ? -1825 : w->from_days)));
	must(gnutls_x509_crt_set_expiration_time(c.crt,
	    w->endless ? GNUTLS_X509_NO_WELL_DEFINED_EXPIRATION :
			 now + day * (always ? 1825 : w->to_days)));
	must(gnutls_x509_crt_set_basic_constraints(c.crt, w->ca, -1));
	must(gnutls_x509_crt_set_key_usage(
	    c.crt, w->ca ? GNUTLS_KEY_KEY_CERT_SIGN : GNUTLS_KEY_DIGITAL_SIGNATURE));
	if (!w->ca)
		must(gnutls_x509_crt_set_key_purpose_oid(c.crt,
		    w->client_only ? GNUTLS_KP_TLS_WWW_CLIENT : GNUTLS_KP_TLS_WWW_SERVER, 0));
	must(gnutls_x509_crt_sign2(c.crt, issuer != NULL ? issuer->crt : c.crt,
	    issuer != NULL ? issuer->key : c.key, GNUTLS_DIG_SHA256, 0));
	read_again(&c);
	return c;
}

void
cert_free(struct cert *c)
{
	gnutls_x509_crt_deinit(c->crt);
	gnutls_x509_privkey_deinit(c->key);
}

static void
append(const char *path, gnutls_datum_t *pem)
{
	FILE *f = fopen(path, "ae");

	if (f == NULL || fwrite(pem->data, 1, pem->size, f) != pem->size || fclose(f) != 0)
		must(GNUTLS_E_FILE_ERROR);
	gnutls_free(pem->data);
}

void
cert_save(const struct cert *c, const char *path, bool key)
{
	gnutls_datum_t pem;

	must(gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_PEM, &pem));
	append(path, &pem);
	if (!key)
		return;
	must(gnutls_x509_privkey_export2(c->key, GNUTLS_X509_FMT_PEM, &pem));
	append(path, &pem);
}

void
cert_fingerprint(const struct cert *c, const char *sep, bool upper, char out[97])
{
	unsigned char bin[32];
	size_t n = sizeof(bin), at = 0;

	must(gnutls_x509_crt_get_fingerprint(c->crt, GNUTLS_DIG_SHA256, bin, &n));
	for (size_t i = 0; i < n; i++)
		at += (size_t)snprintf(
		    out + at, 97 - at, upper ? "%s%02X" : "%s%02x", i > 0 ? sep : "", bin[i]);
}
