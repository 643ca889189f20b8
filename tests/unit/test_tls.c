/* test_tls.c - handshakes with a GnuTLS server in a child, over a socket pair. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>
#include <gnutls/gnutls.h>

#include "certs.h"
#include "io/clock.h"
#include "io/connect.h"
#include "tls/tls.h"
#include "tls/trust.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define BOTH "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

enum {
	ROOT,
	OTHER_ROOT,
	MIDDLE,
	GOOD,
	BEHIND_MIDDLE,
	WRONG_NAME,
	EXPIRED,
	FUTURE,
	SELF_SIGNED,
	FOREIGN,
	CLIENT,
	MANY_NAMES,
	OLD_MIDDLE,
	BEHIND_OLD,
	CERTS
};

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
	[FOREIGN] = { { .cn = "x", .dns = { "smtp.isp.example" } }, OTHER_ROOT },
	[CLIENT] = { { .cn = "x", .dns = { "smtp.isp.example" }, .client_only = true }, ROOT },
	[MANY_NAMES] = { { .cn = "x\n",
			     .dns = { "a.example", "b.example", "c.example", "d\n.example" } },
	    ROOT },
	[OLD_MIDDLE] = { { .cn = "Old Middle", .ca = true, .from_days = -10, .to_days = -2 },
	    ROOT },
	[BEHIND_OLD] = { { .cn = "x", .dns = { "smtp.isp.example" } }, OLD_MIDDLE },
};

static struct cert cert[CERTS];
static char dir[] = "/tmp/onehop-tls-XXXXXX";
static char trust[64], client[64];

static int
make_all(void **state)
{
	static const char junk[] =
	    "# comment\n-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n";
	FILE *f;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	for (size_t i = 0; i < CERTS; i++)
		cert[i] =
		    cert_make(&table[i].wish, table[i].issuer < 0 ? NULL : &cert[table[i].issuer]);
	(void)snprintf(trust, sizeof(trust), "%s/trust", dir);
	(void)snprintf(client, sizeof(client), "%s/client", dir);
	f = fopen(trust, "we");
	if (f == NULL || fputs(junk, f) < 0 || fclose(f) != 0)
		return -1;
	cert_save(&cert[WRONG_NAME], trust, false); /* no authority: must not matter */
	cert_save(&cert[ROOT], trust, false);
	cert_save(&cert[CLIENT], client, true);
	return 0;
}

static int
remove_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < CERTS; i++)
		cert_free(&cert[i]);
	return unlink(trust) + unlink(client) + rmdir(dir);
}

struct server {
	int cert, middle; /* middle: sent behind it, or 0 */
	const char *priority;
	bool ask_client;
};

/* Greets with the SNI and "cert" when the client has sent one, then echoes until the end. */
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
	gnutls_x509_crt_t chain[2] = { cert[w->cert].crt, cert[w->middle].crt };

	(void)gnutls_certificate_allocate_credentials(&cred);
	(void)gnutls_certificate_set_x509_key(
	    cred, chain, w->middle != 0 ? 2 : 1, cert[w->cert].key);
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

static pid_t
start(const struct server *w, struct stream *s)
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

static void
finish(struct stream *s, pid_t pid)
{
	int status;

	stream_close(s);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static struct conf
settings(void)
{
	struct conf c = { .tls_priority = BOTH,
		.tls_trust_file = trust,
		.tls_fingerprint = "",
		.tls_certificate = "",
		.tls_privatekey = "" };

	return c;
}

static void
judges_certificates(void **state)
{
	static const struct {
		struct server server;
		const char *names[3];
		enum tls_verdict verdict;
		const char *say; /* the name, or a part of why */
	} cases[] = {
		{ { .cert = GOOD }, { "smtp.isp.example" }, TLS_VERIFIED, "smtp.isp.example" },
		{ { .cert = GOOD }, { "SMTP.isp.example." }, TLS_VERIFIED, "SMTP.isp.example." },
		{ { .cert = GOOD }, { "other", "smtp.isp.example" }, TLS_VERIFIED,
		    "smtp.isp.example" },
		{ { .cert = GOOD }, { "mx1.pool.example" }, TLS_VERIFIED, "mx1.pool.example" },
		{ { .cert = GOOD }, { "192.0.2.25" }, TLS_VERIFIED, "192.0.2.25" },
		{ { .cert = GOOD }, { "192.0.2.26" }, TLS_UNVERIFIED, "not for 192.0.2.26" },
		{ { .cert = GOOD }, { "isp.example" }, TLS_UNVERIFIED,
		    "is for smtp.isp.example, *.pool.example and 1 more, not for isp.example" },
		{ { .cert = GOOD }, { NULL }, TLS_UNVERIFIED, "not for any name" },
		{ { .cert = BEHIND_MIDDLE, .middle = MIDDLE }, { "smtp.isp.example" }, TLS_VERIFIED,
		    "smtp.isp.example" },
		{ { .cert = BEHIND_MIDDLE }, { "smtp.isp.example" }, TLS_UNVERIFIED,
		    "authority that is not trusted" },
		{ { .cert = GOOD, .middle = OTHER_ROOT }, { "smtp.isp.example" }, TLS_VERIFIED,
		    "smtp.isp.example" },
		{ { .cert = WRONG_NAME }, { "a", "b" }, TLS_UNVERIFIED,
		    "is for mail.evil, not for a or b" },
		{ { .cert = MANY_NAMES }, { "a" }, TLS_UNVERIFIED,
		    "is for a.example, b.example, c.example and 1 more" },
		{ { .cert = EXPIRED }, { "smtp.isp.example" }, TLS_UNVERIFIED, "expired on 2" },
		{ { .cert = FUTURE }, { "smtp.isp.example" }, TLS_UNVERIFIED,
		    "is not valid before 2" },
		{ { .cert = BEHIND_OLD, .middle = OLD_MIDDLE }, { "smtp.isp.example" },
		    TLS_UNVERIFIED, "is vouched for by one that expired on 2" },
		{ { .cert = SELF_SIGNED }, { "smtp.isp.example" }, TLS_UNVERIFIED,
		    "is self-signed; its SHA-256 fingerprint is " },
		{ { .cert = FOREIGN }, { "smtp.isp.example" }, TLS_UNVERIFIED,
		    "authority that is not trusted; its SHA-256" },
		{ { .cert = FOREIGN, .middle = OTHER_ROOT }, { "smtp.isp.example" }, TLS_UNVERIFIED,
		    "authority that is not trusted" },
		{ { .cert = CLIENT }, { "smtp.isp.example" }, TLS_UNVERIFIED,
		    "not one for a server" },
	};
	struct conf c = settings();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct stream s;
		struct tls_info info = { .why = NULL };
		struct fail f = FAIL_INIT;
		size_t n = 0;
		pid_t pid = start(&cases[i].server, &s);
		const char *said;

		while (cases[i].names[n] != NULL)
			n++;
		if (!tls_start(&s, &(struct tls_options){ &c, cases[i].names, n }, &a, &info, &f))
			fail_msg("case %zu: %s", i, f.text);
		finish(&s, pid);
		said = info.verdict == TLS_VERIFIED ? info.name : info.why;
		if (info.verdict != cases[i].verdict || strstr(said, cases[i].say) == NULL)
			fail_msg("case %zu: %u \"%s\"", i, (unsigned)info.verdict, said);
		if (info.verdict == TLS_UNVERIFIED)
			assert_null(info.name);
		else
			assert_string_equal(info.why, "");
	}
}

static void
pins(void **state)
{
	static const struct {
		int cert;
		const char *before, *sep, *after;
		bool upper, taken;
	} cases[] = {
		{ SELF_SIGNED, "", ":", "", true, true },
		{ SELF_SIGNED, "", "", "", false, true },
		{ EXPIRED, "00:11, ", ":", " ", false, true },
		{ SELF_SIGNED, "zz;", ":", ";zz", true, true },
		{ SELF_SIGNED, "", ":", "0", true, false },
		{ SELF_SIGNED, "0", "", "", true, false },
		{ SELF_SIGNED, "x", "", "", true, false },
		{ SELF_SIGNED, "00 ", "-", "", true, false },
	};
	const char *name[] = { "elsewhere" };
	struct conf c = settings();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct server w = { .cert = cases[i].cert };
		struct tls_info info = { .why = NULL };
		struct fail f = FAIL_INIT;
		struct stream s;
		char print[97];
		pid_t pid = start(&w, &s);

		cert_fingerprint(&cert[w.cert], cases[i].sep, cases[i].upper, print);
		c.tls_fingerprint = arena_fmt(&a, "%s%s%s", cases[i].before, print, cases[i].after);
		assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1 }, &a, &info, &f));
		finish(&s, pid);
		assert_int_equal(info.verdict, cases[i].taken ? TLS_PINNED : TLS_UNVERIFIED);
		if (cases[i].taken)
			continue;
		cert_fingerprint(&cert[w.cert], ":", true, print);
		assert_non_null(strstr(info.why, print));
	}
}

/* A pin is a decision: a good chain does not make up for it. */
static void
pins_before_chains(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct server w = { .cert = GOOD };
	const char *name[] = { "smtp.isp.example" };
	struct conf c = settings();
	struct tls_info info = { .why = NULL };
	struct fail f = FAIL_INIT;
	struct stream s;
	pid_t pid = start(&w, &s);

	(void)state;
	c.tls_fingerprint = "00";
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1 }, &a, &info, &f));
	finish(&s, pid);
	assert_int_equal(info.verdict, TLS_UNVERIFIED);
	assert_non_null(strstr(info.why, "tls_fingerprint"));
	assert_string_equal(info.peer, "CN=smtp.isp.example");

	c = settings();
	c.tls_trust_file = "/nonexistent/trust";
	pid = start(&w, &s);
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1 }, &a, &info, &f));
	finish(&s, pid);
	assert_int_equal(info.verdict, TLS_UNVERIFIED);
	assert_non_null(strstr(info.why, "/nonexistent/trust"));

	c.tls_trust_file = "system"; /* does not know the test's root */
	pid = start(&w, &s);
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1 }, &a, &info, &f));
	finish(&s, pid);
	assert_int_equal(info.verdict, TLS_UNVERIFIED);
	assert_non_null(strstr(info.why, "not trusted"));
}

static void
expect(struct stream *s, const char *want)
{
	AUTO_BUF struct buf line = BUF_INIT(512);
	struct fail f = FAIL_INIT;
	bool ok = stream_line(s, &line, STAGE_GREET, &f);

	if (ok != (want != NULL) || (ok && strcmp(line.p, want) != 0))
		fail_msg("got \"%s\"", ok ? line.p : f.text);
}

static void
carries_lines(void **state)
{
	static const struct {
		struct server server;
		const char *name, *greeting, *cipher, *binding;
		bool certificate;
	} cases[] = {
		{ { .cert = GOOD }, "smtp.isp.example", "220 smtp.isp.example",
		    "TLS1.3:ECDHE_SECP256R1__ECDSA_SECP256R1_SHA256__AES_256_GCM:256",
		    "tls-exporter", false },
		{ { .cert = GOOD, .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2" },
		    "smtp.isp.example.", "220 smtp.isp.example",
		    "TLS1.2:ECDHE_SECP256R1__ECDSA_SHA256__AES_256_GCM:256", "tls-unique", false },
		{ { .cert = GOOD }, "192.0.2.25", "220 ", "TLS1.3:", "tls-exporter", false },
		{ { .cert = GOOD }, "2001:db8::1", "220 ", "TLS1.3:", "tls-exporter", false },
		{ { .cert = GOOD, .ask_client = true }, "a", "220 a cert",
		    "TLS1.3:", "tls-exporter", true },
		/* P-256 is all that is offered a key for: another group costs a turn, not the mail
		 */
		{ { .cert = GOOD, .priority = "NORMAL:-GROUP-ALL:+GROUP-X25519" }, "a", "220 a",
		    "TLS1.3:ECDHE_X25519__", "tls-exporter", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_ARENA struct arena a = { 0 };
		AUTO_BUF struct buf b = BUF_INIT(1024);
		struct conf c = settings();
		struct tls_info info = { .why = NULL };
		struct fail f = FAIL_INIT;
		struct stream s;
		const char *type = "";
		pid_t pid = start(&cases[i].server, &s);

		if (cases[i].certificate)
			c.tls_certificate = client;
		if (!tls_start(&s, &(struct tls_options){ &c, &cases[i].name, 1 }, &a, &info, &f))
			fail_msg("case %zu: %s", i, f.text);
		if (strncmp(info.cipher, cases[i].cipher, strlen(cases[i].cipher)) != 0)
			fail_msg("case %zu: %s", i, info.cipher);
		expect(&s, cases[i].greeting);
		buf_str(&b, "EHLO a\r\nNOOP\r\n");
		assert_true(stream_send(&s, &b, STAGE_GREET, &f));
		expect(&s, "EHLO a");
		expect(&s, "NOOP");
		assert_true(tls_channel_binding(&s, &a, &type).n >= 12);
		assert_string_equal(type, cases[i].binding);
		finish(&s, pid);
		expect(&s, NULL);
	}
}

/* Finished waits for the first command, so that the two are one flight. */
static void
saves_a_turn(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf b = BUF_INIT(1024);
	struct server w = { .cert = GOOD };
	const char *name[] = { "smtp.isp.example" };
	struct conf c = settings();
	struct tls_info info = { .why = NULL };
	struct fail f = FAIL_INIT;
	struct stream s;
	pid_t pid = start(&w, &s);

	(void)state;
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1 }, &a, &info, &f));
	assert_int_equal(s.turns, 1);
	buf_str(&b, "EHLO a\r\n");
	assert_true(stream_send(&s, &b, STAGE_GREET, &f));
	expect(&s, "220 smtp.isp.example");
	expect(&s, "EHLO a");
	assert_int_equal(s.turns, 2);
	finish(&s, pid);
}

static void
fails(struct stream *s, const struct conf *c, const char *want)
{
	AUTO_ARENA struct arena a = { 0 };
	const char *name[] = { "smtp.isp.example" };
	struct tls_info info = { .why = "untouched" };
	struct fail f = FAIL_INIT;

	assert_false(tls_start(s, &(struct tls_options){ c, name, 1 }, &a, &info, &f));
	if (strstr(f.text, want) == NULL)
		fail_msg("\"%s\", not \"%s\"", f.text, want);
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(f.stage, STAGE_TLS);
	assert_string_equal(info.why, "untouched");
}

static void
refuses_settings(void **state)
{
	struct server w = { .cert = GOOD },
		      old = { .cert = GOOD, .priority = "NORMAL:-VERS-ALL:+VERS-TLS1.1" };
	struct conf c = settings();
	struct stream s;
	pid_t pid;

	(void)state;
	pid = start(&w, &s);
	c.tls_priority = "NORMAL:+NO-SUCH-THING";
	fails(&s, &c, "tls_priority from \"+NO-SUCH-THING\" on");
	finish(&s, pid);
	c = settings();
	c.tls_certificate = trust; /* has no key */
	pid = start(&w, &s);
	fails(&s, &c, "tls_certificate");
	finish(&s, pid);
	c = settings();
	pid = start(&old, &s);
	fails(&s, &c, "TLS");
	finish(&s, pid);
	c.tls_priority = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
	w.priority = "NORMAL:-VERS-ALL:+VERS-TLS1.3";
	pid = start(&w, &s);
	fails(&s, &c, "the server closed the connection in the TLS handshake");
	finish(&s, pid);
}

/* Servers that speak no TLS at all: what they say, and what is said of it. */
static void
refuses_other_talk(void **state)
{
	static const struct {
		const char *say;
		const char *want;
	} cases[] = {
		{ "220 smtp.isp.example ESMTP\r\n", "does not speak TLS" },
		{ "", "closed the connection" },
		{ "\x15\3\3\0\2\2\x28", "the server ended the TLS handshake" },
		{ "\x16\3\3\0\4\2\0", "does not speak TLS" },
		{ NULL, "in time" },
	};
	struct conf c = settings();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t n = i == 2 || i == 3 ? 7 : cases[i].say != NULL ? strlen(cases[i].say) : 0;
		struct stream s;
		int fd[2];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
		stream_socket(&s, fd[0]);
		stream_phase(&s, 20);
		if (cases[i].say == NULL)
			s.deadline_ms = clock_ms() + 50;
		if (n > 0)
			assert_int_equal(send(fd[1], cases[i].say, n, 0), n);
		if (cases[i].say != NULL)
			assert_int_equal(shutdown(fd[1], SHUT_WR), 0);
		fails(&s, &c, cases[i].want);
		assert_int_equal(
		    fcntl(fd[0], F_GETFD), FD_CLOEXEC); /* closing it is the caller's */
		stream_close(&s);
		(void)close(fd[1]);
	}
}

/* CVE-2011-0411: what came in clear may not be read as if it had come over TLS. */
static void
refuses_clear_text_before(void **state)
{
	AUTO_BUF struct buf line = BUF_INIT(100);
	struct fail f = FAIL_INIT;
	struct conf c = settings();
	struct stream s;
	int fd[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	stream_socket(&s, fd[0]);
	assert_int_equal(send(fd[1], "220 go\r\n250 x\r\n", 15, 0), 15);
	assert_true(stream_line(&s, &line, STAGE_GREET, &f));
	fails(&s, &c, "text in clear");
	stream_close(&s);
	assert_int_equal(recv(fd[1], &c, 1, 0), 0); /* not a byte was sent */
	(void)close(fd[1]);
}

static void
tells_of_a_broken_link(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf line = BUF_INIT(512);
	struct server w = { .cert = GOOD };
	const char *name[] = { "smtp.isp.example" }, *type = "untouched";
	struct conf c = settings();
	struct tls_info info = { .why = NULL };
	struct fail f = FAIL_INIT;
	struct stream s;
	pid_t pid = start(&w, &s);

	(void)state;
	assert_int_equal(tls_channel_binding(&s, &a, &type).n, 0);
	assert_string_equal(type, "untouched");
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1 }, &a, &info, &f));
	expect(&s, "220 smtp.isp.example");
	s.deadline_ms = clock_ms() + 50;
	assert_false(stream_line(&s, &line, STAGE_GREET, &f));
	assert_non_null(strstr(f.text, "in time"));
	finish(&s, pid);

	pid = start(&w, &s);
	assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1 }, &a, &info, &f));
	expect(&s, "220 smtp.isp.example");
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(stream_line(&s, &line, STAGE_GREET, &f));
	assert_non_null(strstr(f.text, "closed"));
	stream_close(&s);

	/* Clear text in the middle of it. */
	{
		int fd;

		pid = start(&w, &s);
		assert_true(tls_start(&s, &(struct tls_options){ &c, name, 1 }, &a, &info, &f));
		expect(&s, "220 smtp.isp.example");
		fd = s.fd;
		assert_int_equal(
		    send(fd, "RSET\r\n", 6, 0), 6); /* below TLS: the server answers an alert */
		assert_false(stream_line(&s, &line, STAGE_GREET, &f));
		finish(&s, pid);
	}
}

static void
reads_pem(void **state)
{
	static const struct {
		const char *text, *want; /* certificates, "," between */
	} cases[] = {
		{ "", "" },
		{ "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n", "abc," },
		{ "-----BEGIN CERTIFICATE-----\r\nYW\r\nJj\r\nZA==\r\n-----END CERTIFICATE-----",
		    "abcd," },
		{ "-----BEGIN CERTIFICATE-----YWJjZGU=-----END", "abcde," },
		{ "-----BEGIN CERTIFICATE-----\nYWJ\n-----END CERTIFICATE-----\n", "ab," },
		{ "-----BEGIN CERTIFICATE-----\nYWJjY\n-----END CERTIFICATE-----\n", "" },
		{ "-----BEGIN CERTIFICATE-----\nYW*j\n-----END-----BEGIN CERTIFICATE-----YWJj",
		    "abc," },
		{ "-----BEGIN CERTIFICATE-----\n+/+/\n-----END\n-----BEGIN "
		  "CERTIFICATE-----\neg==\n-----END",
		    "\xfb\xff\xbf,z," },
		{ "-----BEGIN CERTIFICATE-----", "," },
		{ "-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_BUF struct buf der = BUF_INIT(CERTIFICATE_MAX), got = BUF_INIT(1024);
		struct str rest = str_of(cases[i].text);

		while (trust_next(&rest, &der)) {
			buf_put(&got, buf_get(&der));
			buf_char(&got, ',');
		}
		if (!str_eq(buf_get(&got), str_of(cases[i].want)))
			fail_msg("case %zu: \"%.*s\"", i, S_ARG(buf_get(&got)));
		assert_int_equal(rest.n, 0);
	}
}

static void
finds_names(void **state)
{
	const struct str names[] = { { "", 0 }, { NULL, 0 }, STR("bcd"), STR("x") };

	(void)state;
	assert_true(trust_holds(STR("abcde"), names, COUNT(names)));
	assert_true(trust_holds(STR("x"), names, COUNT(names)));
	assert_false(trust_holds(STR("abde"), names, COUNT(names)));
	assert_false(trust_holds(STR(""), names, COUNT(names)));
	assert_false(trust_holds(STR("abcde"), names, 2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_certificates),
		cmocka_unit_test(pins),
		cmocka_unit_test(pins_before_chains),
		cmocka_unit_test(carries_lines),
		cmocka_unit_test(saves_a_turn),
		cmocka_unit_test(refuses_settings),
		cmocka_unit_test(refuses_other_talk),
		cmocka_unit_test(refuses_clear_text_before),
		cmocka_unit_test(tells_of_a_broken_link),
		cmocka_unit_test(reads_pem),
		cmocka_unit_test(finds_names),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
