/* queue.c - the face of the queue: what is asked of onehop-send, and where the answer goes. */
#include "front/queue.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>

#include "base/id.h"
#include "front/door.h"
#include "front/listing.h"
#include "front/transcript.h"
#include "wire/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { PIECE_MAX = 32 << 20 }; /* the text of one message of the list */

struct face {
	const struct cmdline *cmd;
	enum listing_form form;
	int64_t now;
	size_t count;
	int status;
	int broken; /* errno of the first write to standard output that failed */
	struct buf piece;
	struct door door;
	struct control control;
};

/* ------------------------------------------------------------------ what is asked */

static const struct {
	const char *letters;
	enum control_verb verb;
} commands[] = { { "", CONTROL_TRY }, { "c", CONTROL_TRY }, { "f", CONTROL_FREEZE },
	{ "t", CONTROL_THAW }, { "rm", CONTROL_REMOVE }, { "g", CONTROL_GIVE_UP },
	{ "vh", CONTROL_HEADER }, { "vb", CONTROL_BODY }, { "vl", CONTROL_LOG } };

static bool
which_run(const struct cmdline *cmd, enum control_verb *verb, struct fail *f)
{
	const char *flags = cmd->queue != NULL ? cmd->queue : "";

	if (ascii_digit(flags[0]))
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
		    "there is no daemon that could run the queue every %s: onehop-queue.timer "
		    "does it, or a line for cron that calls onehop -q",
		    flags);
	if (flags[strspn(flags, "qifl")] != '\0')
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0, "there is no flag -q%s", flags);
	if (cmd->narguments > 0)
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
		    "-q%s runs the whole queue and takes no %s; single messages are tried with -M",
		    flags, cmd->arguments[0]);
	*verb = strstr(flags, "ff") != NULL ? CONTROL_RUN_FROZEN :
	    strchr(flags, 'f') != NULL      ? CONTROL_RUN_ALL :
					      CONTROL_RUN;
	return true;
}

static bool
which_command(const char *letters, enum control_verb *verb, struct fail *f)
{
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].letters, letters) == 0) {
			*verb = commands[i].verb;
			return true;
		}
	return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
	    "there is no flag -M%s; there are -M, -Mf, -Mt, -Mrm, -Mg, -Mvh, -Mvb, -Mvl "
	    "and -Mimport",
	    letters);
}

static bool
ids(const struct cmdline *cmd, char flag, const char *letters, struct control *c, struct fail *f)
{
	c->ids = cmd->arguments;
	c->nids = cmd->narguments;
	for (size_t i = 0; i < c->nids; i++)
		if (!id_ok(c->ids[i])) {
			(void)fail_set(f, FAIL_USER, STAGE_ARGS, 0,
			    "malformed message id %s after -%c%s option", c->ids[i], flag, letters);
			f->exit = EXIT_FAILURE;
			return false;
		}
	return true;
}

static bool
which_format(const struct cmdline *cmd, struct fail *f)
{
	for (size_t i = 0; i < cmd->narguments; i++)
		if (i > 0 ||
		    (strcmp(cmd->arguments[i], "json") != 0 &&
			strcmp(cmd->arguments[i], "prometheus") != 0))
			return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
			    "onehop status takes --json or --prometheus, not %s",
			    cmd->arguments[i]);
	return true;
}

static bool
request(struct face *face, struct fail *f)
{
	struct control *c = &face->control;
	const struct cmdline *cmd = face->cmd;
	const char *letters = cmd->queue != NULL ? cmd->queue : "";

	if (cmd->mode == MODE_STATUS) {
		c->verb = CONTROL_STATUS;
		return which_format(cmd, f);
	}
	if (cmd->mode == MODE_QUEUE)
		return which_run(cmd, &c->verb, f);
	if (cmd->mode == MODE_MESSAGE)
		return which_command(letters, &c->verb, f) && ids(cmd, 'M', letters, c, f) &&
		    (c->nids > 0 ||
			fail_set(f, FAIL_USER, STAGE_ARGS, 0,
			    "no message ids given after -M%s option", letters));
	c->verb = CONTROL_LIST;
	if (strchr(letters, 'i') != NULL)
		face->form = LISTING_IDS;
	else if (strchr(letters, 'u') != NULL)
		face->form = LISTING_UNDELIVERED;
	else if (strpbrk(letters, "ra") != NULL)
		face->form = LISTING_PLAIN;
	return ids(cmd, 'b', letters, c, f);
}

/* ------------------------------------------------------------------ what comes back */

static void
put(struct face *face, struct str s)
{
	if (fwrite(s.p, 1, s.n, stdout) != s.n && face->broken == 0)
		face->broken = errno;
}

static void
print(struct face *face)
{
	put(face, buf_get(&face->piece));
	buf_reset(&face->piece);
}

static void
put_message(void *ctx, const struct control_message *m)
{
	struct face *face = ctx;

	if (face->cmd->mode == MODE_LIST) {
		listing_columns(&face->piece, m, face->form, face->now);
	} else if (face->cmd->mode == MODE_JSON) {
		buf_str(&face->piece, face->count > 0 ? ",\n" : "\n");
		listing_json(&face->piece, m);
	}
	face->count += face->cmd->mode == MODE_JSON || !m->bad;
	print(face);
}

static void
put_bytes(void *ctx, struct str s)
{
	put(ctx, s);
}

static void
put_status(void *ctx, const struct control_status *s)
{
	struct face *face = ctx;
	const struct cmdline *cmd = face->cmd;

	if (cmd->narguments == 0)
		listing_status(&face->piece, s);
	else if (strcmp(cmd->arguments[0], "json") == 0)
		listing_status_json(&face->piece, s);
	else
		listing_status_prometheus(&face->piece, s);
	print(face);
	if (listing_is_alarm(s))
		face->status = EXIT_FAILURE;
}

/* ------------------------------------------------------------------ asking */

/* Does this request deliver mail?  Then a signal does not end us, but tells onehop-send to end. */
static bool
delivers(enum control_verb verb)
{
	return verb <= CONTROL_TRY || verb == CONTROL_GIVE_UP;
}

static bool
ask_once(struct session_start *start, struct face *face, enum door_turned *how, struct fail *f)
{
	const struct cmdline *cmd = start->cmd;
	struct transcript transcript = { .fd = 2, .verbose = cmd->verbose, .debug = cmd->debug };
	struct trace trace = transcript_trace(&transcript);
	const struct control_answer answer = { .bytes = put_bytes,
		.message = put_message,
		.status = put_status,
		.ctx = face,
		.trace = &trace };
	const struct submit_hello hello = { .flags = (cmd->verbose ? SUBMIT_VERBOSE : 0) |
		    (cmd->debug ? SUBMIT_DEBUG : 0) };
	const struct door_caller who = { start->caller.uid, &start->conf, cmd->config };
	struct submit_talk talk;
	bool given, ok;

	if (!door_open(&face->door, start->arena, &who, f)) {
		*how = door_is_shut(&face->door, f);
		return false;
	}
	talk = door_talk(&face->door);
	if (delivers(face->control.verb))
		stop_hold();
	given =
	    submit_hello(face->door.fd, &hello, f) && control_ask(face->door.fd, &face->control, f);
	if (!given && f->cls == FAIL_USER)
		return false;
	if (!given)
		(void)shutdown(face->door.fd, SHUT_WR);
	ok = control_hear(&talk, &answer, f);
	*how = door_heard(&face->door, &talk, given);
	return ok;
}

static bool
ask(struct session_start *start, struct face *face, struct fail *f)
{
	enum door_turned how = DOOR_HEARD;

	if (!request(face, f))
		return false;
	while (!ask_once(start, face, &how, f))
		if (!door_again(&face->door, how, f)) {
			door_explain(&face->door, f);
			return false;
		}
	return true;
}

/* A user sees his own queue where he has a configuration of his own, and no other.  Not among the
 * columns: other programs read those. */
static void
say_whose(const struct session_start *start, const struct face *face)
{
	if (start->conf.home == NULL || start->cmd->mode != MODE_LIST || face->form != LISTING_FULL)
		return;
	fprintf(stderr, "onehop: this is %s's own queue, %s%s\n", start->caller.login,
	    start->conf.spool_directory,
	    face->count > 0 ? " (systemctl --user enable --now onehop-queue.timer runs it)" : "");
}

int
cli_queue(struct session_start *start)
{
	struct face face = { .cmd = start->cmd,
		.now = time(NULL),
		.piece = BUF_INIT(PIECE_MAX),
		.door = DOOR_CLOSED };
	struct fail f = FAIL_INIT;
	bool ok;

	if (start->cmd->mode == MODE_JSON)
		printf("[");
	ok = ask(start, &face, &f);
	door_close(&face.door);
	buf_free(&face.piece);
	if (start->cmd->mode == MODE_JSON)
		printf(face.count > 0 ? "\n]\n" : "]\n");
	if (ok && start->cmd->mode == MODE_COUNT)
		printf("%zu\n", face.count);
	if (fflush(stdout) != 0 && face.broken == 0)
		face.broken = errno;
	if (face.broken == EPIPE) /* mailq | head */
		return EX_IOERR;
	if (face.broken != 0) {
		(void)fail_set(
		    &f, FAIL_TEMP, STAGE_ARGS, face.broken, "standard output cannot be written");
		f.exit = EX_IOERR;
		return cli_complain(&f);
	}
	if (ok) {
		say_whose(start, &face);
		return face.status;
	}
	return f.text[0] != '\0' ? cli_complain(&f) : fail_exit_code(&f);
}
