/* rates.h - how many messages each user has sent of late: db/rate.UID, the moments of his last ones
 * on the spool's clock (spool/ages.h), so that no jump of the wall clock gives him more.
 *
 * Fixed lines in a file that is locked while it is looked at: what a killed process, or a disk, has
 * damaged is one line, and one line is one message. */
#ifndef ONEHOP_SPOOL_RATES_H
#define ONEHOP_SPOOL_RATES_H

#include "conf/rate.h"
#include "spool/ages.h"

enum rates_found {
	RATES_ROOM,
	RATES_OVER,   /* he has sent limit->most in limit->seconds */
	RATES_UNKNOWN /* the file cannot be had, read or written */
};

/* May uid send one more now?  take: he does, it is counted. */
enum rates_found rates_ask(const struct spool *s, unsigned uid, const struct rate *limit,
    const struct ages *a, bool take) NODISCARD;
/* Remove the files of users who have sent nothing for RATE_SECONDS_MAX. */
void rates_sweep(const struct spool *s, const struct ages *a);
#endif
