/* test_stamp.c - Received, Message-Id and Date made anew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/date.h"
#include "mail/stamp.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { NOW = 1700000000 };

static void
read_fields(struct message *m, const char *fields)
{
	struct str rest = str_of(fields);

	while (rest.n > 0) {
		size_t n = str_find(rest, '\n') + 1;

		while (n < rest.n && rest.p[n] == '\t')
			n += str_find(str_skip(rest, n), '\n') + 1;
		message_append(m, str_at(rest.p, n));
		rest = str_skip(rest, n);
	}
}

/* The live fields; now's date as DATE. */
static const char *
text_of(const struct message *m)
{
	AUTO_BUF struct buf b = BUF_INIT(HEADER_MAX);
	char now[DATE_MAX];
	struct str date = str_of(date_rfc5322(NOW, now));

	for (size_t i = 0; i < m->nheaders; i++) {
		struct str text = m->headers[i].text;
		size_t at = text.n > date.n ? text.n - date.n - 1 : 0;

		assert_int_not_equal(m->headers[i].type, H_DELETED);
		if (str_starts(str_skip(text, at), date)) {
			buf_put(&b, str_at(text.p, at));
			buf_str(&b, "DATE\n");
		} else {
			buf_put(&b, text);
		}
	}
	return arena_strz(m->arena, buf_get(&b));
}

/* What is made anew when the id is another, and what is left. */
static const struct {
	const char *what, *before, *after;
} stamped[] = {
	{ "nothing is there", "Subject: s\n",
	    "Subject: s\nMessage-Id: <E1vNaKG-000001-2A@debian>\nDate: DATE\n" },
	{ "all is there, of the other id",
	    "Received: from root by debian with local (onehop 1)\n\tid 1abcde-000001-AB;\n\tdate\n"
	    "Message-ID: <E1abcde-000001-AB@debian>\nSubject: s\nDate: d\n",
	    "Message-ID: <E1vNaKG-000001-2A@debian>\nSubject: s\nDate: d\n" },
	{ "another's Received, the caller's Message-Id and Date",
	    "Received: from far\n\tid 1abcde-000001-AC;\n\tdate\nMessage-Id: <mine@far>\nDate: d\n",
	    "Received: from far\n\tid 1abcde-000001-AC;\n\tdate\nMessage-Id: <mine@far>\nDate: "
	    "d\n" },
	{ "not on top", "Date: d\nMessage-Id: <x@y>\nReceived: a\n\tid 1abcde-000001-AB;\n\tdate\n",
	    "Date: d\nMessage-Id: <x@y>\nReceived: a\n\tid 1abcde-000001-AB;\n\tdate\n" },
	{ "sent again",
	    "Resent-Message-Id: <E1abcde-000001-AB@debian>\nResent-From: a@b\n"
	    "Message-Id: <first@far>\n",
	    "Resent-Date: DATE\nResent-Message-Id: <E1vNaKG-000001-2A@debian>\n"
	    "Resent-From: a@b\nMessage-Id: <first@far>\n" },
};

static void
stamps(void **state)
{
	static const struct stamp by = { .now = NOW,
		.id = "1vNaKG-000001-2A",
		.login = "a b",
		.helo = "me.example",
		.protocol = "local-esmtp",
		.host = "debian",
		.sender = "alice@debian",
		.rcpt = "x@far.example" };
	static const char received[] =
	    "Received: from \"a b\" (helo=me.example)\n\tby debian with local-esmtp "
	    "(onehop " PACKAGE_VERSION ")\n\t(envelope-from <alice@debian>)\n"
	    "\tid 1vNaKG-000001-2A\n\tfor x@far.example;\n\tDATE\n";

	(void)state;
	for (size_t i = 0; i < sizeof stamped / sizeof *stamped; i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct message m = { .arena = &a, .body.fd = -1 };

		read_fields(&m, stamped[i].before);
		stamp_anew(&m, &by, "1abcde-000001-AB");
		if (strcmp(text_of(&m), arena_fmt(&a, "%s%s", received, stamped[i].after)) != 0)
			fail_msg("%s:\n%s", stamped[i].what, text_of(&m));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stamps),
	};

	return cmocka_run_group_tests_name("stamp", tests, NULL, NULL);
}
