/* id.h - Exim's message ids: tttttt-pppppp-ss, base 62 (doc/EXIM 18). */
#ifndef ONEHOP_BASE_ID_H
#define ONEHOP_BASE_ID_H

#include <stdbool.h>
#include <stdint.h>

enum { ID_LEN = 16, ID_MAX = 24 };

/* The id for second sec, microsecond usec and process pid, as Exim 4.96 writes it
 * (the fraction counts half milliseconds).  Pure; the caller sees to it that the clock
 * has ticked before the process makes another one. */
const char *id_format(int64_t sec, uint32_t usec, uint32_t pid, char out[ID_MAX]);
/* Is it one: of 16 characters, or of the 23 that Exim makes since 4.97? */
bool id_ok(const char *id);
/* The second that an id was made in; of what is none, any number. */
int64_t id_seconds(const char *id);
#endif
