/* submit.c - the submission protocol, the caller's side. */
#include "wire/submit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>

#include "base/file.h"
#include "wire/record.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	CHUNK = 64 * 1024,
	ROOM = 16, /* of a record R, for what is neither address nor ORCPT */
};

bool
submit_hello(int fd, const struct submit_hello *h, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(64);

	record_add(&b, SUBMIT_PROTOCOL);
	record_add_number(&b, (uint64_t)h->flags);
	record_add_number(&b, h->connect_now);
	record_add_number(&b, h->delivery);
	return record_put_buf(fd, 'V', &b, f);
}

static bool
put_envelope(struct record_out *o, const struct envelope *e, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);

	record_add(&b, e->id);
	record_add(&b, e->sender);
	record_add(&b, e->login);
	record_add(&b, e->envid);
	record_add_number(&b, (uint64_t)e->ret);
	record_add_number(&b, e->auth_parameter);
	record_add_number(&b, e->body_declared);
	record_add(&b, e->protocol);
	record_add_number(&b, e->lone_dots);
	record_add(&b, e->helo);
	if (!buf_ok(&b))
		return record_broken(f, "the envelope is too long");
	if (!record_hold(o, 'E', buf_get(&b), f))
		return false;
	for (size_t i = 0; i < e->nrcpts; i++) {
		buf_reset(&b);
		record_add(&b, e->rcpts[i].address);
		record_add(&b, e->rcpts[i].original);
		record_add_number(&b, e->rcpts[i].unqualified);
		record_add_number(&b, e->rcpts[i].notify);
		record_add(&b, e->rcpts[i].orcpt);
		if (!buf_ok(&b))
			return record_broken(f, "a recipient is too long");
		if (!record_hold(o, 'R', buf_get(&b), f))
			return false;
	}
	return true;
}

static bool
put_body(struct record_out *o, const struct body *body, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(256);

	if (body->fd >= 0 && (!record_flush(o, f) || !record_pass(o->fd, 'F', body->fd, f)))
		return false;
	for (uint64_t at = 0; body->fd < 0 && at < body->size; at += CHUNK) {
		uint64_t left = body->size - at;

		if (!record_hold(
			o, 'B', str_at(body->mem + at, left < CHUNK ? (size_t)left : CHUNK), f))
			return false;
	}
	record_add_number(&b, body->size);
	record_add_number(&b, body->lines);
	record_add_number(&b, body->longest_line);
	record_add_number(&b, body->has_8bit);
	record_add_number(&b, body->has_nul);
	record_add_number(&b, body->start);
	return record_hold(o, 'G', buf_get(&b), f) && record_flush(o, f);
}

bool
submit_put(struct record_out *o, const struct envelope *e, struct message *m, struct fail *f)
{
	if (e->nrcpts > SUBMIT_RECIPIENTS_MAX)
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
		    "%zu recipients are more than the %d that one message can have", e->nrcpts,
		    SUBMIT_RECIPIENTS_MAX);
	if (!put_envelope(o, e, f))
		return false;
	for (size_t i = 0; i < m->nheaders; i++)
		if (m->headers[i].type != H_DELETED && !record_hold(o, 'H', m->headers[i].text, f))
			return false;
	return put_body(o, &m->body, f);
}

static size_t
length(const char *s)
{
	return s != NULL ? strlen(s) : 0;
}

/* As receive.c counts it, or a little more. */
static size_t
envelope_length(const struct envelope *e)
{
	size_t sum = 0;

	for (const struct rcpt *r = e->rcpts; r < e->rcpts + e->nrcpts; r++)
		sum += length(r->address) + length(r->original) + length(r->orcpt) + ROOM;
	return sum;
}

bool
submit_has_room(size_t fields, size_t envelope, struct fail *f)
{
	if (fields > SUBMIT_FIELDS_MAX)
		(void)fail_set(f, FAIL_USER, STAGE_DOOR, 0, "the header has more than %d fields",
		    SUBMIT_FIELDS_MAX);
	else if (envelope > SUBMIT_ENVELOPE_MAX)
		(void)fail_set(f, FAIL_USER, STAGE_DOOR, 0,
		    "the recipients' addresses have more than %d octets in all: send the message "
		    "to "
		    "fewer at a time",
		    SUBMIT_ENVELOPE_MAX);
	else
		return true;
	f->exit = EX_DATAERR;
	return false;
}

bool
submit_message(int fd, const struct envelope *e, struct message *m, struct fail *f)
{
	struct record_out o;

	record_begin(&o, fd);
	return submit_has_room(m->nheaders, envelope_length(e), f) && submit_put(&o, e, m, f);
}

static void
take_verdict(struct rcpt *r, struct str rest, struct arena *a)
{
	uint64_t state = record_number(&rest);
	struct fail f;

	r->state = state <= RCPT_KEPT ? (enum rcpt_state)state : RCPT_WAITING;
	record_fail(&rest, &f);
	r->fail = fail_keep(a, &f);
	r->router = record_optional(&rest, a);
	r->transport = record_optional(&rest, a);
	r->host = record_optional(&rest, a);
	r->confirmation = record_optional(&rest, a);
}

bool
submit_is_serving(struct submit_talk *talk, struct str payload)
{
	if (!str_eq(payload, STR(SUBMIT_SERVING)))
		return false;
	talk->serving = true;
	return true;
}

/* Is it the word that says the id? */
static bool
is_named(struct submit_talk *talk, struct str payload)
{
	const struct str word = STR(SUBMIT_NAMED);
	char id[ID_MAX];

	if (!str_starts(payload, word))
		return false;
	(void)snprintf(id, sizeof id, "%.*s", S_ARG(str_skip(payload, word.n)));
	if (id_ok(id))
		memcpy(talk->id, id, sizeof id);
	return true;
}

bool
submit_end(struct submit_talk *talk, struct str rest, struct fail *f)
{
	struct fail whole = FAIL_INIT;

	record_fail(&rest, &whole);
	talk->ended = true;
	talk->stays = record_number(&rest) != 0;
	talk->busy = record_number(&rest) != 0 && whole.cls == FAIL_TEMP;
	if (whole.cls == FAIL_NONE)
		return true;
	*f = whole;
	return false;
}

bool
submit_untaken(const struct submit_talk *talk, bool given)
{
	return talk->busy || (!talk->ended && (!given || talk->unread));
}

/* The connection ended without a verdict: say what that means for the message. */
static bool
lost(const struct submit_talk *talk, struct fail *f)
{
	if (talk->unread)
		return record_gone(f);
	return fail_set(f, FAIL_TEMP, STAGE_DOOR, 0,
	    "there is no verdict of onehop-send: the message may have been delivered; look for "
	    "the reason in the log");
}

bool
submit_result(struct submit_talk *talk, struct envelope *e, struct arena *a, const struct trace *t,
    struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_RECORD_MAX);
	AUTO_RECORDS struct record_in in = {
		.fd = talk->fd, .passed = -1, .wait = talk->wait, .ctx = talk->ctx
	};
	bool taken = false;
	size_t settled = 0;
	char letter;

	while (record_next(&in, &letter, &b)) {
		struct str rest = buf_get(&b);

		if (letter == 'Z')
			return submit_end(talk, rest, f) &&
			    (settled == e->nrcpts || record_broken(f, "a verdict is missing"));
		if (letter == 'T' && (submit_is_serving(talk, rest) || is_named(talk, rest)))
			continue;
		if (letter == 'R' && settled < e->nrcpts)
			take_verdict(&e->rcpts[settled++], rest, a);
		else if (letter == 'T' && rest.n > 1 && str_starts(rest, STR(SUBMIT_WORD)))
			taken = str_eq(rest, STR(SUBMIT_SAFE));
		else if (letter == 'T' && rest.n > 0 && t->emit != NULL)
			t->emit(t->ctx, (enum trace_kind)(rest.p[0] - '0'), str_skip(rest, 1));
		else
			return record_broken(f, "an unexpected record came back");
	}
	talk->unread = in.unread;
	if (!taken)
		return lost(talk, f);
	(void)send(talk->fd, SUBMIT_LEAVES, 1, MSG_NOSIGNAL);
	for (; settled < e->nrcpts; settled++)
		e->rcpts[settled].state = RCPT_KEPT;
	return true;
}
