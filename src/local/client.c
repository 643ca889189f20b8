/* client.c - the caller's side of onehop-local. */
#include "local/client.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/file.h"
#include "base/program.h"
#include "base/unix.h"
#include "local/user.h"
#include "wire/request.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { CHUNK = 8192 };

/* EPIPE is no failure: onehop-local stopped reading for a reason that its reply has. */
static bool
give(int to, struct str s, struct fail *f)
{
	return fd_write_full(to, s.p, s.n) || errno == EPIPE ||
	    fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot write to onehop-local");
}

static bool
give_body(int to, const struct body *b, struct fail *f)
{
	char chunk[CHUNK];
	uint64_t at = 0;

	while (at < b->size) {
		int64_t n = body_read(b, at, chunk, sizeof chunk);

		if (n <= 0)
			return fail_set(f, FAIL_TEMP, STAGE_LOCAL, n < 0 ? errno : 0,
			    "cannot read the message back");
		if (!give(to, str_at(chunk, (size_t)n), f))
			return false;
		at += (uint64_t)n;
	}
	return true;
}

static bool
give_message(int to, const struct message *m, struct fail *f)
{
	for (size_t i = 0; i < m->nheaders; i++)
		if (m->headers[i].type != H_DELETED && !give(to, m->headers[i].text, f))
			return false;
	return give(to, STR("\n"), f) && give_body(to, &m->body, f);
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
	bool may;                      /* become that user ourselves */
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
	if ((!e->may || is_limited()) && knock(e, request, c, f))
		return true;
	if (!e->may)
		return false;
	buf_reset(request);
	return child_start(c, p, STAGE_LOCAL, f);
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
	bool given, answered;
	struct str reply = { 0 };
	struct child c = CHILD_NONE;
	int status;

	if (!begin(e, &p, &request, &c, f) || !request_write(e->rq, &request, f)) {
		(void)child_wait(&c);
		return false;
	}
	given = give(c.in, buf_get(&request), f) &&
	    (e->message == NULL || give_message(c.in, e->message, f));
	(void)shutdown(c.in, SHUT_WR);
	(void)close(c.in); /* when not given: the message ends before its size, and is dropped */
	c.in = -1;
	answered = given && frame_read(c.out, e->arena, &reply);
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
	struct errand e = { who->arena, "probe", user, &rq, NULL, false };
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
		m, false };
	struct user u;

	if (user_find(&a, r->user, &u, f) <= 0 || !check_right(&u, f))
		return false;
	e.may = user_may_become(&u);
	return run(&e, NULL, f);
}
