/* retry.h - when to try again: Exim's retry rules (option retry).  Pure.
 *
 * "F,2h,15m; G,16h,1h,1.5; F,4d,6h": until 2 h after the first failure every 15 minutes, until 16 h
 * at intervals that begin with 1 h and grow by half, until 4 d every 6 h; then give up. */
#ifndef ONEHOP_CONF_RETRY_H
#define ONEHOP_CONF_RETRY_H

#include <stdint.h>

#include "base/fail.h"
#include "base/str.h"

enum { RETRY_PARTS_MAX = 16, RETRY_TRIES_MAX = 10, RETRY_INTERVAL_MAX = 24 * 3600 };

struct retry_part {
	char letter;       /* F, G, H (somewhere between interval and what G would give) */
	uint64_t cutoff;   /* seconds since the first failure */
	uint64_t interval; /* seconds */
	uint64_t factor;   /* G, H: in thousandths */
};

struct retry {
	struct retry_part part[RETRY_PARTS_MAX];
	size_t n; /* at least 1 */
};

/* Exim's "* *" in front is taken.  False: USER/CONFIG: what is wrong, without a place.
 * conf_set() calls it too, so a bad rule is found with file and line. */
bool retry_parse(struct retry *r, struct str text, struct fail *f) NODISCARD;
/* Seconds until the next try, age seconds after the first failure, last being the interval before
 * (0: none); at least 1, at most RETRY_INTERVAL_MAX. */
uint64_t retry_interval(const struct retry *r, uint64_t age, uint64_t last);
/* The longest that retry_interval() may say: a next try further ahead was set by another clock. */
uint64_t retry_longest(const struct retry *r);
/* Is it over?  Both must be: age past the last cutoff, and as many tries as the rule makes until
 * then, at most RETRY_TRIES_MAX. */
bool retry_is_over(const struct retry *r, uint64_t age, unsigned tries);
#endif
