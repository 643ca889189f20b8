/* sendmail.c - the face that every caller of /usr/sbin/sendmail sees. */
#include "front/sendmail.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "front/deadletter.h"
#include "front/handover.h"
#include "front/intake.h"

#include "base/banned.h" /* IWYU pragma: keep */

int
cli_complain(const struct fail *f)
{
	fprintf(stderr, "onehop: %s: %s\n", fail_stage_text(f->stage), f->text);
	return fail_exit_code(f);
}

bool
cli_start(struct session_start *s, struct fail *f)
{
	struct conf_paths paths;

	if (!guard_caller(s->arena, &s->caller, f))
		return false;
	paths = guard_conf_paths(s->arena, s->env, &s->caller, s->cmd->config);
	return conf_load(&s->conf, s->arena, &paths, f);
}

/* ------------------------------------------------------------------ to whom */

/* Each argument is an address list (doc/EXIM 4.1); one bad address refuses them all. */
static bool
take_arguments(struct handover *h, struct fail *f)
{
	const struct cmdline *cmd = h->start->cmd;

	for (size_t i = 0; i < cmd->narguments; i++)
		if (!recipients_add_list(
			&h->rcpts, &h->rewrite, str_of(cmd->arguments[i]), str_at("", 0), f))
			return false;
	if (h->rcpts.n == 0 && !cmd->extract)
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
		    "no recipients: name them as arguments, or use -t to take them from the "
		    "header");
	return true;
}

/* -t: the header's recipients; arguments are added, or taken away where that is configured. */
static bool
take_header(struct handover *h, struct fail *f)
{
	struct recipients arguments = h->rcpts;
	struct recipients header = { 0 };

	if (!h->start->cmd->extract)
		return true;
	if (!h->start->conf.extract_addresses_remove_arguments)
		return recipients_of_header(&h->message, &h->rewrite, &h->rcpts, f);
	if (!recipients_of_header(&h->message, &h->rewrite, &header, f))
		return false;
	h->rcpts = (struct recipients){ 0 };
	for (size_t i = 0; i < header.n; i++)
		if (!recipients_has(&arguments, header.list[i]))
			recipients_add(&h->rcpts, h->arena, header.list[i], header.unqualified[i]);
	if (h->rcpts.n == 0)
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
		    "no recipients: the arguments cover all that the header has");
	return true;
}

/* ------------------------------------------------------------------ the message */

static bool
read_message(struct handover *h, struct fail *f)
{
	struct intake_options o = {
		.dot = h->start->cmd->dot_is_text ? INTAKE_DOT_TEXT :
		    isatty(STDIN_FILENO)          ? INTAKE_DOT_ENDS :
						    INTAKE_DOT_LAST,
		.size_max = h->start->conf.message_size_limit,
		.tmp_dir = h->start->conf.spool_directory,
	};
	struct str from_line = { NULL, 0 };

	h->tried = true;
	if (!intake_read(&h->message, STDIN_FILENO, &o, &from_line, f))
		return false;
	h->whole = true;
	if (from_line.p == NULL || h->who.sender_given)
		return true;
	/* An mbox From_ line names the sender where -f does not; a strange one is no reason to
	 * stop. */
	struct mailbox m;
	struct fail ignored;

	if (mailbox_parse(h->arena, from_line, true, &m, &ignored)) {
		h->who.sender = handover_qualified(h, m);
		h->who.sender_given = true;
	}
	return true;
}

static bool
submit(struct handover *h, struct fail *f)
{
	if (!handover_submitter(h, f) || !take_arguments(h, f))
		return false;
	handover_open(h);
	return read_message(h, f) && take_header(h, f) && handover_fix(h, f) &&
	    handover_submit(h, f);
}

/* One sentence for each recipient that did not get it; the exit status of the message. */
static int
report(const struct handover *h)
{
	const struct envelope *e = &h->envelope;
	const struct fail *why;
	int status = handover_status(h, &why);
	size_t sent = 0;

	for (size_t i = 0; i < e->nrcpts; i++) {
		const struct rcpt *r = &e->rcpts[i];
		const struct fail *f = fail_of(r->fail);
		AUTO_BUF struct buf who = BUF_INIT(1 << 16);

		if (r->state == RCPT_SENT || r->state == RCPT_KEPT) {
			sent++;
			continue;
		}
		buf_shown(&who, str_of(r->original));
		fprintf(stderr, "onehop: %.*s: %s: %s\n", S_ARG(buf_get(&who)),
		    fail_stage_text(f->stage), f->text);
	}
	if (status != EX_OK && sent > 0)
		fprintf(
		    stderr, "onehop: %zu of %zu recipients have the message\n", sent, e->nrcpts);
	return status;
}

static void
save_dead_letter(struct handover *h)
{
	const struct deadletter letter = { .home = h->start->caller.home,
		.uid = h->start->caller.uid,
		.sender = mailbox_text(h->arena, h->who.sender),
		.now = h->now };
	const char *path;
	struct fail f = FAIL_INIT;

	if (!h->tried && !isatty(STDIN_FILENO))
		(void)!read_message(h, &f);
	if (!h->whole || message_size(&h->message) <= 1 || !h->start->conf.dead_letter)
		return;
	if (deadletter_write(&letter, h->arena, &h->message, &path, &f))
		fprintf(stderr, "onehop: the message is in %s\n", path);
	else
		fprintf(stderr, "onehop: there is no copy of the message: %s\n", f.text);
}

int
cli_sendmail(struct session_start *start)
{
	struct handover h;
	struct fail f = FAIL_INIT;
	int status;

	handover_begin(&h, start, start->arena);
	status = submit(&h, &f) ? report(&h) : cli_complain(&f);
	door_close(&h.door);
	if (status != EX_OK)
		save_dead_letter(&h);
	handover_end(&h);
	return status;
}

int
cli_refuse(struct session_start *start, const struct fail *why)
{
	struct handover h;
	struct fail f = FAIL_INIT;
	int status = cli_complain(why);

	handover_begin(&h, start, start->arena);
	if (!guard_caller(start->arena, &start->caller, &f))
		return status;
	conf_init(&start->conf, start->arena);
	h.who.sender.local = str_of(start->caller.login);
	save_dead_letter(&h);
	handover_end(&h);
	return status;
}
