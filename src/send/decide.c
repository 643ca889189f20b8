/* decide.c - what becomes of recipients and of a message. */
#include "send/decide.h"

#include <string.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum rcpt_state
decide_routed(enum route_outcome outcome)
{
	switch (outcome) {
	case ROUTE_DISCARD:
		return RCPT_SENT;
	case ROUTE_FAIL:
		return RCPT_REFUSED;
	case ROUTE_DEFER:
		return RCPT_RETRY;
	case ROUTE_DELIVER:
	case ROUTE_PARENT:
		break;
	}
	return RCPT_WAITING;
}

enum rcpt_state
decide_failed(const struct fail *f)
{
	return f->cls == FAIL_TEMP ? RCPT_RETRY : RCPT_REFUSED;
}

/* ------------------------------------------------------------------ one piece */

static bool
is_parent(const struct pieces *p, size_t i)
{
	return p->routes->list[i]->outcome == ROUTE_PARENT;
}

bool
decide_is_wanted(const struct pieces *p, size_t i)
{
	return !is_parent(p, i) && p->results[i].state != RCPT_SENT;
}

bool
decide_is_ours(const struct pieces *p, size_t i, bool local)
{
	const struct route *r = p->routes->list[i];

	return r->outcome == ROUTE_DELIVER && !p->done[i] &&
	    transport_is_local(r->transport) == local && p->results[i].state == RCPT_WAITING;
}

static bool
same_hosts(const struct route *a, const struct route *b)
{
	return a->transport == b->transport && strcmp(a->hosts, b->hosts) == 0;
}

bool
decide_goes_with(const struct pieces *p, size_t i, size_t k)
{
	return decide_is_ours(p, k, false) && same_hosts(p->routes->list[i], p->routes->list[k]);
}

bool
decide_waits(const struct pieces *p, size_t i)
{
	return !is_parent(p, i) && !p->done[i] &&
	    (p->results[i].state == RCPT_RETRY || p->results[i].state == RCPT_WAITING);
}

/* ------------------------------------------------------------------ all of them */

/* Does each recipient get an answer of his own, after the text? */
static bool
answers_each(const struct route *r)
{
	return r->transport == TRANSPORT_LMTP || strstr(r->hosts, "lmtp:") != NULL;
}

bool
decide_is_single(const struct pieces *p, size_t max)
{
	const struct route *lead = NULL;
	size_t n = 0;

	for (size_t i = 0; i < p->routes->n; i++) {
		const struct route *r = p->routes->list[i];

		if (!decide_is_wanted(p, i))
			continue;
		if (p->results[i].state != RCPT_WAITING)
			return false;
		if (n++ == 0)
			lead = r;
		else if (transport_is_local(r->transport) || !same_hosts(r, lead) ||
		    answers_each(r))
			return false;
	}
	return n <= max;
}

bool
decide_lacks_right(const struct pieces *p)
{
	for (size_t i = 0; i < p->routes->n; i++)
		if (p->results[i].state == RCPT_RETRY &&
		    fail_of(p->results[i].fail)->stage == STAGE_DOOR)
			return true;
	return false;
}

bool
decide_has_failed(const struct pieces *p)
{
	for (size_t i = 0; i < p->routes->n; i++)
		if (p->results[i].state == RCPT_REFUSED || p->results[i].state == RCPT_RETRY)
			return true;
	return false;
}

bool
decide_is_hopeless(const struct pieces *p)
{
	bool any = false;

	for (size_t i = 0; i < p->routes->n; i++) {
		if (p->results[i].state != RCPT_REFUSED && !is_parent(p, i))
			return false;
		any |= p->results[i].state == RCPT_REFUSED;
	}
	return any;
}

bool
decide_has_reached(const struct pieces *p)
{
	for (size_t i = 0; i < p->routes->n; i++)
		if (p->routes->list[i]->outcome == ROUTE_DELIVER &&
		    p->results[i].state == RCPT_SENT)
			return true;
	return false;
}

bool
decide_is_over(const struct pieces *p)
{
	for (size_t i = 0; i < p->routes->n; i++)
		if (decide_is_wanted(p, i) && !p->done[i])
			return false;
	return true;
}

/* ------------------------------------------------------------------ one recipient */

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
	case RCPT_KEPT:
		break;
	}
	return 3;
}

static size_t
index_of(const struct routes *r, const struct route *one)
{
	size_t i = 0;

	while (r->list[i] != one)
		i++;
	return i;
}

struct fate
decide_fate(const struct pieces *p, size_t first, size_t end)
{
	struct fate fate = { RCPT_SENT, NULL, NULL };

	for (size_t i = first; i < end; i++) {
		const struct route *same = p->routes->list[i]->same_as;
		const struct rcpt *r = &p->results[same != NULL ? index_of(p->routes, same) : i];

		if (is_parent(p, i) && same == NULL)
			continue;
		if (fate.via == NULL && fate.state == RCPT_SENT && r->host != NULL)
			fate.via = r;
		if (weight(r->state) > weight(fate.state)) {
			fate.state = r->state;
			fate.by = r;
		}
	}
	return fate;
}

/* ------------------------------------------------------------------ the message */

enum keeper
decide_keeper(const struct tried *t)
{
	if (t->refused == t->rcpts && !t->reached)
		return KEEPER_CALLER;
	if (!t->safe && !t->reached && t->stopped)
		return KEEPER_STOPPED;
	return !t->safe && t->sent == t->rcpts ? KEEPER_NOBODY : KEEPER_SPOOL;
}

struct blame
decide_blame(const struct pieces *p)
{
	struct blame b = { SIZE_MAX, SIZE_MAX };

	for (size_t i = 0; i < p->routes->n; i++) {
		if (!decide_waits(p, i))
			continue;
		if (fail_is_hosts(fail_of(p->results[i].fail)) && p->results[i].hosts != NULL)
			b.hosts = i;
		else
			b.own = i;
	}
	return b;
}

bool
decide_give_up(const struct retry *rule, struct patience own, const struct patience *hosts)
{
	struct patience p = hosts != NULL ? *hosts : own;

	if (own.age < p.age)
		p.age = own.age;
	return retry_is_over(rule, p.age, p.tries);
}

bool
decide_wants(unsigned notify, enum rcpt_notify kind)
{
	return notify == 0 || (notify & kind) != 0;
}

enum bounce
decide_bounce(size_t refused, size_t wanted, const char *sender)
{
	if (refused == 0)
		return BOUNCE_NONE;
	if (wanted == 0)
		return BOUNCE_SILENT;
	return sender[0] == '\0' ? BOUNCE_FREEZE : BOUNCE_SENDER;
}

unsigned
decide_warnings(uint64_t waited, uint64_t every, unsigned had, bool may)
{
	if (every == 0 || !may || waited / every <= had)
		return had;
	return (unsigned)(waited / every);
}
