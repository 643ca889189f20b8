/* share.h - what one user may have of the smarthost and of the spool: rate_limit, queue_max, and
 * what a shared door does for him at the same moment (spool/turns.h). */
#ifndef ONEHOP_SEND_SHARE_H
#define ONEHOP_SEND_SHARE_H

#include "send/deliver.h"

/* Has he any left of rate_limit?  Nothing is counted. */
bool share_is_left(struct delivery *d, unsigned uid);
/* q, just submitted, is to be sent now, and is counted.  False: its user has had his share, or that
 * cannot be known; q->trouble.error says so, for mailq. */
bool share_allows(struct delivery *d, struct queued *q);
/* The same for one that waits.  What cannot be counted is sent: it has waited. */
bool share_allows_later(struct delivery *d, const struct queued *q);
/* May he have one more message in the spool (which is open)?  False: TEMP/SPOOL. */
bool share_of_spool(struct delivery *d, const struct queued *q, struct fail *f) NODISCARD;
/* A place for one more process of uid's.  *turns: what holds it, to be kept open; -1: none is
 * counted (where the file cannot be had the units' limits have to do).  False: TEMP/DOOR: all are
 * taken. */
bool share_place(const struct conf *c, unsigned uid, int *turns, struct fail *f) NODISCARD;
/* A turn to deliver q; with wait it is waited for, for a while.  False: there is none,
 * q->trouble.error says so; or this process is to stop. */
bool share_turn(int turns, struct queued *q, bool wait);
#endif
