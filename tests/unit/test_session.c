/* test_session.c - whole conversations, line by line: what is said, and what becomes of each
 * recipient, at every fault of the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/session.h"
#include "script.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define W RCPT_WAITING
#define S RCPT_SENT
#define L RCPT_RETRY
#define R RCPT_REFUSED

#define HELLO "S: 220 hi", "C: EHLO me"
#define BARE HELLO, "S: 250 hi"
#define PIPE HELLO, "S: 250-hi", "S: 250 PIPELINING"
#define CHUNK HELLO, "S: 250-hi", "S: 250-CHUNKING", "S: 250 PIPELINING"
#define MAIL "C: MAIL FROM:<a@b>"
#define RCPTS "C: RCPT TO:<x@y>", "C: RCPT TO:<z@y>"
#define GROUP MAIL, RCPTS, "C: DATA"
#define TEXT "C: Subject: t", "C: ", "C: ..dot", "C: ."
#define BDAT MAIL, RCPTS, "C: BDAT 20 LAST", "C: Subject: t", "C: ", "C: .dot"
#define ONE_BY_ONE \
	MAIL, "S: 250 ok", "C: RCPT TO:<x@y>", "S: 250 ok", "C: RCPT TO:<z@y>", "S: 250 ok", \
	    "C: DATA"

/* One row is one conversation and what must come out of it. */
static const struct row {
	const char *name;
	const char *lines[32];
	bool ok;
	enum fail_stage stage; /* of the whole, when !ok; TEMP always */
	enum rcpt_state state[2];
	const char *says; /* is in the text of the fail, or of the first fail of a recipient */
	unsigned turns;   /* 0: not looked at */
	bool lmtp;
	size_t owned; /* recipients of a message whose owner lets no text go; 0: nobody is asked */
} rows[] = {
	{ "step by step", { BARE, ONE_BY_ONE, "S: 354 go", TEXT, "S: 250 taken", "C: QUIT" }, true,
	    0, { S, S }, NULL, 6, false, 0 },
	{ "pipelined: three turns",
	    { PIPE, GROUP, "S: 250 ok", "S: 250 ok", "S: 250 ok", "S: 354 go", TEXT, "S: 250 taken",
		"C: QUIT" },
	    true, 0, { S, S }, NULL, 3, false, 0 },
	{ "BDAT: two turns",
	    { CHUNK, BDAT, "S: 250 ok", "S: 250 ok", "S: 250 ok", "S: 250 taken", "C: QUIT" }, true,
	    0, { S, S }, NULL, 2, false, 0 },
	{ "BDAT, one refused",
	    { CHUNK, BDAT, "S: 250 ok", "S: 550 5.1.1 who", "S: 250 ok", "S: 250 taken",
		"C: QUIT" },
	    true, 0, { R, S }, "after RCPT TO:<x@y>: 550 5.1.1 who", 0, false, 0 },
	{ "BDAT, all refused",
	    { CHUNK, BDAT, "S: 250 ok", "S: 550 who", "S: 450 later", "S: 503 no recipients",
		"C: QUIT" },
	    true, 0, { R, L }, NULL, 0, false, 0 },
	{ "BDAT, sender refused",
	    { CHUNK, BDAT, "S: 550 not you", "S: 503 mail?", "S: 503 mail?", "S: 503 mail?",
		"C: QUIT" },
	    true, 0, { R, R }, "after MAIL FROM:<a@b>: 550 not you", 0, false, 0 },
	{ "BDAT, message refused",
	    { CHUNK, BDAT, "S: 250 ok", "S: 250 ok", "S: 250 ok", "S: 554 spam", "C: QUIT" }, true,
	    0, { R, R }, "after end of data: 554 spam", 0, false, 0 },
	{ "BDAT, one refused, and it is unknown: nobody has it",
	    { CHUNK, BDAT, "S: 250 ok", "S: 550 who", "S: 250 ok", "S: 500 what" }, false,
	    STAGE_DATA, { R, W }, "does not know BDAT", 0, false, 0 },
	{ "BDAT, lost before any answer: it may have it", { CHUNK, BDAT, "X" }, false, STAGE_EOM,
	    { L, L }, "may arrive twice", 0, false, 0 },
	{ "BDAT, lost after a refusal", { CHUNK, BDAT, "S: 250 ok", "S: 550 who", "X" }, false,
	    STAGE_EOM, { R, L }, "may arrive twice", 0, false, 0 },
	{ "BDAT, 421 to the sender: it has not", { CHUNK, BDAT, "S: 421 going down", "X" }, false,
	    STAGE_MAIL, { W, W }, "421 going down", 0, false, 0 },
	{ "no leave, no text", { PIPE, GROUP, "S: 250 ok", "S: 250 ok", "S: 250 ok", "S: 354 go" },
	    false, STAGE_SPOOL, { W, W }, "all: no leave", 0, false, 2 },
	{ "no leave, no part", { PIPE, GROUP, "S: 250 ok", "S: 250 ok", "S: 550 who", "S: 354 go" },
	    false, STAGE_SPOOL, { W, R }, "part: no leave", 0, false, 2 },
	{ "no leave, no flight", { CHUNK }, false, STAGE_SPOOL, { W, W }, "all: no leave", 0, false,
	    1 },
	{ "one refused",
	    { PIPE, GROUP, "S: 250 ok", "S: 550 5.1.1 who", "S: 250 ok", "S: 354 go", TEXT,
		"S: 250 taken", "C: QUIT" },
	    true, 0, { R, S }, NULL, 0, false, 0 },
	{ "all refused, the server still says 354: lone dot",
	    { PIPE, GROUP, "S: 250 ok", "S: 550 no", "S: 450 later", "S: 354 go", "C: .",
		"S: 554 no valid recipients", "C: QUIT" },
	    true, 0, { R, L }, NULL, 0, false, 0 },
	{ "all refused, the lone dot is taken: still refused",
	    { PIPE, GROUP, "S: 250 ok", "S: 550 no", "S: 450 later", "S: 354 go", "C: .",
		"S: 250 queued", "C: QUIT" },
	    true, 0, { R, L }, NULL, 0, false, 0 },
	{ "all refused, DATA too",
	    { PIPE, GROUP, "S: 250 ok", "S: 550 no", "S: 550 no", "S: 503 no recipients",
		"C: QUIT" },
	    true, 0, { R, R }, NULL, 0, false, 0 },
	{ "sender refused, pipelined: the rest says nothing new",
	    { PIPE, GROUP, "S: 550 5.7.1 not you", "S: 503 mail?", "S: 250 ok", "S: 503 mail?",
		"C: QUIT" },
	    true, 0, { R, R }, "550 5.7.1 not you", 0, false, 0 },
	{ "sender refused, and 354 all the same: not even a dot",
	    { PIPE, GROUP, "S: 550 no", "S: 250 ok", "S: 250 ok", "S: 354 go" }, true, 0, { R, R },
	    "after MAIL FROM:<a@b>: 550 no", 0, false, 0 },
	{ "sender refused", { BARE, MAIL, "S: 550 no", "C: QUIT" }, true, 0, { R, R }, NULL, 0,
	    false, 0 },
	{ "530 is ours to mend", { BARE, MAIL, "S: 530 5.7.0 Authentication required", "C: QUIT" },
	    true, 0, { L, L }, "passwd.client", 0, false, 0 },
	{ "lines of a refusal",
	    { BARE, MAIL, "S: 250 ok", "C: RCPT TO:<x@y>", "S: 550-5.1.1 one", "S: 550 5.1.1 two",
		"C: RCPT TO:<z@y>", "S: 550 no", "C: QUIT" },
	    true, 0, { R, R }, "550-5.1.1 one\\n550 5.1.1 two", 0, false, 0 },
	{ "DATA refused", { BARE, ONE_BY_ONE, "S: 554 no", "C: QUIT" }, true, 0, { R, R },
	    "after DATA: 554 no", 0, false, 0 },
	{ "DATA refused for now", { BARE, ONE_BY_ONE, "S: 451 no", "C: QUIT" }, true, 0, { L, L },
	    "after DATA: 451 no", 0, false, 0 },
	{ "DATA answered 250: not sent", { BARE, ONE_BY_ONE, "S: 250 ok" }, false, STAGE_DATA,
	    { W, W }, "after DATA: 250 ok", 0, false, 0 },
	{ "DATA answered 334: not sent", { BARE, ONE_BY_ONE, "S: 334 ok" }, false, STAGE_DATA,
	    { W, W }, NULL, 0, false, 0 },
	{ "message refused", { BARE, ONE_BY_ONE, "S: 354 go", TEXT, "S: 554 spam", "C: QUIT" },
	    true, 0, { R, R }, "after end of data: 554 spam", 0, false, 0 },
	{ "message refused for now",
	    { BARE, ONE_BY_ONE, "S: 354 go", TEXT, "S: 452 4.3.1 full", "C: QUIT" }, true, 0,
	    { L, L }, NULL, 0, false, 0 },
	{ "421 to the message: it has not got it",
	    { BARE, ONE_BY_ONE, "S: 354 go", TEXT, "S: 421 full" }, true, 0, { L, L },
	    "after end of data: 421 full", 0, false, 0 },
	{ "354 to the message is no yes", { BARE, ONE_BY_ONE, "S: 354 go", TEXT, "S: 354 go" },
	    true, 0, { L, L }, NULL, 0, false, 0 },
	{ "its answer is there before the message: nothing is sent",
	    { BARE, ONE_BY_ONE, "S: 354 go", "s: 250 taken" }, false, STAGE_DATA, { W, W },
	    "answers before it is asked", 0, false, 0 },
	{ "all answers are there before MAIL: nothing is said",
	    { CHUNK, "s: 250 ok", "s: 250 ok", "s: 250 ok", "s: 250 taken" }, false, STAGE_MAIL,
	    { W, W }, "answers before it is asked", 0, false, 0 },
	{ "lost after the dot", { BARE, ONE_BY_ONE, "S: 354 go", TEXT, "X" }, false, STAGE_EOM,
	    { L, L }, "may arrive twice", 0, false, 0 },
	{ "silence after the dot", { BARE, ONE_BY_ONE, "S: 354 go", TEXT, "T" }, false, STAGE_EOM,
	    { L, L }, "may arrive twice", 0, false, 0 },
	{ "garbage after the dot", { BARE, ONE_BY_ONE, "S: 354 go", TEXT, "S: HTTP/1.1" }, false,
	    STAGE_EOM, { L, L }, "may arrive twice", 0, false, 0 },
	{ "lost after MAIL", { BARE, MAIL, "X" }, false, STAGE_MAIL, { W, W },
	    "closed connection in response to MAIL FROM:<a@b>: h (::1) port 25", 0, false, 0 },
	{ "silence after RCPT", { BARE, MAIL, "S: 250 ok", "C: RCPT TO:<x@y>", "T" }, false,
	    STAGE_RCPT, { W, W }, "port 25 after RCPT TO:<x@y>: the server did not answer in", 0,
	    false, 0 },
	{ "421 to RCPT ends it; the refusal before it stands",
	    { PIPE, GROUP, "S: 250 ok", "S: 550 who", "S: 421 bye" }, false, STAGE_RCPT, { R, W },
	    NULL, 0, false, 0 },
	{ "421 to DATA", { BARE, ONE_BY_ONE, "S: 421 bye" }, false, STAGE_DATA, { W, W }, NULL, 0,
	    false, 0 },
	{ "lost after DATA", { BARE, ONE_BY_ONE, "X" }, false, STAGE_DATA, { W, W }, NULL, 0, false,
	    0 },
	{ "writing fails after 354", { BARE, ONE_BY_ONE, "S: 354 go", "E" }, false, STAGE_EOM,
	    { L, L }, NULL, 0, false, 0 },
	{ "greeting 554 is the host's", { "S: 554 go away", "C: QUIT" }, false, STAGE_GREET,
	    { W, W }, "after initial connection: 554 go away", 0, false, 0 },
	{ "greeting 421", { "S: 421 busy" }, false, STAGE_GREET, { W, W }, NULL, 0, false, 0 },
	{ "silent server", { "T" }, false, STAGE_GREET, { W, W }, "in time", 0, false, 0 },
	{ "closed at once", { "X" }, false, STAGE_GREET, { W, W }, "initial connection", 0, false,
	    0 },
	{ "not SMTP", { "S: HTTP/1.1 400 Bad Request" }, false, STAGE_GREET, { W, W }, "SMTP", 0,
	    false, 0 },
	{ "EHLO refused: HELO",
	    { HELLO, "S: 502 what", "C: HELO me", "S: 250 hi", ONE_BY_ONE, "S: 354 go", TEXT,
		"S: 250 taken", "C: QUIT" },
	    true, 0, { S, S }, NULL, 0, false, 0 },
	{ "EHLO and HELO refused", { HELLO, "S: 502 what", "C: HELO me", "S: 550 no", "C: QUIT" },
	    false, STAGE_GREET, { W, W }, "after HELO me: 550 no", 0, false, 0 },
	{ "EHLO 421", { HELLO, "S: 421 no" }, false, STAGE_GREET, { W, W }, NULL, 0, false, 0 },
	{ "EHLO 451", { HELLO, "S: 451 no", "C: QUIT" }, false, STAGE_GREET, { W, W }, NULL, 0,
	    false, 0 },
	{ "LMTP: an answer for each",
	    { "S: 220 hi", "C: LHLO me", "S: 250-hi", "S: 250 PIPELINING", GROUP, "S: 250 ok",
		"S: 250 ok", "S: 250 ok", "S: 354 go", TEXT, "S: 250 taken", "S: 452 full",
		"C: QUIT" },
	    true, 0, { S, L }, "452 full", 0, true, 0 },
	{ "LMTP: answers only for those accepted",
	    { "S: 220 hi", "C: LHLO me", "S: 250-hi", "S: 250 PIPELINING", GROUP, "S: 250 ok",
		"S: 550 who", "S: 250 ok", "S: 354 go", TEXT, "S: 250 taken", "C: QUIT" },
	    true, 0, { R, S }, NULL, 0, true, 0 },
	{ "LMTP: lost between the answers",
	    { "S: 220 hi", "C: LHLO me", "S: 250-hi", "S: 250 PIPELINING", GROUP, "S: 250 ok",
		"S: 250 ok", "S: 250 ok", "S: 354 go", TEXT, "S: 250 taken", "X" },
	    false, STAGE_EOM, { S, L }, "may arrive twice", 0, true, 0 },
	{ "LMTP: nobody accepted but 354: no dot to wait for",
	    { "S: 220 hi", "C: LHLO me", "S: 250-hi", "S: 250 PIPELINING", GROUP, "S: 250 ok",
		"S: 550 who", "S: 550 who", "S: 354 go" },
	    true, 0, { R, R }, NULL, 0, true, 0 },
	{ "LMTP: no HELO instead", { "S: 220 hi", "C: LHLO me", "S: 500 what", "C: QUIT" }, false,
	    STAGE_GREET, { W, W }, NULL, 0, true, 0 },
};

/* What one test needs: a conversation, a message and an envelope. */
struct bench {
	struct arena arena;
	struct conf conf;
	struct message m;
	struct rcpt rcpts[2];
	struct envelope e;
	struct script script;
	struct stream stream;
	struct session s;
};

static const size_t both[] = { 0, 1 };

static void
bench_open(struct bench *b, const char *const *lines)
{
	static const char body[] = ".dot\n";

	memset(b, 0, sizeof *b);
	conf_init(&b->conf, &b->arena);
	b->conf.primary_hostname = "me";
	b->m.arena = &b->arena;
	b->m.body = (struct body){
		.mem = body, .fd = -1, .size = sizeof body - 1, .lines = 1, .longest_line = 4
	};
	message_append(&b->m, STR("Subject: t\n"));
	b->rcpts[0] = (struct rcpt){ .address = "x@y", .original = "x@y" };
	b->rcpts[1] = (struct rcpt){ .address = "z@y", .original = "z@y" };
	b->e = (struct envelope){ .sender = "a@b", .rcpts = b->rcpts, .nrcpts = 2 };
	script_open(&b->stream, &b->script, lines);
	session_init(&b->s, &b->stream, &b->conf, NULL);
	b->s.host = "smtp.isp.example";
	b->s.ip = "192.0.2.25";
	b->s.where = "h (::1) port 25";
}

static void
bench_close(struct bench *b, const char *name)
{
	if (!script_done(&b->script))
		fail_msg("%s: %s", name, b->script.why);
	session_free(&b->s);
	stream_close(&b->stream);
	arena_free(&b->arena);
}

static bool
say_no(void *owner, bool part, struct fail *f)
{
	(void)owner;
	return fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0, "%s: no leave", part ? "part" : "all");
}

static bool
converse(struct bench *b, const struct row *row, struct fail *f)
{
	b->s.lmtp = row->lmtp;
	b->s.before_text = row->owned > 0 ? say_no : NULL;
	return session_greeting(&b->s, f) && session_hello(&b->s, true, f) &&
	    session_transaction(&b->s, &b->e, both, row->owned > 0 ? row->owned : 2, &b->m, f);
}

static void
check_row(const struct row *row)
{
	struct fail f = FAIL_INIT;
	struct bench b;
	const char *said;
	bool ok;

	bench_open(&b, row->lines);
	ok = converse(&b, row, &f);
	session_quit(&b.s);
	if (ok != row->ok || (!ok && (f.stage != row->stage || f.cls != FAIL_TEMP)) ||
	    (ok && f.cls != FAIL_NONE))
		fail_msg("%s: ok %d stage %d class %d (%s)", row->name, ok, (int)f.stage,
		    (int)f.cls, f.text);
	for (int k = 0; k < 2; k++) {
		struct rcpt *r = &b.rcpts[k];

		if (r->state != row->state[k])
			fail_msg("%s: recipient %d is %d", row->name, k, (int)r->state);
		if (r->state == RCPT_SENT)
			assert_string_equal(r->confirmation, "250 taken");
		if (r->state == RCPT_REFUSED && fail_of(r->fail)->cls != FAIL_PERM)
			fail_msg(
			    "%s: refused with class %d", row->name, (int)fail_of(r->fail)->cls);
		if (r->state == RCPT_RETRY && fail_of(r->fail)->cls != FAIL_TEMP)
			fail_msg(
			    "%s: deferred with class %d", row->name, (int)fail_of(r->fail)->cls);
	}
	said = !ok                                     ? f.text :
	    fail_of(b.rcpts[0].fail)->cls != FAIL_NONE ? fail_of(b.rcpts[0].fail)->text :
							 fail_of(b.rcpts[1].fail)->text;
	if (row->says != NULL && strstr(said, row->says) == NULL)
		fail_msg("%s: says '%s'", row->name, said);
	if (row->turns > 0 && b.script.turns != row->turns)
		fail_msg("%s: %u turns", row->name, b.script.turns);
	bench_close(&b, row->name);
}

static void
conversations(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		check_row(&rows[i]);
}

static const struct wire {
	const char *caps[6]; /* of EHLO, without code */
	const char *sender, *to;
	const char *mail, *rcpt; /* what must be said; mail NULL: nothing, and REFUSED */
	const char *says;
	const char *envid, *mail_auth, *subject;
	unsigned notify, ret;
} wires[] = {
	{ { "X" }, "", "x@y", "MAIL FROM:<>", "RCPT TO:<x@y>", NULL, "id", NULL, NULL, NOTIFY_NEVER,
	    RET_HDRS },
	{ { "DSN" }, "a@b", "x@y", "MAIL FROM:<a@b> RET=HDRS ENVID=a+2Bb+20c",
	    "RCPT TO:<x@y> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y", NULL, "a+b c", NULL, NULL,
	    NOTIFY_SUCCESS | NOTIFY_DELAY, RET_HDRS },
	{ { "DSN" }, "a@b", "x@y", "MAIL FROM:<a@b> RET=FULL", "RCPT TO:<x@y>", NULL, NULL, NULL,
	    NULL, 0, RET_FULL },
	{ { "AUTH PLAIN" }, "", "x@y", "MAIL FROM:<> AUTH=ali+2Bce@debian", "RCPT TO:<x@y>", NULL,
	    NULL, "ali+ce@debian", NULL, 0, 0 },
	{ { "X" }, "a@b", "x@y", "MAIL FROM:<a@b>", "RCPT TO:<x@y>", NULL, NULL, "alice@debian",
	    NULL, 0, 0 },
	{ { "SIZE 5000" }, "a@b", "x@y", "MAIL FROM:<a@b> SIZE=1043", "RCPT TO:<x@y>", NULL, NULL,
	    NULL, NULL, 0, 0 },
	{ { "SIZE 20" }, "a@b", "x@y", "MAIL FROM:<a@b> SIZE=1043", "RCPT TO:<x@y>", NULL, NULL,
	    NULL, NULL, 0, 0 },
	{ { "SIZE 19" }, "a@b", "x@y", NULL, NULL, "takes at most 19", NULL, NULL, NULL, 0, 0 },
	{ { "8BITMIME" }, "a@b", "x@y", "MAIL FROM:<a@b>", "RCPT TO:<x@y>", NULL, NULL, NULL, NULL,
	    0, 0 },
	{ { "SMTPUTF8" }, "a@b", "x@y", "MAIL FROM:<a@b>", "RCPT TO:<x@y>", NULL, NULL, NULL, NULL,
	    0, 0 },
	{ { "SMTPUTF8" }, "a@b", "x@y", "MAIL FROM:<a@b>", "RCPT TO:<x@y>", NULL, NULL, NULL,
	    "gr\xc3\xbc\xc3\x9f", 0, 0 },
	{ { "SMTPUTF8", "8BITMIME" }, "a@b", "\xc3\xbc@y", "MAIL FROM:<a@b> BODY=8BITMIME SMTPUTF8",
	    "RCPT TO:<\xc3\xbc@y>", NULL, NULL, NULL, NULL, 0, 0 },
	{ { "SMTPUTF8" }, "a@b",
	    "x@b\xc3\xbc"
	    "cher.example",
	    "MAIL FROM:<a@b>", "RCPT TO:<x@xn--bcher-kva.example>", NULL, NULL, NULL, NULL, 0, 0 },
	{ { "X" }, "a@b", "\xc3\xbc@y", NULL, NULL, "SMTPUTF8", NULL, NULL, NULL, 0, 0 },
	{ { "X" }, "\xc3\xbc@b", "x@y", NULL, NULL, "SMTPUTF8", NULL, NULL, NULL, 0, 0 },
	{ { "X" }, "a@b", "\"a b>\"@y", "MAIL FROM:<a@b>", "RCPT TO:<\"a b>\"@y>", NULL, NULL, NULL,
	    NULL, 0, 0 },
	{ { "X" }, "a@b", "x@y> NOTIFY=NEVER", NULL, NULL, "not an address that can be sent", NULL,
	    NULL, NULL, 0, 0 },
	{ { "X" }, "a@b", "x@y\nRCPT TO:<evil@y>", NULL, NULL, "not an address that can be sent",
	    NULL, NULL, NULL, 0, 0 },
	{ { "X" }, "a@b", "\"x\r\n\"@y", NULL, NULL, "not an address that can be sent", NULL, NULL,
	    NULL, 0, 0 },
	{ { "X" }, "a@b", "\"open@y", NULL, NULL, "not an address that can be sent", NULL, NULL,
	    NULL, 0, 0 },
	{ { "X" }, "a@b> BODY=7BIT", "x@y", NULL, NULL, "not an address that can be sent", NULL,
	    NULL, NULL, 0, 0 },
	{ { "X" }, "a\rb@c", "x@y", NULL, NULL, "not an address that can be sent", NULL, NULL, NULL,
	    0, 0 },
};

static void
check_wire(const struct wire *w)
{
	char ehlo[6][80], mail[200], rcpt[200];
	const char *lines[32] = { HELLO, "S: 250-hi" };
	struct fail f = FAIL_INIT;
	struct bench b;
	bool sender_ok = w->mail != NULL || w->says == NULL;
	size_t n = 3, one = 0;

	for (int k = 0; k < 6 && w->caps[k] != NULL; k++) {
		(void)snprintf(ehlo[k], sizeof ehlo[k], "S: 250%c%s",
		    w->caps[k + 1] != NULL ? '-' : ' ', w->caps[k]);
		lines[n++] = ehlo[k];
	}
	(void)snprintf(mail, sizeof mail, "C: %s", w->mail != NULL ? w->mail : "MAIL FROM:<a@b>");
	(void)snprintf(rcpt, sizeof rcpt, "C: %s", w->rcpt != NULL ? w->rcpt : "");
	if (sender_ok || (strcmp(w->sender, "a@b") == 0 && strstr(w->says, "at most") == NULL)) {
		lines[n++] = mail;
		lines[n++] = "S: 250 ok";
	}
	if (w->rcpt != NULL) {
		lines[n++] = rcpt;
		lines[n++] = "S: 550 no";
	}
	bench_open(&b, lines);
	b.e.sender = w->sender;
	b.e.envid = w->envid;
	b.e.ret = w->ret == RET_FULL ? RET_FULL : w->ret == RET_HDRS ? RET_HDRS : RET_UNSET;
	b.rcpts[0].address = b.rcpts[0].original = w->to;
	b.rcpts[0].notify = w->notify;
	b.s.mail_auth = w->mail_auth;
	if (w->subject != NULL)
		message_append(&b.m, str_of(arena_fmt(b.m.arena, "Subject: %s\n", w->subject)));
	if (!session_greeting(&b.s, &f) || !session_hello(&b.s, true, &f) ||
	    !session_transaction(&b.s, &b.e, &one, 1, &b.m, &f))
		fail_msg("%s: %s; %s", w->to, f.text, b.script.why);
	if (b.rcpts[0].state != RCPT_REFUSED)
		fail_msg("%s: state %d", w->to, (int)b.rcpts[0].state);
	if (w->says != NULL && strstr(fail_of(b.rcpts[0].fail)->text, w->says) == NULL)
		fail_msg("%s: says '%s'", w->to, fail_of(b.rcpts[0].fail)->text);
	bench_close(&b, w->to);
}

static void
parameters(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++)
		check_wire(&wires[i]);
}

static void
next_transaction_resets(void **state)
{
	static const char *const lines[] = { PIPE, GROUP, "S: 250 ok", "S: 450 no", "S: 450 no",
		"S: 503 no", "C: RSET", "S: 250 ok", GROUP, "S: 250 ok", "S: 250 ok", "S: 250 ok",
		"S: 354 go", TEXT, "S: 250 taken", GROUP, "S: 250 ok", "S: 250 ok", "S: 250 ok",
		"S: 354 go", TEXT, "S: 250 taken", "C: QUIT", NULL };
	struct fail f = FAIL_INIT;
	struct bench b;

	(void)state;
	bench_open(&b, lines);
	assert_true(session_greeting(&b.s, &f));
	assert_true(session_hello(&b.s, true, &f));
	for (int i = 0; i < 3; i++) {
		b.rcpts[0].state = b.rcpts[1].state = RCPT_WAITING;
		assert_true(session_transaction(&b.s, &b.e, both, 2, &b.m, &f));
		assert_int_equal(b.rcpts[0].state, i == 0 ? RCPT_RETRY : RCPT_SENT);
		assert_int_equal(b.rcpts[1].continued, i > 0);
	}
	session_quit(&b.s);
	bench_close(&b, "three transactions");
}

static void
starttls_is_clean_or_nothing(void **state)
{
	static const char *const good[] = { "C: STARTTLS", "S: 220 go", NULL };
	static const char *const bad[] = { "C: STARTTLS", "S: 220 go", "s: 250 injected", NULL };
	static const char *const no[] = { "C: STARTTLS", "S: 502 no", "C: QUIT", NULL };
	struct fail f = FAIL_INIT;
	struct bench b;

	(void)state;
	bench_open(&b, good);
	assert_true(session_starttls(&b.s, &f));
	bench_close(&b, "good");
	bench_open(&b, bad);
	assert_false(session_starttls(&b.s, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(f.stage, STAGE_TLS);
	session_quit(&b.s); /* says nothing: the session is dead */
	bench_close(&b, "injected");
	bench_open(&b, no);
	assert_false(session_starttls(&b.s, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	session_quit(&b.s);
	bench_close(&b, "refused");
}

static void
capabilities_of_the_last_hello_count(void **state)
{
	static const char *const lines[] = { HELLO, "S: 250-AUTH PLAIN", "S: 250-STARTTLS",
		"S: 250 SIZE 10", "C: EHLO me", "S: 250-hi", "S: 250 LIMITS RCPTMAX=7", NULL };
	struct fail f = FAIL_INIT;
	struct bench b;

	(void)state;
	bench_open(&b, lines);
	assert_true(session_greeting(&b.s, &f));
	assert_true(session_hello(&b.s, true, &f));
	assert_int_equal(b.s.caps.have, CAP_STARTTLS | CAP_SIZE); /* line 1 is the name */
	assert_int_equal(session_rcpt_max(&b.s), SESSION_RCPT_MAX);
	assert_true(session_hello(&b.s, true, &f));
	assert_int_equal(b.s.caps.have, CAP_LIMITS);
	assert_int_equal(session_rcpt_max(&b.s), 7);
	bench_close(&b, "two hellos");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conversations),
		cmocka_unit_test(parameters),
		cmocka_unit_test(next_transaction_resets),
		cmocka_unit_test(starttls_is_clean_or_nothing),
		cmocka_unit_test(capabilities_of_the_last_hello_count),
	};

	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
