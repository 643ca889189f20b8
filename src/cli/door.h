/* door.h - how onehop reaches onehop-send (DESIGN 2): fork and exec; the other doors come later. */
#ifndef ONEHOP_CLI_DOOR_H
#define ONEHOP_CLI_DOOR_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/fail.h"

struct door {
	int fd;     /* connected stream socket that speaks spool/submit.h; -1 when closed */
	pid_t pid;  /* of the child behind it, or 0 */
	bool stays; /* it has said that it goes on with other mail */
};

/* Start onehop-send as the caller.  config: -C FILE, or NULL.  False: TEMP/DOOR. */
bool door_open(struct door *d, struct arena *a, const char *config, struct fail *f) NODISCARD;
/* Close, and wait for the child unless it stays. */
void door_close(struct door *d);
#endif
