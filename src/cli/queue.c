/* queue.c - the face of the queue: Exim's columns, JSON, a count; and the commands on it. */
#include "cli/queue.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/date.h"
#include "base/num.h"
#include "cli/door.h"
#include "log/transcript.h"
#include "spool/control.h"
#include "spool/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const uint64_t KILO = 1024, MEGA = 1024 * 1024;

struct face {
	const struct cmdline *cmd;
	int64_t now;
	size_t count;
	int status;
};

/* ------------------------------------------------------------------ what is asked */

static const struct {
	const char *letters;
	enum control_verb verb;
} commands[] = { { "", CONTROL_TRY }, { "c", CONTROL_TRY }, { "f", CONTROL_FREEZE },
	{ "t", CONTROL_THAW }, { "rm", CONTROL_REMOVE }, { "g", CONTROL_GIVE_UP },
	{ "vh", CONTROL_HEADER }, { "vb", CONTROL_BODY }, { "vl", CONTROL_LOG } };

static bool
which_run(const char *flags, enum control_verb *verb, struct fail *f)
{
	*verb = CONTROL_RUN;
	for (; *flags != '\0'; flags++) {
		if (ascii_digit(*flags))
			return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
			    "there is no daemon that could run the queue every %s: the timer "
			    "onehop-queue.timer does it, or cron",
			    flags);
		if (*flags == 'f')
			*verb = *verb == CONTROL_RUN ? CONTROL_RUN_ALL : CONTROL_RUN_FROZEN;
	}
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
	return fail_set(f, FAIL_USER, STAGE_ARGS, 0, "there is no flag -M%s", letters);
}

static bool
request(const struct cmdline *cmd, struct control *c, struct fail *f)
{
	c->verb = cmd->mode == MODE_STATUS ? CONTROL_STATUS : CONTROL_LIST;
	c->ids = cmd->arguments;
	c->nids = cmd->narguments;
	if (cmd->mode == MODE_QUEUE)
		return which_run(cmd->queue != NULL ? cmd->queue : "", &c->verb, f);
	if (cmd->mode != MODE_MESSAGE)
		return true;
	if (!which_command(cmd->queue, &c->verb, f))
		return false;
	return c->nids > 0 ||
	    fail_set(f, FAIL_USER, STAGE_ARGS, 0, "-M%s needs the id of a message", cmd->queue);
}

/* ------------------------------------------------------------------ how it looks */

/* Exim's columns: "25m  2.9K". */
static void
put_age(int64_t seconds)
{
	int64_t minutes = seconds > 0 ? (seconds + 59) / 60 : 0;

	if (minutes <= 90)
		printf("%2" PRId64 "m ", minutes);
	else if (minutes <= (int64_t)72 * 60)
		printf("%2" PRId64 "h ", (minutes + 30) / 60);
	else
		printf("%2" PRId64 "d ", (minutes + 720) / 1440);
}

static void
put_size(uint64_t n)
{
	if (n < KILO)
		printf("%5" PRIu64, n);
	else if (n < 10 * KILO)
		printf("%4.1fK", (double)n / (double)KILO);
	else if (n < MEGA)
		printf("%4" PRIu64 "K", (n + 512) / KILO);
	else if (n < 10 * MEGA)
		printf("%4.1fM", (double)n / (double)MEGA);
	else
		printf("%4" PRIu64 "M", (n + MEGA / 2) / MEGA);
}

static void
put_columns(const struct face *face, const struct control_message *m)
{
	char date[DATE_MAX];

	if (m->bad) {
		printf(" *** spool format error: bad/%s: %s ***\n\n", m->id, m->error);
		return;
	}
	put_age(face->now - m->received);
	put_size(m->size);
	printf(" %s <%s>%s\n", m->id, m->sender, m->frozen ? " *** frozen ***" : "");
	for (size_t i = 0; i < m->ndone; i++)
		printf("        D %s\n", m->done[i]);
	for (size_t i = 0; i < m->nwaiting; i++)
		printf("          %s\n", m->waiting[i]);
	if (m->error[0] != '\0')
		printf("        (%s)\n", m->error);
	if (m->next_try > face->now && !m->frozen)
		printf("        (next try: %s)\n", date_log(m->next_try, date));
	printf("\n");
}

static void
put_string(const char *name, const char *s)
{
	printf("\"%s\": \"", name);
	for (; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c >= 0x7f)
			printf("\\u%04x", c);
		else
			printf("%c", c);
	}
	printf("\"");
}

static void
put_strings(const char *name, const char *const *list, size_t n)
{
	printf("\"%s\": [", name);
	for (size_t i = 0; i < n; i++) {
		printf(i > 0 ? ", {" : "{");
		put_string("address", list[i]);
		printf("}");
	}
	printf("]");
}

static void
put_json(const struct face *face, const struct control_message *m)
{
	printf(face->count > 0 ? ",\n  {" : "\n  {");
	put_string("id", m->id);
	printf(", ");
	put_string("sender", m->sender);
	printf(", ");
	put_string("login", m->login);
	printf(", ");
	put_string("error", m->error);
	printf(", \"size\": %" PRIu64 ", \"received\": %" PRId64 ", \"next_try\": %" PRId64
	       ", \"frozen\": %s, \"damaged\": %s, ",
	    m->size, m->received, m->next_try, m->frozen ? "true" : "false",
	    m->bad ? "true" : "false");
	put_strings("waiting", m->waiting, m->nwaiting);
	printf(", ");
	put_strings("done", m->done, m->ndone);
	printf("}");
}

static void
put_message(void *ctx, const struct control_message *m)
{
	struct face *face = ctx;

	if (face->cmd->mode == MODE_LIST)
		put_columns(face, m);
	if (face->cmd->mode == MODE_JSON)
		put_json(face, m);
	face->count++;
}

static void
put_bytes(void *ctx, struct str s)
{
	(void)ctx;
	(void)!fwrite(s.p, 1, s.n, stdout);
}

static void
put_words(const struct control_status *s)
{
	char age[48], date[DATE_MAX];

	printf("messages: %" PRIu64 " (%" PRIu64 " frozen, %" PRIu64 " damaged)\n", s->messages,
	    s->frozen, s->bad);
	if (s->messages > 0)
		printf("oldest: %s\n", num_format_seconds(s->waited, age));
	if (s->last_success > 0)
		printf("last success: %s\n", date_log(s->last_success, date));
	if (s->error[0] != '\0')
		printf("last error: %s: %s\n", date_log(s->last_failure, date), s->error);
}

static void
put_status(void *ctx, const struct control_status *s)
{
	struct face *face = ctx;
	const struct cmdline *cmd = face->cmd;
	const char *how = cmd->narguments > 0 ? cmd->arguments[0] : "";

	if (strcmp(how, "json") == 0) {
		printf("{\"messages\": %" PRIu64 ", \"frozen\": %" PRIu64 ", \"damaged\": %" PRIu64
		       ", \"oldest_seconds\": %" PRIu64 ", \"last_success\": %" PRId64
		       ", \"last_failure\": %" PRId64 ", ",
		    s->messages, s->frozen, s->bad, s->waited, s->last_success, s->last_failure);
		put_string("error", s->error);
		printf("}\n");
	} else if (strcmp(how, "prometheus") == 0) {
		printf("onehop_queue_messages %" PRIu64 "\nonehop_queue_frozen %" PRIu64
		       "\nonehop_queue_damaged %" PRIu64 "\nonehop_queue_oldest_seconds %" PRIu64
		       "\nonehop_last_success_timestamp_seconds %" PRId64 "\n",
		    s->messages, s->frozen, s->bad, s->waited, s->last_success);
	} else {
		put_words(s);
	}
	if (s->messages > 0 && s->alarm_after > 0 && s->waited >= s->alarm_after)
		face->status = 1;
}

/* ------------------------------------------------------------------ asking */

static bool
ask(struct session_start *start, struct face *face, struct door *door, struct fail *f)
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
	struct control c;

	return request(cmd, &c, f) && door_open(door, start->arena, cmd->config, f) &&
	    submit_hello(door->fd, &hello, f) && control_ask(door->fd, &c, f) &&
	    control_hear(door->fd, &answer, f);
}

int
cli_queue(struct session_start *start)
{
	struct face face = { .cmd = start->cmd, .now = time(NULL) };
	struct door door = { .fd = -1 };
	struct fail f = FAIL_INIT;
	bool ok;

	if (start->cmd->mode == MODE_JSON)
		printf("[");
	ok = ask(start, &face, &door, &f);
	door_close(&door);
	if (start->cmd->mode == MODE_JSON)
		printf(face.count > 0 ? "\n]\n" : "]\n");
	if (ok && start->cmd->mode == MODE_COUNT)
		printf("%zu\n", face.count);
	if (fflush(stdout) != 0)
		return EX_IOERR;
	if (!ok)
		return cli_complain(&f);
	return face.status;
}
