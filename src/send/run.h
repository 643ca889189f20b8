/* run.h - the queue run: waiting messages, one after the other, over one connection.
 *
 * Once this process is told to stop (base/stop.h) no further one is begun. */
#ifndef ONEHOP_SEND_RUN_H
#define ONEHOP_SEND_RUN_H

#include "send/deliver.h"

enum run_which { RUN_DUE, RUN_ALL, RUN_FROZEN };

/* Try every message that which names, oldest first; without d->spooling there is none.  Returns at
 * once (true) when another run is at work.  What fails stays in the queue: false (TEMP) only when
 * the spool cannot be read. */
bool run_queue(struct delivery *d, enum run_which which, struct fail *f) NODISCARD;
/* Try this one now, frozen or not.  False: USER: no such message; TEMP: another process has it, or
 * it is damaged. */
bool run_message(struct delivery *d, const char *id, struct fail *f) NODISCARD;
/* End it: all that wait are refused for this reason, the sender gets a bounce. */
bool run_give_up(struct delivery *d, const char *id, const char *reason, struct fail *f) NODISCARD;
/* A submission whose caller is gone, and has not heard what became of it: it is his still.  What
 * the spool has of it goes, with the bounces that came of it; the log names who has it. */
void run_unheard(struct delivery *d, struct queued *q);
/* Try the bounces and warnings that were made, and, after a delivery that went well, at most n due
 * messages. */
void run_along(struct delivery *d, size_t n);
/* A user's mailbox or program takes its time, and the run does not wait for that with its lock.
 * True: this process is there for that message alone now, with nothing of its caller's; false: it
 * goes on with the run, and a process that it has forked has the message. */
bool run_leave(struct delivery *d);
/* Close the connections that are kept for the next message. */
void run_close(struct delivery *d);
#endif
