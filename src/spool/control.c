/* control.c - the queue's part of the submission protocol, both sides. */
#include "spool/control.h"

#include "spool/record.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LINE_FIELDS_MAX = 4 << 20 };

bool
control_ask(int fd, const struct control *c, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_RECORD_MAX);

	record_add_number(&b, (uint64_t)c->verb);
	record_add_number(&b, c->nids);
	for (size_t i = 0; i < c->nids; i++)
		record_add(&b, c->ids[i]);
	if (!buf_ok(&b))
		return record_broken(f, "too many ids");
	return record_put_buf(fd, 'Q', &b, f);
}

bool
control_read(struct str payload, struct control *c, struct arena *a, struct fail *f)
{
	uint64_t verb = record_number(&payload), n = record_number(&payload);

	if (verb > CONTROL_STATUS || n > payload.n)
		return record_broken(f, "an unknown request");
	*c = (struct control){ .verb = (enum control_verb)verb };
	c->ids = arena_array(a, (size_t)n, sizeof *c->ids);
	for (; c->nids < n; c->nids++)
		c->ids[c->nids] = record_text(&payload, a);
	return true;
}

bool
control_say(int fd, struct str bytes, struct fail *f)
{
	while (bytes.n > 0) {
		struct str piece = str_at(bytes.p, bytes.n < 65536 ? bytes.n : 65536);

		if (!record_put(fd, 'O', piece, f))
			return false;
		bytes = str_skip(bytes, piece.n);
	}
	return true;
}

static void
add_list(struct buf *b, const char **list, size_t n)
{
	record_add_number(b, n);
	for (size_t i = 0; i < n; i++)
		record_add(b, list[i]);
}

bool
control_put_message(int fd, const struct control_message *m, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(LINE_FIELDS_MAX);

	record_add(&b, m->id);
	record_add(&b, m->sender);
	record_add(&b, m->login);
	record_add(&b, m->error);
	record_add_number(&b, m->size);
	record_add_number(&b, (uint64_t)m->received);
	record_add_number(&b, (uint64_t)m->next_try);
	record_add_number(&b, (uint64_t)m->frozen_at);
	record_add_number(&b, m->frozen);
	record_add_number(&b, m->bad);
	add_list(&b, m->waiting, m->nwaiting);
	add_list(&b, m->done, m->ndone);
	return record_put(
	    fd, 'M', str_at(b.p, b.n < SUBMIT_RECORD_MAX ? b.n : SUBMIT_RECORD_MAX), f);
}

static const char **
take_list(struct str *rest, struct arena *a, size_t *n)
{
	uint64_t count = record_number(rest);
	const char **list = arena_array(a, count < rest->n ? (size_t)count : rest->n, sizeof *list);

	for (*n = 0; *n < count && rest->n > 0; ++*n)
		list[*n] = record_text(rest, a);
	return list;
}

static struct control_message
take_message(struct str rest, struct arena *a)
{
	struct control_message m = { .id = record_text(&rest, a) };

	m.sender = record_text(&rest, a);
	m.login = record_text(&rest, a);
	m.error = record_text(&rest, a);
	m.size = record_number(&rest);
	m.received = (int64_t)record_number(&rest);
	m.next_try = (int64_t)record_number(&rest);
	m.frozen_at = (int64_t)record_number(&rest);
	m.frozen = record_number(&rest) != 0;
	m.bad = record_number(&rest) != 0;
	m.waiting = take_list(&rest, a, &m.nwaiting);
	m.done = take_list(&rest, a, &m.ndone);
	return m;
}

bool
control_put_status(int fd, const struct control_status *s, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(65536);

	record_add_number(&b, s->messages);
	record_add_number(&b, s->frozen);
	record_add_number(&b, s->bad);
	record_add_number(&b, (uint64_t)s->oldest);
	record_add_number(&b, s->waited);
	record_add_number(&b, (uint64_t)s->last_success);
	record_add_number(&b, (uint64_t)s->last_failure);
	record_add(&b, s->error);
	record_add_number(&b, s->alarm_after);
	return record_put_buf(fd, 'S', &b, f);
}

static struct control_status
take_status(struct str rest, struct arena *a)
{
	struct control_status s = { .messages = record_number(&rest) };

	s.frozen = record_number(&rest);
	s.bad = record_number(&rest);
	s.oldest = (int64_t)record_number(&rest);
	s.waited = record_number(&rest);
	s.last_success = (int64_t)record_number(&rest);
	s.last_failure = (int64_t)record_number(&rest);
	s.error = record_text(&rest, a);
	s.alarm_after = record_number(&rest);
	return s;
}

static bool
take(const struct control_answer *to, char letter, struct str rest, struct fail *f)
{
	AUTO_ARENA struct arena a = { NULL };

	if (letter == 'O' && to->bytes != NULL) {
		to->bytes(to->ctx, rest);
	} else if (letter == 'M' && to->message != NULL) {
		const struct control_message m = take_message(rest, &a);

		to->message(to->ctx, &m);
	} else if (letter == 'S' && to->status != NULL) {
		const struct control_status s = take_status(rest, &a);

		to->status(to->ctx, &s);
	} else if (letter == 'T' && rest.n > 0 && to->trace->emit != NULL) {
		to->trace->emit(
		    to->trace->ctx, (enum trace_kind)(rest.p[0] - '0'), str_skip(rest, 1));
	} else {
		return record_broken(f, "an unexpected record came back");
	}
	return true;
}

bool
control_hear(int fd, const struct control_answer *to, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_RECORD_MAX);
	AUTO_FD int passed = -1;
	bool stays;
	char letter;

	while (record_get(fd, &letter, &b, &passed)) {
		if (letter == 'Z')
			return submit_end(buf_get(&b), &stays, f);
		if (!take(to, letter, buf_get(&b), f))
			return false;
	}
	return record_gone(f);
}
