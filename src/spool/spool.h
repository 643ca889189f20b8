/* spool.h - mail safe on disk, in Exim's layout (doc/ARCHITECTURE 7, doc/EXIM 18).
 *
 *   input/ID-D  the line "ID-D", then the body; input/ID-H  envelope and header (queued.h);
 *   input/ID-J  the journal: keys of what is done, one a line
 *   input/X/    the same, X the sixth character of the id, with split_spool_directory
 *   msglog/ID   the log of one message
 *   db/         locked by the queue run; clock, quiet, one file per host list and host, bounces
 *   bad/        damaged and foreign files, set aside
 *
 * The link of -H commits a message, the unlink of -H ends it.  A message is worked on by whoever
 * holds flock() on its -D file. */
#ifndef ONEHOP_SPOOL_SPOOL_H
#define ONEHOP_SPOOL_SPOOL_H

#include "conf/conf.h"
#include "spool/queued.h"

enum {
	SPOOL_BATCH = 4096,         /* ids in one spool_list() */
	SPOOL_HEADER_MAX = 16 << 20 /* octets of a -H file */
};

struct spool {
	const char *path;
	int fd, input, msglog, db, bad; /* directories; -1: not open */
	bool split;
	unsigned uid, gid; /* the owner of the directory: whose the files are to be */
	bool give;         /* we are root and the spool is another's: new files are given to it */
};

/* Open the spool that conf names.  make: directories that are missing are made (0750; the last
 * component of spool_directory too, in a user's own setup all of them).  False: TEMP/SPOOL with
 * path and reason (also when it belongs to another and we are not root); nothing is open. */
bool spool_open(struct spool *s, const struct conf *c, bool make, struct fail *f) NODISCARD;
void spool_close(struct spool *s);
/* This process was forked from one that goes on with the spool: the locks that it takes of
 * input/ from now on are its own (flock(2): those of one open file are shared).  Where that cannot
 * be, they are still shared: a message may be looked for later than it is due. */
void spool_apart(struct spool *s);
/* Is there room for a message of size octets (free space with some reserve, inodes)?  False:
 * TEMP/SPOOL. */
bool spool_has_room(const struct spool *s, uint64_t size, struct fail *f) NODISCARD;

/* Make q durable.  q->m.body in memory is written; a temporary file of our user with BODY_START
 * free octets in front, open for reading and writing, on the same filesystem, becomes -D, any other
 * is copied. True: -D, -H and their names are synced, the message is ours (locked, q->m.body is
 * -D). False: TEMP/SPOOL, or PERM/SPOOL (queued_write()); nothing is visible, q is as before.  When
 * it was the last step, the sync of the directory, that failed, the names were removed again, but
 * what a disk that fails has kept is not known: after a crash the message may be there. */
bool spool_commit(const struct spool *s, struct queued *q, struct fail *f) NODISCARD;

enum spool_found { SPOOL_TAKEN, SPOOL_BUSY, SPOOL_GONE, SPOOL_BAD };
/* Lock and read the message id into q (q->arena set; strings in it).  whole: the body's checksum is
 * verified too; without it the message is only looked at and not locked (mailq), and the body is
 * not opened. BUSY: another process works on it, or it cannot be read now.  GONE: finished in
 * between, or no such message. BAD: damaged or foreign (cut, changed, wrong owner, not a plain
 * file, more than one link, too large): *f says what; with whole it has been set aside. */
enum spool_found spool_take(
    const struct spool *s, const char *id, bool whole, struct queued *q, struct fail *f) NODISCARD;
/* Append keys (n of them) to the journal and sync it.  A key with a line break is refused.
 * False: TEMP/SPOOL: some of them may be in it, none in part. */
bool spool_journal(const struct spool *s, const struct queued *q, const char *const *keys, size_t n,
    struct fail *f) NODISCARD;
/* Write -H anew (hdr.ID-H, synced, renamed, directory synced); then the journal is dropped, because
 * q->done has it all.  False: -H is the old or the new one, and the journal is there. */
bool spool_rewrite(const struct spool *s, struct queued *q, struct fail *f) NODISCARD;
/* Everything is done: unlink -H, -D, -J, msglog; sync.  False: TEMP/SPOOL: it is still there, or
 * may be after a crash.  q stays readable until spool_release(). */
bool spool_remove(const struct spool *s, const struct queued *q, struct fail *f) NODISCARD;
/* Close -D and so give up the lock.  A second call does nothing. */
void spool_release(struct queued *q);

/* The next SPOOL_BATCH ids in order that come behind after ("" at first), by their -H files' names.
 * *n == 0: no more. False: TEMP: a directory could not be read. */
bool spool_list(const struct spool *s, const char *after, char (*ids)[ID_MAX], size_t *n,
    struct fail *f) NODISCARD;
/* Is there any message? */
bool spool_has_mail(const struct spool *s);
/* Remove what was never accepted or is finished: -D, -J, hdr. without -H, when it can be locked,
 * and its msglog. Names that are none of ours are set aside. */
void spool_sweep(const struct spool *s);
/* Names in bad/, for mailq; each call gives the next behind after ("" at first); false: no more. */
bool spool_next_bad(const struct spool *s, const char *after, char name[256]);
#endif
