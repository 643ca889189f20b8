/* num.h - numbers, durations and sizes as people write them in configuration files. */
#ifndef ONEHOP_BASE_NUM_H
#define ONEHOP_BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/str.h"

/* Decimal digits only (no sign, no blank, no suffix), at most max.  On false *out is untouched. */
bool num_parse(struct str s, uint64_t max, uint64_t *out) NODISCARD;
/* Exim's times: "90" or "90s", "15m", "2h", "7d", "2w", and sums as "1h30m"; in seconds.
 * At most ten years. */
bool num_parse_seconds(struct str s, uint64_t *out) NODISCARD;
/* Exim's sizes: "52428800", "50K", "50M", "2G" (of 1024); in bytes. */
bool num_parse_size(struct str s, uint64_t *out) NODISCARD;
/* The shortest way to write s seconds so that num_parse_seconds reads it back ("1h30m"). */
const char *num_format_seconds(uint64_t s, char out[48]);
#endif
