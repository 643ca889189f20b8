/* rate.h - rate_limit: so many messages in a time. */
#ifndef ONEHOP_CONF_RATE_H
#define ONEHOP_CONF_RATE_H

#include <stdint.h>

#include "base/fail.h"
#include "base/str.h"

enum { RATE_MOST_MAX = 10000, RATE_SECONDS_MAX = 31 * 86400 };

struct rate {
	uint64_t most, seconds; /* most 0: there is no limit */
};

/* "100/1h", from 1/1s up to the limits above, or "no".  False: USER/CONFIG. */
bool rate_parse(struct rate *r, struct str text, struct fail *f) NODISCARD;
#endif
