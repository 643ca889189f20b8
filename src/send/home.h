/* home.h - into a user's mailbox or program, which may take its time. */
#ifndef ONEHOP_SEND_HOME_H
#define ONEHOP_SEND_HOME_H

#include "local/client.h"
#include "send/attempt.h"

/* As local_deliver().  In a queue run two at a time go to one user (TEMP: others are under way),
 * and what takes longer than some seconds is another process's, which goes on with this message
 * alone, without the run's lock: then it is false, t->left is set, and q is no longer ours. */
bool home_deliver(struct attempt *t, struct local_job *job, struct fail *f) NODISCARD;
#endif
