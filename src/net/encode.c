/* encode.c - quoted-printable and base64 for text. */
#include "net/encode.h"

#include "base/b64.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	QP_COLUMN_MAX = 72, /* an octet takes three columns, "=" of the soft line break one */
	BASE64_LINE = 57    /* octets that make 76 */
};

static bool
stands_for_itself(char c, bool ends_line, unsigned column)
{
	if (c == ' ' || c == '\t')
		return !ends_line;
	if (c == '.' && column == 0)
		return false;
	return c > ' ' && c <= '~' && c != '=';
}

size_t
encode_qp(struct encode *e, struct buf *out, struct str s, bool last)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t i;

	/* Whether a blank ends its line is known from the next octet only. */
	for (i = 0; i < s.n && (last || i + 1 < s.n); i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool ends_line = i + 1 == s.n || s.p[i + 1] == '\n';

		if (c == '\n') {
			buf_str(out, "\r\n");
			e->column = 0;
			continue;
		}
		if (e->column > QP_COLUMN_MAX) {
			buf_str(out, "=\r\n");
			e->column = 0;
		}
		if (stands_for_itself(s.p[i], ends_line, e->column)) {
			buf_char(out, s.p[i]);
			e->column++;
		} else {
			char code[] = { '=', hex[c >> 4], hex[c & 15] };

			buf_add(out, code, sizeof code);
			e->column += 3;
		}
	}
	return i;
}

/* Fill line with octets of s, its line ends made CRLF; returns how many, *used are those of s. */
static size_t
fill_line(bool *lf_due, char line[BASE64_LINE], struct str s, size_t *used)
{
	size_t n = 0, i = 0;

	if (*lf_due)
		line[n++] = '\n';
	*lf_due = false;
	while (n < BASE64_LINE && i < s.n) {
		char c = s.p[i++];

		if (c == '\n') {
			line[n++] = '\r';
			*lf_due = n == BASE64_LINE;
			if (*lf_due)
				break;
		}
		line[n++] = c;
	}
	*used = i;
	return n;
}

size_t
encode_base64(struct encode *e, struct buf *out, struct str s, bool last)
{
	size_t taken = 0;

	for (;;) {
		bool lf_due = e->lf_due;
		char line[BASE64_LINE];
		size_t used, n = fill_line(&lf_due, line, str_skip(s, taken), &used);

		if (n == 0 || (n < BASE64_LINE && !last))
			return taken;
		if (e->column > 0)
			buf_str(out, "\r\n");
		b64_encode(out, str_at(line, n));
		e->column = (unsigned)(n + 2) / 3 * 4;
		e->lf_due = lf_due;
		taken += used;
	}
}
