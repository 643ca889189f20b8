/* stop.h - when this process is told to stop: SIGTERM (systemctl stop, a shutdown), SIGINT, SIGHUP
 * and SIGQUIT (its terminal), SIGALRM (a caller's timer that outlived his exec()).
 *
 * They end it, but where it holds them back, because others have yet to hear of what it has done: a
 * reply that is due, a verdict.  Held back they wait in the kernel, there is no handler; what is
 * started meanwhile does not hold them back (base/child.h). */
#ifndef ONEHOP_BASE_STOP_H
#define ONEHOP_BASE_STOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* So long what is due is waited for then: below the TimeoutStopSec= of the units. */
enum { STOP_SECONDS = 75 };

void stop_hold(void);
/* SIGALRM is this process's own timer's, and not held back. */
void stop_spare_alarm(void);
/* A signal that came meanwhile ends the process here. */
void stop_release(void);
/* One has come, and is held back. */
bool stop_asked(void);

/* Ways to wait until fd can be read, for struct record_in (wire/record.h).
 * They are held back: once one has come, pass_on (not 0) is told, too, and after seconds more the
 * wait is over: false. */
struct stop_wait {
	pid_t pass_on;
	unsigned seconds;
	int64_t until; /* 0 at first */
};
bool stop_wait(void *wait, int fd);
/* They are held back but here: one that has come ends the process, unless fd can be read. */
bool stop_may_end(void *none, int fd);
/* The same for a pause. */
void stop_pause(int ms);
#endif
