/* date.c - points of time as mail writes them. */
#include "base/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/banned.h" /* IWYU pragma: keep */

/* Not strftime's %a and %b: those follow the locale. */
static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep",
	"Oct", "Nov", "Dec" };

_Static_assert(sizeof(time_t) >= sizeof(int64_t), "mail is dated after 2038");

static struct tm
local(int64_t now)
{
	struct tm tm = { 0 };
	time_t t = (time_t)now;

	tzset();
	if (localtime_r(&t, &tm) == NULL) {
		t = 0;
		(void)gmtime_r(&t, &tm);
	}
	return tm;
}

const char *
date_rfc5322(int64_t now, char out[DATE_MAX])
{
	struct tm tm = local(now);
	long off = tm.tm_gmtoff / 60;
	long mag = labs(off);

	(void)snprintf(out, DATE_MAX, "%s, %02d %s %04d %02d:%02d:%02d %c%02ld%02ld",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, off < 0 ? '-' : '+', mag / 60, mag % 60);
	return out;
}

const char *
date_mbox(int64_t now, char out[DATE_MAX])
{
	struct tm tm = local(now);

	(void)snprintf(out, DATE_MAX, "%s %s %02d %02d:%02d:%02d %04d", days[tm.tm_wday],
	    months[tm.tm_mon], tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_year + 1900);
	return out;
}

const char *
date_log(int64_t now, char out[DATE_MAX])
{
	struct tm tm = local(now);

	(void)snprintf(out, DATE_MAX, "%04d-%02d-%02d %02d:%02d:%02d", tm.tm_year + 1900,
	    tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	return out;
}
