/* door.h - how onehop reaches onehop-send (DESIGN 2).
 *
 * Who may read the credentials (root, and a user with a setup of his own) starts it.  Any other
 * goes through the socket DOOR_SOCKET, behind which a superserver starts one onehop-send, as user
 * onehop, for each connection; where nothing listens, through onehop-post, set-uid to user onehop,
 * if it is installed. Without either onehop-send runs as the caller: that serves who may read what
 * is needed, and tells the others. */
#ifndef ONEHOP_CLI_DOOR_H
#define ONEHOP_CLI_DOOR_H

#include <sys/types.h>

#include "conf/conf.h"

#define DOOR_SOCKET "/run/onehop/submit"

struct door {
	int fd;     /* connected stream socket that speaks spool/submit.h; -1 when closed */
	pid_t pid;  /* of the child behind it, or 0 */
	bool stays; /* it has said that it goes on with other mail */
};

/* Whose setup it is: c is what the caller's configuration says, config -C FILE or NULL. */
struct door_caller {
	unsigned uid;
	const struct conf *conf;
	const char *config;
};

/* Open the first door there is.  False: TEMP/DOOR. */
bool door_open(
    struct door *d, struct arena *a, const struct door_caller *who, struct fail *f) NODISCARD;
/* Is the socket the door for this caller?  It is not to be held open while he thinks. */
bool door_is_shared(const struct door_caller *who);
/* Close, and wait for the child unless it stays. */
void door_close(struct door *d);
#endif
