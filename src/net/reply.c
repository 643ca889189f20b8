/* reply.c - one SMTP reply from a byte stream. */
#include "net/reply.h"

#include <string.h>

#include "base/banned.h" /* IWYU pragma: keep */

/* RFC 3463: class "." 1*3digit "." 1*3digit, then SP or end. */
static void
parse_enhanced(struct reply *r, struct str s)
{
	unsigned v[3] = { 0 };
	size_t i = 0;

	for (int k = 0; k < 3; k++) {
		size_t start = i;

		while (i < s.n && i - start < 3 && ascii_digit(s.p[i]))
			v[k] = v[k] * 10 + (unsigned)(s.p[i++] - '0');
		if (i == start || (k < 2 && (i >= s.n || s.p[i++] != '.')))
			return;
	}
	if ((i < s.n && s.p[i] != ' ') || (v[0] != 2 && v[0] != 4 && v[0] != 5))
		return;
	memcpy(r->enh, v, sizeof v);
}

/* The code of a well-formed line, or 0. */
static int
line_code(struct str line)
{
	if (line.n < 3 || line.n > REPLY_LINE_MAX || line.p[0] < '2' || line.p[0] > '5' ||
	    !ascii_digit(line.p[1]) || !ascii_digit(line.p[2]))
		return 0;
	if (line.n > 3 && line.p[3] != ' ' && line.p[3] != '-')
		return 0;
	if (memchr(line.p, '\0', line.n) != NULL || memchr(line.p, '\r', line.n) != NULL ||
	    memchr(line.p, '\n', line.n) != NULL)
		return 0;
	return (line.p[0] - '0') * 100 + (line.p[1] - '0') * 10 + (line.p[2] - '0');
}

enum reply_step
reply_feed(struct reply *r, struct str line)
{
	int code = line_code(line);

	if (code == 0 || (r->lines > 0 && code != r->code))
		return REPLY_BAD;
	if (r->lines >= REPLY_LINES_MAX || line.n > REPLY_MAX - r->bytes)
		return REPLY_BAD;
	r->code = code;
	r->lines++;
	r->bytes += line.n;
	memset(r->enh, 0, sizeof r->enh);
	parse_enhanced(r, str_skip(line, 4));
	return line.n == 3 || line.p[3] == ' ' ? REPLY_DONE : REPLY_MORE;
}
