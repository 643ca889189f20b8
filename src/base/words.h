/* words.h - a command cut into words, without a shell. */
#ifndef ONEHOP_BASE_WORDS_H
#define ONEHOP_BASE_WORDS_H

#include "base/arena.h"

enum { WORDS_MAX = 256 };

/* White space parts the words; one may stand in "...", where a backslash saves the character
 * behind it, or in '...' (Exim's rules).  The list ends with NULL.  NULL: *fault says why, as in
 * "missing quote" in the command. */
char **words_split(struct arena *a, struct str command, const char **fault) NODISCARD;
#endif
