/* serve.c - the program onehop-local. */
#include "local/serve.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/file.h"
#include "base/stop.h"
#include "local/become.h"
#include "local/forward.h"
#include "local/maildir.h"
#include "local/mbox.h"
#include "local/pipe.h"
#include "local/watch.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { LOCK_TRIES = 10, LOCK_WAIT_MS = 3000, ALARM_SECONDS = 60 };

static const struct pipe_transport address_pipe = {
	.name = "address_pipe",
	.path = "/bin:/usr/bin",
	.from_line = true,
	.output = true,
};
static const struct pipe_transport procmail_pipe = {
	.name = "procmail_pipe",
	.path = "/bin:/usr/bin:/usr/local/bin",
	.from_line = true,
	.head = true,
	.must_exist = true,
};
static const struct pipe_transport maildrop_pipe = {
	.name = "maildrop_pipe",
	.path = "/bin:/usr/bin:/usr/local/bin",
	.head = true,
	.must_exist = true,
};

static const char root_mailbox[] = "/var/mail/mail";

static bool
to_maildir(struct letter *l, struct arena *a, struct fail *f)
{
	const char *path = maildir_path(a, l->rq->maildir, l->user->home);

	if (path == NULL)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "maildir_directory = %s does not give an absolute path for %s (home %s)",
		    l->rq->maildir, l->user->name, l->user->home);
	return maildir_deliver(l, a, path, f);
}

static bool
to_mbox(struct letter *l, struct arena *a, const char *path, mode_t mode, struct fail *f)
{
	const struct mbox m = { path, mode, LOCK_TRIES, LOCK_WAIT_MS };

	return mbox_deliver(l, a, &m, f);
}

/* Root's mail without an alias: the only file that no .forward asks for (Debian's mail4root). */
static bool
is_root_mailbox(const struct letter *l)
{
	return strcmp(l->user->name, "mail") == 0 && strcmp(l->rq->path, root_mailbox) == 0;
}

static bool
deliver(struct letter *l, struct arena *a, struct fail *f)
{
	const char *path = l->rq->path;
	enum transport t = l->rq->transport;

	switch (t) {
	case TRANSPORT_MAILDIR:
		return to_maildir(l, a, f);
	case TRANSPORT_SPOOL:
		return to_mbox(l, a, arena_fmt(a, "/var/mail/%s", l->user->name), 0660, f);
	case TRANSPORT_FILE:
		return (is_root_mailbox(l) || forward_asks(a, l->user, t, path, f)) &&
		    to_mbox(l, a, path, 0600, f);
	case TRANSPORT_DIRECTORY:
		return forward_asks(a, l->user, t, path, f) &&
		    maildir_deliver(l, a, arena_strz(a, str_at(path, strlen(path) - 1)), f);
	case TRANSPORT_PIPE:
		return forward_asks(a, l->user, t, path, f) &&
		    pipe_deliver(l, a, &address_pipe, path, f);
	case TRANSPORT_PROCMAIL:
		return pipe_deliver(l, a, &procmail_pipe, PROCMAIL, f);
	case TRANSPORT_MAILDROP:
		return pipe_deliver(l, a, &maildrop_pipe, MAILDROP, f);
	case TRANSPORT_NONE:
	case TRANSPORT_SMARTHOST:
	case TRANSPORT_REMOTE:
	case TRANSPORT_LMTP:
	case TRANSPORT_BYPASSED:
		break;
	}
	return fail_set(
	    f, FAIL_TEMP, STAGE_LOCAL, 0, "onehop-local has no transport %s", transport_name(t));
}

static const struct verb {
	const char *name;
	bool probe, group_mail;
	unsigned seconds;
} verbs[] = {
	{ "probe", true, false, PROBE_SECONDS }, { "deliver", false, false, DELIVER_SECONDS },
	{ "spool", false, true, DELIVER_SECONDS }, /* to /var/mail, which is group mail's */
};

static const struct verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static bool
answer(struct arena *a, const struct verb *v, const char *name, int64_t now, struct buf *reply,
    struct fail *f)
{
	struct local_request rq;
	struct user u;
	struct letter l = { .fd = STDIN_FILENO, .rq = &rq, .user = &u, .sec = now };
	struct probe p;

	if (user_find(a, name, &u, f) <= 0 || !become_user(&u, v->group_mail, f) ||
	    !request_read(STDIN_FILENO, a, &rq, f))
		return false;
	l.left = rq.size;
	if (v->group_mail != (rq.transport == TRANSPORT_SPOOL) || (!v->probe && *rq.id == '\0'))
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "%s does not do %s", v->name,
		    transport_name(rq.transport));
	if (v->probe ? !forward_probe(a, &u, rq.skip_forward, &p, f) : !deliver(&l, a, f))
		return false;
	reply_ok(reply, v->probe ? &p : NULL);
	return true;
}

/* One request. */
struct job {
	struct arena *arena;
	const struct verb *verb;
	const char *user;
	int64_t now;
};

/* In a process of its own, as that user. */
static void
work(void *ctx, int out)
{
	const struct job *j = ctx;
	AUTO_BUF struct buf reply = BUF_INIT(FRAME_MAX + FRAME_LENGTH);
	struct fail f = FAIL_INIT;

	if (!answer(j->arena, j->verb, j->user, j->now, &reply, &f))
		reply_fail(&reply, &f);
	if (buf_ok(&reply))
		(void)!fd_write_full(out, reply.p, reply.n);
}

/* The caller's is let go: he may not wait for the end of this, and others wait for the end of what
 * he says. */
static void
let_go(int fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0)
		(void)dup2(null, fd);
	if (null > STDERR_FILENO)
		(void)close(null);
}

/* Who feeds the one that is gone, or that nothing ends, is not kept waiting. */
static void
end_input(void)
{
	(void)shutdown(STDIN_FILENO, SHUT_RD);
	(void)close(STDIN_FILENO);
}

int
local_serve(struct arena *a, int argc, char *const *argv, int64_t now)
{
	const char *verb = argc == 3 ? argv[1] : "", *user = argc == 3 ? argv[2] : NULL;
	struct job j = { .arena = a, .now = now };
	struct watched w = { .work = work, .ctx = &j };
	AUTO_BUF struct buf reply = BUF_INIT(FRAME_MAX + FRAME_LENGTH);
	struct fail f = FAIL_INIT;

	fd_close_from(STDERR_FILENO + 1);
	if (argc == 2 && strcmp(argv[1], "serve") == 0 &&
	    !opening_read(STDIN_FILENO, a, &verb, &user))
		return EX_IOERR;
	j.verb = find_verb(verb);
	if (j.verb == NULL)
		return EX_USAGE;
	/* Who ends us would give a program half a message for a whole one: what is begun is done.
	 */
	(void)signal(SIGTERM, SIG_IGN);
	stop_hold(); /* who asked has to hear what became of it */
	w.user = j.user = user;
	w.seconds = j.verb->seconds;
	let_go(STDERR_FILENO);
	/* Whatever a file system does: this ends. */
	stop_spare_alarm();
	(void)alarm(w.seconds + ALARM_SECONDS);
	if (!watch_work(&w, &reply, &f)) {
		buf_reset(&reply);
		reply_fail(&reply, &f);
	}
	end_input();
	if (!buf_ok(&reply) || !fd_write_full(STDOUT_FILENO, reply.p, reply.n))
		return EX_IOERR;
	return EX_OK;
}
