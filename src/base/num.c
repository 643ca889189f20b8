/* num.c - numbers, durations and sizes. */
#include "base/num.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum { TEN_YEARS = 10 * 365 * 86400 };

static const struct {
	char letter;
	uint64_t seconds;
} units[] = { { 'w', 604800 }, { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 }, { 's', 1 } };

bool
num_parse(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!ascii_digit(s.p[i]) || __builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v) || v > max)
			return false;
	}
	*out = v;
	return true;
}

static uint64_t
unit_of(char c)
{
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (units[i].letter == c)
			return units[i].seconds;
	return 0;
}

bool
num_parse_seconds(struct str s, uint64_t *out)
{
	uint64_t total = 0, v;

	if (num_parse(s, TEN_YEARS, out))
		return true;
	while (s.n > 0) {
		size_t i = 0;

		while (i < s.n && ascii_digit(s.p[i]))
			i++;
		if (i == s.n || unit_of(s.p[i]) == 0 || !num_parse(str_at(s.p, i), TEN_YEARS, &v))
			return false;
		total += v * unit_of(s.p[i]);
		if (total > TEN_YEARS)
			return false;
		s = str_skip(s, i + 1);
		if (s.n == 0) {
			*out = total;
			return true;
		}
	}
	return false;
}

bool
num_parse_size(struct str s, uint64_t *out)
{
	static const char letters[] = "KMG";
	const char *hit;
	uint64_t v;

	if (s.n > 1 && (hit = strchr(letters, ascii_upper(s.p[s.n - 1]))) != NULL && *hit != '\0') {
		unsigned shift = 10U * (unsigned)(hit - letters + 1);

		if (!num_parse(str_at(s.p, s.n - 1), UINT64_MAX >> shift, &v))
			return false;
		*out = v << shift;
		return true;
	}
	return num_parse(s, UINT64_MAX, out);
}

const char *
num_format_seconds(uint64_t s, char out[48])
{
	size_t n = 0;

	if (s == 0)
		return "0s";
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		if (s < units[i].seconds)
			continue;
		n += (size_t)snprintf(
		    out + n, 48 - n, "%" PRIu64 "%c", s / units[i].seconds, units[i].letter);
		s %= units[i].seconds;
	}
	return out;
}
