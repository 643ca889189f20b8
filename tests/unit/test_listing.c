/* test_listing.c - how the queue looks: Exim's columns, JSON, status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/listing.h"

static const char *two[] = { "  x@far.example", "  y@far.example" };

static struct control_message
message(void)
{
	return (struct control_message){ .id = "1vNabc-000123-0A",
		.sender = "alice@debian",
		.login = "alice",
		.error = "",
		.size = 272,
		.received = 1000000,
		.rcpts = two,
		.nrcpts = 2 };
}

static void
assert_columns(const struct control_message *m, enum listing_form form, int64_t now, const char *is)
{
	AUTO_BUF struct buf b = BUF_INIT(1 << 20);

	listing_columns(&b, m, form, now);
	assert_true(buf_ok(&b));
	assert_string_equal(b.p, is);
}

static void
test_age_and_size(void **state)
{
	static const struct {
		int64_t age;
		uint64_t size;
		const char *is;
	} rows[] = {
		{ -60, 0, " 0m     0 " },
		{ 59, 999, " 0m   999 " },
		{ 60, 1024, " 1m  1.0K " },
		{ 5459, 10239, "90m 10.0K " },
		{ 5460, 10240, " 2h   10K " },
		{ 259200, 1048575, "72h 1024K " },
		{ 261000, 1048576, " 3d  1.0M " },
		{ 864000, 10485760, "10d   10M " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct control_message m = message();
		AUTO_BUF struct buf b = BUF_INIT(1 << 20);

		m.size = rows[i].size;
		listing_columns(&b, &m, LISTING_PLAIN, m.received + rows[i].age);
		assert_int_equal(strncmp(b.p, rows[i].is, strlen(rows[i].is)), 0);
	}
}

static void
test_columns(void **state)
{
	struct control_message m = message();
	const char *mixed[] = { "D x@far.example", "  y@far.example" };
	const struct control_message bad = { .id = "x-H", .error = "cut", .bad = true };

	(void)state;
	m.rcpts = mixed;
	m.frozen = true;
	assert_columns(&m, LISTING_PLAIN, m.received,
	    " 0m   272 1vNabc-000123-0A <alice@debian> *** frozen ***\n"
	    "        D x@far.example\n"
	    "          y@far.example\n\n");
	assert_columns(&m, LISTING_UNDELIVERED, m.received,
	    " 0m   272 1vNabc-000123-0A <alice@debian> *** frozen ***\n"
	    "          y@far.example\n\n");
	assert_columns(&m, LISTING_IDS, m.received, "1vNabc-000123-0A\n");
	m = message();
	m.error = "Connection refused";
	assert_columns(&m, LISTING_FULL, m.received,
	    " 0m   272 1vNabc-000123-0A <alice@debian>\n"
	    "          x@far.example\n"
	    "          y@far.example\n"
	    "        last error for x@far.example and 1 more: Connection refused\n"
	    "        next try for x@far.example and 1 more: the next queue run\n\n");
	assert_columns(&bad, LISTING_FULL, 0, "           x-H *** spool format error: cut ***\n\n");
}

static void
test_json(void **state)
{
	static const struct {
		const char *error, *is;
	} rows[] = {
		{ "plain", "plain" },
		{ "\"\\\n\x7f", "\\\"\\\\\\u000a\\u007f" },
		{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xae",
		    "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x93\xae" },
		{ "\xfc \xc3 \xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 \xe2\x82",
		    "\\u00fc \\u00c3 \\u00c0\\u00af \\u00ed\\u00a0\\u0080 "
		    "\\u00f4\\u0090\\u0080\\u0080 \\u00e2\\u0082" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_BUF struct buf b = BUF_INIT(1 << 20), is = BUF_INIT(1 << 20);
		struct control_message m = message();

		m.error = rows[i].error;
		m.next_try = 1000900;
		listing_json(&b, &m);
		buf_fmt(&is,
		    "{\"id\":\"1vNabc-000123-0A\",\"damaged\":false,\"sender\":\"alice@debian\","
		    "\"login\":\"alice\",\"size\":272,\"received\":1000000,\"frozen\":false,"
		    "\"frozen_at\":null,\"next_try\":1000900,\"error\":\"%s\","
		    "\"waiting\":[\"x@far.example\",\"y@far.example\"],\"delivered\":[]}",
		    rows[i].is);
		assert_string_equal(b.p, is.p);
	}
}

static void
test_status(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT(1 << 20);
	struct control_status s = {
		.messages = 2, .oldest = 1000000, .waited = 3599, .alarm_after = 3600, .error = ""
	};

	(void)state;
	assert_false(listing_is_alarm(&s));
	listing_status_json(&b, &s);
	assert_string_equal(b.p,
	    "{\"messages\":2,\"frozen\":0,\"damaged\":0,\"oldest\":1000000,"
	    "\"oldest_seconds\":3599,\"last_success\":null,\"last_failure\":null,\"error\":\"\","
	    "\"alarm_after\":3600,\"alarm\":false}\n");
	s.waited = 3600;
	assert_true(listing_is_alarm(&s));
	buf_reset(&b);
	listing_status(&b, &s);
	assert_non_null(strstr(b.p, "messages: 2 (0 frozen)\n"));
	assert_non_null(strstr(b.p, "ALARM: mail waits longer than queue_alarm_after = 1h\n"));
	assert_null(strstr(b.p, "last error"));
	buf_reset(&b);
	listing_status_prometheus(&b, &s);
	assert_non_null(strstr(b.p, "# TYPE onehop_queue_alarm gauge\nonehop_queue_alarm 1\n"));
	assert_non_null(strstr(b.p, "onehop_queue_oldest_seconds 3600\n"));
	s.alarm_after = 0;
	assert_false(listing_is_alarm(&s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_age_and_size),
		cmocka_unit_test(test_columns),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
