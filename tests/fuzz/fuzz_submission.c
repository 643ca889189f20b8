/* fuzz_submission.c - any message, any map of senders: what the fix-ups make of it is a header, has
 * no Bcc, one Date and one Message-ID, and every recipient and the sender may be used. */
#include <stdlib.h>

#include "front/intake.h"
#include "front/submission.h"
#include "mail/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum flags { FORCE = 1, TRUSTED = 2, NAMED = 4, NULL_SENDER = 8, GIVEN = 16, FROM_HEADER = 32 };

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static size_t
count(const struct message *m, struct str name)
{
	size_t n = 0;

	for (size_t i = 0; i < m->nheaders; i++)
		n += m->headers[i].type != H_DELETED && str_ieq(m->headers[i].name, name);
	return n;
}

static void
check_header(const struct message *m)
{
	for (size_t i = 0; i < m->nheaders; i++) {
		struct str rest = m->headers[i].text;

		must(rest.n > 1 && rest.p[rest.n - 1] == '\n');
		must(scan_field_name(rest) != SIZE_MAX && str_find(rest, '\r') == rest.n);
		while ((rest = str_skip(rest, str_find(rest, '\n') + 1)).n > 0)
			must(rest.p[0] == ' ' || rest.p[0] == '\t');
	}
	must(count(m, STR("Bcc")) == 0 && count(m, STR("Resent-Bcc")) == 0);
	must(count(m, STR("Return-Path")) == 0);
	must(count(m, STR("Message-ID")) > 0 || m->resent);
	must(count(m, STR("Date")) > 0 || m->resent);
	must(count(m, STR("Received")) > 0);
}

static bool
read_message(struct message *m, struct str text)
{
	const struct intake_options o = { .size_max = 0 };
	struct intake *in = intake_new(m, &o);
	struct fail f = FAIL_INIT;
	struct str from;
	bool done;

	return intake_feed(in, text, &done, &f) && intake_end(in, &from, &f);
}

static void
run(struct rewrite *r, struct message *m, unsigned flags)
{
	const struct submission_time t = { .now = 1700000000, .id = "1abcde-000001-AB" };
	struct recipients rcpts = { .n = 0 };
	struct submitter who = { .login = "alice",
		.gecos_name = "Alice \"A\" (L)",
		.uid = 1000,
		.trusted = flags & TRUSTED,
		.name_given = flags & NAMED,
		.sender_given = flags & (NULL_SENDER | GIVEN),
		.sender = { STR("alice"), STR("debian") } };
	struct fail f = FAIL_INIT;

	if (flags & NULL_SENDER)
		who.sender = (struct mailbox){ STR(""), STR("") };
	if (flags & FROM_HEADER && !recipients_of_header(m, r, &rcpts, &f)) {
		must(f.cls == FAIL_USER && f.text[0] != '\0');
		return;
	}
	for (size_t i = 0; i < rcpts.n; i++)
		must(mailbox_fault(rcpts.list[i]) == NULL);
	if (!submission_fix(m, r, &who, &rcpts, &t, &f)) {
		must(f.cls == FAIL_PERM && f.text[0] != '\0');
		return;
	}
	must(who.sender.local.n == 0 || mailbox_fault(who.sender) == NULL);
	check_header(m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a = { NULL };
	struct message m = { .arena = &a, .body = { .fd = -1 } };
	struct trace quiet = { NULL, NULL };
	struct rewrite r = {
		.arena = &a, .map = { .path = "/etc/email-addresses" }, .trace = &quiet
	};
	struct str rest;
	struct conf c;

	if (size < 2 || size > HEADER_MAX / 4)
		return 0;
	conf_init(&c, &a);
	c.qualify_domain = c.primary_hostname = "debian";
	c.force_sender = (data[0] & FORCE) != 0;
	r.conf = &c;
	rest = str_at((const char *)data + 1, size - 1);
	r.map.text = str_cut(&rest, '\0');
	if (read_message(&m, rest))
		run(&r, &m, data[0]);
	return 0;
}
