/* test_request.c - the talk between onehop and onehop-local: what is said is heard, nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/file.h"
#include "wire/request.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define VERSION "1|"

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

/* What stands on a line of these tables is a frame; '|' is a NUL. */
static struct str
fields(struct arena *a, const char *text)
{
	char *p = arena_strz(a, str_of(text));

	for (char *c = p; *c != '\0'; c++)
		if (*c == '|')
			*c = '\0';
	return str_at(p, strlen(text));
}

static const char *const wrong[] = {
	"",
	"0000000",
	"0000000g",
	"99999999",
	"00000009" VERSION "size",
	"00000002" VERSION,
	"000000029|",
	"00000021" VERSION "0|4|1|1|a|b|c|d|e|f",
	"00000027" VERSION "0|99|1|1|a|b|c|d|e|f|g|h|",
	"00000025" VERSION "0|4|1|1|a|b|c|d|e|f\001|g|",
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

		if (hear(&a, fields(&a, wrong[i]), &r, rest, &f))
			fail_msg("%s", wrong[i]);
		assert_int_equal(f.cls, FAIL_TEMP);
	}
}

static const struct {
	const char *text, *why; /* NULL: ok */
} replies[] = {
	{ "ok|1|0||", NULL },
	{ "ok|2|1|x|0|fax|", NULL },
	{ "", "gave no answer" },
	{ "o|1|0||", "gave no answer" },
	{ "ok|", "gave no answer" },
	{ "ok|9|0||", "gave no answer" },
	{ "ok|2|0||1|x|", "gave no answer" },
	{ "ok|2|0||0||", "gave no answer" },
	{ "fail|1|28|0|4.2.2|no room|", "no room" },
	{ "fail|0|28|0||x|", "gave no answer" },
	{ "fail|9|28|0||x|", "gave no answer" },
	{ "fail|1|9999|0||x|", "gave no answer" },
	{ "fail|1|1|", "gave no answer" },
};

static void
test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof replies / sizeof replies[0]; i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct probe p = { .found = PROBE_MAILDROP };
		struct fail f = FAIL_INIT;
		bool ok = reply_read(fields(&a, replies[i].text), &a, &p, &f);

		if (ok != (replies[i].why == NULL))
			fail_msg("%s: %s", replies[i].text, f.text);
		if (ok || replies[i].why == NULL)
			continue;
		assert_non_null(strstr(f.text, replies[i].why));
		assert_int_equal(f.cls, FAIL_TEMP);
		assert_int_equal(p.found, PROBE_MAILDROP);
	}
}

/* said, as the other side reads it. */
static struct str
frame(struct arena *a, const struct buf *said)
{
	struct str read;
	int p[2];

	assert_int_equal(pipe(p), 0);
	assert_true(fd_write_full(p[1], said->p, said->n));
	(void)close(p[1]);
	assert_true(frame_read(p[0], a, &read));
	(void)close(p[0]);
	return read;
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
	assert_false(reply_read(frame(&a, &said), &a, NULL, &heard));
	assert_int_equal(heard.cls, FAIL_PERM);
	assert_int_equal(heard.sys, 28);
	assert_int_equal(heard.exit, 67);
	assert_string_equal(heard.dsn, "5.2.2");
	assert_string_equal(heard.text, f.text);
}

static void
test_probe_comes_whole(void **state)
{
	struct probe_item items[] = { { TRANSPORT_NONE, "fax" },
		{ TRANSPORT_PIPE, "/bin/x \t y" } };
	struct probe p = { PROBE_FORWARD, items, 2, true, "odd" }, heard;
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf said = BUF_INIT(65536);
	struct fail f = FAIL_INIT;

	(void)state;
	reply_ok(&said, &p);
	assert_true(reply_read(frame(&a, &said), &a, &heard, &f));
	assert_int_equal(heard.found, PROBE_FORWARD);
	assert_true(heard.discard);
	assert_string_equal(heard.skipped, "odd");
	assert_int_equal(heard.nitems, 2);
	assert_int_equal(heard.items[1].transport, TRANSPORT_PIPE);
	assert_string_equal(heard.items[1].text, "/bin/x \t y");
}

/* A terminal's escape in what a helper says, or an answer cut short. */
static void
test_no_frame(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct str read, texts[] = { STR("00000005skip\033"), STR("00000005ok") };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		int p[2];

		assert_int_equal(pipe(p), 0);
		assert_true(fd_write_full(p[1], texts[i].p, texts[i].n));
		(void)close(p[1]);
		assert_false(frame_read(p[0], &a, &read));
		(void)close(p[0]);
	}
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
		cmocka_unit_test(test_probe_comes_whole),
		cmocka_unit_test(test_no_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
