/* control.c - the queue's part of the submission protocol, both sides. */
#include "wire/control.h"

#include <string.h>

#include "base/id.h"
#include "wire/record.h"
#include "wire/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
control_ask(int fd, const struct control *c, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_RECORD_MAX);

	record_add_number(&b, (uint64_t)c->verb);
	for (size_t i = 0; i < c->nids; i++)
		record_add(&b, c->ids[i]);
	if (!buf_ok(&b))
		return fail_set(
		    f, FAIL_USER, STAGE_ARGS, 0, "too many message ids for one command");
	return record_put_buf(fd, 'Q', &b, f);
}

bool
control_read(struct str payload, struct control *c, struct arena *a, struct fail *f)
{
	struct str rest = payload;
	struct control in = { .ids = NULL };
	uint64_t number = record_number(&rest);

	if (payload.n == 0 || number > CONTROL_STATUS)
		return record_broken(f, "an unknown request");
	in.verb = (enum control_verb)number;
	while (rest.n > 0) {
		struct str id = record_field(&rest);

		in.ids = arena_grow(a, in.ids, in.nids, sizeof *in.ids);
		in.ids[in.nids] = arena_strz(a, id);
		if (!id_ok(in.ids[in.nids++]))
			return record_broken(f, "a malformed message id");
	}
	*c = in;
	return true;
}

bool
control_say(int fd, struct str bytes, struct fail *f)
{
	while (bytes.n > SUBMIT_FIELD_MAX) {
		if (!record_put(fd, 'O', str_at(bytes.p, SUBMIT_FIELD_MAX), f))
			return false;
		bytes = str_skip(bytes, SUBMIT_FIELD_MAX);
	}
	return bytes.n == 0 || record_put(fd, 'O', bytes, f);
}

/* ------------------------------------------------------------------ messages */

/* A message may have more recipients than one record holds. */
static bool
put_recipients(int fd, const struct control_message *m, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_RECORD_MAX);

	for (size_t i = 0; i < m->nrcpts; i++) {
		record_add(&b, m->rcpts[i]);
		if (b.n < SUBMIT_FIELD_MAX && i + 1 < m->nrcpts)
			continue;
		if (!record_put_buf(fd, 'R', &b, f))
			return false;
		buf_reset(&b);
	}
	return true;
}

static void
add_time(struct buf *b, int64_t when)
{
	record_add_number(b, when > 0 ? (uint64_t)when : 0);
}

static int64_t
take_time(struct str *rest)
{
	uint64_t when = record_number(rest);

	return when <= INT64_MAX ? (int64_t)when : 0;
}

bool
control_put_message(int fd, const struct control_message *m, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);

	record_add(&b, m->id);
	record_add(&b, m->sender);
	record_add(&b, m->login);
	record_add(&b, m->error);
	record_add_number(&b, m->size);
	add_time(&b, m->received);
	add_time(&b, m->next_try);
	add_time(&b, m->frozen_at);
	record_add_number(&b, m->frozen);
	record_add_number(&b, m->bad);
	return put_recipients(fd, m, f) && record_put_buf(fd, 'M', &b, f);
}

static void
take_recipients(struct str rest, struct control_message *m, struct arena *a)
{
	while (rest.n > 0 && m->nrcpts < SUBMIT_RECIPIENTS_MAX) {
		const char *r = record_text(&rest, a);

		m->rcpts = arena_grow(a, m->rcpts, m->nrcpts, sizeof *m->rcpts);
		m->rcpts[m->nrcpts++] = strlen(r) > 2 ? r : "  ?";
	}
}

static void
take_message(struct str rest, struct control_message *m, struct arena *a)
{
	m->id = record_text(&rest, a);
	m->sender = record_text(&rest, a);
	m->login = record_text(&rest, a);
	m->error = record_text(&rest, a);
	m->size = record_number(&rest);
	m->received = take_time(&rest);
	m->next_try = take_time(&rest);
	m->frozen_at = take_time(&rest);
	m->frozen = record_number(&rest) != 0;
	m->bad = record_number(&rest) != 0;
}

/* ------------------------------------------------------------------ status */

bool
control_put_status(int fd, const struct control_status *s, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);

	record_add_number(&b, s->messages);
	record_add_number(&b, s->frozen);
	record_add_number(&b, s->bad);
	add_time(&b, s->oldest);
	record_add_number(&b, s->waited);
	add_time(&b, s->last_success);
	add_time(&b, s->last_failure);
	record_add_number(&b, s->alarm_after);
	record_add(&b, s->error);
	return record_put_buf(fd, 'S', &b, f);
}

static struct control_status
take_status(struct str rest, struct arena *a)
{
	struct control_status s = { .messages = record_number(&rest) };

	s.frozen = record_number(&rest);
	s.bad = record_number(&rest);
	s.oldest = take_time(&rest);
	s.waited = record_number(&rest);
	s.last_success = take_time(&rest);
	s.last_failure = take_time(&rest);
	s.alarm_after = record_number(&rest);
	s.error = record_text(&rest, a);
	return s;
}

/* ------------------------------------------------------------------ hearing */

struct hearing {
	const struct control_answer *answer;
	struct arena arena; /* of one message */
	struct control_message message;
};

static bool
hear_one(struct hearing *h, char letter, struct str payload, struct fail *f)
{
	const struct control_answer *a = h->answer;
	struct control_status status;

	switch (letter) {
	case 'T':
		if (payload.n > 0 && a->trace != NULL && a->trace->emit != NULL)
			a->trace->emit(a->trace->ctx, (enum trace_kind)(payload.p[0] - '0'),
			    str_skip(payload, 1));
		return true;
	case 'O':
		a->bytes(a->ctx, payload);
		return true;
	case 'R':
		take_recipients(payload, &h->message, &h->arena);
		return true;
	case 'M':
		take_message(payload, &h->message, &h->arena);
		a->message(a->ctx, &h->message);
		break;
	case 'S':
		status = take_status(payload, &h->arena);
		a->status(a->ctx, &status);
		break;
	default:
		return record_broken(f, "an unexpected record came back");
	}
	arena_free(&h->arena);
	h->message = (struct control_message){ .id = NULL };
	return true;
}

bool
control_hear(struct submit_talk *talk, const struct control_answer *a, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_RECORD_MAX);
	AUTO_RECORDS struct record_in in = {
		.fd = talk->fd, .passed = -1, .wait = talk->wait, .ctx = talk->ctx
	};
	struct hearing h = { .answer = a };
	bool ok = true;
	char letter;

	while (ok && record_next(&in, &letter, &b)) {
		if (letter == 'Z') {
			ok = submit_end(talk, buf_get(&b), f);
			arena_free(&h.arena);
			return ok;
		}
		if (letter != 'T' || !submit_is_serving(talk, buf_get(&b)))
			ok = hear_one(&h, letter, buf_get(&b), f);
	}
	talk->unread = in.unread;
	arena_free(&h.arena);
	return ok && record_gone(f);
}
