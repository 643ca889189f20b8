/* test_queued.c - the -H file: Exim's form, all that survives, and nothing that was changed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/digest.h"
#include "queued_fixture.h"
#include "spool/option.h"
#include "spool/queued.h"
#include "spool/spool.h"

static void
writes_what_exim_writes(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf out = BUF_INIT(4096);
	struct rcpt to = { .address = "x@far.example" };
	struct queued q = fixture_message(&a, &to, 1);

	(void)state;
	(void)fixture_again(&q, &a, &out);
	/* as in the recorded case del-mvh-mvb, but for ours, and for the longest line, in which
	 * Exim counts the header */
	assert_non_null(strstr(out.p,
	    "1vNaKG-000001-2A-H\n"
	    "alice 1001 1002\n"
	    "<alice@debian>\n"
	    "1795501322 0\n"
	    "-received_time_usec .000042\n"
	    "-received_time_complete 1795501322.000042\n"
	    "-ident alice\n"
	    "-received_protocol local\n"
	    "-body_linecount 1\n"
	    "-max_received_linelength 4\n"
	    "-auth_id alice\n"
	    "-auth_sender alice@debian\n"
	    "-allow_unqualified_recipient\n"
	    "-allow_unqualified_sender\n"
	    "-deliver_firsttime\n"
	    "-local\n"
	    "-tls_resumption A\n"
	    "-onehop_arrived 7\n"
	    "-onehop_auth_parameter\n"
	    "-onehop_body 24 a3f5"));
	assert_non_null(strstr(out.p,
	    "\nXX\n1\nx@far.example\n\n"
	    "019F From: alice@debian\n"
	    "014  Subject: s\n\tt\n"));
	/* root's, with -f: as in the sandbox of tests/servers/test_exim_tools.py */
	q.e.auth_parameter = false;
	buf_reset(&out);
	(void)fixture_again(&q, &a, &out);
	assert_null(strstr(out.p, "-auth_"));
	assert_null(strstr(out.p, "-local\n"));
}

static void
same_string(const char *x, const char *y)
{
	assert_true((x == NULL) == (y == NULL));
	if (x != NULL)
		assert_string_equal(x, y);
}

static void
same(const struct queued *x, const struct queued *y)
{
	const struct envelope *e = &x->e, *g = &y->e;

	assert_string_equal(e->id, g->id);
	assert_string_equal(e->sender, g->sender);
	assert_string_equal(e->login, g->login);
	assert_int_equal(e->auth_parameter, g->auth_parameter);
	same_string(e->envid, g->envid);
	same_string(e->protocol, g->protocol);
	assert_int_equal(e->ret, g->ret);
	assert_int_equal(e->body_declared, g->body_declared);
	assert_int_equal(e->nrcpts, g->nrcpts);
	for (size_t i = 0; i < e->nrcpts; i++) {
		assert_string_equal(e->rcpts[i].address, g->rcpts[i].address);
		assert_string_equal(e->rcpts[i].original, g->rcpts[i].original);
		assert_int_equal(e->rcpts[i].unqualified, g->rcpts[i].unqualified);
		assert_int_equal(e->rcpts[i].notify, g->rcpts[i].notify);
		same_string(e->rcpts[i].orcpt, g->rcpts[i].orcpt);
		assert_int_equal(e->rcpts[i].state, g->rcpts[i].state);
	}
	assert_int_equal(x->m.nheaders, y->m.nheaders);
	for (size_t i = 0; i < x->m.nheaders; i++) {
		assert_true(str_eq(x->m.headers[i].text, y->m.headers[i].text));
		assert_true(str_eq(x->m.headers[i].name, y->m.headers[i].name));
		assert_int_equal(x->m.headers[i].type, y->m.headers[i].type);
		assert_int_equal(x->m.headers[i].resent, y->m.headers[i].resent);
	}
	assert_int_equal(x->m.resent, y->m.resent);
	assert_int_equal(x->m.body.lines, y->m.body.lines);
	assert_int_equal(x->m.body.longest_line, y->m.body.longest_line);
	assert_int_equal(x->m.body.has_8bit, y->m.body.has_8bit);
	assert_int_equal(x->m.body.has_nul, y->m.body.has_nul);
	assert_int_equal(x->uid, y->uid);
	assert_int_equal(x->gid, y->gid);
	assert_int_equal(x->received, y->received);
	assert_int_equal(x->received_usec, y->received_usec);
	assert_int_equal(x->arrived, y->arrived);
	assert_string_equal(x->protocol, y->protocol);
	same_string(x->parent, y->parent);
	assert_int_equal(x->warnings, y->warnings);
	assert_int_equal(x->frozen, y->frozen);
	assert_int_equal(x->manual_thaw, y->manual_thaw);
	assert_int_equal(x->frozen_at, y->frozen_at);
	assert_int_equal(x->frozen_counted, y->frozen_counted);
	assert_int_equal(x->trouble.tries, y->trouble.tries);
	assert_int_equal(x->trouble.first_failed, y->trouble.first_failed);
	assert_int_equal(x->trouble.last_try, y->trouble.last_try);
	assert_int_equal(x->trouble.next_try, y->trouble.next_try);
	same_string(x->trouble.hosts, y->trouble.hosts);
	same_string(x->trouble.error, y->trouble.error);
	assert_int_equal(x->ndone, y->ndone);
	for (size_t i = 0; i < x->ndone; i++)
		assert_string_equal(x->done[i], y->done[i]);
}

static struct rcpt everything_to[] = {
	{ .address = "x@far.example", .notify = NOTIFY_NEVER },
	{ .address = "fax@debian",
	    .original = "FAX",
	    .unqualified = true,
	    .notify = NOTIFY_SUCCESS | NOTIFY_FAILURE | NOTIFY_DELAY,
	    .orcpt = "rfc822;fax+2Bx@debian",
	    .state = RCPT_SENT },
	{ .address = "\"a  b\"@far.example", .original = "a b\\c\t\x7f", .orcpt = "rfc822;x" },
	{ .address = "d\xc3\xb6ner@debian", .original = "" },
	{ .address = "unqualified#3", .unqualified = true },
};

static const char *everything_done[] = { "fax@debian", "root@debian:|/bin/x \"a  b\"\ty" };

static struct queued
everything(struct arena *a)
{
	struct queued q =
	    fixture_message(a, everything_to, sizeof everything_to / sizeof *everything_to);

	q.e.sender = "";
	q.e.login = "o d d 5";
	q.e.auth_parameter = true;
	q.e.envid = "QQ314159+20\\n";
	q.e.ret = RET_HDRS;
	q.e.body_declared = 8;
	q.e.protocol = q.protocol = "local-esmtp";
	q.received = -1;
	q.parent = "1vNaKG-000001-29";
	q.warnings = 3;
	q.frozen = q.manual_thaw = true;
	q.frozen_at = 1795501400;
	q.frozen_counted = UINT64_MAX;
	q.trouble = (struct trouble){ 4, 5, -6, 1795509999, "[192.0.2.1]::587 : b.example",
		"line\none\n-local \\\x01 \xc3\xb6" };
	q.m.body.has_8bit = q.m.body.has_nul = true;
	for (size_t i = 0; i < 2; i++) {
		q.done = arena_grow(a, q.done, q.ndone, sizeof *q.done);
		q.done[q.ndone++] = everything_done[i];
	}
	fixture_header(&q, "Resent-From: b@debian\n");
	fixture_header(&q, "Received: x\n");
	fixture_header(&q, "Subject:\n -onehop_sha256 0\n");
	q.m.headers[0].type = H_DELETED;
	return q;
}

static void
keeps_everything(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf out = BUF_INIT(8192), second = BUF_INIT(8192);
	struct queued q = everything(&a), back = fixture_again(&q, &a, &out), third;

	(void)state;
	same(&q, &back);
	assert_int_equal(back.m.body.fd, 5);
	assert_int_equal(back.m.body.start, 19);
	assert_int_equal(back.m.body.size, 5);
	third = fixture_again(&back, &a, &second);
	same(&q, &third);
	assert_true(str_eq(buf_get(&out), buf_get(&second)));
	assert_non_null(strstr(out.p,
	    "\nx@far.example  0,2  0,-1#3\n"
	    "fax@debian rfc822;fax+2Bx@debian 21,28  0,-1#3\n"));
	assert_non_null(strstr(out.p, "\nYN root@debian:|/bin/x \"a  b\"\ty\nNN fax@debian\n5\n"));
	assert_non_null(strstr(out.p, "\n-frozen 1795501400\n-local\n-localerror\n-manual_thaw\n"));
	assert_non_null(strstr(out.p, "\n-dsn_ret 2\n"));
	assert_null(strstr(out.p, "-deliver_firsttime"));
}

/* Every bit, every cut, more at the end, one octet more anywhere. */
static void
sees_every_change(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf out = BUF_INIT(8192);
	struct queued q = everything(&a);
	struct queued_body b;
	struct fail f = FAIL_INIT;

	(void)state;
	(void)fixture_again(&q, &a, &out);
	for (size_t i = 0; i < out.n; i++) {
		AUTO_ARENA struct arena mine = { NULL };
		struct queued back = { .arena = &mine };

		for (unsigned bit = 0; bit < 8; bit++) {
			out.p[i] = (char)(out.p[i] ^ (1 << bit));
			assert_false(queued_read(buf_get(&out), &back, &b, &f));
			out.p[i] = (char)(out.p[i] ^ (1 << bit));
		}
		assert_int_equal(f.cls, FAIL_PERM);
		assert_int_equal(f.stage, STAGE_SPOOL);
		assert_false(queued_read(str_at(out.p, i), &back, &b, &f));
	}
	buf_char(&out, '\n');
	assert_false(queued_read(buf_get(&out), &(struct queued){ .arena = &a }, &b, &f));
}

/* The text with its checksum made right. */
static bool
reads(struct arena *a, struct str text)
{
	AUTO_BUF struct buf signed_ = BUF_INIT(1 << 25);
	struct queued q = { .arena = a };
	struct queued_body b;
	struct fail f = FAIL_INIT;
	size_t at = (size_t)((char *)memmem(text.p, text.n, "-onehop_sha256 ", 15) - text.p);
	struct str before = str_at(text.p, at), behind = str_skip(text, at + 15 + 65);
	char sum[DIGEST_HEX];

	assert_true(option_sum(before, behind, sum, &f));
	buf_put(&signed_, before);
	buf_fmt(&signed_, "-onehop_sha256 %s\n", sum);
	buf_put(&signed_, behind);
	assert_true(buf_ok(&signed_));
	return queued_read(buf_get(&signed_), &q, &b, &f);
}

static const struct {
	const char *from, *to;
	bool good;
} edits[] = {
	{ "alice 1001", "bob 1001", true },
	{ "-local\n", "-local\n-invented_later 5\n", true },
	{ "-local\n", "-local\n-onehop_invented_later\n", true },
	{ "\nXX\n", "\nNN a\n", true },
	{ "\nXX\n", "\nYN a\nNY b\nNN c\n", true },
	{ "1vNaKG-000001-2A-H", "-H", false },
	{ "1vNaKG-000001-2A-H", "1vNaKG-000001-2A", false },
	{ "1vNaKG-000001-2A-H", "1vNaKG-000001-2A1vNaKG-000001-2A-H", false },
	{ "1vNaKG-000001-2A-H", "../../etc/pass-H", false },
	{ "alice 1001 1002", "alice", false },
	{ "alice 1001 1002", "alice 1001 4294967296", false },
	{ "<alice@debian>", "alice@debian", false },
	{ "<alice@debian>", "<", false },
	{ "<alice@debian>", "<a b@debian>", false },
	{ "1795501322 0", "x 0", false },
	{ "1795501322 0", "0 x", false },
	{ "usec .000042", "usec .x", false },
	{ "-onehop_arrived 7", "-onehop_arrived", false },
	{ "-onehop_arrived 7", "-onehop_tries -1", false },
	{ "-onehop_arrived 7", "-onehop_error \\0", false },
	{ "-onehop_arrived 7", "-onehop_error \\zz", false },
	{ "-onehop_arrived 7", "-onehop_error \\00", false },
	{ "-onehop_arrived 7", "-onehop_error \t", false },
	{ "-onehop_arrived 7", "-onehop_recipient 0 1 y", true },
	{ "-onehop_arrived 7", "-onehop_recipient 1 1 y", false },
	{ "-onehop_arrived 7", "-onehop_recipient 0", false },
	{ "-onehop_arrived 7", "-frozen", false },
	{ "-received_protocol local\n", "", false },
	{ "-onehop_body 24", "-onehop_body x", false },
	{ "-onehop_body 24 a3", "-onehop_body 24 g3", false },
	{ "-onehop_body 24 a3", "-onehop_body 24 a", false },
	{ "-onehop_body 24", "-onehop_bodies 24", false },
	{ "\nXX\n", "\n-local\nXX\n", false },
	{ "\nXX\n", "\n", false },
	{ "\nXX\n", "\nNY a\n", false },
	{ "\nXX\n", "\nYX a\n", false },
	{ "\nXX\n", "\nNNa a\n", false },
	{ "\nXX\n", "\nNN \n", false },
	{ "\n1\n", "\n0\n", false },
	{ "\n1\n", "\n2\n", false },
	{ "\n1\n", "\n50001\n", false },
	{ "\nx@far.example\n", "\nx@far.example  0,4  0,-1#3\n", true },
	{ "\nx@far.example\n", "\nx@far.example  9,4  0,-1#3\n", false },
	{ "\nx@far.example\n", "\nx@far.example  99,4  0,-1#3\n", false },
	{ "\nx@far.example\n", "\nx@far.example  0,x  0,-1#3\n", false },
	{ "\nx@far.example\n", "\n  0,-1#3\n", false },
	{ "\nx@far.example\n", "\nx y@far.example\n", false },
	{ "\nx@far.example\n\n", "\nx@far.example\n", false },
	{ "019F ", "019? ", false },
	{ "019F ", "018F ", false },
	{ "019F ", "19F ", false },
	{ "019F ", "019FF", false },
	{ "019F ", "999F ", false },
	{ "019F ", "99999999999F ", false },
	{ "From: alice@debian\n", "From: alice@d\nbian\n", false },
	{ "From: alice@debian\n", "From: alice@d\rbian\n", false },
	{ "From: alice@debian\n", "From  alice@debian\n", false },
	{ "\tt\n", "t\nt", false },
};

static void
reads_only_the_format(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf out = BUF_INIT(8192);
	struct rcpt to = { .address = "x@far.example" };
	struct queued q = fixture_message(&a, &to, 1);

	(void)state;
	(void)fixture_again(&q, &a, &out);
	assert_true(reads(&a, buf_get(&out)));
	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		AUTO_BUF struct buf text = BUF_INIT(8192);
		const char *at = strstr(out.p, edits[i].from);

		assert_non_null(at);
		buf_add(&text, out.p, (size_t)(at - out.p));
		buf_str(&text, edits[i].to);
		buf_str(&text, at + strlen(edits[i].from));
		if (reads(&a, buf_get(&text)) != edits[i].good)
			fail_msg("edit %zu: %s -> %s", i, edits[i].from, edits[i].to);
	}
	/* the checksum is the last option, in one place */
	assert_false(queued_read(
	    STR(""), &(struct queued){ .arena = &a }, &fixture_body, &(struct fail)FAIL_INIT));
}

/* A message of which three of four recipients are done, for tests/servers/test_exipick.py. */
static int
print_partial(void)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf out = BUF_INIT(8192);
	static const char *const done[] = { "fax@debian", "x@far.example", "y@far.example" };
	struct rcpt to[] = { { .address = "x@far.example" },
		{ .address = "y@far.example",
		    .notify = NOTIFY_NEVER,
		    .orcpt = "rfc822;y@far.example" },
		{ .address = "later@far.example" },
		{ .address = "fax@debian", .original = "fax", .unqualified = true } };
	struct queued q = fixture_message(&a, to, 4);
	struct fail f = FAIL_INIT;

	for (size_t i = 0; i < 3; i++) {
		q.done = arena_grow(&a, q.done, q.ndone, sizeof *q.done);
		q.done[q.ndone++] = done[i];
	}
	q.warnings = 1;
	q.frozen = q.manual_thaw = true;
	q.frozen_at = 1795501400;
	q.trouble = (struct trouble){ .tries = 1, .error = "451\nlater\n-N" };
	return queued_write(&q, &fixture_body, &out, &f) &&
		fwrite(out.p, 1, out.n, stdout) == out.n ?
	    0 :
	    1;
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_exim_writes),
		cmocka_unit_test(keeps_everything),
		cmocka_unit_test(sees_every_change),
		cmocka_unit_test(reads_only_the_format),
	};

	if (argc == 2 && strcmp(argv[1], "--print") == 0)
		return print_partial();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
