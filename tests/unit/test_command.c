/* test_command.c - what SMTP clients say, and the text behind DATA. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "front/command.h"
#include "front/dots.h"
#include "wire/envelope.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void
verbs(void **state)
{
	static const struct {
		struct str line;
		enum verb verb;
		const char *argument;
	} rows[] = {
		{ STR("EHLO  host "), VERB_EHLO, "host" },
		{ STR("helo\thost"), VERB_HELO, "host" },
		{ STR("MaIl FROM:<a b>"), VERB_MAIL, "FROM:<a b>" },
		{ STR("  rcpt"), VERB_RCPT, "" },
		{ STR("QUIT"), VERB_QUIT, "" },
		{ STR("QUITX"), VERB_UNKNOWN, "" },
		{ STR("MAILFROM:<a>"), VERB_UNKNOWN, "" },
		{ STR(""), VERB_UNKNOWN, "" },
		{ STR("NOOP \x01"), VERB_UNKNOWN, "\x01" },
		{ STR("NOOP\0"), VERB_UNKNOWN, "" },
		{ STR("DATA\r x"), VERB_UNKNOWN, "x" },
		{ STR("STARTTLS"), VERB_ABSENT, "" },
		{ STR("POST / HTTP/1.1"), VERB_FOREIGN, "/ HTTP/1.1" },
		{ STR("\xc3\xa9"), VERB_UNKNOWN, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct str argument;

		assert_int_equal(command_verb(rows[i].line, &argument), rows[i].verb);
		assert_true(str_eq(argument, str_of(rows[i].argument)));
	}
}

static void
names(void **state)
{
	static const char *good[] = { "a", "debian.example", "my_host", "[127.0.0.1]", "[IPv6:::1]",
		"[192.168.1.5]" };
	static const char *bad[] = { "", "a b", "a(b", "a:b", "[]", "[", "a\xc3\xa9", "<a>", "[a" };
	char longest[257];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(command_helo_ok(str_of(good[i])));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(command_helo_ok(str_of(bad[i])));
	memset(longest, 'a', sizeof longest);
	assert_true(command_helo_ok(str_at(longest, 255)));
	assert_false(command_helo_ok(str_at(longest, 256)));
}

static const struct mail_row {
	const char *argument;
	int code; /* 0: taken */
	const char *sender;
	uint64_t size;
	unsigned body, ret;
	const char *envid;
} mails[] = {
	{ "FROM:<alice@debian>", 0, "alice@debian", 0, 0, 0, NULL },
	{ "from: <alice@debian>", 0, "alice@debian", 0, 0, 0, NULL },
	{ "FROM :<alice@debian>", 0, "alice@debian", 0, 0, 0, NULL },
	{ "FROM:alice", 0, "alice", 0, 0, 0, NULL },
	{ "FROM:<>", 0, "", 0, 0, 0, NULL },
	{ "FROM:<> SIZE=0", 0, "", 0, 0, 0, NULL },
	{ "FROM:<@a,@b:c@d.example>", 0, "c@d.example", 0, 0, 0, NULL },
	{ "FROM:<\"a >b\"@c>", 0, "\"a >b\"@c", 0, 0, 0, NULL },
	{ "FROM:\"a b\"@c SIZE=1", 0, "\"a b\"@c", 1, 0, 0, NULL },
	{ "FROM:<\"a\\\">b\"@c>", 0, "\"a\\\">b\"@c", 0, 0, 0, NULL },
	{ "FROM:<a@b> SIZE=123 body=8bitmime RET=hdrs ENVID=x+2By", 0, "a@b", 123, 8, RET_HDRS,
	    "x+y" },
	{ "FROM:<a@b>  BODY=7BIT\tRET=FULL ", 0, "a@b", 0, 7, RET_FULL, NULL },
	{ "FROM:<a@b> SIZE=18446744073709551615", 0, "a@b", UINT64_MAX, 0, 0, NULL },
	{ "FROM:<a@b> SIZE=18446744073709551616", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> SIZE=-1", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> SIZE", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> SIZE=1 SIZE=1", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> BODY=BINARYMIME", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> RET=NONE", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> SMTPUTF8=1", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> ENVID=", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> ENVID=+0A", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> ENVID=+2b", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> ENVID=+2", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> ENVID=a=b", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> ENVID=+E9", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> AUTH=<>", 555, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> NOTIFY=NEVER", 555, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b> =", 555, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b>SIZE=1", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<Al <a@b>>", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a b@c d>", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@b,c@d>", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:\"a", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:", 501, NULL, 0, 0, 0, NULL },
	{ "FROM", 501, NULL, 0, 0, 0, NULL },
	{ "TO:<a@b>", 501, NULL, 0, 0, 0, NULL },
	{ "", 501, NULL, 0, 0, 0, NULL },
	{ "FROM:<\xc3\xa9@b>", 553, NULL, 0, 0, 0, NULL },
	{ "FROM:<a@\xc3\xa9.example>", 553, NULL, 0, 0, 0, NULL },
	{ "FROM:<\xc3\xa9@b> SMTPUTF8", 0, "\xc3\xa9@b", 0, 0, 0, NULL },
	{ "FROM:<\xe9@b> SMTPUTF8", 501, NULL, 0, 0, 0, NULL },
};

static void
mail(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(mails); i++) {
		const struct mail_row *r = &mails[i];
		AUTO_ARENA struct arena a = { NULL };
		struct mail_command m;
		struct fail f = FAIL_INIT;

		if (command_mail(&a, str_of(r->argument), &m, &f) != (r->code == 0))
			fail_msg("%s: %s", r->argument, f.text);
		assert_int_equal(f.smtp, r->code);
		if (r->code != 0) {
			assert_int_equal(f.dsn[0], '5');
			continue;
		}
		assert_string_equal(mailbox_text(&a, m.sender), r->sender);
		assert_int_equal(m.size, r->size);
		assert_int_equal(m.body, r->body);
		assert_int_equal(m.ret, r->ret);
		if (r->envid != NULL)
			assert_string_equal(m.envid, r->envid);
		else
			assert_null(m.envid);
	}
}

static const struct rcpt_row {
	const char *argument;
	bool utf8;
	int code;
	const char *rcpt;
	unsigned notify;
	const char *orcpt;
} rcpts[] = {
	{ "TO:<x@far.example>", false, 0, "x@far.example", 0, NULL },
	{ "TO:fax", false, 0, "fax", 0, NULL },
	{ "to:<x@y> notify=success,Failure", false, 0, "x@y", NOTIFY_SUCCESS | NOTIFY_FAILURE,
	    NULL },
	{ "TO:<x@y> NOTIFY=NEVER ORCPT=rfc822;x+2By@z", false, 0, "x@y", NOTIFY_NEVER,
	    "rfc822;x+2By@z" },
	{ "TO:<x@y> NOTIFY=DELAY", false, 0, "x@y", NOTIFY_DELAY, NULL },
	{ "TO:<x@y> NOTIFY=NEVER,DELAY", false, 501, NULL, 0, NULL },
	{ "TO:<x@y> NOTIFY=", false, 501, NULL, 0, NULL },
	{ "TO:<x@y> NOTIFY", false, 501, NULL, 0, NULL },
	{ "TO:<x@y> NOTIFY=SUCCESS,", false, 501, NULL, 0, NULL },
	{ "TO:<x@y> ORCPT=x@y", false, 501, NULL, 0, NULL },
	{ "TO:<x@y> ORCPT=;x@y", false, 501, NULL, 0, NULL },
	{ "TO:<x@y> ORCPT=rfc822;", false, 501, NULL, 0, NULL },
	{ "TO:<x@y> ORCPT=rfc(22;x", false, 501, NULL, 0, NULL },
	{ "TO:<x@y> ORCPT=rfc822;+zz", false, 501, NULL, 0, NULL },
	{ "TO:<x@y> SIZE=1", false, 555, NULL, 0, NULL },
	{ "TO:<>", false, 501, NULL, 0, NULL },
	{ "TO:", false, 501, NULL, 0, NULL },
	{ "TO:<x y@z>", false, 501, NULL, 0, NULL },
	{ "TO:<\xc3\xa9@z>", false, 553, NULL, 0, NULL },
	{ "TO:<\xc3\xa9@z>", true, 0, "\xc3\xa9@z", 0, NULL },
	{ "FROM:<x@y>", false, 501, NULL, 0, NULL },
};

static void
rcpt(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rcpts); i++) {
		const struct rcpt_row *r = &rcpts[i];
		AUTO_ARENA struct arena a = { NULL };
		struct rcpt_command c;
		struct fail f = FAIL_INIT;

		if (command_rcpt(&a, str_of(r->argument), r->utf8, &c, &f) != (r->code == 0))
			fail_msg("%s: %s", r->argument, f.text);
		assert_int_equal(f.smtp, r->code);
		if (r->code != 0)
			continue;
		assert_string_equal(mailbox_text(&a, c.rcpt), r->rcpt);
		assert_int_equal(c.notify, r->notify);
		if (r->orcpt != NULL)
			assert_string_equal(c.orcpt, r->orcpt);
		else
			assert_null(c.orcpt);
	}
}

/* What is too long by one octet. */
static void
long_values(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct fail f = FAIL_INIT;
	struct mail_command m;
	struct rcpt_command r;
	char x[1024];

	(void)state;
	memset(x, 'x', sizeof x);
	assert_true(command_mail(&a, str_of(arena_fmt(&a, "FROM:<a@b> ENVID=%.100s", x)), &m, &f));
	assert_false(command_mail(&a, str_of(arena_fmt(&a, "FROM:<a@b> ENVID=%.101s", x)), &m, &f));
	assert_true(
	    command_rcpt(&a, str_of(arena_fmt(&a, "TO:<a@b> ORCPT=x;%.498s", x)), false, &r, &f));
	assert_false(
	    command_rcpt(&a, str_of(arena_fmt(&a, "TO:<a@b> ORCPT=x;%.499s", x)), false, &r, &f));
	assert_false(command_rcpt(&a, str_of(arena_fmt(&a, "TO:<%.300s@b>", x)), false, &r, &f));
	assert_int_equal(f.smtp, 501);
}

static void
bdat(void **state)
{
	static const struct {
		const char *argument;
		bool good;
		uint64_t n;
		bool last;
	} rows[] = {
		{ "0 LAST", true, 0, true },
		{ "10", true, 10, false },
		{ "10  last ", true, 10, true },
		{ "18446744073709551615", true, UINT64_MAX, false },
		{ "18446744073709551616", false, 0, false },
		{ "", false, 0, false },
		{ "LAST", false, 0, false },
		{ "1 LAST x", false, 0, false },
		{ "1 FIRST", false, 0, false },
		{ "-1", false, 0, false },
		{ "0x10", false, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fail f = FAIL_INIT;
		uint64_t n = 0;
		bool last = false;

		assert_int_equal(
		    command_bdat(str_of(rows[i].argument), &n, &last, &f), rows[i].good);
		assert_int_equal(n, rows[i].n);
		assert_int_equal(last, rows[i].last);
	}
}

/* rest: what is behind the end of the message; NULL: it has not ended. */
static const struct text_row {
	bool bare_lf;
	const char *in, *out, *rest;
} texts[] = {
	{ false, ".\r\n", "", "" },
	{ false, "a\r\n.\r\nQUIT\r\n", "a\r\n", "QUIT\r\n" },
	{ false, "..\r\n...a\r\n.b\r\n.\r\n", ".\r\n..a\r\nb\r\n", "" },
	{ false, "a\r\n..\r\n.\r\n", "a\r\n.\r\n", "" },
	{ false, "a\n.\nb\r\n.\r\nX", "a\n.\nb\r\n", "X" },
	{ false, "a\n.\r\nMAIL FROM:<>\r\n.\r\nX", "a\n.\r\nMAIL FROM:<>\r\n", "X" },
	{ false, "a\r\n.\nMAIL FROM:<>\r\n.\r\nX", "a\r\n\nMAIL FROM:<>\r\n", "X" },
	{ false, "a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n", "" },
	{ false, "a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n", "" },
	{ false, "a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n", "" },
	{ false, "a\r\r\n.\r\n", "a\r\r\n", "" },
	{ false, "a\n..\nb\r\n.\r\n", "a\n..\nb\r\n", "" },
	{ false, "a\r\n", "a\r\n", NULL },
	{ false, "a\r\n.", "a\r\n", NULL },
	{ false, "a\r\n.\r", "a\r\n", NULL },
	{ false, "a\n.\n", "a\n.\n", NULL },
	{ true, ".\n", "", "" },
	{ true, "a\n.\nQUIT\n", "a\n", "QUIT\n" },
	{ true, "a\r\n.\r\nQUIT\n", "a\r\n", "QUIT\n" },
	{ true, "..a\n.b\n...\n.\n", ".a\nb\n..\n", "" },
	{ true, "a\r.\rb\n.\n", "a\r.\rb\n", "" },
	{ true, "a\r.\nb\n.\n", "a\r.\nb\n", "" },
	{ true, "a\n.\rb\n.\n", "a\n\rb\n", "" },
};

static void
dots(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		for (size_t step = 1; step < 40; step++) {
			const struct text_row *r = &texts[i];
			AUTO_BUF struct buf out = BUF_INIT(4096);
			struct dots d = { .bare_lf = r->bare_lf };
			struct str all = str_of(r->in);

			while (all.n > 0 && !d.ended) {
				struct str part = str_at(all.p, all.n < step ? all.n : step);
				size_t n = part.n;

				while (part.n > 0 && !d.ended)
					buf_put(&out, dots_next(&d, &part));
				all = str_skip(all, n - part.n);
			}
			assert_int_equal(d.ended, r->rest != NULL);
			assert_true(str_eq(buf_get(&out), str_of(r->out)));
			if (r->rest != NULL)
				assert_true(str_eq(all, str_of(r->rest)));
			assert_int_equal(dots_next(&d, &(struct str){ "", 0 }).n, 0);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verbs),
		cmocka_unit_test(names),
		cmocka_unit_test(mail),
		cmocka_unit_test(rcpt),
		cmocka_unit_test(long_values),
		cmocka_unit_test(bdat),
		cmocka_unit_test(dots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
