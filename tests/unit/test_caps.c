/* test_caps.c - what servers offer, in the ways in which they write it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/caps.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct row {
	const char *lines[5];
	unsigned have;
	uint64_t size, rcpt, mail;
	const char *mechanisms;
} rows[] = {
	{ { "PIPELINING", "8BITMIME", "DSN", "CHUNKING", "SMTPUTF8" },
	    CAP_PIPELINING | CAP_8BITMIME | CAP_DSN | CAP_CHUNKING | CAP_SMTPUTF8, 0, 0, 0, "" },
	{ { "starttls", "pipelining " }, CAP_STARTTLS | CAP_PIPELINING, 0, 0, 0, "" },
	{ { "SIZE 35882577" }, CAP_SIZE, 35882577, 0, 0, "" },
	{ { "SIZE" }, CAP_SIZE, 0, 0, 0, "" },
	{ { "SIZE 0" }, CAP_SIZE, 0, 0, 0, "" },
	{ { "SIZE -1" }, CAP_SIZE, 0, 0, 0, "" },
	{ { "SIZE 99999999999999999999999" }, CAP_SIZE, 0, 0, 0, "" },
	{ { "SIZES 1", "XPIPELINING", "", " " }, 0, 0, 0, 0, "" },
	{ { "AUTH PLAIN LOGIN" }, CAP_AUTH, 0, 0, 0, "PLAIN LOGIN" },
	{ { "auth plain login" }, CAP_AUTH, 0, 0, 0, "PLAIN LOGIN" },
	{ { "AUTH=LOGIN PLAIN", "AUTH LOGIN PLAIN" }, CAP_AUTH, 0, 0, 0, "LOGIN PLAIN" },
	{ { "AUTH=LOGIN" }, CAP_AUTH, 0, 0, 0, "LOGIN" },
	{ { "AUTH CRAM-MD5", "AUTH  PLAIN\tLOGIN " }, CAP_AUTH, 0, 0, 0, "CRAM-MD5 PLAIN LOGIN" },
	{ { "AUTH" }, CAP_AUTH, 0, 0, 0, "" },
	{ { "AUTH PL\x01IN SCRAM-SHA-256-PLUS AN-OVERLONG-NAME-OF-A-MECHANISM *" }, CAP_AUTH, 0, 0,
	    0, "SCRAM-SHA-256-PLUS" },
	{ { "LIMITS RCPTMAX=20 MAILMAX=3 X=1 MAILDOMAINMAX" }, CAP_LIMITS, 0, 20, 3, "" },
	{ { "LIMITS RCPTMAX=x" }, CAP_LIMITS, 0, 0, 0, "" },
};

static void
each_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		struct caps c = { 0 };

		for (int k = 0; k < 5 && r->lines[k] != NULL; k++)
			caps_feed(&c, str_of(r->lines[k]));
		if (c.have != r->have || c.size_max != r->size || c.limit_rcpt != r->rcpt ||
		    c.limit_mail != r->mail || strcmp(c.mechanisms, r->mechanisms) != 0)
			fail_msg("%s: have %#x size %ju '%s'", r->lines[0], c.have,
			    (uintmax_t)c.size_max, c.mechanisms);
	}
}

static void
offers_whole_words(void **state)
{
	struct caps c = { 0 };

	(void)state;
	caps_feed(&c, STR("AUTH SCRAM-SHA-1-PLUS LOGIN"));
	assert_true(caps_offers(&c, STR("LOGIN")));
	assert_true(caps_offers(&c, STR("scram-sha-1-plus")));
	assert_false(caps_offers(&c, STR("SCRAM-SHA-1")));
	assert_false(caps_offers(&c, STR("PLAIN")));
}

static void
many_mechanisms_do_not_overflow(void **state)
{
	struct caps c = { 0 };

	(void)state;
	for (int i = 0; i < 200; i++) {
		char line[32];

		(void)snprintf(line, sizeof line, "AUTH MECHANISM-%d", i);
		caps_feed(&c, str_of(line));
	}
	assert_true(strlen(c.mechanisms) < sizeof c.mechanisms);
	assert_true(caps_offers(&c, STR("MECHANISM-1")));
	assert_false(caps_offers(&c, STR("MECHANISM-199")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row),
		cmocka_unit_test(offers_whole_words),
		cmocka_unit_test(many_mechanisms_do_not_overflow),
	};

	return cmocka_run_group_tests_name("caps", tests, NULL, NULL);
}
