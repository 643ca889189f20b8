/* clock.h - the monotonic clock, for deadlines (the only other clock is time(), in front/ and
 * local/main.c).
 */
#ifndef ONEHOP_BASE_CLOCK_H
#define ONEHOP_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_ms(void);      /* CLOCK_MONOTONIC in milliseconds */
int64_t clock_unix_us(void); /* CLOCK_REALTIME in microseconds: message ids */
int64_t clock_unix(void);    /* CLOCK_REALTIME in seconds: log lines, words about certificates */
#endif
