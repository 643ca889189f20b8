/* verify.c - is the other end who it should be?  Of onehop-tls.so. */
#include "net/verify.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <time.h>

#include "base/clock.h"
#include "base/file.h"
#include "net/trust.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { CHAIN_MAX = TRUST_NAMES_MAX, SHA256_LEN = 32, ALTNAMES_SHOWN = 3 };

/* One judgement: what is known while it is made. */
struct peer {
	const struct conf *conf;
	const struct tls_file *trust;
	const char *const *names; /* that would do */
	size_t nnames;
	struct arena *a;
	gnutls_x509_crt_t crt[CHAIN_MAX]; /* the server's own first */
	unsigned n;
	unsigned char print[SHA256_LEN]; /* of crt[0] */
	gnutls_x509_trust_list_t trusted;
};

/* Bytes of a stranger as one printable line. */
static const char *
printable(struct arena *a, struct str s)
{
	char *z = arena_strz(a, s);

	for (size_t i = 0; i < s.n; i++)
		if (ascii_control(z[i]))
			z[i] = '?';
	return z;
}

static bool
hex(char c, unsigned *v)
{
	c = ascii_lower(c);
	if (!ascii_digit(c) && (c < 'a' || c > 'f'))
		return false;
	*v = *v << 4 | (unsigned)(ascii_digit(c) ? c - '0' : c - 'a' + 10);
	return true;
}

/* One of tls_fingerprint: 64 hexadecimal digits, colons between them are decoration. */
static bool
same_fingerprint(struct str text, const unsigned char want[SHA256_LEN])
{
	size_t n = 0;
	unsigned v = 0;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == ':')
			continue;
		if (n / 2 >= SHA256_LEN || !hex(text.p[i], &v))
			return false;
		if (++n % 2 == 0 && (v & 0xff) != want[n / 2 - 1])
			return false;
	}
	return n == (size_t)SHA256_LEN * 2;
}

static const char between[] = " \t,;";

static bool
pinned(const char *list, const unsigned char have[SHA256_LEN])
{
	while (*list != '\0') {
		size_t n = strcspn(list, between);

		if (n > 0 && same_fingerprint(str_at(list, n), have))
			return true;
		list += n + strspn(list + n, between);
	}
	return false;
}

static const char *
show_fingerprint(struct arena *a, const unsigned char have[SHA256_LEN])
{
	AUTO_BUF struct buf b = BUF_INIT((size_t)SHA256_LEN * 3);

	for (size_t i = 0; i < SHA256_LEN; i++)
		buf_fmt(&b, "%s%02X", i > 0 ? ":" : "", have[i]);
	return arena_strz(a, buf_get(&b));
}

static const char *
show_day(struct arena *a, int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;
	char day[32];

	if (gmtime_r(&t, &tm) == NULL || strftime(day, sizeof(day), "%Y-%m-%d", &tm) == 0)
		return "an unknown day";
	return arena_strz(a, str_of(day));
}

/* "a.example, b.example and 7 more", from subjectAltName, or the DN. */
static const char *
show_names(struct arena *a, gnutls_x509_crt_t crt, const char *dn)
{
	AUTO_BUF struct buf b = BUF_INIT(1024);
	unsigned more = 0, shown = 0;
	char name[256];

	for (unsigned i = 0; i < 1000; i++) {
		size_t n = sizeof(name);
		int r = gnutls_x509_crt_get_subject_alt_name(crt, i, name, &n, NULL);

		if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (r != GNUTLS_SAN_DNSNAME || shown >= ALTNAMES_SHOWN) {
			more++;
			continue;
		}
		buf_fmt(
		    &b, "%s%.*s", shown++ > 0 ? ", " : "", (int)strnlen(name, sizeof(name)), name);
	}
	if (shown == 0)
		return dn;
	if (more > 0)
		buf_fmt(&b, " and %u more", more);
	return printable(a, buf_get(&b));
}

static const char *
subject(struct arena *a, gnutls_x509_crt_t crt)
{
	char dn[1024];
	size_t n = sizeof(dn);

	if (gnutls_x509_crt_get_dn(crt, dn, &n) < 0)
		return "";
	return printable(a, str_at(dn, strnlen(dn, sizeof(dn))));
}

static void
add_trusted(struct peer *p, const struct buf *der)
{
	gnutls_datum_t d = { (unsigned char *)der->p, (unsigned)der->n };
	gnutls_x509_crt_t ca;

	if (gnutls_x509_crt_init(&ca) < 0)
		return;
	if (gnutls_x509_crt_import(ca, &d, GNUTLS_X509_FMT_DER) < 0 ||
	    gnutls_x509_trust_list_add_cas(p->trusted, &ca, 1, 0) != 1)
		gnutls_x509_crt_deinit(ca); /* else the list owns it */
}

/* From a text of authorities, those that the chain names as issuers. */
static void
trust_text(struct peer *p, struct str text)
{
	AUTO_BUF struct buf der = BUF_INIT(CERTIFICATE_MAX);
	gnutls_datum_t dn[CHAIN_MAX] = { { NULL, 0 } };
	struct str names[CHAIN_MAX];

	for (unsigned i = 0; i < p->n; i++) {
		(void)gnutls_x509_crt_get_raw_issuer_dn(p->crt[i], &dn[i]);
		names[i] = str_at((const char *)dn[i].data, dn[i].size);
	}
	while (trust_next(&text, &der))
		if (trust_holds(buf_get(&der), names, p->n))
			add_trusted(p, &der);
	for (unsigned i = 0; i < p->n; i++)
		gnutls_free(dn[i].data);
}

/* Debian's, Fedora's, SUSE's, the BSDs'; else what GnuTLS was built with (p11-kit). */
static const char *const bundles[] = { "/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem" };

static void
load_trust(struct peer *p)
{
	struct fail ignored = FAIL_INIT;
	struct str text = p->trust->text;
	bool have = tls_names_trust(p->conf);

	for (size_t i = 0; !have && i < sizeof(bundles) / sizeof(bundles[0]); i++)
		have = file_read(p->a, bundles[i], &text, &ignored);
	if (have)
		trust_text(p, text);
	else
		(void)gnutls_x509_trust_list_add_system_trust(p->trusted, 0, 0);
}

/* GnuTLS returns the time_t that it was built with, which may be narrower than ours (configure.ac):
 * then what stands above it is chance.  Not positive: it cannot say, or the day is after 2038. */
static int64_t
library_time(time_t t)
{
	return SIZEOF_TIME_T < sizeof(time_t) ? (int64_t)(int32_t)t : (int64_t)t;
}

static const char *
why_untrusted(const struct peer *p, unsigned status)
{
	static const struct {
		unsigned bit;
		const char *text;
	} rest[] = { { GNUTLS_CERT_REVOKED, "was revoked" },
		{ GNUTLS_CERT_INSECURE_ALGORITHM,
		    "is signed with an algorithm that is not secure" },
		{ GNUTLS_CERT_PURPOSE_MISMATCH, "is not one for a server" },
		{ GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE,
		    "is outside of what its authority may sign" },
		{ GNUTLS_CERT_SIGNATURE_FAILURE, "has a wrong signature" } };
	int64_t now = clock_unix();

	for (unsigned i = 0; i < p->n; i++) {
		const char *whose = i == 0 ? "" : "is vouched for by one that ";
		int64_t from = library_time(gnutls_x509_crt_get_activation_time(p->crt[i]));
		int64_t to = library_time(gnutls_x509_crt_get_expiration_time(p->crt[i]));

		if (to > 0 && to < now)
			return arena_fmt(p->a, "%sexpired on %s", whose, show_day(p->a, to));
		if (from > now)
			return arena_fmt(p->a,
			    "%sis not valid before %s, or this host's clock is wrong", whose,
			    show_day(p->a, from));
	}
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]); i++)
		if ((status & rest[i].bit) != 0)
			return rest[i].text;
	return arena_fmt(p->a, "is %s; its SHA-256 fingerprint is %s",
	    gnutls_x509_crt_check_issuer(p->crt[0], p->crt[0]) != 0 ?
		"self-signed" :
		"signed by an authority that is not trusted",
	    show_fingerprint(p->a, p->print));
}

/* Is this one of the certificate's host names (NULL: has it any)? */
static bool
has_host_name(gnutls_x509_crt_t crt, const char *name)
{
	int r = GNUTLS_SAN_DNSNAME;

	for (unsigned i = 0; i < 1000 && r != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE; i++) {
		char have[256];
		size_t n = sizeof(have);

		r = gnutls_x509_crt_get_subject_alt_name(crt, i, have, &n, NULL);
		if (r == GNUTLS_SAN_DNSNAME &&
		    (name == NULL ||
			str_ieq(str_at(have, strnlen(have, sizeof(have))), str_of(name))))
			return true;
	}
	return false;
}

static bool
is_common_name(gnutls_x509_crt_t crt, const char *name)
{
	char have[256];
	size_t n = sizeof(have);

	return gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, 0, have, &n) ==
	    0 &&
	    str_ieq(str_at(have, n), str_of(name));
}

static bool
is_address(const char *name)
{
	unsigned char bin[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, name, bin) == 1 || inet_pton(AF_INET6, name, bin) == 1;
}

static const char *
why_wrong_name(const struct peer *p, const char *dn)
{
	const char *wanted = p->nnames > 0 ? p->names[0] : "any name";

	for (size_t i = 0; i < p->nnames; i++) {
		const char *name = p->names[i];

		if (is_address(name) &&
		    (has_host_name(p->crt[0], name) || is_common_name(p->crt[0], name)))
			return arena_fmt(p->a,
			    "has %s as a host name, where an address does not count: it must stand "
			    "in an IP address field (subjectAltName = IP:%s)",
			    name, name);
		if (is_common_name(p->crt[0], name) && !has_host_name(p->crt[0], NULL))
			return arena_fmt(p->a,
			    "has %s as its common name alone, which does not count: it must stand "
			    "in "
			    "a host name field (subjectAltName = DNS:%s)",
			    name, name);
	}
	for (size_t i = 1; i < p->nnames; i++)
		wanted = arena_fmt(p->a, "%s or %s", wanted, p->names[i]);
	return arena_fmt(p->a, "is for %s, not for %s", show_names(p->a, p->crt[0], dn), wanted);
}

/* A certificate without a host name field is one for no name: GnuTLS looks at the common name then,
 * which RFC 9525 2 forbids. */
static const char *
match_name(const struct peer *p)
{
	bool named = has_host_name(p->crt[0], NULL);

	for (size_t i = 0; i < p->nnames; i++) {
		struct str s = str_of(p->names[i]);

		if (s.n > 1 && s.p[s.n - 1] == '.') /* written as absolute */
			s.n--;
		if ((named || is_address(p->names[i])) &&
		    gnutls_x509_crt_check_hostname2(p->crt[0], arena_strz(p->a, s), 0) != 0)
			return p->names[i];
	}
	return NULL;
}

static void
trusted(struct tls_info *info, enum tls_verdict verdict)
{
	info->verdict = verdict;
	info->why = "";
}

static void
judge_chain(struct peer *p, struct tls_info *info)
{
	unsigned char server[] = GNUTLS_KP_TLS_WWW_SERVER;
	gnutls_typed_vdata_st purpose = { .type = GNUTLS_DT_KEY_PURPOSE_OID, .data = server };
	unsigned status = GNUTLS_CERT_INVALID;

	if (p->trust->why != NULL) {
		info->why = arena_fmt(p->a, "cannot be checked: %s: tls_trust_file: %s",
		    conf_where(p->conf, CONF_tls_trust_file), p->trust->why);
		return;
	}
	load_trust(p);
	if (gnutls_x509_trust_list_verify_crt2(
		p->trusted, p->crt, p->n, &purpose, 1, 0, &status, NULL) < 0)
		status = GNUTLS_CERT_INVALID;
	if (status != 0) {
		info->why = why_untrusted(p, status);
		return;
	}
	info->name = match_name(p);
	if (info->name == NULL)
		info->why = why_wrong_name(p, info->peer);
	else
		trusted(info, TLS_VERIFIED);
}

static void
judge(struct peer *p, struct tls_info *info)
{
	const char *pins = p->conf->tls_fingerprint;

	info->peer = subject(p->a, p->crt[0]);
	if (pins[0] == '\0')
		judge_chain(p, info);
	else if (pinned(pins, p->print))
		trusted(info, TLS_PINNED);
	else
		info->why = arena_fmt(p->a,
		    "has the SHA-256 fingerprint %s, which is not in tls_fingerprint (%s)",
		    show_fingerprint(p->a, p->print), conf_where(p->conf, CONF_tls_fingerprint));
}

void
verify_peer(
    gnutls_session_t session, const struct tls_options *o, struct arena *a, struct tls_info *info)
{
	struct peer p = { .conf = o->conf,
		.trust = &o->files->trust,
		.names = o->names,
		.nnames = o->nnames,
		.a = a };
	unsigned sent = 0;
	const gnutls_datum_t *der = gnutls_certificate_get_peers(session, &sent);
	size_t len = sizeof(p.print);

	info->verdict = TLS_UNVERIFIED;
	info->name = NULL;
	info->peer = "";
	info->why = "cannot be read";
	if (gnutls_x509_trust_list_init(&p.trusted, 0) < 0)
		return;
	for (; p.n < sent && p.n < CHAIN_MAX; p.n++) {
		if (gnutls_x509_crt_init(&p.crt[p.n]) < 0)
			break;
		if (gnutls_x509_crt_import(p.crt[p.n], &der[p.n], GNUTLS_X509_FMT_DER) < 0) {
			gnutls_x509_crt_deinit(p.crt[p.n]);
			break;
		}
	}
	if (p.n > 0 && gnutls_fingerprint(GNUTLS_DIG_SHA256, &der[0], p.print, &len) == 0)
		judge(&p, info);
	while (p.n > 0)
		gnutls_x509_crt_deinit(p.crt[--p.n]);
	gnutls_x509_trust_list_deinit(p.trusted, 1);
}

/* --- -bV --- */

static bool
is_fingerprint(struct str text)
{
	size_t n = 0;
	unsigned v = 0;

	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] != ':' && ++n > 0 && !hex(text.p[i], &v))
			return false;
	return n == (size_t)SHA256_LEN * 2;
}

static bool
check_fingerprints(const struct conf *c, struct fail *f)
{
	const char *list = c->tls_fingerprint;

	while (*list != '\0') {
		size_t n = strcspn(list, between);

		if (n > 0 && !is_fingerprint(str_at(list, n)))
			return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
			    "%s: tls_fingerprint: \"%.*s\" is no SHA-256 fingerprint, which has 64 "
			    "hexadecimal digits",
			    conf_where(c, CONF_tls_fingerprint), (int)n, list);
		list += n + strspn(list + n, between);
	}
	return true;
}

static bool
has_authority(struct str text)
{
	AUTO_BUF struct buf der = BUF_INIT(CERTIFICATE_MAX);

	return trust_next(&text, &der);
}

static bool
check_system_trust(struct arena *a, struct fail *f)
{
	gnutls_x509_trust_list_t list;
	struct fail ignored = FAIL_INIT;
	struct str text;
	int n;

	for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++)
		if (file_read(a, bundles[i], &text, &ignored) && has_authority(text))
			return true;
	if (gnutls_x509_trust_list_init(&list, 0) < 0)
		return true;
	n = gnutls_x509_trust_list_add_system_trust(list, 0, 0);
	gnutls_x509_trust_list_deinit(list, 1);
	return n > 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
		"there are no trusted authorities, so no certificate can verify: install "
		"ca-certificates, or set tls_trust_file or tls_fingerprint");
}

bool
verify_check(
    const struct conf *c, const struct tls_file *trust, bool proof, struct arena *a, struct fail *f)
{
	const char *where = conf_where(c, CONF_tls_trust_file);

	if (!check_fingerprints(c, f))
		return false;
	if (trust->why != NULL)
		return fail_set(
		    f, FAIL_TEMP, STAGE_TLS, 0, "%s: tls_trust_file: %s", where, trust->why);
	if (tls_names_trust(c) && !has_authority(trust->text))
		return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
		    "%s: tls_trust_file: %s has no certificate in PEM form", where,
		    c->tls_trust_file);
	return !proof || tls_names_trust(c) || c->tls_fingerprint[0] != '\0' ||
	    check_system_trust(a, f);
}
