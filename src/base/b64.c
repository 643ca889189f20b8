/* b64.c - base64. */
#include "base/b64.h"

#include <stdint.h>

#include "base/banned.h" /* IWYU pragma: keep */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
b64_encode(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i += 3) {
		size_t have = s.n - i < 3 ? s.n - i : 3;
		uint32_t v = (uint32_t)(unsigned char)s.p[i] << 16;
		char q[4];

		if (have > 1)
			v |= (uint32_t)(unsigned char)s.p[i + 1] << 8;
		if (have > 2)
			v |= (uint32_t)(unsigned char)s.p[i + 2];
		for (unsigned k = 0; k < 4; k++)
			q[k] = k <= have ? alphabet[v >> (18 - 6 * k) & 63] : '=';
		buf_add(out, q, 4);
	}
}

static int
value(char c)
{
	const char *hit = c != '\0' ? strchr(alphabet, c) : NULL;

	return hit != NULL ? (int)(hit - alphabet) : -1;
}

bool
b64_decode(struct buf *out, struct str s)
{
	if (s.n % 4 != 0)
		return false;
	for (size_t i = 0; i < s.n; i += 4) {
		size_t pad = 0;
		uint32_t v = 0;
		char b[3];

		if (i + 4 == s.n)
			pad = s.p[i + 3] != '=' ? 0 : s.p[i + 2] != '=' ? 1 : 2;
		for (size_t k = 0; k < 4; k++) {
			int d = k < 4 - pad ? value(s.p[i + k]) : 0;

			if (d < 0)
				return false;
			v = v << 6 | (uint32_t)d;
		}
		if ((pad == 1 && (v & 0xff) != 0) || (pad == 2 && (v & 0xffff) != 0))
			return false;
		b[0] = (char)(v >> 16 & 0xff);
		b[1] = (char)(v >> 8 & 0xff);
		b[2] = (char)(v & 0xff);
		buf_add(out, b, 3 - pad);
	}
	return true;
}
