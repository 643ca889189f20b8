/* turns.h - how many processes work for one user at the same moment: a byte of a file in db/ for
 * each, locked, so that what ends for whatever reason gives its byte back. */
#ifndef ONEHOP_SPOOL_TURNS_H
#define ONEHOP_SPOOL_TURNS_H

#include "spool/spool.h"

enum {
	TURNS_MOST = 8,    /* deliver */
	TURNS_PLACES = 16, /* are there at all: the rest waits for its turn, or asks something */
	TURNS_HOME = 2,    /* of queue runs, deliver to his mailbox or his programs */
};

enum turns_kind { TURNS_DELIVERY, TURNS_PLACE, TURNS_AT_HOME };
enum turns_found {
	TURNS_HAD,
	TURNS_NONE,    /* all are taken */
	TURNS_UNKNOWN, /* the file cannot be had or locked */
};

/* The file of this kind, made when it is missing: what is taken is held as long as it is open: by
 * this process, and of TURNS_AT_HOME by those, too, that it forks.  -1: errno. */
int turns_open(const struct spool *s, enum turns_kind kind) NODISCARD;
/* One for uid, without waiting; fd is of that kind, and this process has no other of that file. */
enum turns_found turns_take(int fd, unsigned uid, enum turns_kind kind) NODISCARD;
#endif
