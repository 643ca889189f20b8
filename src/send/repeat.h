/* repeat.h - fold_duplicates: what is equal to a message that waits is counted, not kept again. */
#ifndef ONEHOP_SEND_REPEAT_H
#define ONEHOP_SEND_REPEAT_H

#include "send/deliver.h"

/* What equal messages have in common: user, sender, recipients, body, and all fields but Date,
 * Message-Id and Received; SHA-256, in q->arena.  NULL: fold_duplicates is no, or it cannot be
 * known. */
const char *repeat_key(const struct delivery *d, const struct queued *q);
/* Is an equal message waiting, which nobody has got yet?  True: its field X-Folded counts q, on
 * disk, q->trouble.error says so for the log, and q is not to be kept. */
bool repeat_fold(struct delivery *d, struct queued *q, const char *key);
/* q was put into the spool: others may be folded into it. */
void repeat_note(const struct delivery *d, const struct queued *q, const char *key);
#endif
