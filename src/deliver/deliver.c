/* deliver.c - one attempt at one message: route, hand over, settle. */
#include "deliver/deliver.h"

#include <string.h>

#include "local/local.h"
#include "log/mainlog.h"
#include "route/route.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* A message being delivered: the routes that its recipients became, and each one's result. */
struct attempt {
	const struct delivery *d;
	struct envelope *e;
	struct message *m;
	struct routes routes;
	size_t *first;        /* routes of e->rcpts[i]: first[i] to first[i + 1] */
	struct rcpt *results; /* one per route */
};

static void
log_line(const struct attempt *t, const struct buf *line)
{
	if (buf_ok(line))
		trace_line(t->d->trace, TRACE_LOG, "%.*s", S_ARG(buf_get(line)));
}

static void
log_arrival(const struct attempt *t)
{
	AUTO_BUF struct buf line = BUF_INIT(65536);
	const struct header *id = message_find(t->m, STR("Message-Id"));
	const char *msgid = NULL;

	/* Exim names only an id that came with the message */
	if (id != NULL && memmem(id->text.p, id->text.n, t->e->id, strlen(t->e->id)) == NULL) {
		struct str v = str_trim(str_skip(id->text, str_find(id->text, ':') + 1));

		if (v.n > 2 && v.p[0] == '<' && v.p[v.n - 1] == '>')
			msgid = arena_strz(t->d->arena, str_at(v.p + 1, v.n - 2));
	}
	mainlog_arrival(&line, t->e, message_size(t->m), msgid);
	log_line(t, &line);
	trace_line(t->d->trace, TRACE_NOTE, "delivering %s", t->e->id);
}

static void
log_result(const struct attempt *t, size_t i)
{
	AUTO_BUF struct buf line = BUF_INIT(65536);

	mainlog_recipient(&line, &t->results[i]);
	log_line(t, &line);
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
		.fail = r->fail };

	if (r->outcome == ROUTE_DELIVER && r->user != NULL && r->path == NULL)
		result.address = r->user;
	if (r->outcome == ROUTE_DISCARD)
		result.state = RCPT_SENT;
	if (r->outcome == ROUTE_FAIL)
		result.state = RCPT_REFUSED;
	if (r->outcome == ROUTE_DEFER)
		result.state = RCPT_RETRY;
	return result;
}

/* A right that is missing is known before anything is sent. */
static void
check_rights(struct attempt *t)
{
	for (size_t i = 0; i < t->routes.n; i++) {
		const struct route *r = t->routes.list[i];
		struct rcpt *result = &t->results[i];

		if (r->outcome == ROUTE_DELIVER && transport_is_local(r->transport) &&
		    !local_may_deliver(t->d->arena, r->user, &result->fail))
			result->state = result->fail.cls == FAIL_TEMP ? RCPT_RETRY : RCPT_REFUSED;
	}
}

static bool
route_all(struct attempt *t, struct fail *f)
{
	struct local_asker asker = { t->d->conf, t->d->arena };
	struct route_env env = { .conf = t->d->conf,
		.arena = t->d->arena,
		.trace = t->d->trace,
		.probe = local_probe_for_route,
		.user_exists = local_user_exists,
		.ctx = &asker };
	size_t n = t->e->nrcpts;

	if (!route_open(&env, f))
		return false;
	t->first = arena_array(t->d->arena, n + 1, sizeof *t->first);
	for (size_t i = 0; i < n; i++) {
		const struct rcpt *r = &t->e->rcpts[i];

		route_address(
		    &env, mailbox_split(r->address), r->unqualified, r->original, &t->routes);
		t->first[i + 1] = t->routes.n;
	}
	route_merge(&t->routes, t->d->arena);
	t->results = arena_array(t->d->arena, t->routes.n, sizeof *t->results);
	for (size_t i = 0; i < n; i++)
		for (size_t k = t->first[i]; k < t->first[i + 1]; k++)
			t->results[k] = fresh_result(t->routes.list[k], &t->e->rcpts[i]);
	check_rights(t);
	return true;
}

/* ------------------------------------------------------------------ handing over */

static bool
is_ours(const struct attempt *t, size_t i, bool local)
{
	const struct route *r = t->routes.list[i];

	return r->outcome == ROUTE_DELIVER && transport_is_local(r->transport) == local &&
	    t->results[i].state == RCPT_WAITING;
}

static void
announce(const struct attempt *t, const struct route *r)
{
	trace_line(t->d->trace, TRACE_NOTE, "T: %s for %s", transport_name(r->transport), r->text);
}

/* All recipients that go where route number i goes: one envelope. */
static void
send_group(struct attempt *t, size_t i)
{
	const struct route *lead = t->routes.list[i];
	struct envelope group = *t->e;
	size_t *from = arena_array(t->d->arena, t->routes.n, sizeof *from);
	struct fail f = FAIL_INIT;

	group.rcpts = arena_array(t->d->arena, t->routes.n, sizeof *group.rcpts);
	group.nrcpts = 0;
	for (size_t k = i; k < t->routes.n; k++) {
		const struct route *r = t->routes.list[k];

		if (!is_ours(t, k, false) || r->transport != lead->transport ||
		    strcmp(r->hosts, lead->hosts) != 0)
			continue;
		announce(t, r);
		from[group.nrcpts] = k;
		group.rcpts[group.nrcpts++] = t->results[k];
	}
	(void)!smarthost_deliver(t->d->smarthost, &group, t->m, &f);
	for (size_t k = 0; k < group.nrcpts; k++) {
		struct rcpt *r = &t->results[from[k]];

		*r = group.rcpts[k];
		if (r->state == RCPT_WAITING) {
			r->state = RCPT_RETRY;
			if (r->fail.cls == FAIL_NONE)
				r->fail = f;
		}
		log_result(t, from[k]);
	}
}

static void
deliver_here(struct attempt *t, size_t i)
{
	const struct route *r = t->routes.list[i];
	struct rcpt *result = &t->results[i];
	struct local_job job = {
		.route = r, .sender = t->e->sender, .id = t->e->id, .now = t->d->now
	};

	announce(t, r);
	job.envelope_to = route_envelope_to(&t->routes, r, t->d->arena, &job.nenvelope_to);
	if (local_deliver(t->d->conf, &job, t->m, &result->fail))
		result->state = RCPT_SENT;
	else
		result->state = result->fail.cls == FAIL_TEMP ? RCPT_RETRY : RCPT_REFUSED;
	log_result(t, i);
}

/* ------------------------------------------------------------------ settling */

/* Until there is a spool and a bounce, a message with a recipient that cannot be reached is
 * nobody's but the caller's: all of it is left. */
static bool
someone_is_lost(const struct attempt *t)
{
	for (size_t i = 0; i < t->routes.n; i++)
		if (t->results[i].state == RCPT_REFUSED || t->results[i].state == RCPT_RETRY)
			return true;
	return false;
}

static size_t
index_of(const struct attempt *t, const struct route *r)
{
	size_t i = 0;

	while (t->routes.list[i] != r)
		i++;
	return i;
}

/* What counts more when a recipient became several: what may work later, then what never will,
 * then what only waits for another. */
static int
weight(enum rcpt_state state)
{
	switch (state) {
	case RCPT_SENT:
		return 0;
	case RCPT_WAITING:
		return 1;
	case RCPT_REFUSED:
		return 2;
	case RCPT_RETRY:
		break;
	}
	return 3;
}

/* A recipient fares as the worst of what it became. */
static void
settle(struct attempt *t, size_t i)
{
	struct rcpt *r = &t->e->rcpts[i];

	r->state = RCPT_SENT;
	for (size_t k = t->first[i]; k < t->first[i + 1]; k++) {
		const struct route *route = t->routes.list[k];
		size_t at = route->same_as != NULL ? index_of(t, route->same_as) : k;
		const struct rcpt *result = &t->results[at];

		if (route->outcome == ROUTE_PARENT && route->same_as == NULL)
			continue;
		if (r->host == NULL && r->state == RCPT_SENT) {
			r->host = result->host;
			r->confirmation = result->confirmation;
		}
		if (weight(result->state) > weight(r->state)) {
			r->state = result->state;
			r->fail = result->fail;
		}
	}
	if (r->state == RCPT_WAITING)
		(void)fail_set(&r->fail, FAIL_TEMP, STAGE_ROUTE, 0,
		    "not sent, because another recipient cannot have the message");
}

static void
hand_over(struct attempt *t)
{
	for (size_t i = 0; i < t->routes.n; i++)
		if (is_ours(t, i, false))
			send_group(t, i);
	if (someone_is_lost(t))
		return;
	for (size_t i = 0; i < t->routes.n; i++)
		if (is_ours(t, i, true))
			deliver_here(t, i);
}

static void
give_up(struct attempt *t, const struct fail *f)
{
	for (size_t i = 0; i < t->e->nrcpts; i++) {
		t->e->rcpts[i].state = RCPT_RETRY;
		t->e->rcpts[i].fail = *f;
	}
}

void
deliver(const struct delivery *d, struct envelope *e, struct message *m)
{
	struct attempt t = { .d = d, .e = e, .m = m };
	struct fail f = FAIL_INIT;
	bool all = true;

	log_arrival(&t);
	if (!route_all(&t, &f)) {
		give_up(&t, &f);
		return;
	}
	for (size_t i = 0; i < t.routes.n; i++)
		if (t.routes.list[i]->outcome == ROUTE_DISCARD ||
		    t.results[i].fail.cls != FAIL_NONE)
			log_result(&t, i);
	if (!someone_is_lost(&t))
		hand_over(&t);
	for (size_t i = 0; i < e->nrcpts; i++) {
		settle(&t, i);
		all &= e->rcpts[i].state == RCPT_SENT;
	}
	if (all)
		trace_line(d->trace, TRACE_LOG, "Completed");
}
