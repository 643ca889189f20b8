/* sendmail.c - the face that every caller of /usr/sbin/sendmail sees. */
#include "cli/sendmail.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "addr/rewrite.h"
#include "cli/deadletter.h"
#include "cli/door.h"
#include "conf/names.h"
#include "log/transcript.h"
#include "msg/intake.h"
#include "msg/submission.h"
#include "spool/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* One submission on its way. */
struct submission {
	struct session_start *start;
	struct arena *arena;
	struct rewrite rewrite;
	struct submitter who;
	struct recipients rcpts;
	struct message message;
	struct mailbox sender; /* of the envelope, rewritten */
	struct envelope envelope;
	struct door door;
	struct transcript transcript;
	struct trace trace;
	int64_t now;
	bool tried,
	    read; /* reading was tried; the message is whole: a dead letter can be written */
};

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

/* ------------------------------------------------------------------ who sends, to whom */

static struct mailbox
qualified(const struct submission *s, struct mailbox m)
{
	if (m.domain.n == 0 && m.local.n > 0)
		m.domain = str_of(s->start->conf.qualify_domain);
	return m;
}

static bool
is_trusted(const struct submission *s)
{
	struct str rest = str_of(s->start->conf.trusted_users);

	if (s->start->caller.uid == 0)
		return true;
	while (rest.p != NULL)
		if (str_eq(str_trim(str_cut(&rest, ':')), str_of(s->start->caller.login)))
			return true;
	return false;
}

/* gecos up to the first "," or ":", with "&" as the capitalised login. */
static const char *
full_name(const struct submission *s)
{
	struct str g = str_of(s->start->caller.gecos);
	struct str login = str_of(s->start->caller.login);
	AUTO_BUF struct buf b = BUF_INIT(4096);

	if (s->start->cmd->name != NULL)
		return s->start->cmd->name;
	for (size_t i = 0; i < g.n && g.p[i] != ',' && g.p[i] != ':'; i++) {
		if (g.p[i] != '&') {
			buf_char(&b, g.p[i]);
		} else if (login.n > 0) {
			buf_char(&b, ascii_upper(login.p[0]));
			buf_put(&b, str_skip(login, 1));
		}
	}
	return arena_strz(s->arena, buf_get(&b));
}

static bool
set_submitter(struct submission *s, struct fail *f)
{
	const struct cmdline *cmd = s->start->cmd;

	s->who = (struct submitter){
		.login = s->start->caller.login,
		.gecos_name = full_name(s),
		.name_given = cmd->name != NULL,
		.uid = s->start->caller.uid,
		.trusted = is_trusted(s),
		.sender_given = cmd->sender != NULL,
		.sender = { str_of(s->start->caller.login), str_at("", 0) },
	};
	if (cmd->sender != NULL &&
	    !mailbox_parse(s->arena, str_of(cmd->sender), true, &s->who.sender, f)) {
		fail_prefix(f, "-f");
		return false;
	}
	s->who.sender = qualified(s, s->who.sender);
	return true;
}

/* Each argument is an address list (EXIM-SEMANTICS 4.1); one bad address refuses them all. */
static bool
take_arguments(struct submission *s, struct fail *f)
{
	const struct cmdline *cmd = s->start->cmd;

	for (size_t i = 0; i < cmd->narguments; i++)
		if (!recipients_add_list(
			&s->rcpts, &s->rewrite, str_of(cmd->arguments[i]), str_at("", 0), f))
			return false;
	if (s->rcpts.n == 0 && !cmd->extract)
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
		    "no recipients: name them as arguments, or use -t to take them from the "
		    "header");
	return true;
}

/* -t: the header's recipients; arguments are added, or taken away where that is configured. */
static bool
take_header(struct submission *s, struct fail *f)
{
	struct recipients arguments = s->rcpts;
	struct recipients header = { 0 };

	if (!s->start->cmd->extract)
		return true;
	if (!s->start->conf.extract_addresses_remove_arguments)
		return submission_recipients(&s->message, &s->rewrite, &s->rcpts, f);
	if (!submission_recipients(&s->message, &s->rewrite, &header, f))
		return false;
	s->rcpts = (struct recipients){ 0 };
	for (size_t i = 0; i < header.n; i++)
		if (!recipients_has(&arguments, header.list[i]))
			recipients_add(&s->rcpts, s->arena, header.list[i], header.unqualified[i]);
	if (s->rcpts.n == 0)
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
		    "no recipients: the arguments cover all that the header has");
	return true;
}

/* ------------------------------------------------------------------ the message */

static bool
read_message(struct submission *s, struct fail *f)
{
	struct intake_options o = {
		.dot_ends = !s->start->cmd->dot_is_text,
		.size_max = s->start->conf.message_size_limit,
		.tmp_dir = s->start->conf.spool_directory,
	};
	struct str from_line = { NULL, 0 };

	s->tried = true;
	if (!intake_read(&s->message, STDIN_FILENO, &o, &from_line, f))
		return false;
	s->read = true;
	if (from_line.p == NULL || s->who.sender_given)
		return true;
	/* An mbox From_ line names the sender where -f does not; a strange one is no reason to
	 * stop. */
	struct mailbox m;
	struct fail ignored;

	if (mailbox_parse(s->arena, from_line, false, &m, &ignored)) {
		s->who.sender = qualified(s, m);
		s->who.sender_given = true;
	}
	return true;
}

static void
fill_envelope(struct submission *s)
{
	const struct cmdline *cmd = s->start->cmd;
	struct envelope *e = &s->envelope;

	e->sender = s->sender.local.n > 0 ? mailbox_text(s->arena, s->sender) : "";
	e->login = s->start->caller.login;
	e->auth_parameter = s->start->caller.uid != 0 || cmd->sender == NULL;
	e->envid = cmd->envid;
	e->ret = cmd->ret;
	e->body_declared = cmd->body_declared;
	e->rcpts = arena_array(s->arena, s->rcpts.n, sizeof *e->rcpts);
	e->nrcpts = s->rcpts.n;
	for (size_t i = 0; i < s->rcpts.n; i++)
		e->rcpts[i] = (struct rcpt){
			.address = mailbox_text(s->arena, s->rcpts.list[i]),
			.original = mailbox_text(s->arena, s->rcpts.list[i]),
			.unqualified = s->rcpts.unqualified[i],
			.notify = cmd->notify,
		};
}

static bool
fix_message(struct submission *s, struct fail *f)
{
	struct timeval tv = { 0 };
	struct submission_time t = { .id = s->envelope.id };

	(void)gettimeofday(&tv, NULL);
	s->now = t.now = tv.tv_sec;
	(void)id_format(tv.tv_sec, (uint32_t)tv.tv_usec, (uint32_t)getpid(), s->envelope.id);
	if (!submission_fix(&s->message, &s->rewrite, &s->who, &s->rcpts, &t, f))
		return false;
	s->sender = s->who.sender;
	fill_envelope(s);
	return true;
}

/* ------------------------------------------------------------------ sending it */

/* Somebody far away among the arguments: onehop-send can connect while stdin is read.  Not with
 * -v: the session is then shown behind the line that says which message it is for. */
static bool
wants_smarthost(const struct submission *s)
{
	for (size_t i = 0; i < s->rcpts.n && !s->start->cmd->verbose; i++)
		if (!domain_is_local(&s->start->conf, s->rcpts.list[i].domain))
			return true;
	return false;
}

static bool
open_door(struct submission *s, struct fail *f)
{
	const struct cmdline *cmd = s->start->cmd;
	enum submit_flags flags =
	    (cmd->verbose ? SUBMIT_VERBOSE : 0) | (cmd->debug ? SUBMIT_DEBUG : 0);

	return door_open(&s->door, s->arena, cmd->config, f) &&
	    submit_hello(s->door.fd, flags, wants_smarthost(s), f);
}

static bool
hand_over(struct submission *s, struct fail *f)
{
	struct fail why = FAIL_INIT;

	if (submit_message(s->door.fd, &s->envelope, &s->message, f))
		return submit_result(s->door.fd, &s->envelope, s->arena, &s->trace, f);
	/* Before it went it may have said why. */
	if (f->cls == FAIL_TEMP &&
	    !submit_result(s->door.fd, &s->envelope, s->arena, &s->trace, &why))
		*f = why;
	return false;
}

static bool
submit(struct submission *s, struct fail *f)
{
	s->trace = transcript_trace(&s->transcript);
	return rewrite_open(&s->rewrite, &s->start->conf, s->arena, &s->trace, f) &&
	    set_submitter(s, f) && take_arguments(s, f) && open_door(s, f) && read_message(s, f) &&
	    take_header(s, f) && fix_message(s, f) && hand_over(s, f);
}

/* One sentence for each recipient that did not get it; the exit status of the message. */
static int
report(const struct submission *s)
{
	size_t sent = 0;
	int status = EX_OK;

	for (size_t i = 0; i < s->envelope.nrcpts; i++) {
		const struct rcpt *r = &s->envelope.rcpts[i];

		if (r->state == RCPT_SENT) {
			sent++;
			continue;
		}
		fprintf(stderr, "onehop: %s: %s: %s\n", r->original, fail_stage_text(r->fail.stage),
		    r->fail.text);
		/* what may work later outranks what never will: the caller should try again;
		 * what only waited for another says nothing */
		if (status != EX_TEMPFAIL && r->state != RCPT_WAITING)
			status = r->state == RCPT_REFUSED ? fail_exit_code(&r->fail) : EX_TEMPFAIL;
	}
	if (status == EX_OK && sent < s->envelope.nrcpts)
		status = EX_TEMPFAIL;
	if (status != EX_OK && sent > 0)
		fprintf(stderr, "onehop: %zu of %zu recipients have the message\n", sent,
		    s->envelope.nrcpts);
	return status;
}

static void
save_dead_letter(struct submission *s)
{
	const struct deadletter letter = { .home = s->start->caller.home,
		.uid = s->start->caller.uid,
		.sender = mailbox_text(s->arena, s->who.sender),
		.now = s->now };
	const char *path;
	struct fail f = FAIL_INIT;

	if (!s->tried && !isatty(STDIN_FILENO))
		(void)!read_message(s, &f);
	if (!s->read || message_size(&s->message) <= 1 || !s->start->conf.dead_letter)
		return;
	if (deadletter_write(&letter, s->arena, &s->message, &path, &f))
		fprintf(stderr, "onehop: the message is in %s\n", path);
	else
		fprintf(stderr, "onehop: there is no copy of the message: %s\n", f.text);
}

static struct submission
begin(struct session_start *start)
{
	return (struct submission){
		.start = start,
		.arena = start->arena,
		.message = { .arena = start->arena, .body = { .fd = -1 } },
		.door = { .fd = -1 },
		.now = time(NULL),
		.transcript = { .fd = STDERR_FILENO,
		    .verbose = start->cmd->verbose,
		    .debug = start->cmd->debug },
	};
}

int
cli_sendmail(struct session_start *start)
{
	struct submission s = begin(start);
	struct fail f = FAIL_INIT;
	int status;

	status = submit(&s, &f) ? report(&s) : cli_complain(&f);
	door_close(&s.door);
	if (status != EX_OK)
		save_dead_letter(&s);
	body_close(&s.message.body);
	return status;
}

int
cli_refuse(struct session_start *start, const struct fail *why)
{
	struct submission s = begin(start);
	struct fail f = FAIL_INIT;
	int status = cli_complain(why);

	if (!guard_caller(start->arena, &start->caller, &f))
		return status;
	conf_init(&start->conf, start->arena);
	s.who.sender.local = str_of(start->caller.login);
	save_dead_letter(&s);
	body_close(&s.message.body);
	return status;
}
