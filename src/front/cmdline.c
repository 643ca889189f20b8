/* cmdline.c - sendmail's command line. */
#include "front/cmdline.h"

#include <string.h>

#include "net/parameters.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { ENVID_MAX = 100 };

enum argument { NONE, VALUE, REST };

enum action {
	IGNORE,
	EXTRACT,
	NO_DOT,
	BARE,
	SENDER,
	NAME,
	NOTIFY,
	RET,
	ENVID,
	DSN,
	BODY,
	VERBOSE,
	DEBUG,
	CONFIG,
	MODE,
	DELIVERY,
	SHORT,
	LONG,
	QUEUE,
	MESSAGE,
	HELP,
	VERSION_,
};

struct flag {
	const char *name;
	enum argument argument;
	enum action action;
	const char *value, *help;
};

static const struct flag flags[] = {
#define FLAG(name, argument, action, value, help) { name, argument, action, value, help },
#define VERSION VERSION_
#include "front/flags.def"
#undef VERSION
#undef FLAG
};

static const struct {
	const char *value;
	enum mode mode;
	const char *help;
} modes[] = {
#define MODE(value, symbol, help) { value, MODE_##symbol, help },
#include "front/modes.def"
#undef MODE
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ------------------------------------------------------------------ values */

/* What was given must not become a line of its own, nor play with a terminal. */
static void
warn(struct cmdline *c, const char *what, const char *value)
{
	buf_str(&c->warnings, what);
	buf_shown(&c->warnings, str_of(value));
	buf_str(&c->warnings, " is not known here and was ignored\n");
}

static void
set_notify(struct cmdline *c, const char *value)
{
	struct str rest = str_of(value);

	c->notify = 0;
	while (rest.p != NULL) {
		unsigned bit = parameters_notify(str_trim(str_cut(&rest, ',')));

		if (bit == 0)
			warn(c, "-N ", value);
		c->notify |= bit;
	}
	if (c->notify & NOTIFY_NEVER) /* RFC 3461 4.1: it stands alone */
		c->notify = NOTIFY_NEVER;
}

static void
set_ret(struct cmdline *c, const char *value)
{
	if (str_ieq(str_of(value), STR("full")))
		c->ret = RET_FULL;
	else if (str_ieq(str_of(value), STR("hdrs")))
		c->ret = RET_HDRS;
	else
		warn(c, "-R ", value);
}

/* RFC 3461 4.4: at most 100 printable characters. */
static void
set_envid(struct cmdline *c, const char *value)
{
	size_t n = 0;

	while (n <= ENVID_MAX && value[n] >= ' ' && value[n] <= '~')
		n++;
	if (n > 0 && n <= ENVID_MAX && value[n] == '\0')
		c->envid = value;
	else
		warn(c, "-V ", value);
}

static void
set_dsn(struct cmdline *c, const char *value)
{
	static const struct {
		char letter;
		void (*set)(struct cmdline *c, const char *value);
	} ways[] = { { 'N', set_notify }, { 'R', set_ret }, { 'V', set_envid } };

	for (size_t i = 0; i < COUNT(ways); i++)
		if (ascii_upper(value[0]) == ways[i].letter && value[1] == '=') {
			ways[i].set(c, value + 2);
			return;
		}
	warn(c, "-oDSN ", value);
}

static void
set_body(struct cmdline *c, const char *value)
{
	if (str_ieq(str_of(value), STR("7BIT")))
		c->body_declared = 7;
	else if (str_ieq(str_of(value), STR("8BITMIME")))
		c->body_declared = 8;
	else
		warn(c, "-B ", value);
}

/* What MAIL and RCPT will say of the message. */
static void
set_parameter(struct cmdline *c, enum action action, const char *value)
{
	if (action == NOTIFY)
		set_notify(c, value);
	else if (action == RET)
		set_ret(c, value);
	else if (action == ENVID)
		set_envid(c, value);
	else if (action == DSN)
		set_dsn(c, value);
	else
		set_body(c, value);
}

static void
set_delivery(struct cmdline *c, const char *value)
{
	switch (value[0]) {
	case 'f':
	case 'i':
		c->delivery = DELIVERY_FOREGROUND;
		break;
	case 'b':
		c->delivery = DELIVERY_BACKGROUND;
		break;
	case 'q':
	case 'd': /* sendmail: defer */
		c->delivery = DELIVERY_QUEUE;
		break;
	default:
		warn(c, "-od ", value);
	}
}

static void
set_long(struct cmdline *c, const char *value)
{
	static const struct str mode = STR("DeliveryMode=");

	if (str_istarts(str_of(value), mode))
		set_delivery(c, value + mode.n);
}

/* An unknown mode is refused: who asked for it did not ask to send a message. */
static bool
set_mode(struct cmdline *c, const char *value, struct fail *f)
{
	c->queue = value;
	for (size_t i = 0; i < COUNT(modes); i++)
		if (strcmp(modes[i].value, value) == 0) {
			c->mode = modes[i].mode;
			return true;
		}
	c->mode = MODE_HELP;
	return fail_set(f, FAIL_USER, STAGE_ARGS, 0, "there is no mode -b%s", value);
}

/* ------------------------------------------------------------------ flags */

static bool
act(struct cmdline *c, const struct flag *flag, const char *value, struct fail *f)
{
	switch (flag->action) {
	case IGNORE:
	case SHORT:
		break;
	case EXTRACT:
		c->extract = true;
		break;
	case NO_DOT:
		c->dot_is_text = true;
		break;
	case BARE:
		c->bare = true;
		break;
	case SENDER:
		c->sender = value;
		break;
	case NAME:
		c->name = value;
		break;
	case NOTIFY:
	case RET:
	case ENVID:
	case DSN:
	case BODY:
		set_parameter(c, flag->action, value);
		break;
	case DEBUG:
		c->debug = true;
		break;
	case VERBOSE:
		c->verbose = true;
		break;
	case CONFIG:
		c->config = value;
		break;
	case MODE:
		return set_mode(c, value, f);
	case DELIVERY:
		set_delivery(c, value);
		break;
	case LONG:
		set_long(c, value);
		break;
	case QUEUE:
	case MESSAGE:
		c->mode = flag->action == QUEUE ? MODE_QUEUE : MODE_MESSAGE;
		c->queue = value;
		break;
	case HELP:
	case VERSION_:
		c->mode = flag->action == HELP ? MODE_HELP : MODE_VERSION;
		break;
	}
	return true;
}

/* The flag with the longest name that word starts with. */
static const struct flag *
find(const char *word)
{
	const struct flag *best = NULL;

	for (size_t i = 0; i < COUNT(flags); i++) {
		size_t n = strlen(flags[i].name);

		if (strncmp(word, flags[i].name, n) == 0 &&
		    (best == NULL || n > strlen(best->name)))
			best = &flags[i];
	}
	return best;
}

/* One word behind its dash.  next: the word after it, or NULL; *used: it was the value. */
static bool
group(struct cmdline *c, const char *word, const char *next, bool *used, struct fail *f)
{
	while (*word != '\0') {
		const struct flag *flag = find(word);
		const char *value = word + (flag != NULL ? strlen(flag->name) : 0);

		if (flag == NULL) {
			warn(c, "flag -", word);
			return true;
		}
		if (flag->argument == VALUE && *value == '\0') {
			if (next == NULL)
				return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
				    "flag -%s needs a value behind it", flag->name);
			value = next;
			*used = true;
		}
		if (flag->action == SHORT && *used) /* "-o i" is "-oi" */
			return group(
			    c, arena_fmt(c->arena, "o%s", value), NULL, &(bool){ false }, f);
		if (!act(c, flag, value, f))
			return false;
		if (flag->argument != NONE)
			return true;
		word = value;
	}
	return true;
}

static void
name_from_argv0(struct cmdline *c, const char *argv0)
{
	const char *slash = strrchr(argv0, '/');
	const char *name = slash != NULL ? slash + 1 : argv0;

	if (strcmp(name, "mailq") == 0)
		c->mode = MODE_LIST;
	else if (strcmp(name, "newaliases") == 0)
		c->mode = MODE_ALIASES;
	else if (strcmp(name, "runq") == 0)
		c->mode = MODE_QUEUE;
	else if (strcmp(name, "rsmtp") == 0)
		c->mode = MODE_BATCH;
	else if (strcmp(name, "rmail") == 0)
		c->dot_is_text = true;
}

/* Verbs are for those who call it by its own name. */
static bool
is_onehop(const char *argv0)
{
	return str_iends(str_of(argv0), STR("onehop"));
}

bool
cmdline_parse(struct cmdline *c, struct arena *a, int argc, char **argv, struct fail *f)
{
	bool only_arguments = false;

	*c = (struct cmdline){
		.arena = a, .mode = MODE_SUBMIT, .delivery = -1, .warnings = BUF_INIT(65536)
	};
	c->arguments = arena_array(a, (size_t)argc + 1, sizeof *c->arguments);
	if (argc > 0)
		name_from_argv0(c, argv[0]);
	for (int i = 1; i < argc; i++) {
		bool used = false;

		if (i == 1 && is_onehop(argv[0]) && strcmp(argv[1], "status") == 0) {
			c->mode = MODE_STATUS;
		} else if (only_arguments || argv[i][0] != '-') {
			c->arguments[c->narguments++] = argv[i];
		} else if (c->mode == MODE_STATUS && str_starts(str_of(argv[i]), STR("--"))) {
			c->arguments[c->narguments++] = argv[i] + 2;
		} else if (strcmp(argv[i], "--") == 0) {
			only_arguments = true;
		} else if (strcmp(argv[i], "-") == 0) {
			warn(c, "argument ", "-");
		} else {
			if (!group(c, argv[i] + 1, argv[i + 1], &used, f))
				return false;
			i += used;
		}
	}
	return true;
}

void
cmdline_free(struct cmdline *c)
{
	buf_free(&c->warnings);
}

void
cmdline_help(struct buf *out)
{
	buf_str(out,
	    "usage: sendmail [flag ...] [address ...] < message\n"
	    "onehop takes one message on standard input and carries it one hop: to the\n"
	    "smarthost, or into a local user's mailbox.  See onehop(8).\n\nFlags:\n");
	for (size_t i = 0; i < COUNT(flags); i++)
		if (flags[i].action != IGNORE)
			buf_fmt(out, "  -%s%s%s\t%s\n", flags[i].name,
			    *flags[i].value != '\0' ? " " : "", flags[i].value, flags[i].help);
	buf_str(out, "Modes:\n");
	for (size_t i = 0; i < COUNT(modes); i++)
		buf_fmt(out, "  -b%s\t%s\n", modes[i].value, modes[i].help);
}
