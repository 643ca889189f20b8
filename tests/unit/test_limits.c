/* test_limits.c - what a -H file does not take, how much it takes, and what in it is done. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "queued_fixture.h"

static void
spoil(struct queued *q, struct rcpt *to, unsigned i)
{
	static const char *bad_done[] = { "a\nb", "" };

	switch (i) {
	case 0:
		to->address = "x\ny@far.example";
		break;
	case 1:
		to->address = "";
		break;
	case 2:
		to->orcpt = "rfc822;\n";
		break;
	case 3:
		to->orcpt = "";
		break;
	case 4:
		q->e.sender = "x\n";
		break;
	case 5:
		q->e.login = "x\n";
		break;
	case 6:
		q->e.envid = "\n";
		break;
	case 7:
		q->e.protocol = "\n";
		break;
	case 8:
		q->protocol = "\n";
		break;
	case 9:
		q->e.id[0] = '/';
		break;
	case 10:
		q->e.id[0] = '\0';
		break;
	case 11:
		q->e.nrcpts = 0;
		break;
	case 12:
		fixture_header(q, "x: y");
		break;
	case 13:
		q->done = bad_done;
		q->ndone = 1;
		break;
	case 14:
		q->done = bad_done + 1;
		q->ndone = 1;
		break;
	default:
		break; /* the buffer is too small */
	}
}

static void
refuses_to_write_what_cannot_be_read(void **state)
{
	AUTO_ARENA struct arena a = { NULL };

	(void)state;
	for (unsigned i = 0; i < 16; i++) {
		AUTO_BUF struct buf out = BUF_INIT(i == 15 ? 200 : 4096);
		struct rcpt to = { .address = "x@far.example" };
		struct queued q = fixture_message(&a, &to, 1);
		struct fail f = FAIL_INIT;

		spoil(&q, &to, i);
		if (queued_write(&q, &fixture_body, &out, &f))
			fail_msg("%u", i);
		assert_int_equal(f.cls, FAIL_PERM);
		assert_int_equal(f.stage, STAGE_SPOOL);
	}
}

static void
holds_its_limits(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf out = BUF_INIT(1 << 25);
	struct rcpt to = { .address = "x@far.example" };
	struct queued q = fixture_message(&a, &to, 1);
	struct fail f = FAIL_INIT;
	char *large = arena_alloc(&a, QUEUED_HEADERS_MAX);

	(void)state;
	memset(large, 'x', QUEUED_HEADERS_MAX - 1);
	large[0] = 'A';
	large[1] = ':';
	large[QUEUED_HEADERS_MAX - 1] = '\n';
	q.m.nheaders = 0;
	message_append(&q.m, str_at(large, QUEUED_HEADERS_MAX));
	(void)fixture_again(&q, &a, &out);
	buf_reset(&out);
	message_append(&q.m, STR("B: \n"));
	assert_false(queued_write(&q, &fixture_body, &out, &f));
	q.e.nrcpts = QUEUED_RECIPIENTS_MAX + 1;
	assert_false(queued_write(&q, &fixture_body, &out, &f));
}

/* All recipients have two long names and half of them are done. */
static void
takes_as_many_as_there_may_be(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf out = BUF_INIT(1 << 25);
	struct rcpt *to = arena_array(&a, QUEUED_RECIPIENTS_MAX, sizeof *to);
	struct queued q = fixture_message(&a, to, 0), back;

	(void)state;
	for (size_t i = 0; i < QUEUED_RECIPIENTS_MAX; i++) {
		to[i].address = arena_fmt(&a, "recipient-%zu@far.example.org", i);
		to[i].original = arena_fmt(&a, "Recipient-%zu@far.example.org", i);
		if (i % 2 == 0)
			continue;
		q.done = arena_grow(&a, q.done, q.ndone, sizeof *q.done);
		q.done[q.ndone++] = to[i].address;
	}
	q.e.nrcpts = QUEUED_RECIPIENTS_MAX;
	back = fixture_again(&q, &a, &out);
	for (size_t i = 0; i < back.e.nrcpts; i++)
		assert_int_equal(queued_is_done(&back, back.e.rcpts[i].address), i % 2);
	assert_int_equal(back.ndone, QUEUED_RECIPIENTS_MAX / 2);
	assert_int_equal(back.e.rcpts[1].state, RCPT_SENT);
	assert_int_equal(back.e.rcpts[2].state, RCPT_WAITING);
}

static void
knows_what_is_done(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	static const char *const keys[] = { "c@x", "a@x", "b@x", "a@x" };
	struct rcpt to[] = { { .address = "a@x" }, { .address = "d@x" } };
	struct queued q = fixture_message(&a, to, 2);

	(void)state;
	assert_false(queued_is_done(&q, "a@x"));
	for (size_t i = 0; i < 4; i++) {
		q.done = arena_grow(&a, q.done, q.ndone, sizeof *q.done);
		q.done[q.ndone++] = keys[i];
		assert_true(queued_is_done(&q, keys[i]));
	}
	assert_int_equal(to[0].state, RCPT_WAITING);
	queued_settle(&q);
	assert_int_equal(q.ndone, 3);
	assert_int_equal(to[0].state, RCPT_SENT);
	assert_int_equal(to[1].state, RCPT_WAITING);
	q.done = arena_grow(&a, q.done, q.ndone, sizeof *q.done);
	q.done[q.ndone++] = "B@x";
	assert_true(queued_is_done(&q, "B@x") && queued_is_done(&q, "c@x"));
	assert_false(queued_is_done(&q, "d@x"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_to_write_what_cannot_be_read),
		cmocka_unit_test(holds_its_limits),
		cmocka_unit_test(takes_as_many_as_there_may_be),
		cmocka_unit_test(knows_what_is_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
