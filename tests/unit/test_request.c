/* test_request.c - the talk between onehop and onehop-local: what is said is heard, nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "local/request.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* text as a whole standard input; returns what request_read makes of it. */
static bool
hear(struct arena *a, struct str text, struct local_request *r, char *rest, struct fail *f)
{
	int p[2];
	bool ok;
	ssize_t n;

	assert_int_equal(pipe(p), 0);
	assert_true(fd_write_full(p[1], text.p, text.n));
	(void)close(p[1]);
	ok = request_read(p[0], a, r, f);
	n = fd_read_full(p[0], rest, 15);
	assert_true(n >= 0);
	rest[n] = '\0';
	(void)close(p[0]);
	return ok;
}

static void
test_there_and_back(void **state)
{
	const char *to[] = { "fax@debian", "\"a b\"@x.example" };
	struct local_request r = { .skip_forward = true,
		.transport = TRANSPORT_PIPE,
		.path = "/bin/x \t a",
		.maildir = "$home/Maildir",
		.host = "debian",
		.qualify = "isp.example",
		.id = "1abcde-000001-2f",
		.sender = "",
		.recipient = "fax@debian",
		.envelope_to = to,
		.nenvelope_to = 2,
		.now = 1764000000,
		.size = 12 };
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf said = BUF_INIT(65536);
	struct local_request h;
	struct fail f = FAIL_INIT;
	char rest[16];

	(void)state;
	assert_true(request_write(&r, &said, &f));
	buf_str(&said, "Subject: s\n\n");
	assert_true(hear(&a, buf_get(&said), &h, rest, &f));
	assert_string_equal(rest, "Subject: s\n\n");
	assert_true(h.skip_forward);
	assert_int_equal(h.transport, TRANSPORT_PIPE);
	assert_string_equal(h.path, r.path);
	assert_string_equal(h.maildir, r.maildir);
	assert_string_equal(h.host, r.host);
	assert_string_equal(h.qualify, r.qualify);
	assert_string_equal(h.id, r.id);
	assert_string_equal(h.sender, "");
	assert_string_equal(h.recipient, r.recipient);
	assert_int_equal(h.nenvelope_to, 2);
	assert_string_equal(h.envelope_to[1], to[1]);
	assert_int_equal(h.now, r.now);
	assert_int_equal(h.size, 12);
}

static void
test_cannot_be_said(void **state)
{
	struct local_request r = { .sender = "a@x\nenvelope_to b@x" };
	AUTO_BUF struct buf said = BUF_INIT(65536);
	struct fail f = FAIL_INIT;

	(void)state;
	assert_false(request_write(&r, &said, &f));
	assert_int_equal(f.cls, FAIL_PERM);
	assert_int_equal(said.n, 0);
}

static const char *const wrong[] = {
	"",
	"0000000",
	"0000000g\n",
	"00000000 ",
	"ffffffff\n",
	"00000009\nsize 1\n",
	"00000008\nsize -1\n",
	"00000007\nsize1\n\n",
	"00000009\nhello me\n",
	"0000000d\ntransport 99\n",
	"0000000b\nsender a\001b\n",
};

static void
test_wrong_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct local_request r;
		struct fail f = FAIL_INIT;
		char rest[16];

		assert_false(hear(&a, str_of(wrong[i]), &r, rest, &f));
		assert_int_equal(f.cls, FAIL_TEMP);
	}
}

static const struct {
	const char *text, *why; /* NULL: ok */
} replies[] = {
	{ "ok\n", NULL },
	{ "found 2\ndiscard\nskipped x\nitem 0 fax\nok\n", NULL },
	{ "", "gave no answer" },
	{ "ok", "gave no answer" },
	{ "ok\nok\n", "gave no answer" },
	{ "found 2\n", "gave no answer" },
	{ "found 9\nok\n", "gave no answer" },
	{ "item 1 x\nok\n", "gave no answer" },
	{ "item 0 \nok\n", "gave no answer" },
	{ "item x y\nok\n", "gave no answer" },
	{ "skipped \033[2J\nok\n", "gave no answer" },
	{ "fail 1 28 0 4.2.2 no room\n", "no room" },
	{ "fail 0 28 0 - x\n", "gave no answer" },
	{ "fail 9 28 0 - x\n", "gave no answer" },
	{ "fail 1 x 0 - x\n", "gave no answer" },
	{ "fail 1 1\n", "gave no answer" },
};

static void
test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct probe p = { .found = PROBE_MAILDROP };
		struct fail f = FAIL_INIT;
		bool ok = reply_read(str_of(replies[i].text), &a, &p, &f);

		if (ok != (replies[i].why == NULL))
			fail_msg("%s: %s", replies[i].text, f.text);
		if (ok || replies[i].why == NULL)
			continue;
		assert_non_null(strstr(f.text, replies[i].why));
		assert_int_equal(f.cls, FAIL_TEMP);
		assert_int_equal(p.found, PROBE_MAILDROP);
	}
}

static void
test_failure_comes_whole(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf said = BUF_INIT(65536);
	struct fail f = FAIL_INIT, heard = FAIL_INIT;

	(void)state;
	(void)fail_set(&f, FAIL_PERM, STAGE_LOCAL, 28, "no room: %s", "here");
	f.exit = 67;
	memcpy(f.dsn, "5.2.2", sizeof "5.2.2");
	reply_fail(&said, &f);
	assert_false(reply_read(buf_get(&said), &a, NULL, &heard));
	assert_int_equal(heard.cls, FAIL_PERM);
	assert_int_equal(heard.sys, 28);
	assert_int_equal(heard.exit, 67);
	assert_string_equal(heard.dsn, "5.2.2");
	assert_string_equal(heard.text, f.text);
	/* where only ok is expected, a probe's answer is none */
	assert_false(reply_read(STR("found 1\nok\n"), &a, NULL, &heard));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there_and_back),
		cmocka_unit_test(test_cannot_be_said),
		cmocka_unit_test(test_wrong_requests),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_failure_comes_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
