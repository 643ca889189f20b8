/* due.h - which message is due, and may it be that none is? */
#ifndef ONEHOP_SEND_DUE_H
#define ONEHOP_SEND_DUE_H

#include "send/run.h"
#include "spool/quiet.h"

enum due { DUE_NOT, DUE_FROZEN, DUE_TRY, DUE_END };

/* What is to be done with it in such a run.  quiet: is told until when that is nothing. */
enum due due_look(struct delivery *d, const char *id, enum run_which which, struct quiet *quiet);
/* By which rules, for spool/quiet.h. */
struct quiet_at due_rules(const struct delivery *d);
/* May nothing that waits go along now?  d->spooling; when in doubt it is false. */
bool due_is_quiet(const struct delivery *d) NODISCARD;
#endif
