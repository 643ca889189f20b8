/* pieces.h - a table file, some whole entries at a time: of a large one no more is held.  Private
 * to conf/. */
#ifndef ONEHOP_CONF_PIECES_H
#define ONEHOP_CONF_PIECES_H

#include "base/arena.h"
#include "base/fail.h"

enum { PIECE = 256 * 1024, PIECE_MAX = 8 * 1024 * 1024 }; /* bytes */

/* The caller sets the first five. */
struct pieces {
	int fd; /* at the start of the file */
	const char *path;
	char *room; /* where a piece lies */
	size_t size;
	struct arena *arena; /* a larger room comes from it, up to PIECE_MAX; NULL: none does */
	unsigned line;       /* of the last piece */
	/* private: bytes in room, and of them those of the last piece */
	size_t have, used;
	bool begun, ended;
};

/* The next entries, good until the next call; p->line is the first one's.  n == 0: there are no
 * more. False: *f is TEMP (it cannot be read) or USER/CONFIG (no text, or an entry that is too
 * large), with path and line. */
bool pieces_next(struct pieces *p, struct str *text, struct fail *f) NODISCARD;
/* From the start again. */
bool pieces_rewind(struct pieces *p, struct fail *f) NODISCARD;
#endif
