/* home.c - into a user's mailbox or program, which may take its time. */
#include "send/home.h"

#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "local/user.h"
#include "send/run.h"
#include "spool/turns.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* For one delivery, or for a turn; and so long when the run's purse is empty. */
enum { PATIENCE_MS = 5000, MOMENT_MS = 1000, LITTLE_MS = 100, LOOK_MS = 50 };

static int64_t
patience(const struct delivery *d)
{
	int64_t ms = d->purse_ms < PATIENCE_MS ? d->purse_ms : PATIENCE_MS;

	return ms > LITTLE_MS ? ms : LITTLE_MS;
}

static bool
leave(void *ctx)
{
	struct attempt *t = ctx;
	struct delivery *d = t->d;

	trace_line(d->trace, TRACE_LOG,
	    "a local delivery takes its time: the queue run does not wait for it");
	t->left = !run_leave(d);
	return !t->left;
}

/* A turn of his user's, to be closed.  -1: he has none left (*f says so), or they cannot be
 * counted. */
static int
turn(const struct delivery *d, const struct user *u, int64_t end, struct fail *f)
{
	AUTO_FD int fd = turns_open(&d->spool, TURNS_AT_HOME);
	enum turns_found found;

	if (fd < 0)
		return -1;
	while ((found = turns_take(fd, u->uid, TURNS_AT_HOME)) == TURNS_NONE && clock_ms() < end)
		(void)poll(NULL, 0, LOOK_MS);
	if (found == TURNS_NONE)
		(void)fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "%d deliveries to %s are under way, and take their time", TURNS_HOME, u->name);
	return found == TURNS_HAD ? steal_fd(&fd) : -1;
}

bool
home_deliver(struct attempt *t, struct local_job *job, struct fail *f)
{
	struct delivery *d = t->d;
	int64_t begun = clock_ms(), took;
	AUTO_FD int held = -1;
	struct user u;
	bool ok;

	if (!d->running)
		return local_deliver(d->conf, job, &t->q->m, f);
	if (user_find(t->q->arena, job->route->user, &u, f) <= 0)
		return false;
	held = turn(d, &u, begun + patience(d), f);
	job->slow = leave;
	job->ctx = t;
	job->slow_ms = patience(d);
	ok = (held >= 0 || f->cls == FAIL_NONE) && local_deliver(d->conf, job, &t->q->m, f);
	took = clock_ms() - begun;
	d->purse_ms -= took > MOMENT_MS ? took : 0;
	return ok;
}
