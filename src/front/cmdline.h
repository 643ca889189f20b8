/* cmdline.h - sendmail's command line (onehop(8)), from the tables flags.def and modes.def.  Pure.
 */
#ifndef ONEHOP_FRONT_CMDLINE_H
#define ONEHOP_FRONT_CMDLINE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"
#include "conf/conf.h"
#include "wire/envelope.h"

enum mode {
	MODE_SUBMIT,
	MODE_LIST,
	MODE_COUNT,
	MODE_JSON,
	MODE_STATUS,
	MODE_SMTP,
	MODE_BATCH,
	MODE_TEST,
	MODE_VERIFY,
	MODE_VERSION,
	MODE_OPTIONS,
	MODE_ALIASES,
	MODE_REWRITE,
	MODE_DAEMON,
	MODE_QUEUE,   /* -q... */
	MODE_MESSAGE, /* -M... */
	MODE_HELP,
};

struct cmdline {
	struct arena *arena;
	enum mode mode;
	const char **arguments; /* what is no flag: recipients, addresses, option names */
	size_t narguments;
	bool extract;     /* -t */
	bool dot_is_text; /* -i */
	bool bare;        /* -bnq */
	bool verbose, debug;
	const char *sender;     /* -f, -r; NULL when not given */
	const char *name;       /* -F */
	const char *config;     /* -C */
	const char *envid;      /* -V */
	unsigned notify;        /* -N: enum rcpt_notify */
	unsigned ret;           /* -R: the values of envelope.ret */
	unsigned body_declared; /* -B: 7, 8 */
	const char *queue;      /* what stands behind -q, -M or -b */
	int delivery;           /* -od: enum conf_delivery, or -1 */
	struct buf warnings;    /* one line each: unknown flags and values */
};

/* Read argv.  argv[0] may be mailq (-bp), newaliases (-bi), runq (-q), rsmtp (-bS) or rmail
 * (-i).  Strings stay argv's.
 * Unknown flags and values become warnings, because the mail must still go; an unknown mode (-b)
 * and a flag at the end that lacks its value are USER/ARGS.  cmdline_free() in every case. */
bool cmdline_parse(
    struct cmdline *c, struct arena *a, int argc, char **argv, struct fail *f) NODISCARD;
void cmdline_free(struct cmdline *c);
/* The text of --help. */
void cmdline_help(struct buf *out);
#endif
