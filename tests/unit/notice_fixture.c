/* notice_fixture.c - a message, and the notice about it. */
#include "notice_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/mime.h"

int
post_set_up(void **state)
{
	struct post *p = calloc(1, sizeof *p);
	struct fail f = FAIL_INIT;

	if (p == NULL)
		return -1;
	conf_init(&p->conf, &p->arena);
	if (!conf_parse(&p->conf,
		STR("primary_hostname = debian\nqualify_domain = debian.example\n"), "test", false,
		&f))
		return -1;
	p->about = (struct queued){ .arena = &p->arena,
		.received = 1795500000,
		.m = { .arena = &p->arena, .body = { .fd = -1, .mem = "" } },
		.e = { .id = ID, .sender = "alice@debian.example", .login = "alice" } };
	p->out = (struct queued){ .arena = &p->arena,
		.m = { .arena = &p->arena, .body = { .fd = -1, .mem = "" } },
		.e = { .login = "onehop" } };
	p->list[0] = &p->rcpts[0];
	p->list[1] = &p->rcpts[1];
	p->rcpts[0].address = p->rcpts[0].original = "x@far.example";
	p->rcpts[1].address = p->rcpts[1].original = "y@far.example";
	p->notice = (struct notice){ .kind = NOTICE_FAILED,
		.conf = &p->conf,
		.about = &p->about,
		.rcpts = p->list,
		.nrcpts = 1,
		.now = 1795503600,
		.id = OWN_ID };
	*state = p;
	return 0;
}

int
post_tear_down(void **state)
{
	struct post *p = *state;

	body_close(&p->about.m.body);
	arena_free(&p->arena);
	free(p);
	return 0;
}

void
post_message(struct post *p, const char *header, const char *body)
{
	uint64_t column = 0;

	assert_true(mime_fields(&p->about.m, arena_str(&p->arena, str_of(header))));
	body_count(&p->about.m.body, str_of(body), &column);
	p->about.m.body.mem = body;
}

void
post_refused(struct post *p, struct rcpt *r, enum fail_stage at, int code, const char *fmt, ...)
{
	struct fail f = FAIL_INIT;
	char text[FAIL_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)fail_set(&f, FAIL_PERM, at, 0, "%s", text);
	f.smtp = code;
	r->fail = fail_keep(&p->arena, &f);
	if (code != 0) {
		r->host = "smtp.isp.example";
		r->ip = "192.0.2.25";
	}
}

void
post_status(struct post *p, struct rcpt *r, const char *dsn)
{
	struct fail f = *r->fail;

	(void)snprintf(f.dsn, sizeof f.dsn, "%s", dsn);
	r->fail = fail_keep(&p->arena, &f);
}

void
post_by_server(struct post *p, struct rcpt *r, const char *words)
{
	post_refused(p, r, STAGE_RCPT, 550,
	    "SMTP error from remote mail server after RCPT TO:<%s>: %s", r->address, words);
}

const char *
post_write(struct post *p)
{
	AUTO_BUF struct buf b = BUF_INIT(200 << 20);
	struct fail f = FAIL_INIT;

	assert_true(notice_write(&p->notice, &p->out, &f));
	for (size_t i = 0; i < p->out.m.nheaders; i++)
		buf_put(&b, p->out.m.headers[i].text);
	buf_char(&b, '\n');
	buf_put(&b, str_at(p->out.m.body.mem, (size_t)p->out.m.body.size));
	assert_true(buf_ok(&b));
	p->text = arena_str(&p->arena, buf_get(&b));
	return p->text.p;
}

void
says(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("not said: %s\nin: %.6000s", what, text);
}

void
says_not(const char *text, const char *what)
{
	if (strstr(text, what) != NULL)
		fail_msg("said: %s\nin: %.6000s", what, text);
}
