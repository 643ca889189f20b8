/* command.h - password_command: a program whose first output line is a password. */
#ifndef ONEHOP_SEND_COMMAND_H
#define ONEHOP_SEND_COMMAND_H

#include "base/arena.h"
#include "base/fail.h"

enum { COMMAND_SECONDS = 30 };

struct command {
	struct str text;  /* see base/words.h */
	const char *home; /* $HOME of the program, or NULL */
	char *room;       /* where the line is put, so that it is in no other memory */
	size_t size;
};

/* Cut "LOGIN:" off the front of *text; empty: there is none (*text is as before). */
struct str command_login(struct str *text);
/* Run the program without a shell, as who we are, with PATH, HOME and LANG=C for its environment
 * and stdin from /dev/null; it has COMMAND_SECONDS.  *line lies in room.
 * False: USER/CONFIG when it cannot be run, TEMP when it fails, hangs, or says nothing. */
bool command_first_line(
    const struct command *c, struct arena *a, struct str *line, struct fail *f) NODISCARD;
#endif
