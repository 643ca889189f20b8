/* door.h - how onehop reaches onehop-send (doc/ARCHITECTURE 2).
 *
 * Who may read the credentials (root, user onehop, and a user with a setup of his own) starts it;
 * root goes through the socket where only the units have them (conf/credstore.h), or where he may
 * not write.  Any other goes through the socket DOOR_SOCKET, behind which a superserver starts one
 * onehop-send, as user onehop, for each connection; where nothing listens, through onehop-post,
 * set-uid to user onehop, if it is installed. Without either onehop-send runs as the caller: that
 * serves who may read what is needed; others hear why the socket cannot be had. */
#ifndef ONEHOP_FRONT_DOOR_H
#define ONEHOP_FRONT_DOOR_H

#include <sys/types.h>

#include "base/stop.h"
#include "conf/conf.h"
#include "wire/submit.h"

#define DOOR_SOCKET "/run/onehop/submit"

struct door {
	int fd;              /* connected stream socket that speaks wire/submit.h; -1 when closed */
	pid_t pid;           /* of the child behind it, or 0 */
	bool stays;          /* it has said that it goes on with other mail */
	bool met;            /* the socket was open before: it will be again */
	bool away;           /* the socket was not there */
	const char *without; /* why this caller had to do without it, or NULL */
	int status;          /* of the child that was waited for */
	int64_t since;       /* when it was turned away first, and how often */
	unsigned turned;
	struct stop_wait stop;
};

#define DOOR_CLOSED \
	{ \
		.fd = -1 \
	}

/* Whose setup it is: c is what the caller's configuration says, config -C FILE or NULL. */
struct door_caller {
	unsigned uid;
	const struct conf *conf;
	const char *config;
};

/* Open the first door there is.  False: TEMP/DOOR. */
bool door_open(
    struct door *d, struct arena *a, const struct door_caller *who, struct fail *f) NODISCARD;
/* Does this caller share the door with others?  Then it is not to be held open while he thinks. */
bool door_is_shared(const struct door_caller *who);
/* What is heard through it: a signal to stop (base/stop.h), if held back, is passed on to the
 * child, and ends the wait in the end. */
struct submit_talk door_talk(struct door *d);
/* Nothing was taken, and it may be asked again. */
enum door_turned {
	DOOR_HEARD,  /* no: this is the answer */
	DOOR_SHUT,   /* it did not open; *f says why */
	DOOR_SILENT, /* what is behind it ended without a word */
	DOOR_BUSY,   /* it said so; *f has its words */
};
/* After door_open() failed. */
enum door_turned door_is_shut(const struct door *d, const struct fail *f);
/* What talk came to, which failed; given: all was sent. */
enum door_turned door_heard(struct door *d, const struct submit_talk *talk, bool given);
/* Close it and make a pause, which a signal may end with the process; they grow.  False: it is
 * DOOR_HEARD, or was asked for long enough: *f says so. */
bool door_again(struct door *d, enum door_turned how, struct fail *f) NODISCARD;
/* The socket was not there, but it has been since this host started: is it back in a moment?  Then
 * it is open. */
bool door_reopens(struct door *d);
/* Put in front of *f, which is TEMP, why it had to be done without the socket, if it had. */
void door_explain(const struct door *d, struct fail *f);
/* Close, and wait for the child unless it stays. */
void door_close(struct door *d);
#endif
