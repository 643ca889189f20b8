/* retry.c - when to try again: Exim's retry rules. */
#include "conf/retry.h"

#include "base/num.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { THOUSAND = 1000, FACTOR_MAX = 1000 };

/* "1.5" to 1500. */
static bool
factor_parse(struct str s, uint64_t *out)
{
	struct str rest = s, whole = str_cut(&rest, '.');
	uint64_t units, part = 0, place = THOUSAND;

	if (!num_parse(whole, FACTOR_MAX, &units))
		return false;
	if (rest.p != NULL && (rest.n > 3 || !num_parse(rest, THOUSAND, &part)))
		return false;
	for (size_t i = 0; i < rest.n; i++)
		place /= 10;
	*out = units * THOUSAND + part * place;
	return *out >= THOUSAND;
}

static struct str
parameter(struct str *rest)
{
	return str_trim(str_cut(rest, ','));
}

static bool
part_parse(struct retry_part *p, struct str text)
{
	struct str rest = text, letter = parameter(&rest);

	if (letter.n != 1 || strchr("FGH", letter.p[0]) == NULL)
		return false;
	p->letter = letter.p[0];
	p->factor = THOUSAND;
	if (!num_parse_seconds(parameter(&rest), &p->cutoff) ||
	    !num_parse_seconds(parameter(&rest), &p->interval) || p->cutoff == 0 ||
	    p->interval == 0)
		return false;
	if (p->letter != 'F' && !factor_parse(parameter(&rest), &p->factor))
		return false;
	return rest.p == NULL;
}

/* Exim's rules begin with an address and an error they are for; here there is one rule for all. */
static struct str
without_patterns(struct str text)
{
	struct str rest = text;
	bool both = str_eq(str_word(&rest), STR("*")) && str_eq(str_word(&rest), STR("*"));

	return both ? rest : text;
}

bool
retry_parse(struct retry *r, struct str text, struct fail *f)
{
	struct retry out = { .n = 0 };
	struct str rest = without_patterns(text);

	while (rest.p != NULL) {
		struct str part = str_trim(str_cut(&rest, ';'));

		if (part.n == 0 && rest.p == NULL && out.n > 0)
			break;
		if (out.n == RETRY_PARTS_MAX)
			return fail_conf(f, "retry has more than %d parts", RETRY_PARTS_MAX);
		if (!part_parse(&out.part[out.n++], part))
			return fail_conf(f,
			    "retry has \"%.*s\", which is neither F,UNTIL,EVERY (F,2h,15m) nor "
			    "G,UNTIL,FIRST,FACTOR (G,16h,1h,1.5)",
			    S_ARG(part));
	}
	*r = out;
	return true;
}

static uint64_t
at_most(uint64_t v, uint64_t limit)
{
	return v < limit ? v : limit;
}

/* Many hosts must not come back in the same second; the age differs between them, and a pure
 * function has no other dice. */
static uint64_t
spread(uint64_t from, uint64_t to, uint64_t age)
{
	uint64_t dice = (age + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 32;

	return from + dice % (to - from + 1);
}

uint64_t
retry_interval(const struct retry *r, uint64_t age, uint64_t last)
{
	const struct retry_part *p = r->part;
	uint64_t next;

	while (p < &r->part[r->n - 1] && p->cutoff <= age)
		p++;
	next = at_most(p->interval, RETRY_INTERVAL_MAX);
	if (p->letter == 'F' || last < p->interval)
		return next;
	last =
	    at_most(at_most(last, RETRY_INTERVAL_MAX) * p->factor / THOUSAND, RETRY_INTERVAL_MAX);
	return p->letter == 'G' || last < next ? last : spread(next, last, age);
}

uint64_t
retry_longest(const struct retry *r)
{
	uint64_t longest = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct retry_part *p = &r->part[i];
		uint64_t most = p->letter == 'F' ? p->interval : RETRY_INTERVAL_MAX;

		if (most > longest)
			longest = most;
	}
	return at_most(longest, RETRY_INTERVAL_MAX);
}

bool
retry_is_over(const struct retry *r, uint64_t age, unsigned tries)
{
	uint64_t end = r->part[r->n - 1].cutoff, last = 0, at = 0;
	unsigned made = 1;

	for (; made < RETRY_TRIES_MAX; made++) {
		last = retry_interval(r, at, last);
		at += last;
		if (at >= end)
			break;
	}
	return age >= end && tries >= made;
}
