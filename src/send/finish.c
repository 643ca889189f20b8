/* finish.c - the end of an attempt at a message in the spool: bounces, warnings, what waits on. */
#include <string.h>

#include "send/attempt.h"
#include "send/mainlog.h"
#include "send/notice.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* ------------------------------------------------------------------ why it waits */

/* The failures of a host list are written once a run; a login that rests is none. */
static void
note_hosts(struct attempt *t, const struct rcpt *r)
{
	struct delivery *d = t->d;

	t->q->trouble.hosts = r->hosts;
	if (fail_of(r->fail)->stage == STAGE_REST ||
	    (d->failed_hosts != NULL && strcmp(d->failed_hosts, r->hosts) == 0))
		return;
	hosts_note(&d->spool, r->hosts, fail_of(r->fail), &d->ages, &d->rule);
	d->failed_hosts = arena_strz(d->arena, str_of(r->hosts));
}

/* The message's own trouble: one more try, and the interval that the rule says. */
static void
note_own(struct attempt *t)
{
	struct trouble *why = &t->q->trouble;
	const struct delivery *d = t->d;
	uint64_t last =
	    why->next_try > why->last_try ? (uint64_t)(why->next_try - why->last_try) : 0;

	why->tries++;
	why->next_try = d->now +
	    (int64_t)retry_interval(&d->rule, ages_since(&d->ages, why->first_failed), last);
}

bool
attempt_note_trouble(struct attempt *t)
{
	const struct pieces p = attempt_pieces(t);
	const struct blame blame = decide_blame(&p);
	struct trouble *why = &t->q->trouble;
	const struct rcpt *shown;
	bool known = why->hosts != NULL, own = blame.own != SIZE_MAX;

	if (t->noted || (!own && blame.hosts == SIZE_MAX))
		return false;
	shown = &t->results[own ? blame.own : blame.hosts];
	t->noted = true;
	if (why->first_failed == 0)
		why->first_failed = t->d->ages.count;
	why->error = arena_fmt(t->q->arena, "%s: %s",
	    shown->original != NULL ? shown->original : shown->address, fail_of(shown->fail)->text);
	if (own)
		note_own(t);
	why->last_try = t->d->now;
	why->hosts = NULL;
	if (blame.hosts != SIZE_MAX)
		note_hosts(t, &t->results[blame.hosts]);
	return own || !known;
}

void
delivery_note_success(struct delivery *d)
{
	enum { FRESH = 60 };
	struct host_record last;
	struct fail f;

	if (d->good_hosts == NULL || d->good_noted || !delivery_spool(d, true, &f))
		return;
	hosts_read(&d->spool, d->good_hosts, &last);
	if (last.tries == 0 && last.last_success <= d->ages.wall &&
	    d->ages.wall - last.last_success < FRESH)
		return;
	hosts_note(&d->spool, d->good_hosts, NULL, &d->ages, &d->rule);
	d->good_noted = true;
}

static bool
is_given_up(const struct attempt *t, const struct rcpt *r)
{
	const struct delivery *d = t->d;
	const struct trouble *why = &t->q->trouble;
	const struct patience own = {
		ages_since(&d->ages, why->first_failed != 0 ? why->first_failed : t->q->arrived),
		why->tries
	};
	struct host_record at = { .tries = 0 };
	struct patience hosts;

	if (!fail_is_hosts(fail_of(r->fail)) || r->hosts == NULL)
		return decide_give_up(&d->rule, own, NULL);
	hosts_read(&d->spool, r->hosts, &at);
	hosts = (struct patience){ ages_since(&d->ages, at.first_failed), at.tries };
	return decide_give_up(&d->rule, own, &hosts);
}

/* A recipient that has waited to the end of the rule, and was tried often enough, is given up. */
static void
give_up_old(struct attempt *t)
{
	const struct pieces p = attempt_pieces(t);

	for (size_t i = 0; i < t->routes.n; i++) {
		struct rcpt *r = &t->results[i];
		struct fail why;

		if (!decide_waits(&p, i) || !is_given_up(t, r))
			continue;
		r->state = RCPT_REFUSED;
		why = *fail_of(r->fail);
		why.cls = FAIL_PERM;
		(void)snprintf(why.dsn, sizeof why.dsn, "5.4.7");
		fail_prefix(&why, "retry timeout exceeded");
		r->fail = fail_keep(t->q->arena, &why);
		attempt_log(t, i);
	}
}

/* ------------------------------------------------------------------ notices */

static void
log_notice(const struct delivery *d, const struct queued *n)
{
	AUTO_BUF struct buf line = BUF_INIT(65536);
	const char *about = d->log->id;

	msglog_keep(&d->log->messages, n->e.id);
	mainlog_arrival(&line, &n->e,
	    &(struct mainlog_arrival){ .parent = n->parent, .size = message_size(&n->m) });
	d->log->id = n->e.id;
	trace_buf(d->trace, TRACE_LOG, &line);
	d->log->id = about;
}

/* Make it and put it into the spool; it is tried when this message is done with. */
static bool
send_notice(struct attempt *t, struct notice *about, struct fail *f)
{
	struct delivery *d = t->d;
	struct queued n = { .arena = t->q->arena,
		.uid = t->q->uid,
		.gid = t->q->gid,
		.arrived = d->ages.count,
		.protocol = "local",
		.m = { .arena = t->q->arena, .body = { .fd = -1, .mem = "" } },
		.e = { .login = "onehop", .sender = "", .ret = RET_UNSET } };

	delivery_new_id(d, &n);
	about->id = arena_strz(t->q->arena, str_of(n.e.id));
	about->conf = d->conf;
	about->about = t->q;
	about->now = d->now;
	if (!notice_write(about, &n, f))
		return false;
	n.parent = t->q->e.id;
	n.e.login = "onehop";
	if (!spool_has_room(&d->spool, message_size(&n.m), f) ||
	    (about->kind == NOTICE_FAILED && !attempt_journal_if(t, RCPT_REFUSED, n.e.id, f)) ||
	    !spool_commit(&d->spool, &n, f))
		return false;
	log_notice(d, &n);
	spool_release(&n);
	d->offspring = arena_grow(d->arena, d->offspring, d->noffspring, sizeof *d->offspring);
	memcpy(d->offspring[d->noffspring++], n.e.id, sizeof n.e.id);
	return true;
}

static void
freeze(struct attempt *t, const char *why)
{
	t->q->frozen = true;
	t->q->frozen_at = t->d->now;
	t->q->frozen_counted = t->d->ages.count;
	t->q->trouble.error = why;
	t->q->trouble.last_try = t->d->now;
	trace_line(t->d->trace, TRACE_LOG, "Frozen (%s)", why);
}

/* What was refused is told to the sender, and then it is done.  Where nobody can be told the
 * message is frozen. */
static void
bounce(struct attempt *t)
{
	const struct rcpt **list = arena_array(t->q->arena, t->routes.n, sizeof(void *));
	struct notice about = { .kind = NOTICE_FAILED, .rcpts = list };
	struct fail f = FAIL_INIT;
	size_t refused = 0;
	enum bounce what;

	for (size_t i = 0; i < t->routes.n; i++) {
		if (t->results[i].state != RCPT_REFUSED || t->done[i])
			continue;
		refused++;
		if (decide_wants(t->results[i].notify, NOTIFY_FAILURE))
			list[about.nrcpts++] = &t->results[i];
	}
	what = decide_bounce(refused, about.nrcpts, t->q->e.sender);
	if (what == BOUNCE_NONE)
		return;
	if (what == BOUNCE_FREEZE) {
		freeze(t,
		    t->q->parent != NULL ? "delivery error message" : "message created with -f <>");
		return;
	}
	if (what == BOUNCE_SENDER &&
	    !bounces_allow(&t->d->spool, t->q->e.sender, t->q->uid, &t->d->ages)) {
		freeze(t,
		    "its sender has had too many bounces in this hour, or its user's mail to too "
		    "many senders");
		return;
	}
	if (what == BOUNCE_SENDER && !send_notice(t, &about, &f)) {
		trace_line(t->d->trace, TRACE_LOG, "no bounce could be made: %s", f.text);
		return;
	}
	attempt_journal(t, RCPT_REFUSED);
}

/* Every delay_warning the sender hears that it still waits. */
static bool
warn(struct attempt *t)
{
	const struct rcpt **list = arena_array(t->q->arena, t->routes.n, sizeof(void *));
	struct notice about = { .kind = NOTICE_DELAYED, .rcpts = list };
	const struct pieces p = attempt_pieces(t);
	struct fail f = FAIL_INIT;
	unsigned warnings;

	about.waited = ages_since(&t->d->ages, t->q->arrived);
	warnings = decide_warnings(about.waited, t->d->conf->delay_warning, t->q->warnings,
	    !t->q->frozen && notice_may_warn(t->q));
	if (warnings == t->q->warnings)
		return false;
	for (size_t i = 0; i < t->routes.n; i++)
		if (decide_waits(&p, i) && decide_wants(t->results[i].notify, NOTIFY_DELAY))
			list[about.nrcpts++] = &t->results[i];
	if (about.nrcpts > 0 && !send_notice(t, &about, &f)) {
		trace_line(t->d->trace, TRACE_LOG, "no warning could be made: %s", f.text);
		return false;
	}
	t->q->warnings = warnings;
	return true;
}

/* ------------------------------------------------------------------ the end */

/* A recipient all of whose deliveries are done is done. */
static void
close_recipients(struct attempt *t)
{
	struct queued *q = t->q;

	for (size_t i = 0; i < q->e.nrcpts; i++) {
		bool all = q->e.rcpts[i].state != RCPT_SENT || t->first[i] < t->first[i + 1];

		for (size_t k = t->first[i]; k < t->first[i + 1]; k++)
			all &= t->routes.list[k]->outcome == ROUTE_PARENT || t->done[k];
		if (!all || queued_is_done(q, q->e.rcpts[i].address))
			continue;
		q->done = arena_grow(q->arena, q->done, q->ndone, sizeof *q->done);
		q->done[q->ndone++] = q->e.rcpts[i].address;
	}
}

void
attempt_finish(struct attempt *t)
{
	const struct pieces p = attempt_pieces(t);
	struct delivery *d = t->d;
	struct fail f = FAIL_INIT;
	bool changed, frozen = t->q->frozen;

	delivery_note_success(d);
	changed = attempt_note_trouble(t);
	give_up_old(t);
	bounce(t);
	if (decide_is_over(&p)) {
		if (t->place == REMOVED || spool_remove(&d->spool, t->q, &f))
			trace_line(d->trace, TRACE_LOG, "Completed");
		else
			trace_line(
			    d->trace, TRACE_LOG, "it is done but cannot be removed: %s", f.text);
		return;
	}
	changed |= warn(t) || t->place == IN_SPOOL_STALE || t->q->frozen != frozen;
	if (!changed)
		return;
	attempt_journal(t, RCPT_SENT);
	close_recipients(t);
	if (!spool_rewrite(&d->spool, t->q, &f))
		trace_line(d->trace, TRACE_LOG, "its -H file cannot be written anew: %s", f.text);
}
