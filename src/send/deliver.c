/* deliver.c - a message that was just submitted, or one that waits. */
#include "send/deliver.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stop.h"
#include "mail/rewrite.h"
#include "net/session.h"
#include "send/attempt.h"
#include "send/mainlog.h"
#include "send/share.h"

#include "base/banned.h" /* IWYU pragma: keep */

static void
emit_log(void *ctx, enum trace_kind kind, struct str line)
{
	(void)kind;
	trace_line(ctx, TRACE_LOG, "%.*s", S_ARG(line));
}

/* What onehop has told the sender, who may be a program, is told to whoever mends the map. */
static void
log_bad_mapping(const struct attempt *t)
{
	struct trace log = *t->d->trace;
	const struct trace warnings = { .emit = emit_log, .ctx = &log };
	struct rewrite map;
	struct fail f = FAIL_INIT;

	if (*t->q->e.sender != '\0' && rewrite_open(&map, t->d->conf, t->q->arena, &warnings, &f))
		(void)rewrite_address(&map, mailbox_split(t->q->e.sender));
}

static void
log_arrival(const struct attempt *t)
{
	AUTO_BUF struct buf line = BUF_INIT(65536);
	const struct header *id =
	    message_find(&t->q->m, str_of(t->q->m.resent ? "Resent-Message-Id" : "Message-Id"));
	struct mainlog_arrival more = { .size = message_size(&t->q->m) };

	/* Exim names only an id that came with the message */
	if (id != NULL && memmem(id->text.p, id->text.n, t->q->e.id, strlen(t->q->e.id)) == NULL) {
		struct str v = str_trim(str_skip(id->text, str_find(id->text, ':') + 1));

		if (v.n > 2 && v.p[0] == '<' && v.p[v.n - 1] == '>')
			v = str_at(v.p + 1, v.n - 2);
		if (v.n > 0 && str_find(v, ' ') == v.n)
			more.msgid = arena_strz(t->q->arena, v);
	}
	mainlog_arrival(&line, &t->q->e, &more);
	trace_buf(t->d->trace, TRACE_LOG, &line);
	if (t->q->e.lone_dots)
		trace_line(t->d->trace, TRACE_LOG,
		    "a line that is only a dot was taken for text, as more followed it: -i is not "
		    "there");
	log_bad_mapping(t);
	trace_line(t->d->trace, TRACE_NOTE, "delivering %s", t->q->e.id);
}

void
delivery_new_id(struct delivery *d, struct queued *n)
{
	int64_t us = clock_unix_us();

	if (us / 500 <= d->last_id)
		us = (d->last_id + 1) * 500;
	d->last_id = us / 500;
	n->received = us / 1000000;
	n->received_usec = (uint32_t)(us % 1000000);
	(void)id_format(n->received, n->received_usec, (uint32_t)getpid(), n->e.id);
}

bool
delivery_spool(struct delivery *d, bool make, struct fail *f)
{
	if (d->spooling)
		return true;
	if (!retry_parse(&d->rule, str_of(d->conf->retry), f) ||
	    !spool_open(&d->spool, d->conf, make, f))
		return false;
	d->spooling = true;
	if (d->conf->message_logs)
		d->log->messages.dir = d->spool.msglog;
	d->ages = ages_now(&d->spool);
	return true;
}

static bool
commit(struct attempt *t, struct fail *f)
{
	struct delivery *d = t->d;

	if (!delivery_spool(d, true, f) || !share_of_spool(d, t->q, f) ||
	    !spool_has_room(&d->spool, message_size(&t->q->m), f))
		return false;
	t->q->arrived = d->ages.count;
	if (!spool_commit(&d->spool, t->q, f))
		return false;
	t->place = IN_SPOOL;
	peer_safe(d->caller, true);
	msglog_keep(&d->log->messages, t->q->e.id);
	return true;
}

/* The session goes on reading the body through the descriptor that it knows. */
struct part {
	struct attempt *t;
	int fd;
};

static bool
before_part(void *ctx, struct fail *f)
{
	struct part *p = ctx;
	struct body *b = &p->t->q->m.body;

	if (p->t->place != WITH_CALLER)
		return true;
	if (b->fd >= 0 && p->fd < 0) {
		p->fd = b->fd;
		b->fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 3);
	}
	return commit(p->t, f);
}

static void
make(struct attempt *t)
{
	struct part part = { t, -1 };

	if (t->place == WITH_CALLER)
		courier_before_part(t->d->courier, before_part, &part);
	attempt_make(t);
	courier_before_part(t->d->courier, NULL, NULL);
	if (part.fd >= 0)
		(void)close(part.fd);
}

static void
set_all(struct queued *q, enum rcpt_state state, const struct fail *f)
{
	const struct fail *why = f != NULL ? fail_keep(q->arena, f) : NULL;

	for (size_t i = 0; i < q->e.nrcpts; i++) {
		q->e.rcpts[i].state = state;
		if (f != NULL)
			q->e.rcpts[i].fail = why;
	}
}

static size_t
count(const struct queued *q, enum rcpt_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < q->e.nrcpts; i++)
		n += q->e.rcpts[i].state == state;
	return n;
}

static void
log_known(struct attempt *t)
{
	for (size_t i = 0; i < t->routes.n; i++)
		if (!t->done[i] &&
		    (t->routes.list[i]->outcome == ROUTE_DISCARD || t->results[i].fail != NULL))
			attempt_log(t, i);
	attempt_log_rest(t);
}

/* It is in the spool: what has not been taken is ours. */
static void
keep_rest(struct attempt *t)
{
	for (size_t i = 0; i < t->q->e.nrcpts; i++)
		if (t->q->e.rcpts[i].state != RCPT_SENT)
			t->q->e.rcpts[i].state = RCPT_KEPT;
}

/* All recipients were refused and nobody has the message: the caller, who waits, gets the refusal,
 * and the spool keeps nothing. */
static bool
hand_back(struct attempt *t)
{
	struct fail f = FAIL_INIT;

	peer_safe(t->d->caller, false);
	if (t->place == WITH_CALLER || spool_remove(&t->d->spool, t->q, &f))
		return true;
	peer_safe(t->d->caller, true);
	return false;
}

/* Why it could not be delivered matters more than why it could not be kept. */
static void
add_reason(struct queued *q, const struct fail *why)
{
	for (size_t i = 0; i < q->e.nrcpts; i++) {
		struct rcpt *r = &q->e.rcpts[i];
		struct fail both;

		if (r->state != RCPT_RETRY)
			continue;
		both = *fail_of(r->fail);
		(void)snprintf(both.text, sizeof both.text,
		    "%.600s; and it cannot be kept to be tried again: %.350s",
		    fail_of(r->fail)->text, why->text);
		r->fail = fail_keep(q->arena, &both);
	}
}

bool
deliver_was_stopped(const struct queued *q)
{
	for (size_t i = 0; i < q->e.nrcpts; i++)
		if (q->e.rcpts[i].state != RCPT_RETRY ||
		    fail_of(q->e.rcpts[i].fail)->stage == STAGE_EOM)
			return false;
	return stop_asked();
}

static enum keeper
keeper_of(const struct attempt *t)
{
	const struct pieces p = attempt_pieces(t);
	const struct tried tried = { .rcpts = t->q->e.nrcpts,
		.sent = count(t->q, RCPT_SENT),
		.refused = count(t->q, RCPT_REFUSED),
		.safe = t->place != WITH_CALLER,
		.reached = decide_has_reached(&p),
		.stopped = deliver_was_stopped(t->q) };

	return decide_keeper(&tried);
}

/* It is to be kept.  False: it cannot be, and each recipient's reason says that, too. */
static bool
keep(struct attempt *t)
{
	struct fail f = FAIL_INIT;

	if (t->place != WITH_CALLER)
		return true;
	if (delivery_spool(t->d, true, &f))
		(void)attempt_note_trouble(t);
	if (commit(t, &f))
		return true;
	add_reason(t->q, &f);
	return false;
}

static void
settle_now(struct attempt *t)
{
	enum keeper keeper;

	attempt_settle(t);
	keeper = keeper_of(t);
	if (keeper == KEEPER_STOPPED || (keeper == KEEPER_CALLER && hand_back(t)))
		return;
	if (keeper == KEEPER_NOBODY) {
		trace_line(t->d->trace, TRACE_LOG, "Completed");
		return;
	}
	if (!keep(t))
		return;
	attempt_finish(t);
	keep_rest(t);
}

/* Nothing was handed over, because the message cannot be kept.  A recipient who failed has his
 * reason already; the others wait because of him. */
static void
leave_all(struct attempt *t, struct fail *why)
{
	const struct pieces p = attempt_pieces(t);

	if (decide_has_failed(&p)) {
		attempt_settle(t);
		add_reason(t->q, why);
		return;
	}
	fail_prefix(why, "it goes out in parts, and cannot be kept until all have it");
	set_all(t->q, RCPT_RETRY, why);
}

void
deliver_now(struct delivery *d, struct queued *q)
{
	struct attempt t = { .d = d, .q = q };
	struct fail f = FAIL_INIT;
	struct pieces p;

	log_arrival(&t);
	if (!attempt_route(&t, &f)) {
		set_all(q, f.cls == FAIL_TEMP ? RCPT_RETRY : RCPT_REFUSED, &f);
		return;
	}
	log_known(&t);
	p = attempt_pieces(&t);
	if (decide_lacks_right(&p) || decide_is_hopeless(&p)) {
		attempt_settle(&t);
		return;
	}
	if (!decide_is_single(&p, SESSION_RCPT_MAX) && !commit(&t, &f)) {
		leave_all(&t, &f);
		return;
	}
	make(&t);
	settle_now(&t);
}

bool
deliver_keep(struct delivery *d, struct queued *q, struct fail *f)
{
	struct attempt t = { .d = d, .q = q };

	if (!commit(&t, f))
		return false;
	log_arrival(&t);
	if (q->trouble.error != NULL)
		trace_line(d->trace, TRACE_LOG, "%s", q->trouble.error);
	set_all(q, RCPT_KEPT, NULL);
	return true;
}

static void
wake(struct queued *q)
{
	for (size_t i = 0; i < q->e.nrcpts; i++)
		if (q->e.rcpts[i].state != RCPT_SENT)
			q->e.rcpts[i].state = RCPT_WAITING;
}

void
deliver_queued(struct delivery *d, struct queued *q)
{
	struct attempt t = { .d = d, .q = q, .place = IN_SPOOL };
	struct fail f = FAIL_INIT;
	struct pieces p;

	wake(q);
	trace_line(d->trace, TRACE_NOTE, "delivering %s", q->e.id);
	/* of several recipients the journal must note who has it: no try where there is no room for
	 * that */
	if (!attempt_route(&t, &f) || (t.routes.n > 1 && !spool_has_room(&d->spool, 0, &f))) {
		trace_line(d->trace, TRACE_LOG, "%s", f.text);
		return;
	}
	log_known(&t);
	make(&t);
	if (t.left)
		return;
	p = attempt_pieces(&t);
	/* a try that was broken off by a signal does not count as one */
	if (stop_asked() && !decide_is_over(&p))
		return;
	attempt_settle(&t);
	attempt_finish(&t);
}

void
deliver_give_up(struct delivery *d, struct queued *q, const char *reason)
{
	struct attempt t = { .d = d, .q = q, .place = IN_SPOOL };
	const struct fail *why;
	struct fail f = FAIL_INIT;

	wake(q);
	if (!attempt_route(&t, &f)) {
		trace_line(d->trace, TRACE_LOG, "%s", f.text);
		return;
	}
	trace_line(d->trace, TRACE_LOG, "%s", reason);
	(void)fail_set(&f, FAIL_PERM, STAGE_ROUTE, 0, "%s", reason);
	why = fail_keep(q->arena, &f);
	for (size_t i = 0; i < t.routes.n; i++) {
		if (t.routes.list[i]->outcome == ROUTE_PARENT || t.results[i].state == RCPT_SENT)
			continue;
		t.results[i].state = RCPT_REFUSED;
		t.results[i].fail = why;
	}
	attempt_settle(&t);
	attempt_finish(&t);
}
