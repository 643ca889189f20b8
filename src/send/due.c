/* due.c - which message is due. */
#include "send/due.h"

#include <inttypes.h>
#include <string.h>

#include "send/share.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* A frozen message ends: a bounce after ignore_bounce_errors_after, any after timeout_frozen_after.
 */
static enum due
frozen_due(
    const struct delivery *d, const struct queued *q, enum run_which which, struct quiet *quiet)
{
	uint64_t age = ages_since(&d->ages, q->frozen_counted);
	uint64_t bounce = d->conf->ignore_bounce_errors_after, any = d->conf->timeout_frozen_after;

	if ((q->e.sender[0] == '\0' && age >= bounce) || (any > 0 && age >= any))
		return DUE_END;
	if (q->e.sender[0] == '\0')
		quiet_until(quiet, d->ages.wall + (int64_t)(bounce - age));
	if (any > 0)
		quiet_until(quiet, d->ages.wall + (int64_t)(any - age));
	return which == RUN_FROZEN ? DUE_TRY : DUE_FROZEN;
}

/* Did this run find that the list cannot be reached? */
static bool
failed_now(const struct delivery *d, const char *hosts)
{
	return d->failed_hosts != NULL && strcmp(d->failed_hosts, hosts) == 0;
}

/* Is it time to warn its sender, or to give it up? */
static bool
wants_word(const struct delivery *d, const struct queued *q)
{
	uint64_t waited = ages_since(&d->ages, q->arrived), warning = d->conf->delay_warning;

	return (warning > 0 && waited >= warning * (q->warnings + 1)) ||
	    retry_is_over(&d->rule, waited, RETRY_TRIES_MAX);
}

static enum due
judge(const struct delivery *d, const struct queued *q, enum run_which which, struct quiet *quiet)
{
	const struct trouble *why = &q->trouble;
	struct host_record at = { .tries = 0 };

	if (q->frozen)
		return frozen_due(d, q, which, quiet);
	if (which != RUN_DUE)
		return DUE_TRY;
	if (why->hosts != NULL)
		hosts_read(&d->spool, why->hosts, &at);
	if (why->hosts != NULL && !hosts_due(&at, &d->ages, &d->rule)) {
		quiet_for(quiet, why->hosts);
		return failed_now(d, why->hosts) && wants_word(d, q) ? DUE_TRY : DUE_NOT;
	}
	/* a next try that lies too far ahead was set by a clock that has been put back since */
	if (why->next_try <= d->now || why->next_try - d->now > AGES_STEP)
		return DUE_TRY;
	quiet_until(quiet, why->next_try);
	return DUE_NOT;
}

enum due
due_look(struct delivery *d, const char *id, enum run_which which, struct quiet *quiet)
{
	AUTO_ARENA struct arena a = { NULL };
	struct queued q = { .arena = &a, .m = { .arena = &a, .body = { .fd = -1 } } };
	struct fail f = FAIL_INIT;
	enum due what;

	switch (spool_take(&d->spool, id, false, &q, &f)) {
	case SPOOL_TAKEN:
		what = judge(d, &q, which, quiet);
		if (what != DUE_TRY || which != RUN_DUE || share_allows_later(d, &q))
			return what;
		break;
	case SPOOL_BAD: /* so that it is set aside */
		return DUE_TRY;
	case SPOOL_BUSY:
		break;
	case SPOOL_GONE:
		return DUE_NOT;
	}
	quiet_doubt(quiet);
	return DUE_NOT;
}

struct quiet_at
due_rules(const struct delivery *d)
{
	const struct conf *c = d->conf;

	return (struct quiet_at){ &d->spool, &d->ages, &d->rule,
		arena_fmt(d->arena, "%s %" PRIu64 " %" PRIu64, c->retry,
		    c->ignore_bounce_errors_after, c->timeout_frozen_after),
		d->arena };
}

bool
due_is_quiet(const struct delivery *d)
{
	struct quiet_at at = due_rules(d);
	struct quiet q;

	return quiet_read(&at, d->good_hosts, &q) && q.nids == 0;
}
