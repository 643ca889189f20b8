/* test_control.c - requests about the queue and their answers: what goes in comes out, and what a
 * hostile peer may not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/control.h"
#include "wire/record.h"
#include "wire/submit.h"

enum { MANY = 49999 };

struct heard {
	struct buf bytes;
	size_t messages, waiting, done;
	char id[64], last[64], last_done[64];
	struct control_message m;
	struct control_status s;
	char error[64];
};

static void
on_bytes(void *ctx, struct str s)
{
	buf_put(&((struct heard *)ctx)->bytes, s);
}

static void
on_message(void *ctx, const struct control_message *m)
{
	struct heard *h = ctx;

	h->messages++;
	h->m = *m;
	for (size_t i = 0; i < m->nrcpts; i++) {
		bool done = m->rcpts[i][0] == 'D';

		h->done += done;
		h->waiting += !done;
		(void)snprintf(
		    done ? h->last_done : h->last, sizeof h->last, "%s", m->rcpts[i] + 2);
	}
	(void)snprintf(h->id, sizeof h->id, "%s", m->id);
	(void)snprintf(h->error, sizeof h->error, "%s", m->error);
}

static void
on_status(void *ctx, const struct control_status *s)
{
	struct heard *h = ctx;

	h->s = *s;
	(void)snprintf(h->error, sizeof h->error, "%s", s->error);
}

static const struct trace silence = { .emit = NULL };

/* What a child writes, and then the end. */
static bool
hear(void (*speak)(int fd), struct heard *h, struct fail *f)
{
	const struct control_answer answer = { on_bytes, on_message, on_status, h, &silence };
	int fd[2];
	struct submit_talk talk;
	pid_t child;
	bool ok;

	*h = (struct heard){ .bytes = BUF_INIT(1 << 20) };
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	child = fork();
	if (child == 0) {
		(void)close(fd[0]);
		speak(fd[1]);
		_exit(0);
	}
	(void)close(fd[1]);
	talk = (struct submit_talk)SUBMIT_TALK(fd[0]);
	ok = control_hear(&talk, &answer, f);
	(void)close(fd[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	return ok;
}

static void
end(int fd, const struct fail *whole)
{
	const struct envelope none = { .ret = RET_UNSET };
	struct fail f = FAIL_INIT;

	if (!submit_verdicts(fd, &none, whole, SUBMIT_DONE, &f))
		_exit(1);
}

static void
speak_all(int fd)
{
	const char **many = calloc(MANY + 1, sizeof *many);
	struct control_message m = { .id = "1vNabc-000123-0A",
		.sender = "",
		.login = "alice",
		.error = "refused",
		.size = 272,
		.received = 1000,
		.next_try = -5,
		.frozen_at = 3,
		.frozen = true,
		.rcpts = many,
		.nrcpts = MANY + 1 };
	const struct control_message bad = { .id = "x", .error = "cut", .bad = true };
	struct fail f = FAIL_INIT;
	bool ok = many != NULL;

	for (size_t i = 0; ok && i < MANY; i++)
		many[i] = i + 1 < MANY ? "  someone.with.a.name@of-some-length.example" : "  z@x";
	if (ok)
		many[MANY] = "D d@x";
	ok = ok && control_say(fd, STR("Message x is now frozen\n"), &f) &&
	    control_put_message(fd, &m, &f) && control_put_message(fd, &bad, &f);
	if (!ok)
		_exit(1);
	free(many);
	end(fd, &(struct fail)FAIL_INIT);
}

static void
test_messages(void **state)
{
	struct fail f = FAIL_INIT;
	struct heard h;

	(void)state;
	assert_true(hear(speak_all, &h, &f));
	assert_true(str_eq(buf_get(&h.bytes), STR("Message x is now frozen\n")));
	assert_int_equal(h.messages, 2);
	assert_int_equal(h.waiting, MANY);
	assert_int_equal(h.done, 1); /* the second message has none of the first one's */
	assert_string_equal(h.last, "z@x");
	assert_string_equal(h.last_done, "d@x");
	assert_string_equal(h.id, "x");
	assert_string_equal(h.error, "cut");
	assert_true(h.m.bad);
	buf_free(&h.bytes);
}

static void
speak_status(int fd)
{
	const struct control_status s = { .messages = 7,
		.frozen = 1,
		.bad = 2,
		.oldest = 99,
		.waited = 3600,
		.last_success = -1,
		.last_failure = 5,
		.error = "why",
		.alarm_after = 60 };
	struct fail f = FAIL_INIT;

	if (control_put_status(fd, &s, &f))
		end(fd, &(struct fail){ .cls = FAIL_USER, .exit = 77, .text = "no" });
}

static void
test_status_and_refusal(void **state)
{
	struct fail f = FAIL_INIT;
	struct heard h;

	(void)state;
	assert_false(hear(speak_status, &h, &f));
	assert_int_equal(fail_exit_code(&f), 77);
	assert_string_equal(f.text, "no");
	assert_int_equal(h.s.messages, 7);
	assert_int_equal(h.s.frozen, 1);
	assert_int_equal(h.s.bad, 2);
	assert_int_equal(h.s.oldest, 99);
	assert_int_equal(h.s.waited, 3600);
	assert_int_equal(h.s.last_success, 0);
	assert_int_equal(h.s.last_failure, 5);
	assert_int_equal(h.s.alarm_after, 60);
	assert_string_equal(h.error, "why");
}

static void
speak_nothing(int fd)
{
	(void)fd;
}

static void
speak_unknown(int fd)
{
	struct fail f = FAIL_INIT;

	(void)!record_put(fd, 'X', STR(""), &f);
}

static void
speak_empty(int fd)
{
	struct fail f = FAIL_INIT;

	(void)!record_put(fd, 'T', STR(""), &f);
	(void)!record_put(fd, 'R', STR(""), &f);
	(void)!record_put(fd, 'M', STR(""), &f);
	(void)!record_put(fd, 'S', STR(""), &f);
	end(fd, &(struct fail)FAIL_INIT);
}

static void
test_broken_answers(void **state)
{
	struct fail f = FAIL_INIT;
	struct heard h;

	(void)state;
	assert_false(hear(speak_nothing, &h, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	f = (struct fail)FAIL_INIT;
	assert_false(hear(speak_unknown, &h, &f));
	f = (struct fail)FAIL_INIT;
	assert_true(hear(speak_empty, &h, &f));
	assert_int_equal(h.messages, 1);
	assert_string_equal(h.id, "");
}

static void
test_request(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf payload = BUF_INIT(SUBMIT_RECORD_MAX);
	const char *ids[] = { "1vNabc-000123-0A", "1vNabc-000124-0A" };
	const struct control c = { CONTROL_REMOVE, ids, 2 };
	struct control got;
	struct fail f = FAIL_INIT;
	int fd[2], passed = -1;
	char letter;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	assert_true(control_ask(fd[0], &c, &f));
	assert_true(record_get(fd[1], &letter, &payload, &passed));
	assert_int_equal(letter, 'Q');
	assert_true(control_read(buf_get(&payload), &got, &a, &f));
	assert_int_equal(got.verb, CONTROL_REMOVE);
	assert_int_equal(got.nids, 2);
	assert_string_equal(got.ids[1], "1vNabc-000124-0A");
	(void)close(fd[0]);
	(void)close(fd[1]);
}

static void
test_hostile_requests(void **state)
{
	static const struct str rows[] = { STR("13\0"),
		STR("99999999999999999999999\0"
		    "x"),
		STR("8\0../../etc/shadow\0"), STR("8\0\0"), STR("8\0a/b\0"),
		STR("8\0"
		    "1vNabc-000123-0A-and-more\0"),
		STR("8\0"
		    "1vNabc-000123-0A\nx\0") };
	AUTO_ARENA struct arena a = { NULL };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct control c = { .nids = 4711 };
		struct fail f = FAIL_INIT;
		bool ok = control_read(rows[i], &c, &a, &f);

		/* a number that is none is 0: the due messages, to which its text may not add */
		assert_true(!ok || (c.verb == CONTROL_RUN && i == 1));
		assert_true(ok || c.nids == 4711);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_status_and_refusal),
		cmocka_unit_test(test_broken_answers),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_hostile_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
