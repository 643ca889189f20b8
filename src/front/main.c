/* main.c - onehop: sendmail, mailq, newaliases: runs as the caller, never more. */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "front/cmdline.h"
#include "front/import.h"
#include "front/queue.h"
#include "front/sendmail.h"
#include "front/show.h"
#include "front/smtpd.h"
#include "guard/environment.h"

#include "base/banned.h" /* IWYU pragma: keep */

static int
not_yet(const char *what)
{
	fprintf(stderr, "onehop: %s\n", what);
	return EX_UNAVAILABLE;
}

static void
say_warnings(const struct cmdline *c)
{
	struct str rest = buf_get(&c->warnings);

	while (rest.n > 0) {
		struct str line = str_cut(&rest, '\n');

		fprintf(stderr, "onehop: warning: %.*s\n", S_ARG(line));
	}
}

static int
run(struct session_start *s)
{
	switch (s->cmd->mode) {
	case MODE_SUBMIT:
		return cli_sendmail(s);
	case MODE_TEST:
	case MODE_VERIFY:
		return show_routes(s);
	case MODE_VERSION:
		return show_version(s);
	case MODE_OPTIONS:
		return show_options(s);
	case MODE_ALIASES:
		return show_aliases(s);
	case MODE_REWRITE:
		return show_rewriting(s);
	case MODE_LIST:
	case MODE_COUNT:
	case MODE_JSON:
	case MODE_STATUS:
	case MODE_QUEUE:
		return cli_queue(s);
	case MODE_MESSAGE:
		return s->cmd->queue != NULL && strcmp(s->cmd->queue, "import") == 0 ?
		    cli_import(s) :
		    cli_queue(s);
	case MODE_SMTP:
	case MODE_BATCH:
		return cli_smtpd(s);
	case MODE_DAEMON:
		return not_yet("there is no daemon to start: onehop works when it is called");
	case MODE_HELP:
		return show_help();
	}
	return EX_SOFTWARE;
}

int
main(int argc, char **argv)
{
	AUTO_ARENA struct arena arena = { NULL };
	struct environment env;
	struct cmdline cmd;
	struct session_start s = { .cmd = &cmd, .env = &env, .arena = &arena };
	struct fail f = FAIL_INIT;
	int status;

	guard_start(&env);
	if (cmdline_parse(&cmd, &arena, argc, argv, &f) &&
	    (cmd.mode == MODE_VERSION || cli_start(&s, &f))) {
		say_warnings(&cmd);
		status = run(&s);
	} else {
		status = cmd.mode == MODE_SUBMIT ? cli_refuse(&s, &f) :
		    cmd.mode == MODE_SMTP        ? cli_smtpd_refuse(&f) :
						   cli_complain(&f);
	}
	cmdline_free(&cmd);
	return status;
}
