/* control.h - what onehop-send does for -q, -M..., -bp and status. */
#ifndef ONEHOP_DELIVER_CONTROL_H
#define ONEHOP_DELIVER_CONTROL_H

#include "deliver/run.h"
#include "spool/control.h"

/* d->spooling is set (send.c opened the spool).  Do what c asks for uid (root and the spool's owner
 * see and change all; others list their own) and answer on fd; the Z record is the caller's. False:
 * *f goes into it: USER/ARGS for an unknown id or a missing right. */
bool deliver_control(
    struct delivery *d, int fd, unsigned uid, const struct control *c, struct fail *f) NODISCARD;
#endif
