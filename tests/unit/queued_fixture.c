/* queued_fixture.c - a waiting message, and how it comes back. */
#include "queued_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct queued_body fixture_body = { 24,
	"a3f5a3f5a3f5a3f5a3f5a3f5a3f5a3f5a3f5a3f5a3f5a3f5a3f5a3f5a3f5a3f5" };

void
fixture_header(struct queued *q, const char *text)
{
	message_append(&q->m, str_of(text));
}

struct queued
fixture_message(struct arena *a, struct rcpt *rcpts, size_t n)
{
	struct queued q = { .arena = a,
		.e = { .id = "1vNaKG-000001-2A",
		    .sender = "alice@debian",
		    .login = "alice",
		    .auth_parameter = true },
		.m = { .arena = a, .body = { .fd = -1, .lines = 1, .longest_line = 4 } },
		.uid = 1001,
		.gid = 1002,
		.received = 1795501322,
		.received_usec = 42,
		.arrived = 7,
		.protocol = "local" };

	q.e.rcpts = rcpts;
	q.e.nrcpts = n;
	for (size_t i = 0; i < n; i++)
		if (rcpts[i].original == NULL)
			rcpts[i].original = rcpts[i].address;
	fixture_header(&q, "From: alice@debian\n");
	fixture_header(&q, "Subject: s\n\tt\n");
	return q;
}

struct queued
fixture_again(const struct queued *q, struct arena *a, struct buf *out)
{
	struct queued back = { .arena = a, .m.body = { .fd = 5, .start = 19, .size = 5 } };
	struct queued_body b = { 0 };
	struct fail f = FAIL_INIT;

	if (!queued_write(q, &fixture_body, out, &f) || !queued_read(buf_get(out), &back, &b, &f))
		fail_msg("%s", f.text);
	assert_int_equal(b.size, fixture_body.size);
	assert_string_equal(b.sha256, fixture_body.sha256);
	return back;
}
