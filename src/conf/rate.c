/* rate.c - rate_limit: so many messages in a time. */
#include "conf/rate.h"

#include "base/num.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
rate_parse(struct rate *r, struct str text, struct fail *f)
{
	struct str rest = text, most = str_trim(str_cut(&rest, '/'));
	struct rate out = { 0, 0 };

	if (!str_ieq(text, STR("no")) &&
	    (!num_parse(most, RATE_MOST_MAX, &out.most) || out.most == 0 || rest.p == NULL ||
		!num_parse_seconds(str_trim(rest), &out.seconds) || out.seconds == 0 ||
		out.seconds > RATE_SECONDS_MAX))
		return fail_conf(f,
		    "rate_limit is no, or a number up to %d and a time up to 31d as 100/1h, not "
		    "\"%.*s\"",
		    RATE_MOST_MAX, S_ARG(text));
	*r = out;
	return true;
}
