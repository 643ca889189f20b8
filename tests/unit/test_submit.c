/* test_submit.c - the submission protocol: what goes in comes out, and what a hostile writer may
 * not. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "wire/record.h"
#include "wire/submit.h"

struct pair {
	int mine, theirs;
};

static struct pair
open_pair(void)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	return (struct pair){ fd[0], fd[1] };
}

static void
close_pair(struct pair p)
{
	(void)close(p.mine);
	(void)close(p.theirs);
}

static void
make(struct arena *a, struct envelope *e, struct message *m, struct rcpt rcpts[2])
{
	rcpts[0] = (struct rcpt){ .address = "x@far.example",
		.original = "X@far.example",
		.notify = NOTIFY_FAILURE | NOTIFY_DELAY };
	rcpts[1] =
	    (struct rcpt){ .address = "fax@debian", .original = "fax@debian", .unqualified = true };
	*e = (struct envelope){ .id = "1vNabc-000123-0A",
		.sender = "me@isp.example",
		.login = "alice",
		.auth_parameter = true,
		.envid = "id+20",
		.ret = RET_HDRS,
		.body_declared = 8,
		.rcpts = rcpts,
		.nrcpts = 2 };
	*m = (struct message){ .arena = a, .body = { .fd = -1, .mem = "body\n", .size = 5 } };
	m->body.lines = 1;
	m->body.longest_line = 4;
	message_append(m, STR("Subject: s\n\tfolded\n"));
	message_append(m, STR("Bcc: secret@x\n"));
	message_append(m, STR("To: x@far.example\n"));
	m->headers[1].type = H_DELETED;
}

static void
assert_same(const struct envelope *e, const struct message *m)
{
	assert_string_equal(e->id, "1vNabc-000123-0A");
	assert_string_equal(e->sender, "me@isp.example");
	assert_string_equal(e->login, "alice");
	assert_string_equal(e->envid, "id+20");
	assert_int_equal(e->ret, RET_HDRS);
	assert_true(e->auth_parameter);
	assert_int_equal(e->body_declared, 8);
	assert_int_equal(e->nrcpts, 2);
	assert_string_equal(e->rcpts[0].original, "X@far.example");
	assert_int_equal(e->rcpts[0].notify, NOTIFY_FAILURE | NOTIFY_DELAY);
	assert_false(e->rcpts[0].unqualified);
	assert_true(e->rcpts[1].unqualified);
	assert_int_equal(m->nheaders, 2); /* the deleted one did not travel */
	assert_true(str_eq(m->headers[0].text, STR("Subject: s\n\tfolded\n")));
	assert_int_equal(m->headers[1].type, H_TO);
	assert_int_equal(m->body.size, 5);
	assert_int_equal(m->body.lines, 1);
	assert_int_equal(m->body.longest_line, 4);
}

static void
round_trip(bool by_descriptor)
{
	AUTO_ARENA struct arena a = { NULL };
	struct pair p = open_pair();
	struct envelope e, got;
	struct message m, back;
	struct rcpt rcpts[2];
	const struct submit_hello hello = { SUBMIT_VERBOSE, true, DELIVERY_QUEUE };
	struct submit_hello heard = { 0 };
	struct fail f = FAIL_INIT;
	char body[5];

	make(&a, &e, &m, rcpts);
	if (by_descriptor) {
		m.body.mem = NULL;
		m.body.fd = memfd_create("body", 0);
		assert_int_equal(write(m.body.fd, "body\n", 5), 5);
	}
	assert_true(submit_hello(p.mine, &hello, &f));
	assert_true(submit_message(p.mine, &e, &m, &f));
	assert_true(submit_accept(p.theirs, &heard, &f));
	assert_int_equal(heard.flags, SUBMIT_VERBOSE);
	assert_int_equal(heard.delivery, DELIVERY_QUEUE);
	assert_true(heard.connect_now);
	assert_true(submit_receive(p.theirs, NULL, &a, &got, &back, &f));
	assert_same(&got, &back);
	assert_int_equal(back.body.fd >= 0, by_descriptor);
	assert_int_equal(body_read(&back.body, 0, body, sizeof body), 5);
	assert_memory_equal(body, "body\n", 5);
	body_close(&back.body);
	body_close(&m.body);
	close_pair(p);
}

static void
test_body_in_records(void **state)
{
	(void)state;
	round_trip(false);
}

static void
test_body_as_descriptor(void **state)
{
	(void)state;
	round_trip(true);
}

struct heard {
	char text[256];
};

static void
hear(void *ctx, enum trace_kind kind, struct str line)
{
	struct heard *h = ctx;
	size_t n = strlen(h->text);

	(void)snprintf(h->text + n, sizeof h->text - n, "%d:%.*s|", (int)kind, S_ARG(line));
}

static void
test_verdicts(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct pair p = open_pair();
	struct submit_trace st = { .fd = p.theirs, .flags = SUBMIT_VERBOSE };
	struct trace out = submit_trace(&st);
	struct heard heard = { "" };
	struct trace in = { .emit = hear, .ctx = &heard };
	struct rcpt theirs[2], ours[2];
	struct envelope e, there;
	struct message m;
	struct fail whole = FAIL_INIT, f = FAIL_INIT;
	const struct fail no = { FAIL_PERM, STAGE_RCPT, .smtp = 550, .text = "the server said no" };
	struct submit_talk talk = SUBMIT_TALK(p.mine);

	(void)state;
	make(&a, &e, &m, ours);
	make(&a, &there, &m, theirs);
	theirs[0].state = RCPT_SENT;
	theirs[0].confirmation = "250 ok";
	theirs[1].state = RCPT_REFUSED;
	theirs[1].fail = &no;
	trace_line(&out, TRACE_LOG, "a log line");
	trace_line(&out, TRACE_DEBUG, "not asked for");
	trace_line(&out, TRACE_IN, "250 x");
	assert_true(submit_verdicts(p.theirs, &there, &whole, SUBMIT_STAYS, &f));
	assert_true(submit_result(&talk, &e, &a, &in, &f));
	assert_true(talk.stays);
	assert_string_equal(heard.text, "0:a log line|3:250 x|");
	assert_int_equal(ours[0].state, RCPT_SENT);
	assert_string_equal(ours[0].confirmation, "250 ok");
	assert_int_equal(ours[1].state, RCPT_REFUSED);
	assert_int_equal(ours[1].fail->smtp, 550);
	assert_string_equal(ours[1].fail->text, "the server said no");
	close_pair(p);
}

static void
test_whole_failure_and_silence(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct pair p = open_pair();
	struct envelope none = { .nrcpts = 0 };
	struct trace quiet = { NULL, NULL };
	struct fail whole = FAIL_INIT, f = FAIL_INIT;
	struct submit_talk talk = SUBMIT_TALK(p.mine);

	(void)state;
	(void)fail_conf(&whole, "onehop.conf:3: no");
	assert_true(submit_verdicts(p.theirs, &none, &whole, SUBMIT_DONE, &f));
	assert_false(submit_result(&talk, &none, &a, &quiet, &f));
	assert_int_equal(fail_exit_code(&f), 78);
	assert_string_equal(f.text, "onehop.conf:3: no");
	(void)shutdown(p.theirs, SHUT_RDWR);
	assert_false(submit_result(&talk, &none, &a, &quiet, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	close_pair(p);
}

/* onehop-send ends before its verdict: the last that it said of the message holds. */
static void
test_taken_and_silence(void **state)
{
	static const struct {
		const char *said[3];
		bool taken;
	} rows[] = { { { "1" }, true }, { { "1", "0" }, false }, { { "1", "0", "1" }, true },
		{ { "0" }, false } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct pair p = open_pair();
		struct submit_trace st = { .fd = p.theirs };
		struct trace quiet = { NULL, NULL };
		struct rcpt rcpts[2];
		struct envelope e;
		struct message m;
		struct fail f = FAIL_INIT;
		struct submit_talk talk = SUBMIT_TALK(p.mine);

		make(&a, &e, &m, rcpts);
		for (size_t k = 0; k < 3 && rows[i].said[k] != NULL; k++)
			submit_safe(&st, rows[i].said[k][0] == '1');
		(void)shutdown(p.theirs, SHUT_RDWR);
		assert_int_equal(submit_result(&talk, &e, &a, &quiet, &f), rows[i].taken);
		assert_int_equal(rcpts[0].state, rows[i].taken ? RCPT_KEPT : RCPT_WAITING);
		assert_int_equal(rcpts[1].state, rcpts[0].state);
		close_pair(p);
	}
}

/* A caller who was told to stop: what has come is read, the rest is not waited for. */
static bool
does_not_wait(void *ctx, int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	(void)ctx;
	return poll(&p, 1, 0) == 1;
}

/* onehop-send is still at work: who leaves with a success is not gone as who was killed is. */
static void
test_who_leaves(void **state)
{
	static const struct {
		const char *said;
		bool leaves, taken, gone;
	} rows[] = { { "1", true, true, false }, { "0", true, false, true },
		{ "1", false, false, true } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct pair p = open_pair();
		struct submit_trace st = { .fd = p.theirs };
		struct trace quiet = { NULL, NULL };
		struct rcpt rcpts[2];
		struct envelope e;
		struct message m;
		struct fail f = FAIL_INIT;
		struct submit_talk talk = SUBMIT_TALK(p.mine);

		make(&a, &e, &m, rcpts);
		talk.wait = does_not_wait;
		submit_safe(&st, rows[i].said[0] == '1');
		assert_false(submit_gone(p.theirs));
		if (rows[i].leaves)
			assert_int_equal(submit_result(&talk, &e, &a, &quiet, &f), rows[i].taken);
		assert_int_equal(close(p.mine), 0);
		assert_int_equal(submit_gone(p.theirs), rows[i].gone);
		assert_int_equal(close(p.theirs), 0);
	}
}

/* What is said by the other side, and how it goes: does it have the message for sure not? */
static const struct ending {
	const char *what;
	bool given;   /* it was sent all, to G */
	bool reads;   /* and reads it */
	bool serving; /* says so */
	int ending;   /* -1: it closes, else enum submit_ending */
	bool untaken;
} endings[] = {
	{ "closed at once", true, false, false, -1, true },
	{ "closed before all was sent", false, true, false, -1, true },
	{ "closed with all read", true, true, false, -1, false },
	{ "served, and closed with some unread", true, false, true, -1, true },
	{ "served, and closed with all read", true, true, true, -1, false },
	{ "busy before it read", true, false, false, SUBMIT_BUSY, true },
	{ "busy when it had read", true, true, true, SUBMIT_BUSY, true },
	{ "refused", true, true, true, SUBMIT_DONE, false },
	{ "refused before all was sent", false, false, false, SUBMIT_DONE, false },
};

static void
play_ending(const struct ending *row)
{
	AUTO_ARENA struct arena a = { NULL };
	struct pair p = open_pair();
	struct submit_talk talk = SUBMIT_TALK(p.mine);
	const struct submit_hello hello = { .flags = 0 };
	const struct envelope none = { .nrcpts = 0 };
	struct submit_hello heard;
	struct trace quiet = { NULL, NULL };
	struct envelope e, got;
	struct message m, back;
	struct rcpt rcpts[2];
	struct fail whole, f = FAIL_INIT;

	make(&a, &e, &m, rcpts);
	(void)fail_set(&whole, FAIL_TEMP, STAGE_DOOR, 0, "not now");
	assert_true(submit_hello(p.mine, &hello, &f));
	if (row->given)
		assert_true(submit_message(p.mine, &e, &m, &f));
	else
		(void)shutdown(p.mine, SHUT_WR);
	if (row->serving)
		submit_serving(p.theirs);
	if (row->reads) {
		assert_true(submit_accept(p.theirs, &heard, &f));
		assert_int_equal(submit_receive(p.theirs, NULL, &a, &got, &back, &f), row->given);
	}
	if (row->ending >= 0)
		assert_true(
		    submit_verdicts(p.theirs, &none, &whole, (enum submit_ending)row->ending, &f));
	(void)close(p.theirs);
	assert_false(submit_result(&talk, &e, &a, &quiet, &f));
	assert_int_equal(talk.serving, row->serving);
	assert_int_equal(submit_untaken(&talk, row->given), row->untaken);
	assert_int_equal(strcmp(f.text, "not now") == 0, row->ending >= 0);
	if (row->given)
		assert_int_equal(strstr(f.text, "may have been delivered") != NULL,
		    row->ending < 0 && row->reads);
	(void)close(p.mine);
}

static void
test_endings(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
		print_message("%s\n", endings[i].what);
		play_ending(&endings[i]);
	}
}

/* The id that onehop-send has given it is heard, whatever comes behind; what is none is not. */
static void
test_named(void **state)
{
	static const struct {
		const char *said, *id;
	} rows[] = {
		{ "id 1vNabc-000123-0B", "1vNabc-000123-0B" },
		{ "id ../../../../etc/x", "" },
		{ "id ", "" },
		{ "0", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct pair p = open_pair();
		AUTO_BUF struct buf word = BUF_INIT(64);
		struct submit_talk talk = SUBMIT_TALK(p.mine);
		struct trace quiet = { NULL, NULL };
		struct envelope e = { .nrcpts = 0 };
		struct fail none = FAIL_INIT, f = FAIL_INIT;

		buf_fmt(&word, SUBMIT_WORD "%s", rows[i].said);
		assert_true(record_put_buf(p.theirs, 'T', &word, &f));
		submit_safe(&(struct submit_trace){ .fd = p.theirs }, true);
		assert_true(submit_verdicts(p.theirs, &e, &none, SUBMIT_DONE, &f));
		assert_true(submit_result(&talk, &e, &a, &quiet, &f));
		assert_string_equal(talk.id, rows[i].id);
		close_pair(p);
	}
}

/* Rows of records, each a letter and a payload; fields end in NUL, written as '~' here. */
static const struct {
	const char *what;
	struct {
		char letter;
		const char *payload;
	} records[6];
} hostile[] = {
	{ "ends early", { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~" } } },
	{ "no envelope", { { 'R', "x@y~x@y~0~0~" }, { 'G', "0~0~0~0~0~" } } },
	{ "no recipient", { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~" }, { 'G', "0~0~0~0~0~" } } },
	{ "two envelopes",
	    { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~" },
		{ 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~" } } },
	{ "id with a slash", { { 'E', "../../../../x~s@x~l~~0~0~0~" } } },
	{ "long id", { { 'E', "1vNabc-000123-0A1vNabc-000123-0A~s@x~l~~0~0~0~" } } },
	{ "id that the spool would not list", { { 'E', "zz0~s@x~l~~0~0~0~" } } },
	{ "id without its second dash", { { 'E', "1vNabc-00012300A~s@x~l~~0~0~0~" } } },
	{ "words in original",
	    { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~" }, { 'R', "x@y~x@y => z@y R=x~0~0~" } } },
	{ "protocol that ends Received", { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~local;~0~" } } },
	{ "comment that ends in helo", { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~local~0~x)by~" } } },
	{ "blank in helo", { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~local~0~x y~" } } },
	{ "newline in sender", { { 'E', "1vNabc-000123-0A~s@x\nRCPT TO:<e@v>~l~~0~0~0~" } } },
	{ "newline in login", { { 'E', "1vNabc-000123-0A~s@x~l\nx~~0~0~0~" } } },
	{ "newline in envid", { { 'E', "1vNabc-000123-0A~s@x~l~i\r\nd~0~0~0~" } } },
	{ "bracket in recipient",
	    { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~" }, { 'R', "x@y> SIZE=1~x~0~0~" } } },
	{ "empty recipient", { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~" }, { 'R', "~x~0~0~" } } },
	{ "control in original",
	    { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~" }, { 'R', "x@y~x\ny~0~0~" } } },
	{ "header without colon", { { 'H', "no header\n" } } },
	{ "header without end", { { 'H', "A: b" } } },
	{ "two headers in one", { { 'H', "A: b\nBcc: c\n" } } },
	{ "empty line in header", { { 'H', "A: b\n\nbody\n" } } },
	{ "CR in header", { { 'H', "A: b\r c\n" } } },
	{ "NUL in header", { { 'H', "A: b~c\n" } } },
	{ "body size wrong",
	    { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~" }, { 'R', "x@y~x@y~0~0~" }, { 'B', "12345" },
		{ 'G', "4~0~0~0~0~" } } },
	{ "descriptor missing",
	    { { 'E', "1vNabc-000123-0A~s@x~l~~0~0~0~" }, { 'R', "x@y~x@y~0~0~" }, { 'F', "" },
		{ 'G', "5~0~0~0~0~" } } },
	{ "unknown record", { { 'Q', "" } } },
};

static void
test_hostile(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof hostile / sizeof hostile[0]; i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct pair p = open_pair();
		struct envelope e;
		struct message m;
		struct fail f = FAIL_INIT;

		for (size_t k = 0; hostile[i].records[k].letter != '\0'; k++) {
			char *payload = arena_strz(&a, str_of(hostile[i].records[k].payload));
			size_t n = strlen(payload);

			for (size_t b = 0; b < n; b++)
				if (payload[b] == '~')
					payload[b] = '\0';
			assert_true(record_put(
			    p.mine, hostile[i].records[k].letter, str_at(payload, n), &f));
		}
		(void)shutdown(p.mine, SHUT_WR);
		if (submit_receive(p.theirs, NULL, &a, &e, &m, &f))
			fail_msg("taken: %s", hostile[i].what);
		assert_int_equal(f.cls, FAIL_USER);
		body_close(&m.body);
		close_pair(p);
	}
}

static void
test_record_too_long(void **state)
{
	struct pair p = open_pair();
	unsigned char head[5] = { 'B', 0x7f, 0xff, 0xff, 0xff };
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_RECORD_MAX);
	int passed = -1;
	char letter;

	(void)state;
	assert_int_equal(write(p.mine, head, sizeof head), 5);
	assert_false(record_get(p.theirs, &letter, &b, &passed));
	close_pair(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body_in_records),
		cmocka_unit_test(test_body_as_descriptor),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_whole_failure_and_silence),
		cmocka_unit_test(test_taken_and_silence),
		cmocka_unit_test(test_who_leaves),
		cmocka_unit_test(test_endings),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_record_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
