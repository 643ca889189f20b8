/* run.c - the queue run. */
#include "send/run.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "base/clock.h"
#include "base/stop.h"
#include "guard/environment.h"
#include "send/due.h"
#include "send/share.h"
#include "spool/rates.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* What it waits in all for users' mailboxes and programs that take more than a moment. */
enum { PURSE_MS = 60 * 1000 };

static enum spool_found
take(struct delivery *d, const char *id, struct queued *q, struct fail *f)
{
	enum spool_found found = spool_take(&d->spool, id, true, q, f);

	if (found == SPOOL_BAD) {
		d->log->id = id;
		trace_line(d->trace, TRACE_LOG, "set aside in bad/: %s", f->text);
		d->log->id = NULL;
	}
	return found;
}

/* Do one thing to one message, in memory of its own. */
static enum spool_found
with_message(struct delivery *d, const char *id,
    void (*act)(struct delivery *d, struct queued *q, const char *reason), const char *reason,
    struct fail *f)
{
	AUTO_ARENA struct arena a = { NULL };
	struct queued q = { .arena = &a, .m = { .arena = &a, .body = { .fd = -1 } } };
	enum spool_found found = take(d, id, &q, f);

	if (found != SPOOL_TAKEN)
		return found;
	d->now = clock_unix();
	d->log->id = q.e.id;
	act(d, &q, reason);
	d->log->id = NULL;
	spool_release(&q);
	if (d->alone) /* what came of it is for the next run */
		guard_end();
	return found;
}

/* The configuration that some senders have, and the connection made with it. */
struct way {
	struct way *next;
	const char *key;
	struct conf conf;
	struct courier *courier;
};

/* Made once in a run, so that a server that is down, or refuses the password, is asked once. */
static struct way *
way_of(struct delivery *d, const struct queued *q, struct fail *f)
{
	const char *key = conf_sender_key(d->conf, q->arena, q->e.sender);
	struct way *w = d->ways;

	while (w != NULL && strcmp(w->key, key) != 0)
		w = w->next;
	if (w != NULL)
		return w;
	w = arena_alloc(d->arena, sizeof *w);
	*w = (struct way){ d->ways, arena_strz(d->arena, str_of(key)), *d->conf, NULL };
	if (!conf_apply_sender(&w->conf, q->e.sender, f))
		return NULL;
	w->courier = courier_new(&w->conf, d->arena, d->trace, d->verbose);
	courier_try_once(w->courier);
	courier_force(w->courier, d->forced_us);
	d->ways = w;
	return w;
}

static void
try_as_sender(struct delivery *d, struct queued *q)
{
	const struct conf *usual = d->conf;
	struct courier *kept = d->courier;
	struct fail f = FAIL_INIT;
	const struct way *w = way_of(d, q, &f);

	if (w == NULL) {
		trace_line(d->trace, TRACE_LOG, "%s", f.text);
		return;
	}
	d->conf = &w->conf;
	d->courier = w->courier;
	deliver_queued(d, q);
	d->courier = kept;
	d->conf = usual;
}

bool
run_leave(struct delivery *d)
{
	pid_t pid = d->along ? 0 : guard_apart();

	if (pid != 0)
		return pid < 0;
	(void)close(d->run_lock);
	d->run_lock = -1;
	d->running = false;
	d->over = true;
	if (d->along)
		return true;
	d->alone = true;
	spool_apart(&d->spool);
	for (const struct way *w = d->ways; w != NULL; w = w->next)
		courier_leave(w->courier);
	courier_leave(d->courier);
	logfile_detach(d->log);
	return true;
}

void
run_close(struct delivery *d)
{
	for (; d->ways != NULL; d->ways = d->ways->next)
		courier_free(d->ways->courier);
	courier_free(d->courier);
}

/* At once on disk: the attempt may have nothing else to write. */
static void
thaw(struct delivery *d, struct queued *q, const char *reason)
{
	struct fail f = FAIL_INIT;

	q->frozen = false;
	trace_line(d->trace, TRACE_LOG, "%s", reason);
	if (!spool_rewrite(&d->spool, q, &f))
		trace_line(d->trace, TRACE_LOG, "it stays frozen: %s", f.text);
}

static void
try(struct delivery *d, struct queued *q, const char *reason)
{
	if (q->frozen && reason != NULL)
		thaw(d, q, reason);
	if (conf_depends_on_sender(d->conf))
		try_as_sender(d, q);
	else
		deliver_queued(d, q);
}

static bool
answer(enum spool_found found, const char *id, struct fail *f)
{
	switch (found) {
	case SPOOL_TAKEN:
		return true;
	case SPOOL_BUSY:
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0, "%s is being delivered now", id);
	case SPOOL_GONE:
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0, "there is no message %s", id);
	case SPOOL_BAD:
		break;
	}
	return false;
}

/* The bounces and warnings that came of it; they make no more than one more each. */
static void
try_offspring(struct delivery *d)
{
	struct fail f;

	while (d->noffspring > 0 && !stop_asked()) {
		char id[ID_MAX];

		memcpy(id, d->offspring[--d->noffspring], sizeof id);
		(void)with_message(d, id, try, NULL, &f);
	}
}

/* -M and -qff: a login that rests is tried.  Not -qf, which the network's hooks run by themselves:
 * a password that was refused is not made right by a new address. */
static void
force(struct delivery *d)
{
	d->forced_us = clock_unix_us();
	courier_force(d->courier, d->forced_us);
}

bool
run_message(struct delivery *d, const char *id, struct fail *f)
{
	bool ok;

	if (d->forced_us == 0)
		force(d);
	ok = answer(with_message(d, id, try, "Unfrozen by forced delivery", f), id, f);

	try_offspring(d);
	return ok;
}

static void
drop(struct delivery *d, struct queued *q)
{
	struct fail f = FAIL_INIT;

	if (!spool_remove(&d->spool, q, &f))
		trace_line(d->trace, TRACE_LOG, "it cannot be removed: %s", f.text);
	else
		trace_line(d->trace, TRACE_LOG, "Completed");
}

static void
drop_notice(struct delivery *d, struct queued *q, const char *reason)
{
	(void)reason;
	drop(d, q);
}

/* Append the recipients who are in this state, with commas between them. */
static void
name_those(const struct queued *q, enum rcpt_state state, const char *before, struct buf *out)
{
	for (size_t i = 0; i < q->e.nrcpts; i++) {
		if (q->e.rcpts[i].state != state)
			continue;
		buf_fmt(out, "%s%s", before, q->e.rcpts[i].address);
		before = ", ";
	}
}

void
run_unheard(struct delivery *d, struct queued *q)
{
	AUTO_BUF struct buf line = BUF_INIT(65536);
	struct fail f = FAIL_INIT;

	buf_str(&line, "the caller was gone before he heard of it, it is his again");
	name_those(q, RCPT_SENT, "; delivered: ", &line);
	name_those(q, RCPT_KEPT, "; dropped: ", &line);
	d->log->id = q->e.id;
	trace_buf(d->trace, TRACE_LOG, &line);
	spool_release(q);
	if (d->spooling)
		(void)with_message(d, q->e.id, drop_notice, NULL, &f);
	for (; d->noffspring > 0; d->noffspring--)
		(void)with_message(d, d->offspring[d->noffspring - 1], drop_notice, NULL, &f);
	d->log->id = NULL;
}

/* End it: the sender is told by a bounce, where there is one. */
static void
give_up(struct delivery *d, struct queued *q, const char *reason)
{
	q->frozen = false;
	if (q->e.sender[0] != '\0') {
		deliver_give_up(d, q, reason);
		return;
	}
	trace_line(d->trace, TRACE_LOG, "%s", reason);
	drop(d, q);
}

bool
run_give_up(struct delivery *d, const char *id, const char *reason, struct fail *f)
{
	bool ok = answer(with_message(d, id, give_up, reason, f), id, f);

	try_offspring(d);
	return ok;
}

/* ------------------------------------------------------------------ which, and when */

static void
end_frozen(struct delivery *d, struct queued *q, const char *reason)
{
	uint64_t any = d->conf->timeout_frozen_after;

	if (q->e.sender[0] != '\0' || (any > 0 && ages_since(&d->ages, q->frozen_counted) >= any)) {
		give_up(d, q, reason);
		return;
	}
	for (size_t i = 0; i < q->e.nrcpts; i++)
		if (q->e.rcpts[i].state != RCPT_SENT)
			trace_line(d->trace, TRACE_LOG, "%s: error ignored", q->e.rcpts[i].address);
	drop(d, q);
}

/* What is looked at, and what comes of it. */
struct survey {
	enum run_which which;
	size_t most, done; /* messages to be tried, and those that were */
	struct quiet quiet;
};

static void
handle(struct delivery *d, const char *id, struct survey *v)
{
	struct fail f = FAIL_INIT;
	enum due what = due_look(d, id, v->which, &v->quiet);

	if (what == DUE_FROZEN && v->most == SIZE_MAX) {
		d->log->id = id;
		trace_line(d->trace, TRACE_LOG, "Message is frozen");
		d->log->id = NULL;
	}
	if (what == DUE_NOT || what == DUE_FROZEN)
		return;
	if (what == DUE_END)
		(void)with_message(d, id, end_frozen, "cancelled by timeout_frozen_after", &f);
	else
		(void)with_message(
		    d, id, try, v->which == RUN_FROZEN ? "Unfrozen by forced delivery" : NULL, &f);
	try_offspring(d);
	quiet_again(&v->quiet, id);
	v->done++;
}

/* ------------------------------------------------------------------ the run */

/* The directory itself, so that neither a full disk nor another user's run leaves a lock that
 * cannot be had.  -1 with errno; EWOULDBLOCK: another has it. */
static int
lock_runner(const struct delivery *d)
{
	AUTO_FD int fd = openat(d->spool.db, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 ? steal_fd(&fd) : -1;
}

static bool
is_over(const struct delivery *d)
{
	return d->over || stop_asked();
}

/* False: there is to be no further one. */
static bool
handle_all(struct delivery *d, struct survey *v, char (*ids)[ID_MAX], size_t n)
{
	for (size_t i = 0; i < n && v->done < v->most && !is_over(d); i++)
		handle(d, ids[i], v);
	if (v->done < v->most && !is_over(d))
		return n > 0;
	quiet_doubt(&v->quiet);
	return false;
}

static bool
all_batches(struct delivery *d, struct survey *v, struct fail *f)
{
	char(*ids)[ID_MAX] = arena_array(d->arena, SPOOL_BATCH, sizeof *ids);
	char after[ID_MAX] = "";
	size_t n = 0;

	do {
		if (!spool_list(&d->spool, after, ids, &n, f)) {
			quiet_doubt(&v->quiet);
			return false;
		}
		if (n > 0)
			memcpy(after, ids[n - 1], sizeof after);
	} while (handle_all(d, v, ids, n));
	/* of an empty queue there is nothing to know */
	if (after[0] == '\0')
		quiet_doubt(&v->quiet);
	return true;
}

/* most < SIZE_MAX: that is for a delivery that went well, which need not look at what is known. */
static bool
survey(struct delivery *d, enum run_which which, size_t most, struct fail *f)
{
	struct survey v = { which, most, 0, QUIET_NONE };
	struct quiet_at at = due_rules(d);
	char few[QUIET_IDS][ID_MAX];
	size_t n;
	bool ok;

	if (which == RUN_DUE && quiet_begin(&at, most == SIZE_MAX, &v.quiet, few, &n)) {
		(void)handle_all(d, &v, few, n);
		ok = true;
	} else {
		ok = all_batches(d, &v, f);
	}
	quiet_end(&at, &v.quiet);
	return ok;
}

/* The lock is given back. */
static bool
run(struct delivery *d, enum run_which which, size_t most, int *lock, struct fail *f)
{
	bool ok;

	d->running = true;
	d->run_lock = steal_fd(lock);
	d->along = most != SIZE_MAX;
	d->over = false;
	d->purse_ms = PURSE_MS;
	ok = survey(d, which, most, f);
	d->running = false;
	cleanup_fd(&d->run_lock);
	return ok;
}

bool
run_queue(struct delivery *d, enum run_which which, struct fail *f)
{
	static const char *const flags[] = { "", " -qf", " -qff" };
	AUTO_FD int lock = d->spooling ? lock_runner(d) : -1;
	bool ok = true;

	if (d->spooling && lock < 0 && errno == EWOULDBLOCK) {
		trace_line(d->trace, TRACE_NOTE, "another queue run is at work");
		return true;
	}
	if (d->spooling && lock < 0)
		return fail_set(
		    f, FAIL_TEMP, STAGE_SPOOL, errno, "cannot lock %s/db", d->spool.path);
	trace_line(d->trace, TRACE_LOG, "Start queue run: pid=%d%s", (int)getpid(), flags[which]);
	if (d->spooling) {
		if (which == RUN_FROZEN)
			force(d);
		courier_try_once(d->courier);
		spool_sweep(&d->spool);
		rates_sweep(&d->spool, &d->ages);
		ok = run(d, which, SIZE_MAX, &lock, f);
	}
	trace_line(d->trace, TRACE_LOG, "End queue run: pid=%d%s%s", (int)getpid(), flags[which],
	    stop_asked() ? " (told to stop)" : "");
	return ok;
}

static void
due_along(struct delivery *d, size_t n)
{
	AUTO_FD int lock = lock_runner(d);
	struct fail f = FAIL_INIT;

	courier_try_once(d->courier);
	if (lock >= 0)
		(void)!run(d, RUN_DUE, n, &lock, &f);
}

void
run_along(struct delivery *d, size_t n)
{
	try_offspring(d);
	if (n > 0)
		due_along(d, n);
}
