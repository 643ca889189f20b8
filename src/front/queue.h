/* queue.h - mailq, -q, -M..., status: what is asked of onehop-send, and how the answer looks. */
#ifndef ONEHOP_FRONT_QUEUE_H
#define ONEHOP_FRONT_QUEUE_H

#include "front/sendmail.h"

/* Returns the exit status. */
int cli_queue(struct session_start *start);
#endif
