/* pipe.h - into a program: a pipe of a .forward, procmail, maildrop (doc/EXIM 11). */
#ifndef ONEHOP_LOCAL_PIPE_H
#define ONEHOP_LOCAL_PIPE_H

#include "local/letter.h"

enum { PIPE_SECONDS = 3600, PIPE_OUTPUT_MAX = 20 * 1024 };

struct pipe_transport {
	const char *name; /* Exim's, for messages */
	const char *path; /* PATH of the program */
	bool from_line;   /* an mbox From_ line in front and an empty line behind */
	bool head;        /* Return-path, Envelope-to, Delivery-date */
	bool output;      /* its words go into the bounce */
	/* Not the user's choice: that it cannot be started is no fault of the mail. */
	bool must_exist;
};

/* The words of a command, as Exim takes them: blanks separate, "..." with backslashes and '...'
 * around whole words; there is no shell.  NULL: PERM (an open quote, nothing, too many words). */
char **pipe_words(struct arena *a, const char *command, struct fail *f) NODISCARD;
/* What a wait(2) status means.  0: true.  75 (EX_TEMPFAIL) and 73 (EX_CANTCREAT): TEMP.  Others,
 * and a signal: PERM, with the last words of its output. */
bool pipe_verdict(const struct pipe_transport *t, const char *program, int status,
    struct str output, struct fail *f) NODISCARD;
/* Run it as the user that we are, in the home, with the message on its standard input, for at most
 * an hour.  When the message ends early it is killed before it can take a part for the whole. */
bool pipe_deliver(struct letter *l, struct arena *a, const struct pipe_transport *t,
    const char *command, struct fail *f) NODISCARD;
#endif
