/* test_base.c - strings, buffers, the arena, numbers, base64, dates and ids. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/b64.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/fail.h"
#include "base/id.h"
#include "base/num.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static void
assert_str(struct str got, const char *want)
{
	if (!str_eq(got, str_of(want)))
		fail_msg("got \"%.*s\", want \"%s\"", S_ARG(got), want);
}

static void
compares_strings(void **state)
{
	struct str none = { NULL, 0 };

	(void)state;
	assert_true(str_eq(STR("a\0b"), STR("a\0b")));
	assert_false(str_eq(STR("a\0b"), STR("a\0c")));
	assert_false(str_eq(STR("a"), STR("ab")));
	assert_true(str_eq(none, STR("")));
	assert_true(str_ieq(STR("SmartHost"), STR("sMARThOST")));
	assert_false(str_ieq(STR("smarthost"), STR("smarthosts")));
	assert_false(str_ieq(STR("\xc3\x84"), STR("\xc3\xa4"))); /* ASCII only */
	assert_false(str_ieq(STR("[\\]"), STR("{|}")));
	assert_true(str_starts(STR("dc_smarthost"), STR("dc_")));
	assert_true(str_starts(STR("x"), none));
	assert_false(str_starts(STR("dc"), STR("dc_")));
	assert_false(str_starts(STR("Dc_x"), STR("dc_")));
	assert_true(str_istarts(STR("Bcc: x"), STR("BCC:")));
	assert_true(str_iends(STR("mail.Example.COM"), STR(".example.com")));
	assert_false(str_iends(STR("com"), STR(".com")));
	assert_true(str_8bit(STR("caf\xc3\xa9")));
	assert_false(str_8bit(STR("cafe\x7f")));
	assert_false(str_8bit(none));
}

static void
cuts_strings(void **state)
{
	struct str rest = STR("a::b:"), none = { NULL, 0 };

	(void)state;
	assert_int_equal(str_find(STR("ab\0c"), '\0'), 2);
	assert_int_equal(str_find(STR("abc"), 'x'), 3);
	assert_int_equal(str_find(none, 'x'), 0);
	assert_str(str_skip(STR("abc"), 1), "bc");
	assert_str(str_skip(STR("abc"), 9), "");
	assert_null(str_skip(none, 1).p);
	assert_str(str_trim(STR(" \t a b\r\n\v\f")), "a b");
	assert_str(str_trim(STR(" \t ")), "");
	assert_str(str_ltrim(STR("  a ")), "a ");
	assert_str(str_rtrim(STR("  a ")), "  a");
	assert_str(str_cut(&rest, ':'), "a");
	assert_str(str_cut(&rest, ':'), "");
	assert_str(str_cut(&rest, ':'), "b");
	assert_non_null(rest.p); /* the empty piece behind the last colon is still to come */
	assert_str(str_cut(&rest, ':'), "");
	assert_null(rest.p);
	rest = STR(" \ta  b\n");
	assert_str(str_word(&rest), "a");
	assert_str(str_word(&rest), "b");
	assert_str(str_word(&rest), "");
}

static void
knows_ascii(void **state)
{
	(void)state;
	for (int c = -128; c < 128; c++) {
		char ch = (char)c;

		assert_int_equal(ascii_8bit(ch), c < 0);
		assert_int_equal(ascii_control(ch), (c >= 0 && c < 32) || c == 127);
		assert_int_equal(ascii_alnum(ch),
		    (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
		assert_int_equal(ascii_space(ch), c == ' ' || (c >= 9 && c <= 13));
		if (ascii_lower(ch) != ch)
			assert_true(ascii_alpha(ch) && ascii_upper(ascii_lower(ch)) == ch);
	}
}

static void
appends_to_a_buffer(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT(4096);

	(void)state;
	assert_str(buf_get(&b), "");
	buf_add(&b, "", 0);
	buf_str(&b, "MAIL FROM:<");
	buf_put(&b, STR("a@b"));
	buf_char(&b, '>');
	buf_fmt(&b, " SIZE=%d", 42);
	assert_true(buf_ok(&b));
	assert_str(buf_get(&b), "MAIL FROM:<a@b> SIZE=42");
	assert_int_equal(b.p[b.n], 0);
	for (int i = 0; i < 1000; i++)
		buf_add(&b, "\0x", 2);
	assert_true(buf_ok(&b));
	assert_int_equal(b.n, 23 + 2000);
	buf_wipe(&b);
	assert_int_equal(b.n, 0);
	assert_int_equal(b.p[0], 0);
	assert_int_equal(b.p[20], 0);
}

static void
keeps_the_limit_of_a_buffer(void **state)
{
	AUTO_BUF struct buf b = BUF_INIT(8);

	(void)state;
	buf_str(&b, "12345678");
	assert_true(buf_ok(&b));
	buf_char(&b, '9');
	assert_false(buf_ok(&b));
	assert_str(buf_get(&b), "12345678"); /* the contents stay */
	buf_reset(&b);
	assert_true(buf_ok(&b));
	buf_fmt(&b, "%s", "123456789");
	assert_false(buf_ok(&b));
	buf_reset(&b);
	buf_add(&b, "x", SIZE_MAX);
	assert_false(buf_ok(&b));
	buf_str(&b, "y"); /* sticky */
	assert_int_equal(b.n, 0);
}

static void
hands_out_memory(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	size_t *list = NULL;
	struct str copy;
	char *big, *p;

	(void)state;
	for (size_t i = 0; i < 3000; i++) {
		p = arena_alloc(&a, i % 50);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t k = 0; k < i % 50; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, i % 50);
	}
	big = arena_alloc(&a, 1 << 20);
	memset(big, 1, 1 << 20);
	assert_string_equal(arena_strz(&a, STR("abc")), "abc");
	assert_string_equal(arena_strz(&a, str_at(NULL, 0)), "");
	copy = arena_str(&a, STR("a\0b"));
	assert_true(str_eq(copy, STR("a\0b")));
	assert_string_equal(arena_fmt(&a, "%s-%d", "x", 7), "x-7");
	for (size_t n = 0; n < 1000; n++) {
		list = arena_grow(&a, list, n, sizeof *list);
		list[n] = n * n;
	}
	for (size_t n = 0; n < 1000; n++)
		assert_int_equal(list[n], n * n);
	assert_int_equal(big[(1 << 20) - 1], 1);
}

/* Exit status of a child that asks the arena for what it cannot give. */
static void
ends_when_memory_does(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (pid == 0) {
		struct arena a = { 0 };

		(void)close(STDERR_FILENO);
		(void)arena_array(&a, SIZE_MAX / 2, 3);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EX_TEMPFAIL);
}

enum parser { NUMBER, SECONDS, SIZE, REFUSED = -1 };

static void
reads_numbers(void **state)
{
	static const struct {
		enum parser parser;
		struct str in;
		long long want;
	} rows[] = {
		{ NUMBER, STR("0"), 0 },
		{ NUMBER, STR("65535"), 65535 },
		{ NUMBER, STR("65536"), REFUSED },
		{ NUMBER, STR("007"), 7 },
		{ NUMBER, STR(""), REFUSED },
		{ NUMBER, STR("-1"), REFUSED },
		{ NUMBER, STR("+1"), REFUSED },
		{ NUMBER, STR(" 1"), REFUSED },
		{ NUMBER, STR("1\0"), REFUSED },
		{ NUMBER, STR("18446744073709551617"), REFUSED },
		{ SECONDS, STR("90"), 90 },
		{ SECONDS, STR("90s"), 90 },
		{ SECONDS, STR("15m"), 900 },
		{ SECONDS, STR("1h30m"), 5400 },
		{ SECONDS, STR("2w1d1h1m1s"), 1299661 },
		{ SECONDS, STR("0s"), 0 },
		{ SECONDS, STR("1h30"), REFUSED },
		{ SECONDS, STR("h"), REFUSED },
		{ SECONDS, STR("1x"), REFUSED },
		{ SECONDS, STR(""), REFUSED },
		{ SECONDS, STR("1h "), REFUSED },
		{ SECONDS, STR("9999w"), REFUSED },
		{ SECONDS, STR("300000000w"), REFUSED },
		{ SECONDS, STR("3000d3000d"), REFUSED },
		{ SIZE, STR("52428800"), 52428800 },
		{ SIZE, STR("50K"), 51200 },
		{ SIZE, STR("50m"), 52428800 },
		{ SIZE, STR("2G"), 2147483648 },
		{ SIZE, STR("M"), REFUSED },
		{ SIZE, STR("1T"), REFUSED },
		{ SIZE, STR("1\0"), REFUSED },
		{ SIZE, STR("-1K"), REFUSED },
		{ SIZE, STR("17179869184G"), REFUSED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t out = 4711;
		bool ok = rows[i].parser == NUMBER ? num_parse(rows[i].in, 65535, &out) :
		    rows[i].parser == SECONDS      ? num_parse_seconds(rows[i].in, &out) :
						     num_parse_size(rows[i].in, &out);

		if (ok != (rows[i].want != REFUSED) ||
		    out != (ok ? (uint64_t)rows[i].want : UINT64_C(4711)))
			fail_msg(
			    "\"%.*s\": %d, %llu", S_ARG(rows[i].in), ok, (unsigned long long)out);
	}
}

static void
writes_durations(void **state)
{
	static const struct {
		uint64_t seconds;
		const char *want;
	} rows[] = { { 0, "0s" }, { 59, "59s" }, { 5400, "1h30m" }, { 604800, "1w" },
		{ 1299661, "2w1d1h1m1s" }, { UINT64_MAX, "30500568904943w7h15s" } };
	char out[48];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(num_format_seconds(rows[i].seconds, out), rows[i].want);
}

static void
codes_base64(void **state)
{
	static const struct {
		struct str plain, coded;
	} rows[] = { /* RFC 4648 section 10, and bytes that are not text */
		{ STR(""), STR("") }, { STR("f"), STR("Zg==") }, { STR("fo"), STR("Zm8=") },
		{ STR("foo"), STR("Zm9v") }, { STR("foob"), STR("Zm9vYg==") },
		{ STR("fooba"), STR("Zm9vYmE=") }, { STR("foobar"), STR("Zm9vYmFy") },
		{ STR("\0\377\376"), STR("AP/+") }
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_BUF struct buf there = BUF_INIT(64);
		AUTO_BUF struct buf back = BUF_INIT(64);

		b64_encode(&there, rows[i].plain);
		assert_true(str_eq(buf_get(&there), rows[i].coded));
		assert_true(b64_decode(&back, rows[i].coded));
		assert_true(str_eq(buf_get(&back), rows[i].plain));
	}
}

static void
refuses_loose_base64(void **state)
{
	static const struct str rows[] = { STR("Z"), STR("Zg"), STR("Zg="), STR("Zg==="),
		STR("Zg==Zg=="), STR("Zh=="), STR("Zm9="), STR("Zm 8"), STR("Zm-_"), STR("===="),
		STR("Z==="), STR("Z\0=="), STR("Zg=A"), STR("Zm9v\n") };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_BUF struct buf out = BUF_INIT(64);

		if (b64_decode(&out, rows[i]))
			fail_msg("took \"%.*s\"", S_ARG(rows[i]));
	}
}

static void
writes_dates(void **state)
{
	static const struct {
		const char *zone;
		int64_t now;
		const char *mail, *mbox, *log;
	} rows[] = {
		{ "UTC0", 1795502522, "Tue, 24 Nov 2026 06:42:02 +0000", "Tue Nov 24 06:42:02 2026",
		    "2026-11-24 06:42:02" },
		{ "IST-5:30", 0, "Thu, 01 Jan 1970 05:30:00 +0530", "Thu Jan 01 05:30:00 1970",
		    "1970-01-01 05:30:00" },
		{ "NST3:30", 951782400, "Mon, 28 Feb 2000 20:30:00 -0330",
		    "Mon Feb 28 20:30:00 2000", "2000-02-28 20:30:00" },
		/* 31 and 32 bits of seconds end */
		{ "UTC0", INT64_C(1) << 31, "Tue, 19 Jan 2038 03:14:08 +0000",
		    "Tue Jan 19 03:14:08 2038", "2038-01-19 03:14:08" },
		{ "CET-1", INT64_C(1) << 32, "Sun, 07 Feb 2106 07:28:16 +0100",
		    "Sun Feb 07 07:28:16 2106", "2106-02-07 07:28:16" },
		{ "UTC0", INT64_MAX, "Thu, 01 Jan 1970 00:00:00 +0000", "Thu Jan 01 00:00:00 1970",
		    "1970-01-01 00:00:00" },
	};
	char out[DATE_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(setenv("TZ", rows[i].zone, 1), 0);
		assert_string_equal(date_rfc5322(rows[i].now, out), rows[i].mail);
		assert_string_equal(date_mbox(rows[i].now, out), rows[i].mbox);
		assert_string_equal(date_log(rows[i].now, out), rows[i].log);
	}
}

static void
makes_message_ids(void **state)
{
	char out[ID_MAX];

	(void)state;
	assert_string_equal(id_format(1795502522, 0, 1, out), "1xVkE6-000001-00");
	assert_string_equal(id_format(0, 999999, 4194304, out), "000000-00Hb84-WF");
	assert_int_equal(strlen(out), ID_LEN);
	assert_int_equal(id_seconds("1xVkE6-000001-00"), 1795502522);
	assert_int_equal(id_seconds(""), 0);
	assert_int_equal(id_seconds("../x"), 0);
}

static void
shows_what_people_may_see(void **state)
{
	static const char *const rows[][2] = {
		{ "plain ~", "plain ~" },
		{ "tab\tstays", "tab\tstays" },
		{ "\x1b[31m\x7f\n", "?[31m??" },
		{ "Gr\xc3\xbc\xc3\x9f"
		  "e \xe6\xb5\x8b \xf0\x9f\x93\xac",
		    NULL }, /* as they are */
		{ "\xc2\x9b"
		  "2J \x9b"
		  "2J \xc2\x80 \xc2\xa0",
		    "?2J ?2J ? \xc2\xa0" },
		{ "a\xe2\x80\xae"
		  "b\xe2\x81\xa6"
		  "c\xe2\x80\x8b"
		  "d\xef\xbb\xbf"
		  "e\xd8\x9c"
		  "\xe2\x81\xa9\xe2\x80\xac",
		    "a?b?c?d?e???" },
		{ "\xf3\xa0\x81\x81 tag", "? tag" },
		{ "cut \xe6\xb5", "cut ??" },
		{ "\xc0\x80 \xed\xa0\x80", "?? ???" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		AUTO_BUF struct buf b = BUF_INIT(100);
		struct fail f = FAIL_INIT;

		buf_shown(&b, str_of(rows[i][0]));
		assert_string_equal(b.p, rows[i][1] != NULL ? rows[i][1] : rows[i][0]);
		(void)fail_set(&f, FAIL_TEMP, STAGE_SPOOL, 0, "<%s>", rows[i][0]);
		if (strchr(rows[i][0], '\t') == NULL)
			assert_memory_equal(f.text + 1, b.p, b.n);
	}
}

static void
knows_message_ids(void **state)
{
	static const struct {
		const char *id;
		bool ok;
	} rows[] = {
		{ "1vNaKG-000001-2A", true },
		{ "000000-000000-00", true },
		{ "1vNaKG-00000000001-2A00", true }, /* since Exim 4.97 */
		{ "", false },
		{ "zz0", false },
		{ "1vNaKG-000001-2", false },
		{ "1vNaKG-000001-2A0", false },
		{ "1vNaKG0000001-2A", false },
		{ "1vNaKG-0000-1-2A", false },
		{ "1vNaKG-000001-2.", false },
		{ "../../-000001-2A", false },
		{ "1vNaKG-00000000001-2A000", false },
		{ "1vNaKG-000000000001-2A0", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (id_ok(rows[i].id) != rows[i].ok)
			fail_msg("%s", rows[i].id);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_strings),
		cmocka_unit_test(cuts_strings),
		cmocka_unit_test(knows_ascii),
		cmocka_unit_test(shows_what_people_may_see),
		cmocka_unit_test(appends_to_a_buffer),
		cmocka_unit_test(keeps_the_limit_of_a_buffer),
		cmocka_unit_test(hands_out_memory),
		cmocka_unit_test(ends_when_memory_does),
		cmocka_unit_test(reads_numbers),
		cmocka_unit_test(writes_durations),
		cmocka_unit_test(codes_base64),
		cmocka_unit_test(refuses_loose_base64),
		cmocka_unit_test(writes_dates),
		cmocka_unit_test(makes_message_ids),
		cmocka_unit_test(knows_message_ids),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
