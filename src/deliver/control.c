/* control.c - what onehop-send does for -q, -M..., -bp and status. */
#include "deliver/control.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "deliver/run.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct asked {
	struct delivery *d;
	int fd;
	unsigned uid;
	const char *login;
};

static bool
say(const struct asked *a, const char *id, const char *words, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(512);

	buf_fmt(&b, "Message %s %s\n", id, words);
	return control_say(a->fd, buf_get(&b), f);
}

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
	m->waiting = arena_array(q->arena, q->e.nrcpts, sizeof *m->waiting);
	m->done = arena_array(q->arena, q->e.nrcpts, sizeof *m->done);
	for (size_t i = 0; i < q->e.nrcpts; i++)
		if (q->e.rcpts[i].state == RCPT_SENT)
			m->done[m->ndone++] = q->e.rcpts[i].address;
		else
			m->waiting[m->nwaiting++] = q->e.rcpts[i].address;
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
};

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
	s->sum->messages++;
	s->sum->frozen += m.frozen;
	if (s->sum->oldest == 0 && !m.bad && !m.frozen) {
		s->sum->oldest = m.received;
		s->sum->waited = ages_since(&s->a->d->ages, q.arrived);
	}
	return true;
}

static bool
see_bad(const struct seen *s, struct fail *f)
{
	char after[256] = "", name[256];

	while (may_see_all(s->a) && spool_next_bad(&s->a->d->spool, after, name)) {
		const struct control_message m = {
			.id = name, .sender = "", .login = "", .error = "set aside", .bad = true
		};

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
status(const struct asked *a, struct fail *f)
{
	struct control_status sum = { .alarm_after = a->d->conf->queue_alarm_after };
	const struct seen all = { a, &sum };
	struct host_record at = { .tries = 0 };

	if (!see_all(&all, f))
		return false;
	hosts_summary(&a->d->spool, &at);
	sum.last_success = at.last_success;
	sum.last_failure = at.last_try;
	sum.error = at.error;
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
		return fail_set(f, FAIL_USER, STAGE_ARGS, errno, "cannot show %s", name);
	while ((got = fd_read(fd, piece, sizeof piece)) > 0)
		if (!control_say(a->fd, str_at(piece, (size_t)got), f))
			return false;
	return got == 0 || fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno, "cannot read %s", name);
}

static bool
view_file(const struct asked *a, const char *id, char kind, struct fail *f)
{
	char name[ID_MAX + 8];

	if (strlen(id) >= ID_MAX || strchr(id, '/') != NULL)
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0, "%s is not the id of a message", id);
	if (kind == 'L')
		return view(a, a->d->spool.msglog, id, f);
	(void)snprintf(name, sizeof name, "%s-%c", id, kind);
	if (faccessat(a->d->spool.input, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return view(a, a->d->spool.input, name, f);
	(void)snprintf(name, sizeof name, "%c/%s-%c", strlen(id) > 5 ? id[5] : '0', id, kind);
	return view(a, a->d->spool.input, name, f);
}

static bool
found_or_not(const struct asked *a, const char *id, enum spool_found found, struct fail *f)
{
	switch (found) {
	case SPOOL_TAKEN:
		return true;
	case SPOOL_BUSY:
		return fail_set(f, FAIL_TEMP, STAGE_SPOOL, 0, "Message %s is locked", id);
	case SPOOL_GONE:
		if (!say(a, id, "does not exist", f))
			return false;
		(void)fail_set(f, FAIL_USER, STAGE_ARGS, 0, "there is no message %s", id);
		f->exit = 1;
		return false;
	case SPOOL_BAD:
		break;
	}
	return false;
}

static bool
change(const struct asked *a, enum control_verb verb, const char *id, struct fail *f)
{
	AUTO_ARENA struct arena arena = { NULL };
	struct queued q = { .arena = &arena, .m = { .arena = &arena, .body = { .fd = -1 } } };
	struct delivery *d = a->d;
	const char *words = "is now frozen", *line = "frozen by";
	bool ok;

	if (!found_or_not(a, id, spool_take(&d->spool, id, true, &q, f), f))
		return false;
	d->log->id = id;
	q.frozen = verb == CONTROL_FREEZE;
	q.frozen_at = d->now;
	q.frozen_counted = d->ages.count;
	if (verb == CONTROL_REMOVE) {
		words = "has been removed";
		line = "removed by";
		ok = spool_remove(&d->spool, &q, f);
	} else {
		if (verb == CONTROL_THAW) {
			words = "is no longer frozen";
			line = "unfrozen by";
			q.manual_thaw = true;
		}
		ok = spool_rewrite(&d->spool, &q, f);
	}
	if (ok)
		trace_line(d->trace, TRACE_LOG, "%s %s", line, a->login);
	if (ok && verb == CONTROL_REMOVE)
		trace_line(d->trace, TRACE_LOG, "Completed");
	d->log->id = NULL;
	spool_release(&q);
	return ok && say(a, id, words, f);
}

static bool
one(const struct asked *a, enum control_verb verb, const char *id, struct fail *f)
{
	switch (verb) {
	case CONTROL_TRY:
		return run_message(a->d, id, f);
	case CONTROL_GIVE_UP:
		return run_give_up(a->d, id, "cancelled by the administrator", f);
	case CONTROL_HEADER:
		return view_file(a, id, 'H', f);
	case CONTROL_BODY:
		return view_file(a, id, 'D', f);
	case CONTROL_LOG:
		return view_file(a, id, 'L', f);
	case CONTROL_FREEZE:
	case CONTROL_THAW:
	case CONTROL_REMOVE:
	case CONTROL_RUN:
	case CONTROL_RUN_ALL:
	case CONTROL_RUN_FROZEN:
	case CONTROL_LIST:
	case CONTROL_STATUS:
		break;
	}
	return change(a, verb, id, f);
}

static const char *
login_of(struct arena *arena, unsigned uid)
{
	struct passwd pw, *found = NULL;
	char *space = arena_alloc(arena, 16384);

	if (getpwuid_r(uid, &pw, space, 16384, &found) == 0 && found != NULL)
		return pw.pw_name;
	return arena_fmt(arena, "uid %u", uid);
}

bool
deliver_control(struct delivery *d, int fd, unsigned uid, const struct control *c, struct fail *f)
{
	const struct asked a = { d, fd, uid, login_of(d->arena, uid) };
	const struct seen list = { &a, NULL };

	if (c->verb == CONTROL_LIST)
		return see_all(&list, f);
	if (c->verb == CONTROL_STATUS)
		return status(&a, f);
	if (!may_see_all(&a)) {
		(void)fail_set(f, FAIL_USER, STAGE_ARGS, 0,
		    "permission denied: the queue is steered by root and by the owner of the "
		    "spool");
		f->exit = EX_NOPERM;
		return false;
	}
	if (c->verb <= CONTROL_RUN_FROZEN)
		return run_queue(d, (enum run_which)c->verb, f);
	for (size_t i = 0; i < c->nids; i++)
		if (!one(&a, c->verb, c->ids[i], f))
			return false;
	return true;
}
