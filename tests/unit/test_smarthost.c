/* test_smarthost.c - down the list of hosts, over real sockets on loopback: who is asked, in
 * which order, how often, and what becomes of each recipient. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/resolve.h"
#include "net/smarthost.h"
#include "send/passwd.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { HOSTS = 2, RCPTS = 3, PATIENCE_S = 20 };

/* A host's part: "+" takes a connection, "X" ends it, "C: " is what must be read, "S: " is said. */
#define HELLO "+", "S: 220 hi", "C: EHLO me", "S: 250 hi"
#define MAIL "C: MAIL FROM:<a@b>", "S: 250 ok"
#define TO(who, reply) "C: RCPT TO:<" who ">", "S: " reply
#define TEXT "C: DATA", "S: 354 go", "C: Subject: t", "C: ", "C: t", "C: ."
#define BYE "C: QUIT", "X"
#define FILTERED \
	"+", "S: 220 hi", "C: EHLO me", "S: 250-hi", "S: 250-CHUNKING", "S: 250 PIPELINING", \
	    "C: MAIL FROM:<a@b>", "C: RCPT TO:<x@y>"

#define ONE_RCPT "S: 220 hi", "C: EHLO me", "S: 250-hi", "S: 250 LIMITS RCPTMAX=1"
#define LOGINS "+", "S: 220 hi", "C: EHLO me", "S: 250-hi", "S: 250 AUTH PLAIN LOGIN"

#define W RCPT_WAITING
#define S RCPT_SENT
#define L RCPT_RETRY
#define R RCPT_REFUSED

static const struct row {
	const char *name;
	const char *lines[HOSTS][48]; /* [h][0] == NULL: nobody listens there */
	enum rcpt_state state[RCPTS]; /* WAITING: this row has no such recipient */
	bool ok;
	const char *says;   /* in the fail of the whole, or of the first recipient that has one */
	const char *passwd; /* HOST:LOGIN:PASSWORD for 127.0.0.1, or NULL */
	const char *log;    /* in the trace */
	bool warm;
	unsigned dials; /* how many attempts to connect there must be; 0: not looked at */
} rows[] = {
	{ "the first takes it",
	    { { HELLO, MAIL, TO("x@y", "250 ok"), TO("z@y", "250 ok"), TEXT, "S: 250 taken", BYE },
		{ NULL } },
	    { S, S, W }, true, NULL, NULL, "-- Connecting to 127.0.0.1 [127.0.0.1]:", false, 0 },
	{ "the first is down",
	    { { NULL }, { HELLO, MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken", BYE } },
	    { S, W, W }, true, NULL, NULL, "## H=127.0.0.1 [127.0.0.1] Connection refused", false,
	    2 },
	{ "all are down", { { NULL }, { NULL } }, { L, L, W }, false, "Connection refused", NULL,
	    NULL, false, 0 },
	{ "the first greets with 554: the next",
	    { { "+", "S: 554 go away", BYE },
		{ HELLO, MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken", BYE } },
	    { S, W, W }, true, NULL, NULL,
	    ("## H=127.0.0.1 [127.0.0.1]: SMTP error from remote mail server after initial "
	     "connection: 554 go away"),
	    false, 0 },
	{ "MAIL 451: the next",
	    { { HELLO, "C: MAIL FROM:<a@b>", "S: 451 later", BYE },
		{ HELLO, MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken", BYE } },
	    { S, W, W }, true, NULL, NULL, NULL, false, 0 },
	{ "MAIL 550: not the next", { { HELLO, "C: MAIL FROM:<a@b>", "S: 550 no", BYE }, { NULL } },
	    { R, R, W }, true, "550 no", NULL, NULL, false, 1 },
	{ "RCPT 450 goes to the next, the others do not",
	    { { HELLO, MAIL, TO("x@y", "250 ok"), TO("z@y", "450 later"), TO("w@y", "550 who"),
		  TEXT, "S: 250 taken", BYE },
		{ HELLO, MAIL, TO("z@y", "250 ok"), TEXT, "S: 250 taken", BYE } },
	    { S, S, R }, true, "550 who", NULL, NULL, false, 0 },
	{ "RCPT 450 everywhere: its own words stay",
	    { { HELLO, MAIL, TO("x@y", "450 grey"), BYE }, { "+", "S: 421 busy", "X" } },
	    { L, W, W }, true, "450 grey", NULL, NULL, false, 0 },
	{ "the end is lost: not the next",
	    { { HELLO, MAIL, TO("x@y", "250 ok"), TEXT, "X" }, { NULL } }, { L, W, W }, true,
	    "may arrive twice", NULL, NULL, false, 1 },
	{ "lost before the end: the next",
	    { { HELLO, MAIL, TO("x@y", "250 ok"), "C: DATA", "X" },
		{ HELLO, MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken", BYE } },
	    { S, W, W }, true, NULL, NULL, NULL, false, 0 },
	{ "too many recipients: a second transaction",
	    { { HELLO, MAIL, TO("x@y", "250 ok"), TO("z@y", "452 4.5.3 many"),
		  TO("w@y", "452 4.5.3 many"), TEXT, "S: 250 taken", MAIL, TO("z@y", "250 ok"),
		  TO("w@y", "452 4.5.3 many"), TEXT, "S: 250 taken", MAIL, TO("w@y", "250 ok"),
		  TEXT, "S: 250 taken", BYE },
		{ NULL } },
	    { S, S, S }, true, NULL, NULL, NULL, false, 0 },
	{ "452 to the second message: over a new connection",
	    { { "+", ONE_RCPT, MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken",
		  "C: MAIL FROM:<a@b>", "S: 452 4.3.1 Too many messages sent", BYE, "+", ONE_RCPT,
		  MAIL, TO("z@y", "250 ok"), TEXT, "S: 250 taken", BYE },
		{ NULL } },
	    { S, S, W }, true, NULL, NULL,
	    "## H=127.0.0.1 [127.0.0.1]: SMTP error from remote mail server after MAIL FROM:",
	    false, 2 },
	{ "421 likewise",
	    { { "+", ONE_RCPT, MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken",
		  "C: MAIL FROM:<a@b>", "S: 421 4.7.0 enough", "X", "+", ONE_RCPT, MAIL,
		  TO("z@y", "250 ok"), TEXT, "S: 250 taken", BYE },
		{ NULL } },
	    { S, S, W }, true, NULL, NULL, NULL, false, 2 },
	{ "452 again, as the first of a connection: the next host",
	    { { "+", ONE_RCPT, MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken",
		  "C: MAIL FROM:<a@b>", "S: 452 enough", BYE, "+", ONE_RCPT, "C: MAIL FROM:<a@b>",
		  "S: 452 enough", BYE },
		{ HELLO, MAIL, TO("z@y", "250 ok"), TEXT, "S: 250 taken", BYE } },
	    { S, S, W }, true, NULL, NULL, NULL, false, 3 },
	{ "421 again, and there is no other: the host's failure",
	    { { "+", ONE_RCPT, MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken",
		  "C: MAIL FROM:<a@b>", "S: 452 enough", BYE, "+", ONE_RCPT, "C: MAIL FROM:<a@b>",
		  "S: 421 enough", "X" },
		{ NULL } },
	    { S, L, W }, false, "Connection refused", NULL, NULL, false, 3 },
	{ "it is about the sender: the message's failure",
	    { { "+", ONE_RCPT, MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken",
		  "C: MAIL FROM:<a@b>", "S: 450 4.1.8 no such domain", BYE, "+", ONE_RCPT,
		  "C: MAIL FROM:<a@b>", "S: 450 4.1.8 no such domain", BYE },
		{ NULL } },
	    { S, L, W }, true, "no such domain", NULL, NULL, false, 3 },
	{ "LIMITS: one at a time, one a connection",
	    { { "+", "S: 220 hi", "C: EHLO me", "S: 250-hi", "S: 250 LIMITS RCPTMAX=1 MAILMAX=1",
		  MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken", BYE, "+", "S: 220 hi",
		  "C: EHLO me", "S: 250-hi", "S: 250 LIMITS RCPTMAX=1 MAILMAX=1", MAIL,
		  TO("z@y", "250 ok"), TEXT, "S: 250 taken", BYE },
		{ NULL } },
	    { S, S, W }, true, NULL, NULL, NULL, false, 0 },
	{ "BDAT is offered and unknown: DATA, at the same host",
	    { { FILTERED, "C: BDAT 17 LAST", "C: Subject: t", "C: ", "C: t", "S: 250 ok",
		  "S: 250 ok", "S: 500 what", "X", FILTERED, "C: DATA", "S: 250 ok", "S: 250 ok",
		  "S: 354 go", "C: Subject: t", "C: ", "C: t", "C: .", "S: 250 taken", BYE },
		{ NULL } },
	    { S, W, W }, true, NULL, NULL, "does not know BDAT; it is tried with DATA", false, 2 },
	{ "with a password: loopback is secure",
	    { { "+", "S: 220 hi", "C: EHLO me", "S: 250-hi", "S: 250 AUTH PLAIN",
		  "C: AUTH PLAIN AHVzZXIAcGFzcw==", "S: 235 ok",
		  "C: MAIL FROM:<a@b> AUTH=alice@debian", "S: 250 ok", TO("x@y", "250 ok"), TEXT,
		  "S: 250 taken", BYE },
		{ NULL } },
	    { S, W, W }, true, NULL, "127.0.0.1:user:pass\n", ">> AUTH PLAIN ****************\n",
	    false, 0 },
	{ "a mechanism costs the connection: the next one, over another",
	    { { LOGINS, "C: AUTH PLAIN AHVzZXIAcGFzcw==", "S: 504 no", "X", LOGINS, "C: AUTH LOGIN",
		  "S: 334", "C: dXNlcg==", "S: 334", "C: cGFzcw==", "S: 235 ok",
		  "C: MAIL FROM:<a@b> AUTH=alice@debian", "S: 250 ok", TO("x@y", "250 ok"), TEXT,
		  "S: 250 taken", BYE },
		{ NULL } },
	    { S, W, W }, true, NULL, "127.0.0.1:user:pass\n",
	    "## plain authenticator failed H=127.0.0.1 [127.0.0.1] 504 no\n", false, 2 },
	{ "and then no other connection is to be had: the words of the refusal",
	    { { NULL },
		{ LOGINS, "C: AUTH PLAIN AHVzZXIAcGFzcw==", "S: 535 denied", "X", "+",
		    "S: 421 busy", "X" } },
	    { L, W, W }, false, ": 535 denied", "127.0.0.1:user:pass\n", NULL, false, 3 },
	{ "a wrong password: never without, and on to the next",
	    { { "+", "S: 220 hi", "C: EHLO me", "S: 250-hi", "S: 250 AUTH PLAIN",
		  "C: AUTH PLAIN AHVzZXIAcGFzcw==", "S: 535 pass is wrong", BYE },
		{ "+", "S: 220 hi", "C: EHLO me", "S: 250 hi", BYE } },
	    { L, W, W }, false, "does not offer AUTH", "127.0.0.1:user:pass\n",
	    "<< 535 *** is wrong", false, 0 },
	{ "warm", { { HELLO, MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken", BYE }, { NULL } },
	    { S, W, W }, true, NULL, NULL, NULL, true, 0 },
	{ "warm, on the second host",
	    { { NULL }, { HELLO, MAIL, TO("x@y", "250 ok"), TEXT, "S: 250 taken", BYE } },
	    { S, W, W }, true, NULL, NULL, NULL, true, 0 },
	{ "warm, and nobody is there: that was the try", { { NULL }, { NULL } }, { L, L, W }, false,
	    "Connection refused", NULL, NULL, true, 2 },
	{ "warm, and the password is wrong: it is not offered again",
	    { { "+", "S: 220 hi", "C: EHLO me", "S: 250-hi", "S: 250 AUTH PLAIN",
		  "C: AUTH PLAIN AHVzZXIAcGFzcw==", "S: 535 no", BYE },
		{ NULL } },
	    { L, W, W }, false, NULL, "127.0.0.1:user:pass\n", NULL, true, 2 },
	{ "warm, but it has grown old: once more",
	    { { HELLO, "C: MAIL FROM:<a@b>", "S: 421 idle", "X", HELLO, MAIL, TO("x@y", "250 ok"),
		  TEXT, "S: 250 taken", BYE },
		{ NULL } },
	    { S, W, W }, true, NULL, NULL, NULL, true, 0 },
};

/* --- the hosts --- */

static void
off_script(const char *want, const char *have)
{
	(void)fprintf(stderr, "# host: want '%s', have '%s'\n", want, have);
	_exit(1);
}

static void
play(int listener, const char *const *lines)
{
	FILE *in = NULL, *out = NULL;
	char have[1024];

	(void)alarm(PATIENCE_S);
	for (; *lines != NULL; lines++) {
		if (**lines == '+') {
			int fd = accept(listener, NULL, NULL);

			in = fdopen(fd, "r");
			out = fdopen(dup(fd), "w");
		} else if (**lines == 'X') {
			(void)fclose(in);
			(void)fclose(out);
		} else if (**lines == 'S') {
			(void)fprintf(out, "%s\r\n", *lines + 3);
			(void)fflush(out);
		} else {
			if (fgets(have, sizeof have, in) == NULL)
				off_script(*lines, "the end");
			have[strcspn(have, "\r\n")] = '\0';
			if (strcmp(have, *lines + 3) != 0)
				off_script(*lines, have);
		}
	}
	_exit(0);
}

/* A port on loopback, and somebody there when there are lines. */
static unsigned
host_start(const char *const *lines, pid_t *pid)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*pid = 0;
	if (lines[0] != NULL) {
		assert_int_equal(listen(fd, 5), 0);
		if ((*pid = fork()) == 0)
			play(fd, lines);
	}
	(void)close(fd);
	return ntohs(at.sin_port);
}

static void
keep_trace(void *ctx, enum trace_kind kind, struct str line)
{
	static const char *const marks[] = { [TRACE_LOG] = "##",
		[TRACE_NOTE] = "--",
		[TRACE_OUT] = ">>",
		[TRACE_IN] = "<<",
		[TRACE_DEBUG] = "//" };

	buf_fmt(ctx, "%s %.*s\n", marks[kind], S_ARG(line));
}

static const char *
passwd_file(const char *text)
{
	static char path[] = "/tmp/test_smarthost.XXXXXX";
	int fd;

	memset(path + strlen(path) - 6, 'X', 6);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	return path;
}

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text++;
	}
	return n;
}

static void
check_verdicts(const struct row *row, const struct rcpt *rcpts, bool ok, const struct fail *f)
{
	const char *said = ok ? "" : f->text;

	if (ok != row->ok)
		fail_msg("%s: ok %d: %s", row->name, ok, f->text);
	for (int i = 0; i < RCPTS; i++) {
		const struct rcpt *r = &rcpts[i];

		if (r->state != row->state[i])
			fail_msg("%s: recipient %d is %d (%s)", row->name, i, (int)r->state,
			    fail_of(r->fail)->text);
		if (ok && said[0] == '\0' && r->state != RCPT_SENT && r->state != RCPT_WAITING)
			said = fail_of(r->fail)->text;
		if (r->state == RCPT_RETRY &&
		    (fail_of(r->fail)->stage > STAGE_CONNECT) != (r->host != NULL))
			fail_msg("%s: host '%s'", row->name, r->host);
		if (r->state == RCPT_SENT) {
			assert_string_equal(r->host, "127.0.0.1");
			assert_string_equal(r->ip, "127.0.0.1");
			assert_string_equal(r->confirmation, "250 taken");
			assert_null(r->tls);
			assert_int_equal(r->auth != NULL, row->passwd != NULL);
		}
	}
	if (row->says != NULL && strstr(said, row->says) == NULL)
		fail_msg("%s: says '%s'", row->name, said);
}

struct asked {
	const struct conf *c;
	struct arena *a;
};

static bool
ask_secret(
    void *ctx, const char *configured, const char *canonical, struct secret *s, struct fail *f)
{
	const struct asked *who = ctx;

	return passwd_find(who->c, who->a, configured, canonical, s, f);
}

static void
check_row(const struct row *row)
{
	static const char *const to[RCPTS] = { "x@y", "z@y", "w@y" };
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf shown = BUF_INIT(1 << 16);
	const struct trace trace = { keep_trace, &shown };
	struct rcpt rcpts[RCPTS] = { 0 };
	struct envelope e = { .sender = "a@b",
		.login = "alice",
		.auth_parameter = true,
		.rcpts = rcpts,
		.nrcpts = RCPTS };
	struct message m = { .arena = &a,
		.body = { .mem = "t\n", .fd = -1, .size = 2, .lines = 1, .longest_line = 1 } };
	struct fail f = FAIL_INIT;
	struct conf c;
	struct asked who = { &c, &a };
	struct smarthost *h;
	pid_t pid[HOSTS];
	unsigned port[HOSTS];
	const char *hosts;

	message_append(&m, STR("Subject: t\n"));
	for (int i = 0; i < HOSTS; i++)
		port[i] = host_start(row->lines[i], &pid[i]);
	hosts = arena_fmt(&a, "127.0.0.1::%u;127.0.0.1::%u", port[0], port[1]);
	for (int i = 0; i < RCPTS; i++)
		rcpts[i] = (struct rcpt){ .address = to[i],
			.original = to[i],
			.hosts = row->state[i] != RCPT_WAITING ? hosts : NULL };
	conf_init(&c, &a);
	c.primary_hostname = "me";
	c.qualify_domain = "debian";
	c.passwd_client = passwd_file(row->passwd != NULL ? row->passwd : "# none\n");
	c.command_timeout = c.connect_timeout = PATIENCE_S;
	h = smarthost_new(&c, &a, &trace);
	smarthost_ask_secret(h, ask_secret, NULL, &who);
	if (row->warm)
		smarthost_warm(h, hosts);
	check_verdicts(row, rcpts, smarthost_deliver(h, &e, &m, &f), &f);
	smarthost_free(h);
	if (row->dials > 0 && count(shown.p, "-- Connecting") != row->dials)
		fail_msg("%s: shows '%s'", row->name, shown.p);
	if (row->log != NULL && strstr(shown.p, row->log) == NULL)
		fail_msg("%s: shows '%s'", row->name, shown.p);
	for (int i = 0; i < HOSTS; i++) {
		int status = 0;

		if (pid[i] != 0 && (waitpid(pid[i], &status, 0) < 0 || status != 0))
			fail_msg("%s: host %d ended with %#x; %s", row->name, i, (unsigned)status,
			    shown.p);
	}
	(void)unlink(c.passwd_client);
}

static void
each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_row(&rows[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_row) };

	return cmocka_run_group_tests_name("smarthost", tests, NULL, NULL);
}
