/* sendmail.h - the face that every caller of /usr/sbin/sendmail sees: one message on stdin. */
#ifndef ONEHOP_FRONT_SENDMAIL_H
#define ONEHOP_FRONT_SENDMAIL_H

#include "front/cmdline.h"
#include "guard/environment.h"

/* What all faces start from. */
struct session_start {
	const struct cmdline *cmd;
	const struct environment *env;
	struct arena *arena;
	struct caller caller;
	struct conf conf;
};

/* Who calls and what the configuration says. False: *f. */
bool cli_start(struct session_start *s, struct fail *f) NODISCARD;
/* Submit the message on stdin.  Returns the exit status; has said on stderr why when it is not 0.
 */
int cli_sendmail(struct session_start *s);
/* A submission that cannot even begin (a broken command line or configuration): say why and keep
 * what is on stdin as a dead letter.  Returns the exit status. */
int cli_refuse(struct session_start *s, const struct fail *why);
/* "onehop: stage: text" on stderr; returns its exit status. */
int cli_complain(const struct fail *f);
#endif
