/* script.h - a stream that plays a written dialogue.
 *
 *   "C: text"  the client must write this line
 *   "S: text"  the server's line        "s: text"  the same, in one read with the line before
 *   "X"        the server closes        "T"        it stays silent: ETIMEDOUT
 *   "E"        writing fails from here on (EPIPE)
 * A client that writes anything else, or asks for more while it should speak, is off script. */
#ifndef TESTS_SCRIPT_H
#define TESTS_SCRIPT_H

#include "net/stream.h"

struct script {
	const char *const *lines; /* NULL-terminated */
	size_t at;
	struct buf got;
	size_t checked;
	unsigned turns; /* how often the client had to wait after it had written */
	bool wrote, off;
	char why[300];
};

void script_open(struct stream *s, struct script *sc, const char *const *lines);
/* Everything said, nothing more, nothing less?  (X, T and E at the end need not be met.) */
bool script_done(struct script *sc);
#endif
