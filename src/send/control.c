/* control.c - what onehop-send does for -q, -M..., -bp and status. */
#include "send/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/stop.h"
#include "guard/environment.h"
#include "spool/place.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct asked {
	struct delivery *d;
	int fd;
	unsigned uid;
	const char *login;
};

/* ------------------------------------------------------------------ the list */

static void
describe(const struct asked *a, const struct queued *q, struct control_message *m)
{
	struct host_record at = { .tries = 0 };

	*m = (struct control_message){ .id = q->e.id,
		.sender = q->e.sender,
		.login = q->e.login,
		.error = q->trouble.error != NULL ? q->trouble.error : "",
		.size = message_size(&q->m),
		.received = q->received,
		.next_try = q->trouble.next_try,
		.frozen_at = q->frozen_at,
		.frozen = q->frozen };
	if (q->trouble.hosts != NULL)
		hosts_read(&a->d->spool, q->trouble.hosts, &at);
	if (at.tries > 0) {
		m->error = arena_strz(q->arena, str_of(at.error));
		m->next_try = at.next_try > m->next_try ? at.next_try : m->next_try;
	}
	m->rcpts = arena_array(q->arena, q->e.nrcpts, sizeof *m->rcpts);
	for (const struct rcpt *r = q->e.rcpts; m->nrcpts < q->e.nrcpts; r++)
		m->rcpts[m->nrcpts++] =
		    arena_fmt(q->arena, "%c %s", r->state == RCPT_SENT ? 'D' : ' ', r->address);
}

static bool
may_see_all(const struct asked *a)
{
	return a->uid == 0 || a->uid == a->d->spool.uid;
}

/* What the list and the summary are made of: each message, or why it is bad. */
struct seen {
	const struct asked *a;
	struct control_status *sum; /* NULL: a list */
	char *error;                /* room for FAIL_TEXT: the last error of a message */
};

static void
add_up(const struct seen *s, const struct queued *q, const struct control_message *m)
{
	struct control_status *sum = s->sum;

	sum->bad += m->bad;
	sum->messages += !m->bad;
	sum->frozen += m->frozen;
	if (m->bad)
		return;
	if (sum->oldest == 0 && !m->frozen) {
		sum->oldest = m->received;
		sum->waited = ages_since(&s->a->d->ages, q->arrived);
	}
	if (q->trouble.error != NULL && q->trouble.last_try > sum->last_failure) {
		sum->last_failure = q->trouble.last_try;
		(void)snprintf(s->error, FAIL_TEXT, "%s", q->trouble.error);
	}
}

static bool
see(const struct seen *s, const char *id, struct fail *f)
{
	AUTO_ARENA struct arena arena = { NULL };
	struct queued q = { .arena = &arena, .m = { .arena = &arena, .body = { .fd = -1 } } };
	struct control_message m = { .id = id, .sender = "", .login = "", .bad = true };
	struct fail why = FAIL_INIT;
	enum spool_found found = spool_take(&s->a->d->spool, id, false, &q, &why);

	if (found == SPOOL_GONE || found == SPOOL_BUSY)
		return true;
	m.error = why.text;
	if (found == SPOOL_TAKEN)
		describe(s->a, &q, &m);
	if (!may_see_all(s->a) && (found == SPOOL_BAD || q.uid != s->a->uid))
		return true;
	if (s->sum == NULL)
		return control_put_message(s->a->fd, &m, f);
	add_up(s, &q, &m);
	return true;
}

static bool
see_bad(const struct seen *s, struct fail *f)
{
	char after[256] = "", name[256];

	while (may_see_all(s->a) && spool_next_bad(&s->a->d->spool, after, name)) {
		const struct control_message m = { .id = name,
			.sender = "",
			.login = "",
			.error = "damaged or foreign, set aside in bad/",
			.bad = true };

		if (s->sum != NULL)
			s->sum->bad++;
		else if (!control_put_message(s->a->fd, &m, f))
			return false;
		memcpy(after, name, sizeof after);
	}
	return true;
}

static bool
see_all(const struct seen *s, struct fail *f)
{
	char(*ids)[ID_MAX] = arena_array(s->a->d->arena, SPOOL_BATCH, sizeof *ids);
	char after[ID_MAX] = "";
	size_t n = 0;

	do {
		if (!spool_list(&s->a->d->spool, after, ids, &n, f))
			return false;
		for (size_t i = 0; i < n; i++)
			if (!see(s, ids[i], f))
				return false;
		if (n > 0)
			memcpy(after, ids[n - 1], sizeof after);
	} while (n > 0);
	return see_bad(s, f);
}

static bool
list(const struct asked *a, const struct control *c, struct fail *f)
{
	const struct seen all = { a, NULL, NULL };

	for (size_t i = 0; i < c->nids; i++)
		if (!see(&all, c->ids[i], f))
			return false;
	return c->nids > 0 || see_all(&all, f);
}

static bool
status(const struct asked *a, struct fail *f)
{
	struct control_status sum = { .alarm_after = a->d->conf->queue_alarm_after };
	char error[FAIL_TEXT] = "";
	const struct seen all = { a, &sum, error };
	struct host_record at = { .tries = 0 };

	if (a->d->spooling) {
		if (!see_all(&all, f))
			return false;
		hosts_summary(&a->d->spool, &at);
	}
	sum.error = error;
	sum.last_success = at.last_success;
	if (at.error[0] != '\0' && at.last_try >= sum.last_failure) {
		sum.last_failure = at.last_try;
		/* with a login's line and the server's words in it, of anybody's mail */
		sum.error = may_see_all(a) ? at.error : "the smarthost takes no mail now";
	}
	return control_put_status(a->fd, &sum, f);
}

/* ------------------------------------------------------------------ one message */

static bool
view(const struct asked *a, int dir, const char *name, struct fail *f)
{
	struct stat st;
	AUTO_FD int fd = file_open(dir, name, FILE_NOFOLLOW, &st);
	char piece[8192];
	ssize_t got;

	if (fd < 0)
		return fail_set(f, FAIL_USER, STAGE_ARGS, errno, "Failed to open %s", name);
	while ((got = fd_read(fd, piece, sizeof piece)) > 0)
		if (!control_say(a->fd, str_at(piece, (size_t)got), f))
			return false;
	return got == 0 || fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno, "Failed to read %s", name);
}

static bool
is_missing(const char *id, struct fail *f)
{
	return fail_set(f, FAIL_USER, STAGE_ARGS, 0, "Spool data file for %s does not exist", id);
}

static bool
view_file(const struct asked *a, const char *id, char kind, struct fail *f)
{
	AUTO_FD int dir = place_find(&a->d->spool, id);
	char name[ID_MAX + 2];

	if (dir < 0)
		return is_missing(id, f);
	(void)snprintf(name, sizeof name, "%s-%c", id, kind);
	return view(a, dir, name, f);
}

/* Lock it.  False: *f in words for the person who asked. */
static bool
take(const struct asked *a, const char *id, struct queued *q, struct fail *f)
{
	switch (spool_take(&a->d->spool, id, true, q, f)) {
	case SPOOL_TAKEN:
		return true;
	case SPOOL_BUSY:
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0,
		    "Message %s is locked: another process works on it", id);
	case SPOOL_GONE:
		return is_missing(id, f);
	case SPOOL_BAD:
		break;
	}
	fail_prefix(f, "Message %s is damaged and was set aside", id);
	return false;
}

static bool
set_frozen(const struct asked *a, struct queued *q, bool frozen, struct fail *f)
{
	const struct delivery *d = a->d;

	if (q->frozen == frozen)
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0, "Message %s is %s frozen", q->e.id,
		    frozen ? "already" : "not");
	q->frozen = frozen;
	q->manual_thaw = !frozen;
	q->frozen_at = frozen ? d->now : 0;
	q->frozen_counted = frozen ? d->ages.count : 0;
	if (!spool_rewrite(&d->spool, q, f))
		return false;
	trace_line(d->trace, TRACE_LOG, "%s by %s", frozen ? "frozen" : "unfrozen", a->login);
	return control_say(a->fd,
	    str_of(arena_fmt(
		q->arena, "Message %s is %s frozen\n", q->e.id, frozen ? "now" : "no longer")),
	    f);
}

static bool
discard(const struct asked *a, const struct queued *q, struct fail *f)
{
	const struct delivery *d = a->d;

	if (!spool_remove(&d->spool, q, f))
		return false;
	trace_line(d->trace, TRACE_LOG, "removed by %s", a->login);
	trace_line(d->trace, TRACE_LOG, "Completed");
	return control_say(
	    a->fd, str_of(arena_fmt(q->arena, "Message %s has been removed\n", q->e.id)), f);
}

static bool
change(const struct asked *a, enum control_verb verb, const char *id, struct fail *f)
{
	AUTO_ARENA struct arena arena = { NULL };
	struct queued q = { .arena = &arena, .m = { .arena = &arena, .body = { .fd = -1 } } };
	struct delivery *d = a->d;
	bool ok;

	if (!take(a, id, &q, f))
		return false;
	d->log->id = id;
	ok = verb == CONTROL_REMOVE ? discard(a, &q, f) :
				      set_frozen(a, &q, verb == CONTROL_FREEZE, f);
	d->log->id = NULL;
	spool_release(&q);
	return ok;
}

static bool
one(const struct asked *a, enum control_verb verb, const char *id, struct fail *f)
{
	if (!a->d->spooling)
		return is_missing(id, f);
	if (verb == CONTROL_TRY)
		return run_message(a->d, id, f);
	if (verb == CONTROL_GIVE_UP)
		return run_give_up(
		    a->d, id, arena_fmt(a->d->arena, "cancelled by %s", a->login), f);
	if (verb == CONTROL_HEADER || verb == CONTROL_BODY)
		return view_file(a, id, verb == CONTROL_HEADER ? 'H' : 'D', f);
	if (verb == CONTROL_LOG)
		return view(a, a->d->spool.msglog, id, f);
	return change(a, verb, id, f);
}

/* Work off all ids: what fails for one is said on the caller's standard output, and the next has
 * its turn. */
static bool
each(const struct asked *a, const struct control *c, struct fail *f)
{
	bool ok = true;

	for (size_t i = 0; i < c->nids; i++) {
		struct fail why = FAIL_INIT;

		if (stop_asked())
			return fail_set(f, FAIL_TEMP, STAGE_ARGS, 0,
			    "onehop-send was told to stop before %s", c->ids[i]);
		if (one(a, c->verb, c->ids[i], &why))
			continue;
		if (!control_say(a->fd, str_of(arena_fmt(a->d->arena, "%s\n", why.text)), f))
			return false;
		ok = false;
	}
	if (ok)
		return true;
	*f = (struct fail){ .cls = FAIL_USER, .stage = STAGE_ARGS, .exit = EXIT_FAILURE };
	return false;
}

/* Open the spool.  True with d->spooling false: there is no spool yet, so that nothing waits. */
static bool
open_spool(struct delivery *d, struct fail *f)
{
	struct fail why = FAIL_INIT;

	if (delivery_spool(d, false, &why) ||
	    (access(d->conf->spool_directory, F_OK) != 0 && errno == ENOENT))
		return true;
	return delivery_spool(d, true, f); /* a part of it may be missing */
}

bool
deliver_control(struct delivery *d, int fd, unsigned uid, const struct control *c, struct fail *f)
{
	struct asked a = { d, fd, uid, NULL };
	struct caller who;

	if (!guard_user(d->arena, uid, &who, f) || !open_spool(d, f))
		return false;
	a.login = who.login;
	if (c->verb == CONTROL_LIST)
		return !d->spooling || list(&a, c, f);
	if (c->verb == CONTROL_STATUS)
		return status(&a, f);
	if (d->spooling && !may_see_all(&a)) {
		(void)fail_set(f, FAIL_USER, STAGE_ARGS, 0,
		    "permission denied: the queue is steered by root and by the owner of the "
		    "spool");
		f->exit = EX_NOPERM;
		return false;
	}
	if (c->verb <= CONTROL_RUN_FROZEN)
		return run_queue(d, (enum run_which)c->verb, f);
	return each(&a, c, f);
}
