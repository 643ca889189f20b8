/* test_notice.c - bounces and delay warnings: Exim's words, and nothing that a message, a server or
 * an address says can get out of its place. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "notice_fixture.h"

enum { MANY = 50000 };
#define HOUR INT64_C(3600)

/* [del-bounce-8bit], with the status, the dates and the declarations that Exim does not give. */
static const char a_bounce_is[] =
    "Received: from onehop by debian with local (onehop " PACKAGE_VERSION ")\n"
    "\tid " OWN_ID "\n\tfor alice@debian.example;\n\tTue, 24 Nov 2026 07:00:00 +0000\n"
    "X-Failed-Recipients: x@far.example\n"
    "Auto-Submitted: auto-replied\n"
    "From: Mail Delivery System <Mailer-Daemon@debian.example>\n"
    "To: alice@debian.example\n"
    "References: <E" ID "@debian>\n"
    "Content-Type: multipart/report; report-type=delivery-status; "
    "boundary=" OWN_ID "-onehopdsn\n"
    "MIME-Version: 1.0\n"
    "Content-Transfer-Encoding: 8bit\n"
    "Subject: Mail delivery failed: returning message to sender\n"
    "Message-Id: <E" OWN_ID "@debian>\n"
    "Date: Tue, 24 Nov 2026 07:00:00 +0000\n"
    "\n"
    "--" OWN_ID "-onehopdsn\n"
    "Content-type: text/plain; charset=us-ascii\n"
    "\n"
    "This message was created automatically by mail delivery software.\n"
    "\n"
    "A message that you sent could not be delivered to one or more of its\n"
    "recipients. This is a permanent error. The following address(es) failed:\n"
    "\n"
    "  x@far.example\n"
    "    host smtp.isp.example [192.0.2.25]\n"
    "    SMTP error from remote mail server after RCPT TO:<x@far.example>:\n"
    "    550-no\n"
    "    550 such user\n"
    "\n"
    "--" OWN_ID "-onehopdsn\n"
    "Content-type: message/delivery-status\n"
    "\n"
    "Reporting-MTA: dns; debian\n"
    "Arrival-Date: Tue, 24 Nov 2026 06:00:00 +0000\n"
    "\n"
    "Final-Recipient: rfc822;x@far.example\n"
    "Action: failed\n"
    "Status: 5.1.1\n"
    "Remote-MTA: dns; smtp.isp.example\n"
    "Diagnostic-Code: smtp; 550-no\n"
    " 550 such user\n"
    "\n"
    "--" OWN_ID "-onehopdsn\n"
    "Content-type: message/rfc822\n"
    "Content-Transfer-Encoding: 8bit\n"
    "\n"
    "Return-path: <alice@debian.example>\n"
    "Subject: \303\244\n"
    "Message-Id: <E" ID "@debian>\n"
    "\n"
    "\303\266\n"
    "\n"
    "--" OWN_ID "-onehopdsn--\n";

static void
a_bounce(void **state)
{
	struct post *p = *state;

	post_message(p, "Subject: \303\244\nMessage-Id: <E" ID "@debian>\n", "\303\266\n");
	post_by_server(p, &p->rcpts[0], "550-no\\n550 such user");
	assert_string_equal(post_write(p), a_bounce_is);
	assert_string_equal(p->out.e.sender, "");
	assert_int_equal(p->out.e.nrcpts, 1);
	assert_string_equal(p->out.e.rcpts[0].address, "alice@debian.example");
	assert_int_equal(p->out.e.rcpts[0].state, RCPT_WAITING);
	assert_true(p->out.m.body.has_8bit);
}

/* [del-warn-25h] */
static void
a_warning(void **state)
{
	static const char text[] =
	    "This message was created automatically by mail delivery software.\n"
	    "A message that you sent has not yet been delivered to one or more of its\n"
	    "recipients after more than 24 hours on the queue on debian.\n"
	    "\n"
	    "The message identifier is:     " ID "\n"
	    "The subject of the message is: s\n"
	    "The date of the message is:    Mon, 23 Nov 2026 06:00:00 +0000\n"
	    "\n"
	    "The address to which the message has not yet been delivered is:\n"
	    "\n"
	    "  x@far.example\n"
	    "    Delay reason: Connection refused\n"
	    "\n"
	    "No action is required on your part. Delivery attempts will continue for\n"
	    "some time, and this warning may be repeated at intervals if the message\n"
	    "remains undelivered. Eventually the mail delivery software will give up,\n"
	    "and when that happens, the message will be returned to you.\n"
	    "\n--";
	struct post *p = *state;
	const char *out;

	post_message(p, "Subject: s\nDate: Mon, 23 Nov 2026 06:00:00 +0000\n", "the body\n");
	post_refused(p, &p->rcpts[0], STAGE_CONNECT, 0, "Connection refused");
	p->notice.kind = NOTICE_DELAYED;
	p->notice.waited = 25 * HOUR;
	p->notice.will_retry_until = 1795503600 + 72 * HOUR;
	out = post_write(p);
	says(out, "\nSubject: Warning: message " ID " delayed 24 hours\n");
	says(out, text);
	says(out,
	    "\nAction: delayed\nStatus: 4.4.1\nDiagnostic-Code: X-onehop; Connection refused\n"
	    "Will-Retry-Until: Fri, 27 Nov 2026 07:00:00 +0000\n");
	says(out, "Content-type: text/rfc822-headers\n");
	says_not(out, "the body");
	says_not(out, "X-Failed-Recipients");
	says_not(out, "DSN-Information");
	says_not(out, "Content-Transfer-Encoding");
}

static void
a_warning_about_two(void **state)
{
	struct post *p = *state;
	const char *out;

	post_message(p, "To: x\n", "");
	p->conf.delay_warning = 600;
	p->notice.kind = NOTICE_DELAYED;
	p->notice.waited = 2700;
	p->notice.nrcpts = 2;
	out = post_write(p);
	says(out, "delayed 40 minutes\n");
	says(out,
	    "The addresses to which the message has not yet been delivered are:\n\n"
	    "  x@far.example\n  y@far.example\n\nNo action");
	says_not(out, "The subject");
	says_not(out, "The date");
	says_not(out, "Diagnostic-Code");
}

static void
what_comes_back(void **state)
{
	static const struct {
		typeof(((struct envelope *)0)->ret) ret;
		size_t lines, longest;
		bool nul, whole, told;
	} cases[] = {
		{ RET_UNSET, 10, 70, false, true, false },
		{ RET_FULL, 10, 998, false, true, false },
		{ RET_HDRS, 10, 70, false, false, false },
		{ RET_FULL, 10, 999, false, false, true },
		{ RET_UNSET, 1500, 70, false, false, true },
		{ RET_UNSET, 10, 70, true, false, true },
	};
	struct post *p = *state;

	post_by_server(p, &p->rcpts[0], "550 no");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t n = cases[i].lines * (cases[i].longest + 1);
		char *body = arena_alloc(&p->arena, n + 1);
		const char *out;

		memset(body, 'b', n);
		for (size_t at = cases[i].longest; at < n; at += cases[i].longest + 1)
			body[at] = '\n';
		p->about.m.nheaders = p->out.m.nheaders = 0;
		p->about.m.body = (struct body){ .fd = -1 };
		post_message(p, "Subject: s\n", body);
		p->about.m.body.has_nul = cases[i].nul;
		p->about.e.ret = cases[i].ret;
		out = post_write(p);
		assert_true((strstr(out, "bbbbbb") != NULL) == cases[i].whole);
		assert_true(
		    (strstr(out, "Content-type: message/rfc822\n") != NULL) == cases[i].whole);
		assert_true((strstr(out,
				 "\nX-Onehop-DSN-Information: Due to administrative limits "
				 "only headers are returned\n") != NULL) == cases[i].told);
	}
}

static void
a_body_that_cannot_be_read(void **state)
{
	struct post *p = *state;
	struct fail f = FAIL_INIT;

	post_message(p, "Subject: s\n", "x\n");
	p->about.m.body.fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_false(notice_write(&p->notice, &p->out, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(p->out.m.nheaders, 0);
	assert_int_equal(p->out.e.nrcpts, 0);
}

static void
headers_have_an_end(void **state)
{
	struct post *p = *state;
	char field[2000];
	const char *out;
	size_t line = 0;

	memset(field, 'f', sizeof field);
	field[1] = ':';
	field[sizeof field - 1] = '\n';
	for (int i = 0; i < 400; i++)
		message_append(&p->about.m, arena_str(&p->arena, str_at(field, sizeof field)));
	message_append(&p->about.m, STR("X-Gone: 1\n"));
	p->about.m.headers[400].type = H_DELETED;
	out = post_write(p);
	assert_true(p->text.n < 112640);
	says_not(out, "X-Gone");
	for (size_t i = 0; i < p->text.n; i++, line++) {
		if (out[i] == '\n')
			line = 0;
		assert_true(line <= 998);
	}
}

static void
reasons(void **state)
{
	struct post *p = *state;
	struct rcpt *r = p->rcpts;
	const char *out;
	char longest[990];

	post_message(p, "To: x\n", "");
	p->notice.nrcpts = 2;
	p->about.e.envid = "QQ 314";
	r[0].address = "alice"; /* a mailbox here */
	r[0].original = "alice@debian.example";
	r[0].orcpt = "rfc822;Al+2Bi+0Ace@debian.example";
	post_refused(p, &r[0], STAGE_LOCAL, 0, "mailbox is\nfull \377");
	post_status(p, &r[0], "4.2.2");
	r[1].address = "|/usr/bin/false";
	r[1].original = "robot";
	r[1].orcpt = "rfc822;ro+2Bbot+0@debian.example"; /* no xtext */
	memset(longest, 'w', sizeof longest);
	longest[sizeof longest - 1] = '\0';
	post_refused(p, &r[1], STAGE_ROUTE, 0, "%s", longest);
	r[1].host = "/run/lmtp";
	out = post_write(p);
	says(out, "X-Failed-Recipients: alice@debian.example,\n  robot@debian.example\n");
	says(out, "\n  alice@debian.example\n    mailbox is?full ?\n");
	says(out, "\nOriginal-Envelope-Id: QQ 314\nReporting-MTA: dns; debian\n");
	says(out,
	    "\nOriginal-Recipient: rfc822;Al+i ce@debian.example\n"
	    "Final-Recipient: rfc822;alice@debian.example\nAction: failed\nStatus: 5.2.2\n"
	    "Diagnostic-Code: X-Unix; mailbox is?full ?\n");
	says(out,
	    "\nOriginal-Recipient: rfc822;ro+2Bbot+0@debian.example\n"
	    "Final-Recipient: rfc822;robot@debian.example\nAction: failed\nStatus: 5.1.0\n"
	    "Remote-MTA: x-unix; /run/lmtp\nDiagnostic-Code: X-onehop; www");
	says(out, "www\n www");
	says(out, "www\n    www");
}

static void
addresses_that_became_others(void **state)
{
	struct post *p = *state;
	const char *out;

	post_message(p, "To: x\n", "");
	p->rcpts[0].original = "staff@debian.example";
	post_by_server(p, &p->rcpts[0], "550 5.1.1 no");
	post_status(p, &p->rcpts[0], "5.1.1");
	out = post_write(p);
	says(out, "\n  x@far.example\n    (generated from staff@debian.example)\n    host ");
	says(out,
	    "\nOriginal-Recipient: rfc822;staff@debian.example\n"
	    "Final-Recipient: rfc822;x@far.example\n");
}

static void
addresses_in_utf8(void **state)
{
	struct post *p = *state;
	const char *out;

	post_message(p, "To: x\n", "");
	p->notice.nrcpts = 2;
	p->rcpts[0].address = p->rcpts[0].original = "j\303\266rg@far.example";
	p->rcpts[1].original = "j\303\266rg@debian.example";
	post_by_server(p, &p->rcpts[0], "550 f\303\274r niemand \374");
	out = post_write(p);
	says(out,
	    "Content-type: message/global-delivery-status\n"
	    "Content-Transfer-Encoding: 8bit\n");
	says(out, "\nFinal-Recipient: utf-8;j\303\266rg@far.example\n");
	says(out, "\nDiagnostic-Code: smtp; 550 f\303\274r niemand ?\n");
	says(out,
	    "\nOriginal-Recipient: utf-8;j\303\266rg@debian.example\n"
	    "Final-Recipient: rfc822;y@far.example\n");
	says(out, "Content-type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n");
	says(out, "\nMIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\n");
}

/* Without such an address the status is ASCII, whatever the server says. */
static void
words_in_utf8(void **state)
{
	struct post *p = *state;
	const char *out;

	post_message(p, "To: x\n", "");
	post_by_server(p, &p->rcpts[0], "550 f\303\274r niemand");
	out = post_write(p);
	says(out, "Content-type: message/delivery-status\n\n");
	says(out, "\nDiagnostic-Code: smtp; 550 f?r niemand\n");
	says(out, "    550 f\303\274r niemand\n");
}

static void
references(void **state)
{
	static const struct {
		const char *header, *expected;
	} cases[] = {
		{ "Message-Id: <a@b>\n", "\nReferences: <a@b>\nContent-Type:" },
		{ "Message-Id: (why) <a@b> <c@d>\n", "\nReferences: <a@b>\nContent-Type:" },
		{ "Message-Id: none\n", "\nTo: alice@debian.example\nContent-Type:" },
		{ "Message-Id: <a b> <> <c@d\n", "\nTo: alice@debian.example\nContent-Type:" },
		{ "References: <1@x>\n\t<2@x>\nMessage-Id: <a@b>\n",
		    "\nReferences: <1@x>\n <2@x>\n <a@b>\nContent-Type:" },
		{ "In-Reply-To: Your message <1@x>\nMessage-Id: <a@b>\n",
		    "\nReferences: <1@x>\n <a@b>\nContent-Type:" },
		{ "References: "
		  "<1@x><2@x><3@x><4@x><5@x><6@x><7@x><8@x><9@x><10@x><11@x><12@x><13@x>\n"
		  "Message-Id: <a@b>\n",
		    "\nReferences: <1@x>\n <4@x>\n <5@x>\n <6@x>\n <7@x>\n <8@x>\n <9@x>\n <10@x>\n"
		    " <11@x>\n <12@x>\n <13@x>\n <a@b>\nContent-Type:" },
	};
	struct post *p = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		p->about.m.nheaders = p->out.m.nheaders = 0;
		post_message(p, cases[i].header, "");
		says(post_write(p), cases[i].expected);
	}
}

/* Whoever guessed the id of the notice. */
static void
a_message_with_our_boundary(void **state)
{
	struct post *p = *state;
	const char *out;

	post_message(p, "To: x\n",
	    "--" OWN_ID "-onehopdsn--\n--" OWN_ID "-onehopdsn0--\n"
	    "--" OWN_ID "-onehopdsn12\n--" OWN_ID "-onehopdsn2\n--" OWN_ID "-onehopdsn3\n"
	    "--" OWN_ID "-onehopdsn4\n--" OWN_ID "-onehopdsn5\n--" OWN_ID "-onehopdsn6\n"
	    "--" OWN_ID "-onehopdsn7\n--" OWN_ID "-onehopdsn8\n--" OWN_ID "-onehopdsn8\n"
	    "--" OWN_ID "-onehopdsn9\n--" OWN_ID "-onehopdsn9\n--" OWN_ID "-onehopdsn00");
	out = post_write(p);
	says(out, "boundary=" OWN_ID "-onehopdsn10\n");
	says(out, "\n--" OWN_ID "-onehopdsn10--\n");
}

static void
very_many_recipients(void **state)
{
	struct post *p = *state;
	struct rcpt *r = arena_array(&p->arena, MANY, sizeof *r);
	const struct rcpt **list = arena_array(&p->arena, MANY, sizeof(void *));
	const char *out;
	clock_t begin = clock();

	post_message(p, "To: x\n", "");
	for (size_t i = 0; i < MANY; i++) {
		r[i] = p->rcpts[0];
		r[i].address = r[i].original = arena_fmt(&p->arena, "user%zu@far.example", i);
		post_by_server(p, &r[i], "550 no");
		list[i] = &r[i];
	}
	p->notice.rcpts = list;
	p->notice.nrcpts = MANY;
	out = post_write(p);
	says(out,
	    "Final-Recipient: rfc822;user49999@far.example\nAction: failed\nStatus: 5.1.1\n\n--");
	says(out, "X-Failed-Recipients: user0@far.example,\n");
	says(out, ",\n  user49@far.example\nAuto-Submitted");
	assert_true(p->text.n < 10 << 20);
	assert_true(clock() - begin < 20 * CLOCKS_PER_SEC);
}

static void
who_may_be_warned(void **state)
{
	static const struct {
		const char *header, *sender;
		bool may;
	} cases[] = {
		{ "To: x\n", "a@b", true },
		{ "To: x\n", "", false },
		{ "Precedence: first-class\n", "a@b", true },
		{ "Precedence: BULK\n", "a@b", false },
		{ "Precedence: list\n", "a@b", false },
		{ "Precedence: junk\n", "a@b", false },
		{ "List-Id: <x>\n", "a@b", false },
		{ "list-unsubscribe: <x>\n", "a@b", false },
		{ "List-Help:\n", "a@b", true },
		{ "Auto-Submitted: no\n", "a@b", true },
		{ "Auto-Submitted: auto-generated\n", "a@b", false },
		{ "Auto-Submitted: Auto-Replied (vacation)\n", "a@b", false },
	};
	struct post *p = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		p->about.m.nheaders = 0;
		post_message(p, cases[i].header, "");
		p->about.e.sender = cases[i].sender;
		if (notice_may_warn(&p->about) != cases[i].may)
			fail_msg("%s from %s", cases[i].header, cases[i].sender);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, post_set_up, post_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_bounce),
		TEST(a_warning),
		TEST(a_warning_about_two),
		TEST(what_comes_back),
		TEST(a_body_that_cannot_be_read),
		TEST(headers_have_an_end),
		TEST(reasons),
		TEST(addresses_that_became_others),
		TEST(addresses_in_utf8),
		TEST(words_in_utf8),
		TEST(references),
		TEST(a_message_with_our_boundary),
		TEST(very_many_recipients),
		TEST(who_may_be_warned),
	};

	if (setenv("TZ", "UTC", 1) != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
