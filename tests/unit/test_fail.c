/* test_fail.c - what went wrong in words, statuses and exit codes; and the trace. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sysexits.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/trace.h"

#include "base/banned.h" /* IWYU pragma: keep */

static void
says_what_failed(void **state)
{
	struct fail f = FAIL_INIT;
	char status[12];

	(void)state;
	assert_int_equal(fail_exit_code(&f), EX_OK);
	assert_false(fail_set(&f, FAIL_TEMP, STAGE_SPOOL, ENOSPC, "cannot write %s", "1abc-D"));
	assert_string_equal(f.text, "cannot write 1abc-D: No space left on device");
	assert_int_equal(f.sys, ENOSPC);
	assert_int_equal(fail_exit_code(&f), EX_TEMPFAIL);
	fail_prefix(&f, "%s:%d", "/etc/x", 3);
	assert_string_equal(f.text, "/etc/x:3: cannot write 1abc-D: No space left on device");
	assert_false(fail_set(&f, FAIL_PERM, STAGE_RCPT, 0, "550 no\r\nsuch\tuser \x1b[2J\r\n"));
	assert_string_equal(f.text, "550 no??such?user ?[2J");
	assert_string_equal(fail_status(&f, status), "5.1.1");
	assert_int_equal(fail_exit_code(&f), EX_UNAVAILABLE);
	f.cls = FAIL_TEMP;
	(void)snprintf(f.dsn, sizeof f.dsn, "5.2.2");
	assert_string_equal(fail_status(&f, status), "4.2.2");
	assert_false(fail_conf(&f, "no option %s", "x"));
	assert_string_equal(f.dsn, "");
	assert_int_equal(fail_exit_code(&f), EX_CONFIG);
	f.exit = EX_NOUSER;
	assert_int_equal(fail_exit_code(&f), EX_NOUSER);
	assert_false(fail_set(&f, FAIL_TEMP, STAGE_INPUT, 0, "x"));
	assert_int_equal(fail_exit_code(&f), EX_IOERR);
	assert_string_equal(fail_stage_text(STAGE_AUTH), "logging in");
}

static void
keeps_failures_in_their_room(void **state)
{
	AUTO_BUF struct buf text = BUF_INIT(1 << 16);
	struct fail f = FAIL_INIT;

	(void)state;
	for (int i = 0; i < 3000; i++)
		buf_char(&text, 'x');
	assert_false(fail_set(&f, FAIL_PERM, STAGE_DATA, EIO, "%s", text.p));
	assert_int_equal(strlen(f.text), FAIL_TEXT - 1);
	fail_prefix(&f, "host");
	assert_int_equal(strlen(f.text), FAIL_TEXT - 1);
	assert_memory_equal(f.text, "host: xxx", 9);
	fail_prefix(&f, "%s", text.p);
	assert_int_equal(strlen(f.text), FAIL_TEXT - 1);
	assert_false(fail_set(&f, FAIL_TEMP, STAGE_DATA, 123456, "x"));
	assert_memory_equal(f.text, "x: ", 3);
	assert_string_equal(f.text + 3, fail_words(123456)); /* each libc has its own */
}

struct heard {
	enum trace_kind kind;
	size_t n;
	unsigned lines;
};

static void
hear(void *ctx, enum trace_kind kind, struct str line)
{
	struct heard *h = ctx;

	h->kind = kind;
	h->n = line.n;
	h->lines++;
}

static void
traces_lines(void **state)
{
	struct heard h = { 0 };
	struct trace t = { hear, &h }, silent = { 0 };
	char long_line[5000];

	(void)state;
	memset(long_line, 'x', sizeof long_line - 1);
	long_line[sizeof long_line - 1] = '\0';
	trace_line(NULL, TRACE_NOTE, "x");
	trace_line(&silent, TRACE_NOTE, "x");
	trace_line(&t, TRACE_OUT, "EHLO %s", "debian");
	assert_int_equal(h.kind, TRACE_OUT);
	assert_int_equal(h.n, 11);
	trace_line(&t, TRACE_IN, "%s", long_line);
	assert_int_equal(h.n, 4095);
	assert_int_equal(h.lines, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_failed),
		cmocka_unit_test(keeps_failures_in_their_room),
		cmocka_unit_test(traces_lines),
	};

	return cmocka_run_group_tests_name("fail", tests, NULL, NULL);
}
