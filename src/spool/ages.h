/* ages.h - how long something has lasted, on the spool's own clock, which no jump of the wall clock
 * can make old (doc/SECURITY 4, I12).
 *
 * db/clock counts seconds that were seen to pass: from one run to the next it advances by what
 * CLOCK_REALTIME says, within one boot at most by what CLOCK_BOOTTIME says, never back, and at most
 * AGES_STEP.  When the wall clock is found to have gone back (more than a minute) all ages begin
 * again: nothing that was measured with it can be trusted. */
#ifndef ONEHOP_SPOOL_AGES_H
#define ONEHOP_SPOOL_AGES_H

#include "spool/spool.h"

enum { AGES_STEP = 6 * 3600 };

struct ages {
	uint64_t count; /* the spool's clock now; never 0 */
	uint64_t again; /* ages are not counted from before this */
	int64_t wall;   /* seconds, CLOCK_REALTIME, now */
	char boot[40];  /* which boot of the machine this is, or "" */
};

/* What the three clocks said. */
struct ages_seen {
	int64_t wall, boottime;
	char boot[40]; /* /proc/sys/kernel/random/boot_id, or "" */
};

/* Pure: the next state from the last one (last->wall 0: there was none). */
struct ages ages_step(
    const struct ages *last, const struct ages_seen *before, const struct ages_seen *now);
/* Read the clocks and db/clock, step, write db/clock (not synced: a loss only makes things
 * younger).  A file that cannot be read or written is as if all had just begun. */
struct ages ages_now(const struct spool *s);
/* Seconds from then (a count; 0: never) to now. */
uint64_t ages_since(const struct ages *a, uint64_t then);
#endif
