/* fuzz_session.c - a server that says anything: the delivery ends, each recipient has a state that
 * fits what was returned, and nothing is said to a session that is dead. */
#include <stdint.h>
#include <stdlib.h>

#include "conf/secret.h"
#include "net/auth.h"
#include "net/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RCPTS = 3, CHUNK = 61 };

struct server {
	struct str rest;
	struct session *s;
};

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static ptrdiff_t
server_read(struct stream *s, void *p, size_t n)
{
	struct server *sv = s->ctx;
	size_t len = sv->rest.n < n ? sv->rest.n : n;

	len = len < CHUNK ? len : CHUNK;
	memcpy(p, sv->rest.p, len);
	sv->rest = str_skip(sv->rest, len);
	return (ptrdiff_t)len;
}

static int
server_write(struct stream *s, const void *p, size_t n)
{
	const struct server *sv = s->ctx;

	must(!sv->s->dead && n > 0 && p != NULL);
	return 0;
}

static void
server_close(struct stream *s)
{
	(void)s;
}

static const struct stream_ops ops = { server_read, server_write, server_close };

static void
check(const struct rcpt *r, bool ok)
{
	must(r->state != RCPT_WAITING || !ok);
	must(r->state != RCPT_SENT || r->confirmation[0] == '2');
	must(r->state != RCPT_REFUSED || fail_of(r->fail)->cls == FAIL_PERM);
	must(r->state != RCPT_RETRY || fail_of(r->fail)->cls == FAIL_TEMP);
}

static bool
talk(struct session *s, const struct conf *c, uint8_t mode, struct fail *f)
{
	struct secret secret = { .login = STR("user"), .password = STR("pass"), .where = "f:1" };
	struct login login = { .conf = c, .secret = &secret, .secure = true };

	s->lmtp = (mode & 1) != 0;
	if (!session_greeting(s, f) || !session_hello(s, true, f))
		return false;
	if ((mode & 2) && (!session_starttls(s, f) || !session_hello(s, false, f)))
		return false;
	return !(mode & 4) || auth_login(s, &login, f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t which[RCPTS] = { 0, 1, 2 };
	AUTO_ARENA struct arena a = { 0 };
	struct rcpt rcpts[RCPTS] = { { .address = "x@y" }, { .address = "z@y" },
		{ .address = "bad>@y" } };
	struct envelope e = { .sender = "a@b", .rcpts = rcpts, .nrcpts = RCPTS };
	struct message m = { .arena = &a,
		.body = { .mem = "t\n", .fd = -1, .size = 2, .lines = 1, .longest_line = 1 } };
	struct fail f = FAIL_INIT;
	struct server sv;
	struct stream stream;
	struct session s;
	struct conf c;

	if (size == 0)
		return 0;
	conf_init(&c, &a);
	c.primary_hostname = "me";
	sv = (struct server){ str_at((const char *)data + 1, size - 1), &s };
	stream_init(&stream, &ops, &sv, -1);
	session_init(&s, &stream, &c, NULL);
	message_append(&m, STR("Subject: t\n"));
	if (talk(&s, &c, data[0], &f)) {
		bool ok = session_transaction(&s, &e, which, RCPTS, &m, &f);

		must(ok || (s.dead && f.cls == FAIL_TEMP));
		for (int i = 0; i < RCPTS; i++)
			check(&rcpts[i], ok);
	} else {
		must(f.cls == FAIL_TEMP);
	}
	session_quit(&s);
	session_free(&s);
	stream_close(&stream);
	return 0;
}
