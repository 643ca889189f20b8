/* fold.c - header fields with lines too long for SMTP. */
#include "mail/fold.h"

#include "base/buf.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
fold_needed(struct str field, size_t max)
{
	while (field.p != NULL)
		if (str_cut(&field, '\n').n > max)
			return true;
	return false;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first octet of the line's text: what stands before it is a field name or white space, and
 * a line of that alone is better not made. */
static size_t
text_start(struct str line, bool first)
{
	size_t i = first ? str_find(line, ':') + 1 : 0;

	while (i < line.n && blank(line.p[i]))
		i++;
	return i;
}

/* Where to cut a word: at max, but not within a UTF-8 sequence. */
static size_t
cut_word(struct str line, size_t max)
{
	size_t i = max;

	while (i > max - 3 && ((unsigned char)line.p[i] & 0xc0) == 0x80)
		i--;
	return i;
}

/* Where a line of more than max octets is to be broken. */
static size_t
fold_point(struct str line, size_t max, bool first)
{
	size_t outside = 0, comma = 0, inside = 0;
	bool quoted = false;

	for (size_t i = text_start(line, first); i <= max; i++) {
		char c = line.p[i];
		bool word_next = blank(c) && i + 1 < line.n && !blank(line.p[i + 1]);

		if (c == '"')
			quoted = !quoted;
		else if (c == '\\' && quoted)
			i++;
		else if (word_next && quoted)
			inside = i;
		else if (word_next)
			outside = i;
		else if (c == ',' && !quoted && i < max)
			comma = i + 1;
	}
	if (outside > 0)
		return outside;
	if (comma > 0)
		return comma;
	return inside > 0 ? inside : cut_word(line, max);
}

/* One physical line, without its LF; with a first one the field name. */
static void
fold_line(struct buf *out, struct str line, size_t max, bool first)
{
	size_t lead = 0; /* the blank that makes a continuation of what had none */

	while (line.n > max - lead) {
		size_t at = fold_point(line, max - lead, first);

		buf_put(out, str_at(line.p, at));
		buf_char(out, '\n');
		line = str_skip(line, at);
		lead = blank(line.p[0]) ? 0 : 1;
		if (lead > 0)
			buf_char(out, ' ');
		first = false;
	}
	buf_put(out, line);
	buf_char(out, '\n');
}

struct str
fold_field(struct arena *a, struct str field, size_t max)
{
	AUTO_BUF struct buf out = BUF_INIT(2 * field.n + 16);
	bool first = true;

	while (field.n > 0) {
		size_t n = str_find(field, '\n');

		fold_line(&out, str_at(field.p, n), max, first);
		field = str_skip(field, n + 1);
		first = false;
	}
	return arena_str(a, buf_get(&out));
}
