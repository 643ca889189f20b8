/* phrase.c - making parts of a mailbox out of free text. */
#include "mail/phrase.h"

#include "mail/extract.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { ENCODED_WORD_MAX = 75 }; /* RFC 2047 2 */

static const char specials[] = ")<>@,;:\\.[]";
static const char word_begin[] = "=?UTF-8?Q?";

static char
printable(char c)
{
	return ascii_control(c) ? ' ' : c;
}

/* Octets of the UTF-8 character at s.p[at], so that no encoded word ends inside one. */
static size_t
character_length(struct str s, size_t at)
{
	size_t n = 1;

	while (at + n < s.n && n < 4 && ((unsigned char)s.p[at + n] & 0xc0) == 0x80)
		n++;
	return n;
}

static void
put_encoded(struct buf *out, struct str name)
{
	size_t word = out->n;

	buf_str(out, word_begin);
	for (size_t i = 0, n; i < name.n; i += n) {
		n = character_length(name, i);
		if (out->n - word + 3 * n + 2 > ENCODED_WORD_MAX) {
			buf_str(out, "?= ");
			word = out->n;
			buf_str(out, word_begin);
		}
		for (size_t j = i; j < i + n; j++) {
			char c = printable(name.p[j]);

			if (c == ' ')
				buf_char(out, '_');
			else if (ascii_8bit(c) || strchr("?=()<>@,;:\\\".[]_", c) != NULL)
				buf_fmt(out, "=%02X", (unsigned)(unsigned char)c);
			else
				buf_char(out, c);
		}
	}
	buf_str(out, "?=");
}

/* A piece of a name: a quoted string, a comment, or plain text up to the next of these. */
struct piece {
	struct str text;
	bool fixed;   /* may not be quoted again: a quoted string, or a comment with quotes in it */
	bool special; /* plain text that has to be quoted */
	unsigned open; /* how many quotes or brackets the name does not close */
};

static bool
contains(struct str s, const char *set)
{
	for (size_t i = 0; i < s.n; i++) {
		if (strchr(set, s.p[i]) != NULL)
			return true;
		i += s.p[i] == '\\';
	}
	return false;
}

static struct piece
next_piece(struct str *rest)
{
	struct piece piece = { .open = 0 };
	size_t n = 0;

	if (rest->p[0] == '"' || rest->p[0] == '(') {
		n = enclosed_length(*rest, &piece.open);
		piece.fixed = contains(str_at(rest->p, n), "\"");
	} else {
		while (n < rest->n && rest->p[n] != '"' && rest->p[n] != '(')
			n += rest->p[n] == '\\' && n + 1 < rest->n ? 2 : 1;
		piece.special = contains(str_at(rest->p, n), specials);
	}
	piece.text = str_at(rest->p, n);
	*rest = str_skip(*rest, n);
	return piece;
}

static void
put_text(struct buf *out, struct str s)
{
	size_t pairs = 0;

	for (size_t i = 0; i < s.n; i++) {
		buf_char(out, printable(s.p[i]));
		pairs = s.p[i] == '\\' ? pairs + 1 : 0;
	}
	if (pairs % 2 != 0) /* it would escape what closes the text */
		buf_char(out, '\\');
}

static void
put_quoted(struct buf *out, struct str s)
{
	struct str text = str_rtrim(s);

	buf_char(out, '"');
	put_text(out, text);
	buf_char(out, '"');
	put_text(out, str_skip(s, text.n));
}

/* Plain text behind a quoted string: only the words that need it are quoted. */
static void
put_words(struct buf *out, struct str s)
{
	while (s.n > 0) {
		struct str word = str_at(s.p, str_find(s, ' '));

		if (contains(word, specials))
			put_quoted(out, word);
		else
			put_text(out, word);
		if (word.n < s.n)
			buf_char(out, ' ');
		s = str_skip(s, word.n + 1);
	}
}

/* Everything before the first fixed piece: quoted as a whole if any of it has to be. */
static struct str
put_head(struct buf *out, struct str name)
{
	struct str rest = name, head;
	bool special = false;

	for (struct str at = rest; at.n > 0; rest = at) {
		struct piece piece = next_piece(&at);

		if (piece.fixed)
			break;
		special |= piece.special || piece.open > 0;
	}
	head = str_at(name.p, name.n - rest.n);
	if (special && memmem(head.p, head.n, "=?", 2) != NULL)
		put_words(out, head); /* an encoded word says nothing between quotes */
	else if (special)
		put_quoted(out, head);
	else
		put_text(out, head);
	return rest;
}

void
phrase_put(struct buf *out, struct str name)
{
	struct str rest;

	name = str_trim(name);
	if (str_8bit(name)) {
		put_encoded(out, name);
		return;
	}
	rest = put_head(out, name);
	while (rest.n > 0) {
		struct piece piece = next_piece(&rest);

		if (piece.special)
			put_words(out, piece.text);
		else
			put_text(out, piece.text);
		for (; piece.open > 0; piece.open--)
			buf_char(out, piece.text.p[0] == '"' ? '"' : ')');
	}
}

void
local_part_put(struct buf *out, struct str local)
{
	bool atoms = local.n > 0 && local.p[0] != '.' && local.p[local.n - 1] != '.';

	for (size_t i = 0; i < local.n; i++)
		atoms = atoms && !ascii_control(local.p[i]) &&
		    strchr(" ()<>@,;:\\\"[]", local.p[i]) == NULL;
	if (atoms) {
		buf_put(out, local);
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < local.n; i++) {
		if (local.p[i] == '"' || local.p[i] == '\\')
			buf_char(out, '\\');
		buf_char(out, printable(local.p[i]));
	}
	buf_char(out, '"');
}
