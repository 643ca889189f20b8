/* send.c - onehop-send: takes one submission on descriptor 0 and makes the delivery. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "deliver/deliver.h"
#include "guard/environment.h"
#include "log/logfile.h"
#include "spool/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

static bool
load(struct conf *c, struct arena *a, const struct environment *env, const char *file,
    struct fail *f)
{
	struct conf_paths paths;
	struct caller who;

	if (!guard_caller(a, &who, f))
		return false;
	paths = guard_conf_paths(a, env, &who, file);
	return conf_load(c, a, &paths, f);
}

/* The sender is known only now, and what the configuration says for it. */
static int
serve(struct delivery *d, struct conf *conf, struct logfile *log, bool warm)
{
	struct envelope e = { .ret = RET_UNSET };
	struct message m = { .body = { .fd = -1 } };
	struct fail whole = FAIL_INIT, f = FAIL_INIT;

	d->smarthost = smarthost_new(conf, d->arena, d->trace);
	if (warm && !conf_depends_on_sender(conf))
		smarthost_warm(d->smarthost, conf->smarthost);
	if (submit_receive(STDIN_FILENO, d->arena, &e, &m, &whole) &&
	    conf_apply_sender(conf, e.sender, &whole)) {
		log->id = e.id;
		deliver(d, &e, &m);
		log->id = NULL;
	}
	smarthost_free(d->smarthost);
	body_close(&m.body);
	return submit_verdicts(STDIN_FILENO, &e, &whole, &f) ? EX_OK : EX_TEMPFAIL;
}

int
main(int argc, char **argv)
{
	AUTO_ARENA struct arena arena = { NULL };
	const char *file = argc == 3 && strcmp(argv[1], "-C") == 0 ? argv[2] : NULL;
	struct submit_trace out = { .fd = STDIN_FILENO };
	struct trace caller = submit_trace(&out);
	struct logfile log = { .fd = -1, .next = &caller };
	struct trace trace = logfile_trace(&log);
	struct environment env;
	struct envelope none = { .nrcpts = 0 };
	struct conf conf;
	struct fail f = FAIL_INIT;
	bool warm;

	guard_start(&env);
	guard_with_parent();
	if (submit_accept(STDIN_FILENO, &out.flags, &warm, &f) &&
	    load(&conf, &arena, &env, file, &f)) {
		struct delivery d = {
			.conf = &conf, .arena = &arena, .trace = &trace, .now = time(NULL)
		};

		logfile_open(&log, conf.log_file);
		return serve(&d, &conf, &log, warm);
	}
	(void)!submit_verdicts(STDIN_FILENO, &none, &f, &(struct fail)FAIL_INIT);
	return fail_exit_code(&f);
}
