/* scan.c - where a header section ends and its fields begin. */
#include "msg/scan.h"

#include "base/banned.h" /* IWYU pragma: keep */

static bool
name_char(char c)
{
	return c != ' ' && c != ':' && !ascii_control(c);
}

size_t
scan_field_name(struct str line)
{
	size_t n = 0, colon;

	while (n < line.n && name_char(line.p[n]))
		n++;
	for (colon = n; colon < line.n && ascii_space(line.p[colon]); colon++)
		if (n == 0)
			return SIZE_MAX;
	return colon < line.n && line.p[colon] == ':' ? n : SIZE_MAX;
}

enum header_type
scan_type(struct str name, bool *resent)
{
	static const struct {
		struct str name;
		enum header_type type;
	} known[] = {
		{ { "bcc", 3 }, H_BCC },
		{ { "cc", 2 }, H_CC },
		{ { "from", 4 }, H_FROM },
		{ { "message-id", 10 }, H_ID },
		{ { "received", 8 }, H_RECEIVED },
		{ { "reply-to", 8 }, H_REPLYTO },
		{ { "sender", 6 }, H_SENDER },
		{ { "to", 2 }, H_TO },
	};
	struct str prefix = STR("resent-");

	*resent = str_istarts(name, prefix);
	if (*resent)
		name = str_skip(name, prefix.n);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_ieq(name, known[i].name))
			return known[i].type;
	return H_OTHER;
}

/* The pieces of uucp_from_pattern.  Each takes what it matches off the front of *s; on false *s
 * may have moved, so alternatives work on copies. */
static bool
take_space(struct str *s)
{
	struct str rest = str_ltrim(*s);
	bool some = rest.n < s->n;

	*s = rest;
	return some;
}

static bool
take_digits(struct str *s, size_t min, size_t max)
{
	size_t n = 0;

	while (n < max && n < s->n && ascii_digit(s->p[n]))
		n++;
	*s = str_skip(*s, n);
	return n >= min;
}

static bool
take_letters(struct str *s)
{
	size_t n = 0;

	while (n < 3 && n < s->n && ascii_alpha(s->p[n]))
		n++;
	*s = str_skip(*s, n);
	return n == 3;
}

static bool
take_char(struct str *s, char c)
{
	bool hit = s->n > 0 && s->p[0] == c;

	*s = str_skip(*s, hit ? 1 : 0);
	return hit;
}

static bool
take_time(struct str s)
{
	return take_space(&s) && take_digits(&s, 1, 2) && take_char(&s, ':') &&
	    take_digits(&s, 1, 2);
}

/* "Jan  5 12:35" */
static bool
month_first(struct str s)
{
	return take_letters(&s) && take_space(&s) && take_digits(&s, 1, 2) && take_time(s);
}

/* "7 Jan 97 14:00", "7 Jan 1997 14:00" */
static bool
day_first(struct str s)
{
	struct str two;

	if (!take_digits(&s, 1, 2) || !take_space(&s) || !take_letters(&s) || !take_space(&s))
		return false;
	two = s;
	return (take_digits(&two, 2, 2) && take_time(two)) ||
	    (take_digits(&s, 4, 4) && take_time(s));
}

struct str
scan_from_line(struct str line)
{
	struct str none = str_at(NULL, 0), s = line, addr, weekday;
	size_t n = 0;

	if (!str_starts(s, STR("From")))
		return none;
	s = str_skip(s, 4);
	if (!take_space(&s))
		return none;
	while (n < s.n && !ascii_space(s.p[n]))
		n++;
	addr = str_at(s.p, n);
	s = str_skip(s, n);
	if (n == 0 || !take_space(&s))
		return none;
	weekday = s;
	if (take_letters(&weekday)) {
		(void)take_char(&weekday, ',');
		if (take_space(&weekday) && (month_first(weekday) || day_first(weekday)))
			return addr;
	}
	return month_first(s) || day_first(s) ? addr : none;
}
