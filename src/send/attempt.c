/* attempt.c - one attempt at one message: route, hand over, journal. */
#include "send/attempt.h"

#include <string.h>

#include "base/stop.h"
#include "local/client.h"
#include "send/home.h"
#include "send/mainlog.h"

#include "base/banned.h" /* IWYU pragma: keep */

static bool
is_private(const struct attempt *t, const struct route *r)
{
	return route_is_private(r, peer_viewer(t->d->caller));
}

void
attempt_log(struct attempt *t, size_t i)
{
	AUTO_BUF struct buf line = BUF_INIT(65536);
	const struct route *to = t->routes.list[i];
	struct rcpt r = t->results[i];

	if (r.state == RCPT_RETRY && t->deferred++ >= ATTEMPT_DEFERRALS) {
		t->unlogged++;
		return;
	}
	/* as Exim: the line of a delivery to a user names him without the domain */
	if (r.state == RCPT_SENT && to->outcome == ROUTE_DELIVER && to->user != NULL &&
	    to->path == NULL)
		r.address = to->user;
	mainlog_recipient(&line, &r);
	if (!is_private(t, to)) {
		trace_buf(t->d->trace, TRACE_LOG, &line);
		return;
	}
	trace_buf(t->d->trace, TRACE_PRIVATE, &line);
	buf_reset(&line);
	mainlog_undisclosed(&line, &r);
	trace_buf(t->d->log->next, TRACE_LOG, &line);
}

void
attempt_log_rest(struct attempt *t)
{
	if (t->unlogged > 0)
		trace_line(t->d->trace, TRACE_LOG,
		    "== %zu more recipients wait, as those above (onehop -bp names all)",
		    t->unlogged);
	t->unlogged = 0;
}

/* ------------------------------------------------------------------ routing */

/* What the log line of this route says before anything is done. */
static struct rcpt
fresh_result(const struct route *r, const struct rcpt *original)
{
	struct rcpt result = { .address = r->text,
		.original = r->original,
		.router = r->router,
		.transport = r->transport != TRANSPORT_NONE ? transport_name(r->transport) : NULL,
		.hosts = r->hosts,
		.notify = original->notify,
		.orcpt = original->orcpt,
		.state = decide_routed(r->outcome),
		.fail = r->fail };

	return result;
}

static void
fails(struct attempt *t, size_t i, const struct fail *f)
{
	t->results[i].state = decide_failed(f);
	t->results[i].fail = fail_keep(t->q->arena, f);
}

/* Find out before anything is sent for which local users a right is missing. */
static void
check_rights(struct attempt *t)
{
	for (size_t i = 0; i < t->routes.n; i++) {
		const struct route *r = t->routes.list[i];
		struct fail f = FAIL_INIT;

		if (r->outcome == ROUTE_DELIVER && !t->done[i] &&
		    transport_is_local(r->transport) &&
		    !local_may_deliver(t->q->arena, r->user, &f))
			fails(t, i, &f);
	}
}

/* Is this delivery among what is done: under its key, or under the key that the same mailbox has as
 * a recipient of its own (without the backslash) or as what an alias became (with it)? */
static bool
is_done(const struct queued *q, const struct route *r)
{
	const char *key = route_key(r, q->arena);

	return queued_is_done(q, key) ||
	    queued_is_done(q, *key == '\\' ? key + 1 : arena_fmt(q->arena, "\\%s", key));
}

/* What an earlier attempt has done is not done again. */
static void
mark_done(struct attempt *t)
{
	t->done = arena_array(t->q->arena, t->routes.n, sizeof *t->done);
	for (size_t i = 0; i < t->routes.n && t->q->ndone > 0; i++) {
		if (!is_done(t->q, t->routes.list[i]))
			continue;
		t->done[i] = true;
		t->results[i].state = RCPT_SENT;
	}
}

bool
attempt_route(struct attempt *t, struct fail *f)
{
	struct arena *a = t->q->arena;
	struct local_asker asker = { t->d->conf, a };
	struct route_env env = { .conf = t->d->conf,
		.arena = a,
		.trace = t->d->trace,
		.viewer = peer_viewer(t->d->caller),
		.probe = local_probe_for_route,
		.user_exists = local_user_exists,
		.ctx = &asker };
	size_t n = t->q->e.nrcpts;

	if (!route_open(&env, f))
		return false;
	t->first = arena_array(a, n + 1, sizeof *t->first);
	for (size_t i = 0; i < n; i++) {
		const struct rcpt *r = &t->q->e.rcpts[i];

		if (r->state != RCPT_SENT)
			route_address(&env, mailbox_split(r->address), r->unqualified, r->original,
			    &t->routes);
		t->first[i + 1] = t->routes.n;
	}
	route_merge(&t->routes, a);
	t->results = arena_array(a, t->routes.n, sizeof *t->results);
	for (size_t i = 0; i < n; i++)
		for (size_t k = t->first[i]; k < t->first[i + 1]; k++)
			t->results[k] = fresh_result(t->routes.list[k], &t->q->e.rcpts[i]);
	mark_done(t);
	check_rights(t);
	return true;
}

/* ------------------------------------------------------------------ handing over */

/* The keys of those of this state that are not done. */
static const char **
keys_of(const struct attempt *t, enum rcpt_state state, size_t *n)
{
	const char **keys = arena_array(t->q->arena, t->routes.n, sizeof *keys);

	*n = 0;
	for (size_t i = 0; i < t->routes.n; i++)
		if (!t->done[i] && t->results[i].state == state &&
		    t->routes.list[i]->outcome != ROUTE_PARENT)
			keys[(*n)++] = route_key(t->routes.list[i], t->q->arena);
	return keys;
}

bool
attempt_journal_if(struct attempt *t, enum rcpt_state state, const char *id, struct fail *f)
{
	size_t n;
	const char **keys = keys_of(t, state, &n);

	for (size_t i = 0; i < n; i++)
		keys[i] = arena_fmt(t->q->arena, " %s %s", id, keys[i]);
	return spool_journal(&t->d->spool, t->q, keys, n, f);
}

void
attempt_journal(struct attempt *t, enum rcpt_state state)
{
	const struct pieces p = attempt_pieces(t);
	struct fail f = FAIL_INIT;
	size_t n;
	const char **keys = keys_of(t, state, &n);

	for (size_t i = 0; i < n; i++) {
		t->q->done = arena_grow(t->q->arena, t->q->done, t->q->ndone, sizeof *keys);
		t->q->done[t->q->ndone++] = keys[i];
	}
	for (size_t i = 0; i < t->routes.n; i++)
		t->done[i] |= t->results[i].state == state;
	if (decide_is_over(&p) && spool_remove(&t->d->spool, t->q, &f)) {
		t->place = REMOVED;
		return;
	}
	if (spool_journal(&t->d->spool, t->q, keys, n, &f))
		return;
	t->place = IN_SPOOL_STALE;
	trace_line(t->d->trace, TRACE_LOG, "the journal cannot be written: %s", f.text);
}

/* Who has it now is written into the journal before anything else; or, of a message that is not in
 * the spool, the caller is told once all have it. */
static void
write_down(struct attempt *t)
{
	const struct pieces p = attempt_pieces(t);

	if (t->place != WITH_CALLER)
		attempt_journal(t, RCPT_SENT);
	else if (decide_is_over(&p))
		peer_safe(t->d->caller, true);
}

static void
announce(const struct attempt *t, const struct route *r)
{
	if (!is_private(t, r))
		trace_line(
		    t->d->trace, TRACE_NOTE, "T: %s for %s", transport_name(r->transport), r->text);
}

/* All recipients that go where route number i goes: one envelope. */
static void
send_group(struct attempt *t, size_t i)
{
	const struct pieces p = attempt_pieces(t);
	const struct route *lead = t->routes.list[i];
	struct envelope group = t->q->e;
	size_t *from = arena_array(t->q->arena, t->routes.n, sizeof *from);
	const struct fail *why;
	struct fail f = FAIL_INIT;

	group.rcpts = arena_array(t->q->arena, t->routes.n, sizeof *group.rcpts);
	group.nrcpts = 0;
	for (size_t k = i; k < t->routes.n; k++) {
		if (!decide_goes_with(&p, i, k))
			continue;
		announce(t, t->routes.list[k]);
		t->d->log->alone |= is_private(t, t->routes.list[k]); /* the session names it */
		from[group.nrcpts] = k;
		group.rcpts[group.nrcpts++] = t->results[k];
	}
	(void)!courier_deliver(t->d->courier, &group, &t->q->m, &f);
	t->d->log->alone = false;
	why = fail_keep(t->q->arena, &f);
	for (size_t k = 0; k < group.nrcpts; k++) {
		struct rcpt *r = &t->results[from[k]];

		*r = group.rcpts[k];
		if (r->state == RCPT_SENT && t->d->good_hosts == NULL)
			t->d->good_hosts = arena_strz(t->d->arena, str_of(lead->hosts));
		if (r->state == RCPT_WAITING) {
			r->state = RCPT_RETRY;
			if (r->fail == NULL)
				r->fail = why;
		}
	}
	write_down(t);
	for (size_t k = 0; k < group.nrcpts; k++)
		attempt_log(t, from[k]);
}

static void
deliver_here(struct attempt *t, size_t i)
{
	const struct route *r = t->routes.list[i];
	struct fail f = FAIL_INIT;
	struct local_job job = {
		.route = r, .sender = t->q->e.sender, .id = t->q->e.id, .now = t->d->now
	};

	announce(t, r);
	if (stop_asked()) {
		(void)fail_set(&f, FAIL_TEMP, STAGE_LOCAL, 0, "onehop-send was told to stop");
		fails(t, i, &f);
		attempt_log(t, i);
		return;
	}
	job.envelope_to = route_envelope_to(&t->routes, r, t->q->arena, &job.nenvelope_to);
	if (home_deliver(t, &job, &f))
		t->results[i].state = RCPT_SENT;
	else
		fails(t, i, &f);
	if (t->left)
		return;
	write_down(t);
	attempt_log(t, i);
}

static void
settle(const struct pieces *p, struct rcpt *r, size_t first, size_t end)
{
	static const struct fail beside = { .cls = FAIL_TEMP,
		.stage = STAGE_ROUTE,
		.text = "not sent, because another recipient cannot have the message" };
	struct fate fate = decide_fate(p, first, end);

	r->state = fate.state;
	if (fate.via != NULL && r->host == NULL) {
		r->host = fate.via->host;
		r->confirmation = fate.via->confirmation;
	}
	if (fate.by != NULL)
		r->fail = fate.by->fail;
	if (r->state == RCPT_WAITING)
		r->fail = &beside;
}

void
attempt_make(struct attempt *t)
{
	const struct pieces p = attempt_pieces(t);

	for (size_t i = 0; i < t->routes.n; i++)
		if (decide_is_ours(&p, i, false))
			send_group(t, i);
	for (size_t i = 0; i < t->routes.n && !t->left; i++)
		if (decide_is_ours(&p, i, true))
			deliver_here(t, i);
	if (!t->left)
		attempt_log_rest(t);
}

void
attempt_settle(struct attempt *t)
{
	const struct pieces p = attempt_pieces(t);

	for (size_t i = 0; i < t->q->e.nrcpts; i++)
		if (t->q->e.rcpts[i].state != RCPT_SENT)
			settle(&p, &t->q->e.rcpts[i], t->first[i], t->first[i + 1]);
}
