/* place.h - where the files of a message are; shared by the files of spool.h. */
#ifndef ONEHOP_SPOOL_PLACE_H
#define ONEHOP_SPOOL_PLACE_H

#include "spool/spool.h"

#define PLACE_BODY_MAX (UINT64_C(1) << 40) /* octets of a -D file */
/* The directory for files of id, the caller's to close; -1 with errno. */
int place_open(const struct spool *s, const char *id, bool split, bool make);
/* The directory in which id has its -H file, split or not; -1 with errno, ENOENT: there is none. */
int place_find(const struct spool *s, const char *id);
/* Visit each name in a directory, and in all directories of input/.  False with errno. */
bool place_each(
    int parent, const char *name, void (*visit)(void *ctx, int dir, const char *name), void *ctx);
bool place_walk(
    const struct spool *s, void (*visit)(void *ctx, int dir, const char *name), void *ctx);
/* Move a damaged or foreign file into bad/, whatever it is. */
void place_set_aside(const struct spool *s, int dir, const char *name);
/* Why a file that may be well cannot be read: the machine's trouble (EIO, too many files are open),
 * so nothing is to be done with it.  Compared by address. */
extern const char place_not_now[];
/* Open a file of ours: plain, one link, the right owner, at most max octets.  -1: *why says what is
 * wrong with it (or is place_not_now), or is NULL when there is none. */
int place_file(const struct spool *s, int dir, const char *name, uint64_t max, const char **why);
/* Add the journal's keys to q->done.  mend: q is locked, and what is no full line is cut off, so
 * that it is not continued.  False: *why as above. */
bool place_journal(const struct spool *s, int dir, struct queued *q, bool mend, const char **why);
#endif
