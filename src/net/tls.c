/* tls.c - TLS over a stream (the only directory that includes gnutls). */
#include "net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <string.h>

#include "base/module.h"
#include "net/tlsmodule.h"
#include "net/verify.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { FLIGHT_MAX = 256 * 1024 };

/* The stream below is the same object: its kind's parts are put back for the time of a call. */
struct tls {
	gnutls_session_t session;
	gnutls_certificate_credentials_t cred;
	const struct stream_ops *low_ops;
	void *low_ctx;
	struct stream *stream;
	struct buf flight; /* held back until an answer is waited for: Finished goes with EHLO */
	bool holding;
	bool broken;
	int err; /* errno of the stream below */
};

static ptrdiff_t
low_read(struct tls *t, void *p, size_t n)
{
	ptrdiff_t r;

	t->stream->ctx = t->low_ctx;
	r = t->low_ops->read(t->stream, p, n);
	t->err = r < 0 ? errno : 0;
	t->stream->ctx = t;
	return r;
}

static int
low_write(struct tls *t, const void *p, size_t n)
{
	int r;

	t->stream->ctx = t->low_ctx;
	r = t->low_ops->write(t->stream, p, n);
	t->err = r < 0 ? errno : 0;
	t->stream->ctx = t;
	return r;
}

static int
flush(struct tls *t)
{
	int r = 0;

	if (t->flight.n > 0)
		r = low_write(t, t->flight.p, t->flight.n);
	buf_reset(&t->flight);
	return r;
}

/* TLS 1.3's ChangeCipherSpec is for middleboxes; no server waits for it, so it goes with what
 * follows (RFC 8446 appendix D.4). */
static bool
lone_ccs(const struct buf *b)
{
	return b->n == 6 && b->p[0] == 20;
}

static ssize_t
pull(gnutls_transport_ptr_t ptr, void *p, size_t n)
{
	struct tls *t = ptr;
	ptrdiff_t r = lone_ccs(&t->flight) ? 0 : flush(t);

	if (r == 0)
		r = low_read(t, p, n);
	if (r < 0)
		gnutls_transport_set_errno(t->session, EIO);
	return r;
}

static ssize_t
push(gnutls_transport_ptr_t ptr, const void *p, size_t n)
{
	struct tls *t = ptr;
	int r = 0;

	if (t->holding) {
		buf_add(&t->flight, p, n);
		r = buf_ok(&t->flight) ? 0 : -1;
	} else {
		r = low_write(t, p, n);
	}
	if (r < 0)
		gnutls_transport_set_errno(t->session, EIO);
	return r < 0 ? -1 : (ssize_t)n;
}

/* errno and the stream's why, for a call that GnuTLS refused with rc. */
static int
broke(struct tls *t, int rc)
{
	t->broken = true;
	if (t->err == 0)
		t->stream->why = rc == GNUTLS_E_FATAL_ALERT_RECEIVED ?
		    gnutls_alert_get_name(gnutls_alert_get(t->session)) :
		    gnutls_strerror(rc);
	errno = t->err != 0 ? t->err : EPROTO;
	return -1;
}

static ptrdiff_t
tls_read(struct stream *s, void *p, size_t n)
{
	struct tls *t = s->ctx;
	ssize_t r;

	/* After a handshake message (a ticket, a refused renegotiation) there is nothing yet. */
	do
		r = gnutls_record_recv(t->session, p, n);
	while (r == GNUTLS_E_INTERRUPTED || r == GNUTLS_E_AGAIN || r == GNUTLS_E_REHANDSHAKE ||
	    r == GNUTLS_E_WARNING_ALERT_RECEIVED);
	if (r == GNUTLS_E_PREMATURE_TERMINATION)
		r = 0; /* many servers skip close_notify; SMTP knows its own ends */
	return r >= 0 ? r : broke(t, (int)r);
}

static int
tls_write(struct stream *s, const void *p, size_t n)
{
	struct tls *t = s->ctx;
	const char *at = p;

	while (n > 0) {
		ssize_t r = gnutls_record_send(t->session, at, n);

		if (r < 0 && r != GNUTLS_E_INTERRUPTED && r != GNUTLS_E_AGAIN)
			return broke(t, (int)r);
		if (r > 0) {
			at += r;
			n -= (size_t)r;
		}
	}
	t->holding = false;
	return flush(t) == 0 ? 0 : broke(t, GNUTLS_E_PUSH_ERROR);
}

static void
tls_free(struct tls *t)
{
	if (t->session != NULL)
		gnutls_deinit(t->session);
	if (t->cred != NULL)
		gnutls_certificate_free_credentials(t->cred);
	buf_free(&t->flight);
	free(t);
}

static void
tls_close(struct stream *s)
{
	struct tls *t = s->ctx;

	if (!t->broken && gnutls_bye(t->session, GNUTLS_SHUT_WR) == 0)
		(void)flush(t);
	s->ctx = t->low_ctx;
	t->low_ops->close(s);
	s->why = NULL;
	tls_free(t);
}

static const struct stream_ops tls_ops = { tls_read, tls_write, tls_close };

static bool
refuse(struct fail *f, int rc, const char *what)
{
	return fail_set(f, FAIL_TEMP, STAGE_TLS, 0, "%s: %s", what, gnutls_strerror(rc));
}

static bool
refuse_option(const struct conf *c, enum conf_option o, int rc, const char *what, struct fail *f)
{
	(void)refuse(f, rc, what);
	fail_prefix(f, "%s", conf_where(c, o));
	return false;
}

/* SNI is for host names (RFC 6066 section 3), without a final dot. */
static int
send_name(struct tls *t, const char *name)
{
	unsigned char bin[16];
	size_t n = strlen(name);

	if (inet_pton(AF_INET, name, bin) == 1 || strchr(name, ':') != NULL)
		return 0;
	if (n > 0 && name[n - 1] == '.')
		n--;
	return n > 0 ? gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, name, n) : 0;
}

static gnutls_datum_t
datum(struct str s)
{
	gnutls_datum_t d = { .size = (unsigned)s.n };

	memcpy(&d.data, &s.p, sizeof d.data); /* it is only read */
	return d;
}

static bool
cannot_use(const struct conf *c, const char *why, struct fail *f)
{
	return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
	    "%s: cannot use tls_certificate and tls_privatekey: %s",
	    conf_where(c, CONF_tls_certificate), why);
}

/* The certificate that is shown to the server, and its key. */
static bool
set_certificate(struct tls *t, const struct conf *c, const struct tls_files *files, struct fail *f)
{
	bool own = c->tls_privatekey[0] != '\0'; /* else the key is in the certificate's file */
	const struct tls_file *cert = &files->certificate, *key = own ? &files->privatekey : cert;
	gnutls_datum_t c_text = datum(cert->text), k_text = datum(key->text);
	int rc;

	if (cert->why != NULL || key->why != NULL)
		return cannot_use(c, cert->why != NULL ? cert->why : key->why, f);
	if (cert->text.p != NULL)
		rc = gnutls_certificate_set_x509_key_mem2(
		    t->cred, &c_text, &k_text, GNUTLS_X509_FMT_PEM, NULL, 0);
	else
		rc = gnutls_certificate_set_x509_key_file2(t->cred, c->tls_certificate,
		    own ? c->tls_privatekey : c->tls_certificate, GNUTLS_X509_FMT_PEM, NULL, 0);
	return rc >= 0 || cannot_use(c, gnutls_strerror(rc), f);
}

static bool
set_up(struct tls *t, const struct conf *c, const struct tls_files *files, const char *sni,
    struct fail *f)
{
	const char *at = NULL;
	int rc;

	/* No tickets: sessions are not resumed.  One key share: P-256, which every server has; if
	 * one has not, it asks for another and that costs a turn. */
	rc = gnutls_init(&t->session,
	    GNUTLS_CLIENT | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS | GNUTLS_KEY_SHARE_TOP);
	if (rc < 0)
		return refuse(f, rc, "cannot start GnuTLS");
	rc = gnutls_priority_set_direct(t->session, c->tls_priority, &at);
	if (rc == GNUTLS_E_INVALID_REQUEST && at != NULL)
		return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
		    "%s: GnuTLS does not understand tls_priority from \"%s\" on",
		    conf_where(c, CONF_tls_priority), at);
	if (rc < 0)
		return refuse_option(c, CONF_tls_priority, rc, "tls_priority", f);
	rc = gnutls_certificate_allocate_credentials(&t->cred);
	if (rc == 0 && c->tls_certificate[0] != '\0' && !set_certificate(t, c, files, f))
		return false;
	if (rc >= 0)
		rc = gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, t->cred);
	if (rc >= 0 && sni != NULL)
		rc = send_name(t, sni);
	if (rc < 0)
		return refuse(f, rc, "cannot start GnuTLS");
	gnutls_transport_set_ptr(t->session, t);
	gnutls_transport_set_pull_function(t->session, pull);
	gnutls_transport_set_push_function(t->session, push);
	return true;
}

static bool
handshake_failed(struct tls *t, int rc, struct fail *f)
{
	if (t->err == ETIMEDOUT)
		return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
		    "the server did not finish the TLS handshake in time");
	if (t->err != 0)
		return fail_set(
		    f, FAIL_TEMP, STAGE_TLS, t->err, "the connection broke in the TLS handshake");
	if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED)
		return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
		    "the server ended the TLS handshake: %s",
		    gnutls_alert_get_name(gnutls_alert_get(t->session)));
	if (rc == GNUTLS_E_PREMATURE_TERMINATION)
		return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
		    "the server closed the connection in the TLS handshake");
	if (rc == GNUTLS_E_UNEXPECTED_PACKET_LENGTH || rc == GNUTLS_E_UNSUPPORTED_VERSION_PACKET ||
	    rc == GNUTLS_E_RECORD_OVERFLOW || rc == GNUTLS_E_UNEXPECTED_PACKET)
		return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
		    "the server does not speak TLS here, or none of the versions that tls_priority "
		    "allows: %s",
		    gnutls_strerror(rc));
	return refuse(f, rc, "the TLS handshake failed");
}

static int
handshake(struct tls *t)
{
	int rc;

	t->holding = true;
	do
		rc = gnutls_handshake(t->session);
	while (rc < 0 && gnutls_error_is_fatal(rc) == 0);
	if (rc < 0) {
		/* The alert that tells the server why is in the flight. */
		int err = t->err;

		(void)gnutls_alert_send_appropriate(t->session, rc);
		if (err == 0)
			(void)flush(t);
		t->err = err;
	}
	return rc;
}

/* GnuTLS's "(TLS1.3)-(ECDHE-SECP256R1)-(RSA-SHA256)-(AES-256-GCM)" as Exim writes it. */
static const char *
cipher_name(gnutls_session_t session, struct arena *a)
{
	AUTO_BUF struct buf b = BUF_INIT(256);
	char *desc = gnutls_session_get_desc(session);
	struct str rest = str_of(desc != NULL ? desc : "");
	unsigned groups = 0;

	while (rest.p != NULL) {
		struct str group = str_cut(&rest, ')');

		group = str_skip(group, str_find(group, '(') + 1);
		if (group.n == 0)
			continue;
		buf_str(&b, groups == 0 ? "" : groups == 1 ? ":" : "__");
		groups++;
		for (size_t i = 0; i < group.n; i++)
			buf_char(&b, group.p[i] == '-' ? '_' : group.p[i]);
	}
	buf_fmt(&b, ":%zu", gnutls_cipher_get_key_size(gnutls_cipher_get(session)) * 8);
	gnutls_free(desc);
	return arena_strz(a, buf_get(&b));
}

static struct tls *
tls_new(struct stream *s)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->stream = s;
	t->low_ops = s->ops;
	t->low_ctx = s->ctx;
	t->flight.max = FLIGHT_MAX;
	return t;
}

bool
tls_start(struct stream *s, const struct tls_options *o, struct arena *a, struct tls_info *info,
    struct fail *f)
{
	struct tls_options how = *o;
	struct tls_files files;
	struct tls *t;
	int rc;

	if (stream_pending(s) > 0)
		return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
		    "the server sent text in clear behind the start of TLS: somebody may be in "
		    "between");
	t = tls_new(s);
	if (t == NULL)
		return fail_set(f, FAIL_TEMP, STAGE_TLS, ENOMEM, "cannot start TLS");
	if (how.files == NULL) {
		tls_files_read(o->conf, a, &files);
		how.files = &files;
	}
	if (!set_up(t, o->conf, how.files, o->nnames > 0 ? o->names[0] : NULL, f)) {
		tls_free(t);
		return false;
	}
	rc = handshake(t);
	s->ctx = t->low_ctx;
	if (rc < 0) {
		info->refused = true;
		(void)handshake_failed(t, rc, f);
		tls_free(t);
		return false;
	}
	s->ctx = t;
	s->ops = &tls_ops;
	verify_peer(t->session, &how, a, info);
	info->cipher = cipher_name(t->session, a);
	return true;
}

bool
tls_check(const struct conf *c, bool proof, struct arena *a, struct fail *f)
{
	struct tls *t = calloc(1, sizeof(*t));
	struct tls_files files;
	bool ok;

	if (t == NULL)
		return fail_set(f, FAIL_TEMP, STAGE_TLS, ENOMEM, "cannot start TLS");
	tls_files_read(c, a, &files);
	ok = set_up(t, c, &files, NULL, f);
	tls_free(t);
	return ok && verify_check(c, &files.trust, proof, a, f);
}

struct str
tls_channel_binding(struct stream *s, struct arena *a, const char **type)
{
	struct tls *t = s->ctx;
	gnutls_datum_t d = { NULL, 0 };
	struct str out = { "", 0 };
	bool v13;

	if (s->ops != &tls_ops)
		return out;
	v13 = gnutls_protocol_get_version(t->session) >= GNUTLS_TLS1_3;
	if (gnutls_session_channel_binding(
		t->session, v13 ? GNUTLS_CB_TLS_EXPORTER : GNUTLS_CB_TLS_UNIQUE, &d) < 0)
		return out;
	*type = v13 ? "tls-exporter" : "tls-unique";
	out = arena_str(a, str_at((const char *)d.data, d.size));
	gnutls_free(d.data);
	return out;
}

MODULE_EXPORT const struct tls_module onehop_tls = { PACKAGE_VERSION, tls_start,
	tls_channel_binding, tls_check };
