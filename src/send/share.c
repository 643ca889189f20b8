/* share.c - what one user may have of the smarthost and of the spool. */
#include "send/share.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/stop.h"
#include "spool/rates.h"
#include "spool/turns.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* How long a turn is waited for, with a place taken; how often it is looked for. */
enum { TURN_MS = 10 * 1000, LOOK_MS = 50 };

static enum rates_found
ask(struct delivery *d, unsigned uid, bool take)
{
	struct rate limit;
	struct fail f = FAIL_INIT;

	if (!rate_parse(&limit, str_of(d->conf->rate_limit), &f) || !delivery_spool(d, true, &f))
		return RATES_UNKNOWN;
	if (limit.most == 0)
		return RATES_ROOM;
	/* not d->now: a queue run may have begun long ago */
	d->ages = ages_now(&d->spool);
	return rates_ask(&d->spool, uid, &limit, &d->ages, take);
}

/* Is rate_limit set?  Where it is not the spool need not be opened. */
static bool
is_limited(const struct delivery *d)
{
	return !str_ieq(str_of(d->conf->rate_limit), STR("no"));
}

bool
share_is_left(struct delivery *d, unsigned uid)
{
	return !is_limited(d) || ask(d, uid, false) == RATES_ROOM;
}

bool
share_allows(struct delivery *d, struct queued *q)
{
	enum rates_found found = is_limited(d) ? ask(d, q->uid, true) : RATES_ROOM;

	if (found == RATES_ROOM)
		return true;
	q->trouble.error = arena_fmt(q->arena,
	    found == RATES_OVER ? "no immediate delivery: user %s has sent %s (rate_limit)" :
				  "no immediate delivery: what user %s sends cannot be counted "
				  "(rate_limit = %s)",
	    q->e.login, d->conf->rate_limit);
	return false;
}

/* A message that was tried before was counted then; bounces and warnings (they have a parent) are
 * not the user's. */
bool
share_allows_later(struct delivery *d, const struct queued *q)
{
	return !is_limited(d) || q->trouble.first_failed != 0 || q->parent != NULL ||
	    ask(d, q->uid, true) != RATES_OVER;
}

static bool
is_of(const struct delivery *d, const char *id, unsigned uid)
{
	AUTO_ARENA struct arena a = { NULL };
	struct queued q = { .arena = &a, .m = { .arena = &a, .body = { .fd = -1 } } };
	struct fail f = FAIL_INIT;

	return spool_take(&d->spool, id, false, &q, &f) == SPOOL_TAKEN && q.uid == uid &&
	    q.parent == NULL;
}

/* Where fewer messages wait than one user may have, none is looked into. */
bool
share_of_spool(struct delivery *d, const struct queued *q, struct fail *f)
{
	uint64_t most = d->conf->queue_max, own = 0;
	char(*ids)[ID_MAX], after[ID_MAX] = "";
	size_t n = 0;

	if (most == 0)
		return true;
	ids = arena_array(d->arena, SPOOL_BATCH, sizeof *ids);
	do {
		if (!spool_list(&d->spool, after, ids, &n, f))
			return false;
		if (after[0] == '\0' && n < SPOOL_BATCH && n < most)
			return true;
		for (size_t i = 0; i < n && own < most; i++)
			own += is_of(d, ids[i], q->uid);
		if (n > 0)
			memcpy(after, ids[n - 1], sizeof after);
	} while (n > 0 && own < most);
	return own < most ||
	    fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0,
		"user %s has %llu messages waiting, and may have no more (queue_max)", q->e.login,
		(unsigned long long)most);
}

bool
share_place(const struct conf *c, unsigned uid, int *turns, struct fail *f)
{
	struct spool spool;
	struct fail ignored;

	*turns = -1;
	if (!spool_open(&spool, c, true, &ignored))
		return true;
	*turns = turns_open(&spool, TURNS_PLACE);
	spool_close(&spool);
	if (*turns < 0 || turns_take(*turns, uid, TURNS_PLACE) != TURNS_NONE)
		return true;
	return fail_set(f, FAIL_TEMP, STAGE_DOOR, 0,
	    "onehop-send is busy: %d messages of this user are in hand, and it takes no more at "
	    "the same moment",
	    TURNS_PLACES);
}

bool
share_turn(int turns, struct queued *q, bool wait)
{
	int64_t end = clock_ms() + (wait ? TURN_MS : 0);
	enum turns_found found = turns < 0 ? TURNS_UNKNOWN : TURNS_NONE;

	while (found == TURNS_NONE && !stop_asked()) {
		found = turns_take(turns, q->uid, TURNS_DELIVERY);
		if (found != TURNS_NONE || clock_ms() >= end)
			break;
		(void)poll(NULL, 0, LOOK_MS);
	}
	if (found == TURNS_NONE)
		q->trouble.error = arena_fmt(q->arena,
		    "no immediate delivery: %d messages of user %s are being sent", TURNS_MOST,
		    q->e.login);
	return found != TURNS_NONE;
}
