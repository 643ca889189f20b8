/* scan.c - where a header section ends and its fields begin. */
#include "mail/scan.h"

#include <regex.h>
#include <stdio.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum { FROM_LINE_MAX = 1024 }; /* octets; there is no such date further on */

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
		bool never_resent; /* RFC 5322 has no Resent- form of it: another field then */
	} known[] = {
		{ { "bcc", 3 }, H_BCC, false },
		{ { "cc", 2 }, H_CC, false },
		{ { "from", 4 }, H_FROM, false },
		{ { "message-id", 10 }, H_ID, false },
		{ { "received", 8 }, H_RECEIVED, true },
		{ { "reply-to", 8 }, H_REPLYTO, true },
		{ { "sender", 6 }, H_SENDER, false },
		{ { "to", 2 }, H_TO, false },
	};
	struct str prefix = STR("resent-");

	*resent = str_istarts(name, prefix);
	if (*resent)
		name = str_skip(name, prefix.n);
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (str_ieq(name, known[i].name) && !(*resent && known[i].never_resent))
			return known[i].type;
	return H_OTHER;
}

struct str
scan_from_line(struct str line)
{
	/* Exim's uucp_from_pattern */
	static const char pattern[] =
	    "^From[[:space:]]+([^[:space:]]+)[[:space:]]+([a-zA-Z]{3},?[[:space:]]+)?"
	    "([a-zA-Z]{3}[[:space:]]+[0-9]?[0-9]"
	    "|[0-9]?[0-9][[:space:]]+[a-zA-Z]{3}[[:space:]]+([0-9]{2})?[0-9]{2})"
	    "[[:space:]]+[0-9][0-9]?:[0-9]";
	struct str address = str_at(NULL, 0);
	char text[FROM_LINE_MAX];
	regmatch_t at[2];
	regex_t re;

	if (!str_starts(line, STR("From")) || regcomp(&re, pattern, REG_EXTENDED) != 0)
		return address;
	(void)snprintf(text, sizeof text, "%.*s", S_ARG(line));
	if (regexec(&re, text, 2, at, 0) == 0)
		address = str_at(line.p + at[1].rm_so, (size_t)(at[1].rm_eo - at[1].rm_so));
	regfree(&re);
	return address;
}
