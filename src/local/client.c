/* client.c - the caller's side of onehop-local. */
#include "local/client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/program.h"
#include "base/unix.h"
#include "local/user.h"
#include "wire/request.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { CHUNK = 8192 };

/* A helper that does not want to read on has its reasons, and says them: then the rest is not
 * given.  It has the same time for all of it. */
struct talk {
	int to, from;
	int64_t end, slow_at;
	const struct local_job *job; /* NULL: it is a question */
	bool refused;
	bool left; /* to another process */
};

static bool
too_late(struct fail *f)
{
	return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "onehop-local did not answer in time");
}

/* How long to wait now; 0: no longer. */
static int
time_left(struct talk *t)
{
	int64_t now = clock_ms();

	if (t->job != NULL && t->job->slow != NULL && t->slow_at != 0) {
		if (now < t->slow_at)
			return (int)(t->slow_at - now);
		t->slow_at = 0;
		t->left = !t->job->slow(t->job->ctx);
	}
	return t->left || now >= t->end ? 0 : (int)(t->end - now);
}

/* Until there is an answer, or (with room) until it can be given more. */
static bool
await(struct talk *t, bool room, struct fail *f)
{
	struct pollfd p[] = { { .fd = t->from, .events = POLLIN },
		{ .fd = room ? t->to : -1, .events = POLLOUT } };
	int r = 0;

	while (r == 0 || (r < 0 && errno == EINTR)) {
		int ms = time_left(t);

		if (ms == 0)
			return t->left ? false : too_late(f);
		r = poll(p, 2, ms);
	}
	t->refused = p[0].revents != 0;
	return r > 0 || fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot wait for onehop-local");
}

static bool
give(struct talk *t, struct str s, struct fail *f)
{
	while (s.n > 0 && !t->refused) {
		ssize_t n = write(t->to, s.p, s.n);

		if (n >= 0)
			s = str_skip(s, (size_t)n);
		else if (errno == EPIPE || errno == ECONNRESET)
			t->refused = true;
		else if (errno == EAGAIN ? !await(t, true, f) :
					   errno != EINTR &&
			    !fail_set(
				f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot write to onehop-local"))
			return false;
	}
	return true;
}

static bool
give_body(struct talk *t, const struct body *b, struct fail *f)
{
	char chunk[CHUNK];
	uint64_t at = 0;

	while (at < b->size && !t->refused) {
		int64_t n = body_read(b, at, chunk, sizeof chunk);

		if (n <= 0)
			return fail_set(f, FAIL_TEMP, STAGE_LOCAL, n < 0 ? errno : 0,
			    "cannot read the message back");
		if (!give(t, str_at(chunk, (size_t)n), f))
			return false;
		at += (uint64_t)n;
	}
	return true;
}

static bool
give_message(struct talk *t, const struct message *m, struct fail *f)
{
	for (size_t i = 0; i < m->nheaders; i++)
		if (m->headers[i].type != H_DELETED && !give(t, m->headers[i].text, f))
			return false;
	return give(t, STR("\n"), f) && give_body(t, &m->body, f);
}

/* The two may be one socket, and the answer is read with waiting. */
static bool
give_all(struct talk *t, struct str request, const struct message *m, struct fail *f)
{
	int flags = fcntl(t->to, F_GETFL);
	bool ok;

	(void)fcntl(t->to, F_SETFL, flags | O_NONBLOCK);
	ok = give(t, request, f) && (m == NULL || give_message(t, m, f));
	if (!t->left)
		(void)fcntl(t->to, F_SETFL, flags);
	return ok;
}

/* It ended without an answer: say how.  status -1: it was behind the door. */
static bool
lost(int status, const char *path, struct fail *f)
{
	if (status < 0)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "%s gave no answer: journalctl -u 'onehop-local@*' says why", LOCAL_SOCKET);
	if (WIFSIGNALED(status))
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "%s was killed by signal %d", path,
		    WTERMSIG(status));
	return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "%s gave no answer (exit status %d)", path,
	    WEXITSTATUS(status));
}

/* What one run of onehop-local is about. */
struct errand {
	struct arena *arena;
	const char *verb, *user;
	const struct local_request *rq;
	const struct message *message; /* NULL: none */
	const struct local_job *job;
	bool may; /* become that user ourselves */
};

/* Connect to LOCAL_SOCKET, behind which root serves, and begin the request with verb and user. */
static bool
knock(const struct errand *e, struct buf *request, struct child *c, struct fail *f)
{
	c->in = unix_connect(LOCAL_SOCKET);
	c->out = c->in >= 0 ? fcntl(c->in, F_DUPFD_CLOEXEC, 3) : -1;
	opening_write(e->verb, e->user, request);
	return c->out >= 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot connect to %s", LOCAL_SOCKET);
}

/* Are we so limited that a user's command would get less from us than it is entitled to (set-uid
 * bits, capabilities)?  procmail is set-uid, and sorts nothing without. */
static bool
is_limited(void)
{
	int has = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;

	for (unsigned long capability = 0; has == 1; capability++)
		has = prctl(PR_CAPBSET_READ, capability, 0, 0, 0);
	return has == 0; /* -1: there are no more */
}

/* Start onehop-local ourselves if we may become the user with all rights that his commands need;
 * otherwise ask for it through the socket. */
static bool
begin(const struct errand *e, const struct child_program *p, struct buf *request, struct child *c,
    struct fail *f)
{
	struct fail ignored = FAIL_INIT;

	if (!e->may)
		return knock(e, request, c, f);
	if (is_limited() && knock(e, request, c, &ignored))
		return true;
	buf_reset(request);
	return child_start(c, p, STAGE_LOCAL, f);
}

static void
begin_talk(struct talk *t, const struct child *c)
{
	int64_t now = clock_ms();
	unsigned seconds = t->job != NULL ? DELIVER_SECONDS : PROBE_SECONDS;

	t->to = c->in;
	t->from = c->out;
	t->end = now + (seconds + ANSWER_SECONDS) * INT64_C(1000);
	if (t->job != NULL)
		t->slow_at = now + t->job->slow_ms;
}

/* Start it, say the request and the message, hear the answer. */
static bool
run(const struct errand *e, struct probe *found, struct fail *f)
{
	char *const argv[] = { arena_strz(e->arena, STR("onehop-local")),
		arena_strz(e->arena, str_of(e->verb)), arena_strz(e->arena, str_of(e->user)),
		NULL };
	const struct child_program p = { .path = program_path(e->arena, "onehop-local"),
		.argv = argv };
	AUTO_BUF struct buf request = BUF_INIT(FRAME_MAX + FRAME_LENGTH);
	struct talk t = { .job = e->job };
	struct str reply = { 0 };
	struct child c = CHILD_NONE;
	bool given, answered;
	int status;

	if (!begin(e, &p, &request, &c, f) || !request_write(e->rq, &request, f)) {
		(void)child_wait(&c);
		return false;
	}
	begin_talk(&t, &c);
	given = give_all(&t, buf_get(&request), e->message, f);
	if (!t.left)
		(void)shutdown(c.in, SHUT_WR);
	(void)close(c.in); /* when not given: the message ends before its size, and is dropped */
	c.in = -1;
	/* whoever answers has a deadline of its own, and says all of it at once */
	given = given && await(&t, false, f);
	answered = given && frame_read(c.out, e->arena, &reply);
	if (t.left)
		c.pid = 0;
	else if (clock_ms() >= t.end)
		child_kill(&c);
	status = child_wait(&c);
	if (!given)
		return false;
	return answered ? reply_read(reply, e->arena, found, f) : lost(status, p.path, f);
}

static bool
check_right(const struct user *u, struct fail *f)
{
	return user_may_become(u) || access(LOCAL_SOCKET, W_OK) == 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_DOOR, 0,
		"cannot deliver to %s: only root or %s may; send it as root, or open the door "
		"with systemctl enable --now onehop-submit.socket onehop-local.socket",
		u->name, u->name);
}

bool
local_may_deliver(struct arena *a, const char *user, struct fail *f)
{
	struct user u;

	return user_find(a, user, &u, f) > 0 && check_right(&u, f);
}

bool
local_probe_for_route(
    void *asker, const char *user, bool skip_forward, struct probe *out, struct fail *f)
{
	const struct local_asker *who = asker;
	struct local_request rq = { .skip_forward = skip_forward };
	struct errand e = { who->arena, "probe", user, &rq, NULL, NULL, false };
	struct user u;
	int found = user_find(who->arena, user, &u, f);

	if (found < 0)
		return false;
	if (found == 0 || user_has_no_filter(who->arena, &u)) {
		*out = (struct probe){ .found = found == 0 ? PROBE_NO_USER : PROBE_MAILBOX };
		return true;
	}
	e.may = user_may_become(&u);
	return check_right(&u, f) && run(&e, out, f);
}

int
local_user_exists(void *asker, const char *user)
{
	const struct local_asker *who = asker;
	struct fail why = FAIL_INIT;
	struct user u;

	return user_find(who->arena, user, &u, &why);
}

bool
local_deliver(const struct conf *c, const struct local_job *job, struct message *m, struct fail *f)
{
	AUTO_ARENA struct arena a = { NULL };
	const struct route *r = job->route;
	const struct local_request rq = {
		.transport = r->transport,
		.path = r->path,
		.maildir = c->maildir_directory,
		.host = c->primary_hostname,
		.qualify = c->qualify_domain,
		.id = job->id,
		.sender = job->sender,
		.recipient = mailbox_text(&a, r->address),
		.envelope_to = job->envelope_to,
		.nenvelope_to = job->nenvelope_to,
		.now = (uint64_t)job->now,
		.size = message_size(m),
	};
	struct errand e = { &a, r->transport == TRANSPORT_SPOOL ? "spool" : "deliver", r->user, &rq,
		m, job, false };
	struct user u;

	if (user_find(&a, r->user, &u, f) <= 0 || !check_right(&u, f))
		return false;
	e.may = user_may_become(&u);
	return run(&e, NULL, f);
}
