/* handover.c - one message on its way from a face of onehop to onehop-send. */
#include "front/handover.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "conf/names.h"
#include "wire/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

void
handover_begin(struct handover *h, struct session_start *start, struct arena *a)
{
	*h = (struct handover){
		.start = start,
		.arena = a,
		.message = { .arena = a, .body = { .fd = -1 } },
		.door = { .fd = -1 },
		.now = time(NULL),
		.transcript = { .fd = STDERR_FILENO,
		    .verbose = start->cmd->verbose,
		    .debug = start->cmd->debug },
	};
	h->trace = transcript_trace(&h->transcript);
}

struct mailbox
handover_qualified(const struct handover *h, struct mailbox m)
{
	if (m.domain.n == 0 && m.local.n > 0)
		m.domain = str_of(h->start->conf.qualify_domain);
	return m;
}

/* gecos up to the first "," or ":", with "&" as the capitalised login. */
static const char *
full_name(const struct handover *h)
{
	struct str g = str_of(h->start->caller.gecos);
	struct str login = str_of(h->start->caller.login);
	AUTO_BUF struct buf b = BUF_INIT(4096);

	if (h->start->cmd->name != NULL)
		return h->start->cmd->name;
	for (size_t i = 0; i < g.n && g.p[i] != ',' && g.p[i] != ':'; i++) {
		if (g.p[i] != '&') {
			buf_char(&b, g.p[i]);
		} else if (login.n > 0) {
			buf_char(&b, ascii_upper(login.p[0]));
			buf_put(&b, str_skip(login, 1));
		}
	}
	return arena_strz(h->arena, buf_get(&b));
}

bool
handover_submitter(struct handover *h, struct fail *f)
{
	const struct cmdline *cmd = h->start->cmd;

	if (!rewrite_open(&h->rewrite, &h->start->conf, h->arena, &h->trace, f))
		return false;
	h->rewrite.bare = cmd->bare;
	h->who = (struct submitter){
		.login = h->start->caller.login,
		.gecos_name = full_name(h),
		.name_given = cmd->name != NULL,
		.uid = h->start->caller.uid,
		.trusted =
		    conf_trusts(&h->start->conf, h->start->caller.uid, h->start->caller.login),
		.sender_given = cmd->sender != NULL,
		.sender = { str_of(h->start->caller.login), str_at("", 0) },
	};
	if (cmd->sender != NULL &&
	    !mailbox_parse(h->arena, str_of(cmd->sender), true, &h->who.sender, f)) {
		fail_prefix(f, "-f");
		return false;
	}
	h->who.sender = handover_qualified(h, h->who.sender);
	return true;
}

/* Not with -v: the session is then shown behind the line that says which message it is for. */
static bool
wants_smarthost(const struct handover *h)
{
	if (h->start->cmd->delivery > DELIVERY_FOREGROUND)
		return false;
	for (size_t i = 0; i < h->rcpts.n && !h->start->cmd->verbose; i++)
		if (!domain_is_local(&h->start->conf, h->rcpts.list[i].domain))
			return true;
	return false;
}

static struct door_caller
door_caller(const struct handover *h)
{
	return (struct door_caller){ h->start->caller.uid, &h->start->conf, h->start->cmd->config };
}

static bool
open_door(struct handover *h, struct fail *f)
{
	const struct door_caller who = door_caller(h);

	h->greeted = false;
	return door_open(&h->door, h->arena, &who, f);
}

static bool
greet(struct handover *h, struct fail *f)
{
	const struct cmdline *cmd = h->start->cmd;
	const struct submit_hello hello = {
		.flags = (cmd->verbose ? SUBMIT_VERBOSE : 0) | (cmd->debug ? SUBMIT_DEBUG : 0),
		.connect_now = wants_smarthost(h),
		.delivery = cmd->delivery >= 0 ? (unsigned)cmd->delivery : DELIVERY_QUEUE + 1,
	};

	h->greeted = submit_hello(h->door.fd, &hello, f);
	return h->greeted;
}

void
handover_open(struct handover *h)
{
	const struct door_caller who = door_caller(h);
	struct fail ignored;

	if (!door_is_shared(&who) && open_door(h, &ignored))
		(void)greet(h, &ignored);
}

static void
fill_envelope(struct handover *h)
{
	const struct cmdline *cmd = h->start->cmd;
	struct envelope *e = &h->envelope;

	e->sender = h->who.sender.local.n > 0 ? mailbox_text(h->arena, h->who.sender) : "";
	e->login = h->start->caller.login;
	e->auth_parameter = h->start->caller.uid != 0 || cmd->sender == NULL;
	e->envid = cmd->envid;
	e->ret = cmd->ret;
	e->protocol = h->who.protocol;
	e->helo = h->who.helo;
	e->body_declared = cmd->body_declared;
	e->lone_dots = h->message.lone_dots;
	e->rcpts = arena_array(h->arena, h->rcpts.n, sizeof *e->rcpts);
	e->nrcpts = h->rcpts.n;
	for (size_t i = 0; i < h->rcpts.n; i++)
		e->rcpts[i] = (struct rcpt){
			.address = mailbox_text(h->arena, h->rcpts.list[i]),
			.original = mailbox_text(h->arena, h->rcpts.list[i]),
			.unqualified = h->rcpts.unqualified[i],
			.notify = cmd->notify,
		};
}

bool
handover_fix(struct handover *h, struct fail *f)
{
	struct timeval tv = { 0 };
	struct submission_time t = { .id = h->envelope.id };

	(void)gettimeofday(&tv, NULL);
	h->now = t.now = tv.tv_sec;
	(void)id_format(tv.tv_sec, (uint32_t)tv.tv_usec, (uint32_t)getpid(), h->envelope.id);
	if (!submission_fix(&h->message, &h->rewrite, &h->who, &h->rcpts, &t, f))
		return false;
	fill_envelope(h);
	return true;
}

static bool
ask_once(struct handover *h, enum door_turned *how, struct fail *f)
{
	struct submit_talk talk;
	bool given, ok;

	*how = DOOR_HEARD;
	if (h->door.fd < 0 && !open_door(h, f)) {
		*how = door_is_shut(&h->door, f);
		return false;
	}
	talk = door_talk(&h->door);
	stop_hold();
	given =
	    (h->greeted || greet(h, f)) && submit_message(h->door.fd, &h->envelope, &h->message, f);
	if (!given && f->cls == FAIL_USER)
		return false;
	/* onehop-send may have said why before it ended; if it has not ended it waits for the rest,
	 * and is told that none comes */
	if (!given)
		(void)shutdown(h->door.fd, SHUT_WR);
	ok = submit_result(&talk, &h->envelope, h->arena, &h->trace, f);
	(void)snprintf(h->id, sizeof h->id, "%s", talk.id[0] != '\0' ? talk.id : h->envelope.id);
	*how = door_heard(&h->door, &talk, given);
	return ok;
}

static bool
ask(struct handover *h, struct fail *f)
{
	enum door_turned how;

	while (!ask_once(h, &how, f))
		if (!door_again(&h->door, how, f))
			return false;
	return true;
}

/* Did nobody get it, though some recipients may get it later? */
static bool
is_for_later(const struct handover *h, bool heard, const struct fail *f)
{
	if (!heard)
		return f->cls == FAIL_TEMP;
	for (size_t i = 0; i < h->envelope.nrcpts; i++)
		if (h->envelope.rcpts[i].state != RCPT_RETRY)
			return false;
	return true;
}

static void
explain(const struct handover *h, struct rcpt *r)
{
	struct fail why = *fail_of(r->fail);

	door_explain(&h->door, &why);
	r->fail = fail_keep(h->arena, &why);
}

bool
handover_submit(struct handover *h, struct fail *f)
{
	bool heard = ask(h, f);

	if (h->door.without != NULL && is_for_later(h, heard, f) && door_reopens(&h->door)) {
		h->greeted = false;
		for (size_t i = 0; i < h->envelope.nrcpts; i++) {
			h->envelope.rcpts[i].state = RCPT_WAITING;
			h->envelope.rcpts[i].fail = NULL;
		}
		heard = ask(h, f);
	}
	door_explain(&h->door, f);
	for (size_t i = 0; h->door.without != NULL && i < h->envelope.nrcpts; i++)
		explain(h, &h->envelope.rcpts[i]);
	return heard;
}

int
handover_status(const struct handover *h, const struct fail **why)
{
	size_t sent = 0;
	int status = EX_OK;

	*why = NULL;
	for (size_t i = 0; i < h->envelope.nrcpts; i++) {
		const struct rcpt *r = &h->envelope.rcpts[i];

		sent += r->state == RCPT_SENT || r->state == RCPT_KEPT;
		if (r->state == RCPT_SENT || r->state == RCPT_KEPT || r->state == RCPT_WAITING ||
		    status == EX_TEMPFAIL)
			continue;
		status = r->state == RCPT_REFUSED ? fail_exit_code(fail_of(r->fail)) : EX_TEMPFAIL;
		*why = fail_of(r->fail);
	}
	return status == EX_OK && sent < h->envelope.nrcpts ? EX_TEMPFAIL : status;
}

void
handover_end(struct handover *h)
{
	door_close(&h->door);
	body_close(&h->message.body);
}
