/* passwords.h - the lines of passwd.client, which are looked at in locked memory, some at a time.
 * Private to conf/. */
#ifndef ONEHOP_SEND_PASSWORDS_H
#define ONEHOP_SEND_PASSWORDS_H

#include "conf/conf.h"
#include "conf/lsearch.h"
#include "conf/pieces.h"

struct passwords {
	const char *path; /* "": there is no file */
	struct stat st;
	/* private */
	int fd;
	void *page;
	size_t page_size;
	struct pieces pieces;
};

#define PASSWORDS_NONE \
	{ \
		.path = "", .fd = -1 \
	}

/* Find and open the file, if there is one.  False: it may not be read (TEMP, f->sys is EACCES and
 * the sentence says who must be able to), or USER/CONFIG. */
bool passwords_open(
    struct passwords *p, const struct conf *c, struct arena *a, struct fail *f) NODISCARD;
/* Show visit() each line until it returns true, which *found says.  The key is good while visit()
 * runs; the value of the line that was found stays until the next walk.
 * False: TEMP or USER/CONFIG. */
bool passwords_walk(struct passwords *p, bool (*visit)(void *ctx, const struct lsearch_entry *e),
    void *ctx, bool *found, struct fail *f) NODISCARD;
/* SECRET_MAX bytes, locked, for a password that stands elsewhere. */
char *passwords_room(const struct passwords *p);
void passwords_close(struct passwords *p);
#endif
