/* test_submission.c - headers before and after a local submission, as Exim 4.96 was recorded
 * doing it (the sub- and rw- cases of tests/oracle; the names are theirs), and -t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sysexits.h>

#include <cmocka.h>

#include "base/date.h"
#include "front/submission.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { NOW = 1700000000 };

#define STANDARD \
	"# comment\nroot: root@isp.example\nalice:alice.l@isp.example\n" \
	"bob: Bob Builder <bob.b@isp.example>\n"
#define ID_FIELD "Message-Id: <E1abcde-000001-AB@debian>\n"
#define ALICE .login = "alice", .gecos_name = "Alice Liddell"
#define ROOT .login = "root", .gecos_name = "root", .trusted = true
#define FROM_F(l, d) .sender_given = true, .sender = { STR(l), STR(d) }

struct row {
	const char *name;
	struct submitter who;
	const char *map, *mailname; /* mailname NULL: debian */
	bool force_sender;
	const char *before;
	const char *sender; /* rewritten */
	const char *after;  /* without Received; the date is DATE */
};

static const struct row rows[] = {
	{ "no-from", { ALICE }, "", NULL, false, "Subject: s\n", "alice@debian",
	    "Subject: s\n" ID_FIELD "From: Alice Liddell <alice@debian>\nDate: DATE\n" },
	{ "no-from-map", { ALICE }, STANDARD, NULL, false, "Subject: s\n", "alice.l@isp.example",
	    "Subject: s\n" ID_FIELD "From: Alice Liddell <alice.l@isp.example>\nDate: DATE\n" },
	{ "gecos-empty", { .login = "fax", .gecos_name = "" }, "", NULL, false, "Subject: s\n",
	    "fax@debian", "Subject: s\n" ID_FIELD "From: fax@debian\nDate: DATE\n" },
	{ "gecos-special", { .login = "alice", .gecos_name = "Dr. A. (Ali) \"Q\" L\xc3\xa9" }, "",
	    NULL, false, "Subject: s\n", "alice@debian",
	    "Subject: s\n" ID_FIELD
	    "From: =?UTF-8?Q?Dr=2E_A=2E_=28Ali=29_=22Q=22_L=C3=A9?= <alice@debian>\nDate: DATE\n" },
	{ "no-from-f-root", { ROOT, FROM_F("me", "else.example") }, "", NULL, false, "Subject: s\n",
	    "me@else.example", "Subject: s\n" ID_FIELD "From: me@else.example\nDate: DATE\n" },
	{ "no-from-f-root with -F", { ROOT, FROM_F("me", "else.example"), .name_given = true }, "",
	    NULL, false, "Subject: s\n", "me@else.example",
	    "Subject: s\n" ID_FIELD "From: root <me@else.example>\nDate: DATE\n" },
	{ "no-from-null-root", { ROOT, .sender_given = true }, STANDARD, NULL, false,
	    "Subject: s\n", "",
	    "Subject: s\n" ID_FIELD "From: root <root@isp.example>\nDate: DATE\n" },
	{ "no-from-null-root with -F", { ROOT, .sender_given = true, .name_given = true }, "", NULL,
	    false, "Subject: s\n", "",
	    "Subject: s\n" ID_FIELD "From: root <root@debian>\nDate: DATE\n" },
	{ "no-from-null-root over SMTP", { ROOT, .sender_given = true, .protocol = "local-esmtp" },
	    "", NULL, false, "Subject: s\n", "",
	    "Subject: s\n" ID_FIELD "From: root <root@debian>\nDate: DATE\n" },
#define AUTHOR(name, before, after) \
	{ \
		(name), { ROOT }, STANDARD, NULL, false, (before), "root@isp.example", \
		    after ID_FIELD "Date: DATE\n" \
	}
	AUTHOR("proxmox", "From: Proxmox VE [node1] <root>\n",
	    "From: \"Proxmox VE [node1]\" <root@isp.example>\n"),
	AUTHOR("brackets first", "From: [box] root <root>\n",
	    "From: \"[box] root\" <root@isp.example>\n"),
	AUTHOR("via", "From: root@debian via Cron <root@debian>\n",
	    "From: \"root@debian via Cron\" <root@isp.example>\n"),
	AUTHOR("semicolon", "From: Backup; nightly <root>\n",
	    "From: \"Backup; nightly\" <root@isp.example>\n"),
	AUTHOR(
	    "last word", "From: DenyHosts root@debian\n", "From: DenyHosts <root@isp.example>\n"),
	AUTHOR("last word behind a quoted name", "From: \"Deny Hosts\" root@debian\n",
	    "From: \"Deny Hosts\" <root@isp.example>\n"),
	AUTHOR("comma", "From: Doe, John <root>\n", "From: \"Doe, John\" <root@isp.example>\n"),
	AUTHOR("reply-to", "From: root\nReply-To: Ops [oncall] <alice>\n",
	    "Reply-To: \"Ops [oncall]\" <alice.l@isp.example>\nFrom: root <root@isp.example>\n"),
	AUTHOR("a name that is quoted is not touched", "From: x@else.example <y@else.example>\n",
	    "From: \"x@else.example\" <y@else.example>\n"),
	AUTHOR("encoded word", "From: =?UTF-8?Q?B=C3=BCro?= [n1] <root>\n",
	    "From: =?UTF-8?Q?B=C3=BCro?= \"[n1]\" <root@isp.example>\n"),
	AUTHOR("8-bit", "From: B\xc3\xbcro [n1] <root>\n",
	    "From: =?UTF-8?Q?B=C3=BCro_=5Bn1=5D?= <root@isp.example>\n"),
	AUTHOR("folded", "From: Proxmox\n [n1] <root>\n",
	    "From: \"Proxmox  [n1]\" <root@isp.example>\n"),
	AUTHOR("in To, a comma is one",
	    "From: a@b\nTo: Ops [1] <x@far.example>, Doe, John <y@far.example>\n",
	    "From: a@b\nTo: \"Ops [1]\" <x@far.example>, Doe@debian, \n\tJohn <y@far.example>\n"),
	AUTHOR("two addresses are not guessed at", "From: a@b c@d\n", "From: a@b c@d\n"),
	AUTHOR(
	    "two angles are not guessed at", "From: [x] <a@b> <c@d>\n", "From: [x] <a@b> <c@d>\n"),
	AUTHOR("a bad address in angles stays", "From: [x] <a@@b>\n", "From: [x] <a@@b>\n"),
	{ "no-from-null", { ALICE, .sender_given = true }, STANDARD, NULL, false, "Subject: s\n",
	    "", "Subject: s\n" ID_FIELD "From: Alice Liddell <alice.l@isp.example>\nDate: DATE\n" },
	{ "no-from-f", { ALICE, FROM_F("me", "else.example") }, "", NULL, false, "Subject: s\n",
	    "me@else.example",
	    "Subject: s\n" ID_FIELD "From: Alice Liddell <me@else.example>\nDate: DATE\n" },
	{ "nodomain", { ALICE }, STANDARD, NULL, false, "From: alice\nTo: x@far.example\n",
	    "alice.l@isp.example",
	    "To: x@far.example\nFrom: Alice Liddell <alice.l@isp.example>\n" ID_FIELD
	    "Date: DATE\n" },
	{ "nodomain, without regard to case", { ALICE }, "", NULL, false, "FROM:Alice\n",
	    "alice@debian", "From: Alice Liddell <alice@debian>\n" ID_FIELD "Date: DATE\n" },
	{ "nodomain, another user's", { ALICE }, "", NULL, false, "From: bob\n", "alice@debian",
	    "From: bob@debian\n" ID_FIELD "Date: DATE\n" },
	{ "nodomain over SMTP", { ALICE, .protocol = "local-esmtp" }, "", NULL, false,
	    "From: alice\n", "alice@debian", "From: alice@debian\n" ID_FIELD "Date: DATE\n" },
	{ "mailname-junk", { .login = "fax", .gecos_name = "" }, STANDARD, "mail.name.example",
	    false, "From: fax\nTo: x@far.example\n", "fax@mail.name.example",
	    "To: x@far.example\nFrom:  <fax@mail.name.example>\n" ID_FIELD "Date: DATE\n" },
	{ "mailname-fqdn", { .login = "fax", .gecos_name = "" }, STANDARD, "mail.name.example",
	    false, "From: fax\nTo: x@far.example, root\nCc: nobody\n", "fax@mail.name.example",
	    "To: x@far.example, root@mail.name.example\nCc: nobody@mail.name.example\n"
	    "From:  <fax@mail.name.example>\n" ID_FIELD "Date: DATE\n" },
	{ "cron", { ROOT }, STANDARD, NULL, false,
	    "From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@debian> test\n",
	    "root@isp.example",
	    "From: root@isp.example (Cron Daemon)\nTo: root@debian\n"
	    "Subject: Cron <root@debian> test\n" ID_FIELD "Date: DATE\n" },
	{ "envelope-f-local", { .login = "fax", FROM_F("bob", "debian") }, STANDARD, NULL, false,
	    "From: z@else.example\nTo: x@far.example\n", "bob.b@isp.example",
	    "From: z@else.example\nTo: x@far.example\n" ID_FIELD "Date: DATE\n" },
	{ "two-from", { ALICE }, STANDARD, NULL, false, "From: alice@debian\nFrom: bob@debian\n",
	    "alice.l@isp.example",
	    "From: alice.l@isp.example\nFrom: bob.b@isp.example\n" ID_FIELD "Date: DATE\n" },
	{ "other-headers", { ALICE }, STANDARD, NULL, false,
	    "From: a@b\nErrors-To: alice\nReply-To: alice\nSender: root\nX-To: alice\n",
	    "alice.l@isp.example",
	    "From: a@b\nErrors-To: alice\nReply-To: alice.l@isp.example\n"
	    "Sender: root@isp.example\nX-To: alice\n" ID_FIELD "Date: DATE\n" },
	{ "bad-date, and an odd case", { ALICE }, "", NULL, false,
	    "from: a@b\nMESSAGE-ID: senseless\ndate: yesterday\n", "alice@debian",
	    "from: a@b\nMESSAGE-ID: senseless\ndate: yesterday\n" },
	{ "return-path, Bcc", { ALICE }, "", NULL, false,
	    "Return-Path: <a@b>\nenvelope-to: c\nDelivery-Date: x\nFrom: a@b\nBcc: s@far.example\n",
	    "alice@debian", "From: a@b\n" ID_FIELD "Date: DATE\n" },
	{ "force-sender", { ALICE, FROM_F("boss", "corp.example") }, "", NULL, true,
	    "From: boss@corp.example\nSender: sec@corp.example\nTo: x@far.example\n",
	    "alice@debian",
	    "From: boss@corp.example\nTo: x@far.example\n" ID_FIELD
	    "Sender: Alice Liddell <alice@debian>\nDate: DATE\n" },
	{ "force-sender, own address", { ALICE }, STANDARD, NULL, true,
	    "From: A <Alice@DEBIAN>\nSender: sec@corp.example\n", "alice.l@isp.example",
	    "From: A <alice.l@isp.example>\n" ID_FIELD "Date: DATE\n" },
	{ "force-sender, null sender", { ALICE, .sender_given = true }, "", NULL, true,
	    "Subject: s\n", "",
	    "Subject: s\n" ID_FIELD "From: Alice Liddell <alice@debian>\nDate: DATE\n" },
	{ "force-sender, broken From", { ALICE }, "", NULL, true, "From: a@@b\n", "alice@debian",
	    "From: a@@b\n" ID_FIELD "Sender: Alice Liddell <alice@debian>\nDate: DATE\n" },
	{ "force-sender, two authors", { ALICE }, "", NULL, true, "From: alice, bob@debian\n",
	    "alice@debian",
	    "From: alice@debian, bob@debian\n" ID_FIELD
	    "Sender: Alice Liddell <alice@debian>\nDate: DATE\n" },
	{ "force-sender, trusted", { ROOT, FROM_F("boss", "corp.example") }, "", NULL, true,
	    "From: boss@corp.example\nSender: sec@corp.example\n", "boss@corp.example",
	    "From: boss@corp.example\nSender: sec@corp.example\n" ID_FIELD "Date: DATE\n" },
	{ "force-sender, resent", { ALICE }, "", NULL, true,
	    "Resent-From: b@c\nResent-Sender: b@c\nFrom: d@e\nSender: d@e\n", "alice@debian",
	    "Resent-Date: DATE\nResent-Message-Id: <E1abcde-000001-AB@debian>\n"
	    "Resent-From: b@c\nFrom: d@e\nSender: d@e\n"
	    "Resent-Sender: Alice Liddell <alice@debian>\n" },
	{ "no-from over SMTP as root", { ROOT, .protocol = "local-esmtp" }, "", NULL, false,
	    "Subject: s\n", "root@debian",
	    "Subject: s\n" ID_FIELD "From: root@debian\nDate: DATE\n" },
	{ "t-resent", { ALICE }, "", NULL, false,
	    "Resent-From: alice@debian\nResent-To: r@far.example\nResent-Bcc: rb@far.example\n"
	    "From: orig@else.example\nTo: x@far.example\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n"
	    "Message-ID: <a@b.example>\n",
	    "alice@debian",
	    "Resent-Date: DATE\nResent-Message-Id: <E1abcde-000001-AB@debian>\n"
	    "Resent-From: alice@debian\nResent-To: r@far.example\n"
	    "From: orig@else.example\nTo: x@far.example\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n"
	    "Message-ID: <a@b.example>\n" },
	{ "t-resent-nofrom", { ALICE }, "", NULL, false,
	    "Resent-To: r@far.example\nFrom: alice\nTo: x@far.example\n", "alice@debian",
	    "Resent-Date: DATE\nResent-Message-Id: <E1abcde-000001-AB@debian>\n"
	    "Resent-To: r@far.example\nFrom: alice@debian\nTo: x@far.example\n"
	    "Resent-From: Alice Liddell <alice@debian>\n" },
	{ "resent", { ALICE }, STANDARD, NULL, false, "Resent-From: alice\nResent-Reply-To: bob\n",
	    "alice.l@isp.example",
	    "Resent-Date: DATE\nResent-Message-Id: <E1abcde-000001-AB@debian>\n"
	    "Resent-Reply-To: bob\n"
	    "Resent-From: Alice Liddell <alice.l@isp.example>\n" },
	{ "a name with a newline", { .login = "alice", .gecos_name = "A\nBcc: x@y\n\nbody" }, "",
	    NULL, false, "Subject: s\n", "alice@debian",
	    "Subject: s\n" ID_FIELD "From: \"A Bcc: x@y  body\" <alice@debian>\nDate: DATE\n" },
	{ "a login of a Windows domain", { .login = "CORP\\al", .gecos_name = "Al" }, "", NULL,
	    false, "Subject: s\n", "\"CORP\\\\al\"@debian",
	    "Subject: s\n" ID_FIELD "From: Al <\"CORP\\\\al\"@debian>\nDate: DATE\n" },
};

struct world {
	struct arena arena;
	struct conf conf;
	struct rewrite rewrite;
	struct message message;
};

static void
open_world(struct world *w, const char *map, const char *fields)
{
	struct str rest = str_of(fields);

	*w = (struct world){ .message.body.fd = -1 };
	conf_init(&w->conf, &w->arena);
	w->conf.primary_hostname = w->conf.qualify_domain = "debian";
	w->rewrite = (struct rewrite){ &w->conf, &w->arena, { .path = "/map", .text = str_of(map) },
		NULL, false };
	w->message.arena = &w->arena;
	while (rest.n > 0) {
		size_t n = str_find(rest, '\n') + 1;

		while (n < rest.n && (rest.p[n] == ' ' || rest.p[n] == '\t'))
			n += str_find(str_skip(rest, n), '\n') + 1;
		message_append(&w->message, str_at(rest.p, n));
		rest = str_skip(rest, n);
	}
}

/* The live fields; now's date as DATE. */
static const char *
text_of(struct world *w)
{
	AUTO_BUF struct buf b = BUF_INIT(HEADER_MAX);
	char now[DATE_MAX];
	struct str date = str_of(date_rfc5322(NOW, now));

	for (size_t i = 0; i < w->message.nheaders; i++) {
		struct str text = w->message.headers[i].text;

		if (w->message.headers[i].type == H_DELETED)
			continue;
		for (; text.n > 0; text = str_skip(text, 1)) {
			if (str_starts(text, date)) {
				buf_str(&b, "DATE");
				text = str_skip(text, date.n);
			}
			buf_char(&b, text.p[0]);
		}
	}
	return arena_strz(&w->arena, buf_get(&b));
}

static void
fixes_as_exim(void **state)
{
	static const struct recipients nobody = { .n = 0 };
	static const struct submission_time t = { NOW, "1abcde-000001-AB" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *row = &rows[i];
		struct submitter who = row->who;
		struct fail f = FAIL_INIT;
		const char *text;
		struct world w;

		open_world(&w, row->map, row->before);
		w.conf.force_sender = row->force_sender;
		if (row->mailname != NULL)
			w.conf.qualify_domain = row->mailname;
		assert_true(submission_fix(&w.message, &w.rewrite, &who, &nobody, &t, &f));
		text = text_of(&w);
		if (strstr(text, ";\n\tDATE\n") == NULL ||
		    strcmp(strstr(text, ";\n\tDATE\n") + 8, row->after) != 0)
			fail_msg("%s:\n%s", row->name, text);
		assert_string_equal(mailbox_text(&w.arena, who.sender), row->sender);
		assert_int_equal(w.message.headers[0].type, H_RECEIVED);
		arena_free(&w.arena);
	}
}

static const struct {
	struct submitter who;
	const char *rcpts, *received;
} traces[] = {
	{ { ALICE }, "x@far.example",
	    "Received: from alice by debian with local (onehop " PACKAGE_VERSION ")\n"
	    "\t(envelope-from <alice.l@isp.example>)\n\tid 1abcde-000001-AB\n"
	    "\tfor x@far.example;\n\tDATE\n" },
	{ { ALICE, .sender_given = true }, "x@far.example, y@far.example",
	    "Received: from alice by debian with local (onehop " PACKAGE_VERSION ")\n"
	    "\tid 1abcde-000001-AB;\n\tDATE\n" },
	{ { ALICE, .sender_given = true, .protocol = "local-esmtp", .helo = "me.example" }, "x",
	    "Received: from alice (helo=me.example)\n\tby debian with local-esmtp "
	    "(onehop " PACKAGE_VERSION ")\n\tid 1abcde-000001-AB\n\tfor x@debian;\n\tDATE\n" },
};

static void
writes_received(void **state)
{
	static const struct submission_time t = { NOW, "1abcde-000001-AB" };

	(void)state;
	for (size_t i = 0; i < sizeof traces / sizeof *traces; i++) {
		struct recipients rcpts = { .n = 0 };
		struct fail f = FAIL_INIT;
		struct submitter who = traces[i].who;
		struct world w;

		open_world(&w, STANDARD, "From: a@b\nMessage-Id: x\nDate: x\n");
		assert_true(
		    recipients_add_list(&rcpts, &w.rewrite, str_of(traces[i].rcpts), STR(""), &f));
		assert_true(submission_fix(&w.message, &w.rewrite, &who, &rcpts, &t, &f));
		assert_string_equal(text_of(&w),
		    arena_fmt(&w.arena, "%s%s", traces[i].received,
			"From: a@b\nMessage-Id: x\nDate: x\n"));
		arena_free(&w.arena);
	}
}

/* A field of bare names whose completion would take more memory than a header may. */
static void
refuses_a_field_that_outgrows(void **state)
{
	static const struct submission_time t = { NOW, "1abcde-000001-AB" };
	static const struct recipients nobody = { .n = 0 };
	struct submitter who = { ALICE };
	AUTO_BUF struct buf b = BUF_INIT(HEADER_MAX);
	struct fail f = FAIL_INIT;
	struct world w;

	(void)state;
	buf_str(&b, "To: a");
	for (size_t i = 0; i < 200000; i++)
		buf_str(&b, ",a");
	buf_char(&b, '\n');
	open_world(&w, "", b.p);
	assert_false(submission_fix(&w.message, &w.rewrite, &who, &nobody, &t, &f));
	assert_int_equal(fail_exit_code(&f), EX_DATAERR);
	assert_non_null(strstr(f.text, "the To field"));
	arena_free(&w.arena);
}

static const struct {
	const char *fields;
	const char *rcpts; /* one a line, "*" behind an unqualified one; NULL: refused */
	const char *why;
	int exit;
} headers[] = {
	{ "To: x@far.example\nCc: A <y@far.example>\nBcc: z\n",
	    "x@far.example\ny@far.example\nz@debian*\n", NULL, 0 },
	{ "To: undisclosed-recipients:;\nCc: us: a@far.example, B <b@far.example>; , "
	  "c@far.example\n",
	    "a@far.example\nb@far.example\nc@far.example\n", NULL, 0 },
	{ "To: x@far.example, x@far.example, X@far.example, x@FAR.example\n",
	    "x@far.example\nX@far.example\n", NULL, 0 },
	{ "To: fax@debian, fax\n", "fax@debian*\n", NULL, 0 },
	{ "To: x@far.example,\n y@far.example\n\t, z@far.example\n",
	    "x@far.example\ny@far.example\nz@far.example\n", NULL, 0 },
	{ "Resent-To: r@far.example\nTo: x@far.example\nResent-Bcc: rb@far.example\nBcc: b@c\n",
	    "r@far.example\nrb@far.example\n", NULL, 0 },
	{ "Apparently-To: x@far.example\nX-To: y@far.example\n", NULL,
	    "no recipients: there is no address in To, Cc and Bcc", EX_USAGE },
	{ "Resent-From: a@b\nTo: x@far.example\n", NULL,
	    "no recipients: there is no address in Resent-To, Resent-Cc and Resent-Bcc", EX_USAGE },
	{ "To: good@far.example, bad@@far.example\n", NULL,
	    "bad address \"bad@@far.example\" in the To field: domain missing or malformed",
	    EX_DATAERR },
	{ "BCC: \"a\rb\"@c\n", NULL,
	    "bad address \"\"a?b\"@c\" in the BCC field: control character in address",
	    EX_DATAERR },
};

static void
takes_recipients(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		AUTO_BUF struct buf got = BUF_INIT(4096);
		struct recipients r = { .n = 0 };
		struct fail f = FAIL_INIT;
		struct world w;
		bool ok;

		open_world(&w, "", headers[i].fields);
		ok = recipients_of_header(&w.message, &w.rewrite, &r, &f);
		for (size_t j = 0; j < r.n; j++)
			buf_fmt(&got, "%s%s\n", mailbox_text(&w.arena, r.list[j]),
			    r.unqualified[j] ? "*" : "");
		assert_int_equal(ok, headers[i].rcpts != NULL);
		assert_string_equal(
		    arena_strz(&w.arena, buf_get(&got)), ok ? headers[i].rcpts : "");
		if (!ok) {
			assert_string_equal(f.text, headers[i].why);
			assert_int_equal(fail_exit_code(&f), headers[i].exit);
		}
		arena_free(&w.arena);
	}
}

static void
adds_arguments(void **state)
{
	struct recipients r = { .n = 0 };
	struct fail f = FAIL_INIT;
	struct world w;

	(void)state;
	open_world(&w, "", "To: x@far.example, y@far.example\n");
	assert_false(recipients_has(&r, mailbox_split("x@far.example")));
	assert_true(recipients_add_list(&r, &w.rewrite, STR("z, y@FAR.example"), STR(""), &f));
	assert_true(recipients_of_header(&w.message, &w.rewrite, &r, &f));
	assert_int_equal(r.n, 3);
	assert_string_equal(mailbox_text(&w.arena, r.list[2]), "x@far.example");
	assert_true(recipients_has(&r, mailbox_split("z@debian")));
	assert_false(recipients_has(&r, mailbox_split("Z@debian")));
	assert_false(recipients_add_list(&r, &w.rewrite, STR("a@b, x@@y"), STR(""), &f));
	assert_string_equal(f.text, "bad address \"x@@y\": domain missing or malformed");
	w.conf.recipients_max = 4;
	assert_true(recipients_add_list(&r, &w.rewrite, STR("a@b, x@far.example"), STR(""), &f));
	assert_false(recipients_add_list(&r, &w.rewrite, STR("b@b"), STR(""), &f));
	assert_non_null(strstr(f.text, "recipients_max"));
	arena_free(&w.arena);
}

static void
merges_many(void **state)
{
	struct recipients r = { .n = 0 };
	AUTO_ARENA struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < 60000; i++)
		recipients_add(
		    &r, &a, mailbox_split(arena_fmt(&a, "user%zu@Far.example", i % 20000)), false);
	assert_int_equal(r.n, 20000);
	assert_true(recipients_has(&r, mailbox_split("user19999@far.EXAMPLE")));
	assert_string_equal(mailbox_text(&a, r.list[19999]), "user19999@Far.example");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixes_as_exim),
		cmocka_unit_test(writes_received),
		cmocka_unit_test(refuses_a_field_that_outgrows),
		cmocka_unit_test(takes_recipients),
		cmocka_unit_test(adds_arguments),
		cmocka_unit_test(merges_many),
	};

	return cmocka_run_group_tests_name("submission", tests, NULL, NULL);
}
