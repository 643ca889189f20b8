/* share.h - what one user may have of the smarthost and of the spool: rate_limit, queue_max. */
#ifndef ONEHOP_DELIVER_SHARE_H
#define ONEHOP_DELIVER_SHARE_H

#include "deliver/deliver.h"

/* Has he any left of rate_limit?  Nothing is counted. */
bool share_is_left(struct delivery *d, unsigned uid);
/* q, just submitted, is to be sent now, and is counted.  False: its user has had his share, or that
 * cannot be known; q->trouble.error says so, for mailq. */
bool share_allows(struct delivery *d, struct queued *q);
/* The same for one that waits.  What cannot be counted is sent: it has waited. */
bool share_allows_later(struct delivery *d, const struct queued *q);
/* May he have one more message in the spool (which is open)?  False: TEMP/SPOOL. */
bool share_of_spool(struct delivery *d, const struct queued *q, struct fail *f) NODISCARD;
#endif
