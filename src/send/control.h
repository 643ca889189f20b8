/* control.h - what onehop-send does for -q, -M..., -bp and status. */
#ifndef ONEHOP_SEND_CONTROL_H
#define ONEHOP_SEND_CONTROL_H

#include "send/run.h"
#include "wire/control.h"

/* Open the spool (one that does not exist is an empty queue), do what c asks for uid and answer on
 * fd; the Z record is the caller's.  Root and the spool's owner see and change all; others list
 * their own messages and get the summary of them.  What is wrong with one id is said among the
 * bytes, as Exim does, and the others are done.  False: *f goes into Z: exit 1 and no text when it
 * was said, 77 for a missing right, TEMP when the spool cannot be read. */
bool deliver_control(
    struct delivery *d, int fd, unsigned uid, const struct control *c, struct fail *f) NODISCARD;
#endif
