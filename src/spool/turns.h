/* turns.h - how many processes work for one user at the same moment: a byte of db/turns for each,
 * locked by the process, so that what ends for whatever reason gives its byte back. */
#ifndef ONEHOP_SPOOL_TURNS_H
#define ONEHOP_SPOOL_TURNS_H

#include "spool/spool.h"

enum {
	TURNS_MOST = 8,    /* deliver */
	TURNS_PLACES = 16, /* are there at all: the rest waits for its turn, or asks something */
};

enum turns_kind { TURNS_DELIVERY, TURNS_PLACE };
enum turns_found {
	TURNS_HAD,
	TURNS_NONE,    /* all are taken */
	TURNS_UNKNOWN, /* the file cannot be had or locked */
};

/* The file, made when it is missing: what is taken is held as long as it is open.  -1: errno. */
int turns_open(const struct spool *s) NODISCARD;
/* One for uid, without waiting. */
enum turns_found turns_take(int fd, unsigned uid, enum turns_kind kind) NODISCARD;
#endif
