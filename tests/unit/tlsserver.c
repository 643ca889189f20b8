/* tlsserver.c - a GnuTLS server in a child. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "net/connect.h"
#include "tlsserver.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define BOTH "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

static const struct {
	struct cert_wish wish;
	int issuer;
} table[CERTS] = {
	[ROOT] = { { .cn = "Test Root", .ca = true }, -1 },
	[OTHER_ROOT] = { { .cn = "Other Root", .ca = true }, -1 },
	[MIDDLE] = { { .cn = "Test Middle", .ca = true }, ROOT },
	[GOOD] = { { .cn = "smtp.isp.example",
		       .dns = { "smtp.isp.example", "*.pool.example" },
		       .ip = "192.0.2.25" },
	    ROOT },
	[BEHIND_MIDDLE] = { { .cn = "x", .dns = { "smtp.isp.example" } }, MIDDLE },
	[WRONG_NAME] = { { .cn = "mail.evil", .dns = { "mail.evil" } }, ROOT },
	[EXPIRED] = { { .cn = "x", .dns = { "smtp.isp.example" }, .from_days = -10, .to_days = -2 },
	    ROOT },
	[FUTURE] = { { .cn = "x", .dns = { "smtp.isp.example" }, .from_days = 2, .to_days = 10 },
	    ROOT },
	[SELF_SIGNED] = { { .cn = "smtp.isp.example", .dns = { "smtp.isp.example" } }, -1 },
	[ENDLESS] = { { .cn = "x", .dns = { "smtp.isp.example" }, .endless = true }, -1 },
	[FOREIGN] = { { .cn = "x", .dns = { "smtp.isp.example" } }, OTHER_ROOT },
	[CLIENT] = { { .cn = "x", .dns = { "smtp.isp.example" }, .client_only = true }, ROOT },
	[MANY_NAMES] = { { .cn = "x\n",
			     .dns = { "a.example", "b.example", "c.example", "d\n.example" } },
	    ROOT },
	[OLD_MIDDLE] = { { .cn = "Old Middle", .ca = true, .from_days = -10, .to_days = -2 },
	    ROOT },
	[IP_AS_NAME] = { { .cn = "x", .dns = { "smtp.isp.example", "192.0.2.25", "2001:db8::25" } },
	    ROOT },
	[IP_AS_CN] = { { .cn = "192.0.2.25" }, ROOT },
	[NAME_AS_CN] = { { .cn = "smtp.isp.example" }, ROOT },
	[NAME_AND_IP] = { { .cn = "smtp.isp.example", .ip = "192.0.2.25" }, ROOT },
	[BEHIND_OLD] = { { .cn = "x", .dns = { "smtp.isp.example" } }, OLD_MIDDLE },
};

struct cert server_cert[CERTS];
static char dir[] = "/tmp/onehop-tls-XXXXXX";
char server_trust[64], server_client[64];

int
server_set_up(void **state)
{
	static const char junk[] =
	    "# comment\n-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
	FILE *f;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	for (size_t i = 0; i < CERTS; i++)
		server_cert[i] = cert_make(
		    &table[i].wish, table[i].issuer < 0 ? NULL : &server_cert[table[i].issuer]);
	(void)snprintf(server_trust, sizeof(server_trust), "%s/trust", dir);
	(void)snprintf(server_client, sizeof(server_client), "%s/client", dir);
	f = fopen(server_trust, "we");
	if (f == NULL || fputs(junk, f) < 0 || fclose(f) != 0)
		return -1;
	cert_save(
	    &server_cert[WRONG_NAME], server_trust, false); /* no authority: must not matter */
	cert_save(&server_cert[ROOT], server_trust, false);
	cert_save(&server_cert[CLIENT], server_client, true);
	return 0;
}

int
server_tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < CERTS; i++)
		cert_free(&server_cert[i]);
	return unlink(server_trust) + unlink(server_client) + rmdir(dir);
}

/* Greets with the SNI and "cert" when the server_client has sent one, then echoes until the end. */
static void
talk(gnutls_session_t s)
{
	char line[512], sni[256] = "";
	size_t n = sizeof(sni) - 1;
	unsigned type, sent = 0;
	ssize_t got;

	(void)gnutls_server_name_get(s, sni, &n, &type, 0);
	(void)gnutls_certificate_get_peers(s, &sent);
	(void)snprintf(line, sizeof(line), "220 %s%s\r\n", sni, sent > 0 ? " cert" : "");
	(void)gnutls_record_send(s, line, strlen(line));
	while ((got = gnutls_record_recv(s, line, sizeof(line))) > 0)
		(void)gnutls_record_send(s, line, (size_t)got);
	(void)gnutls_bye(s, GNUTLS_SHUT_WR);
}

static _Noreturn void
serve(int fd, const struct server *w)
{
	gnutls_certificate_credentials_t cred;
	gnutls_session_t s;
	gnutls_x509_crt_t chain[2] = { server_cert[w->cert].crt, server_cert[w->middle].crt };

	(void)gnutls_certificate_allocate_credentials(&cred);
	(void)gnutls_certificate_set_x509_key(
	    cred, chain, w->middle != 0 ? 2 : 1, server_cert[w->cert].key);
	(void)gnutls_init(&s, GNUTLS_SERVER);
	(void)gnutls_priority_set_direct(s, w->priority != NULL ? w->priority : "NORMAL", NULL);
	(void)gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, cred);
	if (w->ask_client)
		gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUIRE);
	gnutls_transport_set_int(s, fd);
	if (gnutls_handshake(s) == 0)
		talk(s);
	_exit(0);
}

pid_t
server_start(const struct server *w, struct stream *s)
{
	int fd[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		(void)close(fd[0]);
		serve(fd[1], w);
	}
	(void)close(fd[1]);
	stream_socket(s, fd[0]);
	stream_phase(s, 20);
	return pid;
}

void
server_finish(struct stream *s, pid_t pid)
{
	int status;

	stream_close(s);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

struct conf
server_conf(void)
{
	struct conf c = { .tls_priority = BOTH,
		.tls_trust_file = server_trust,
		.tls_fingerprint = "",
		.tls_certificate = "",
		.tls_privatekey = "" };

	return c;
}
