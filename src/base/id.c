/* id.c - Exim's message ids. */
#include "base/id.h"

#include <string.h>

#include "base/str.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

static void
base62(uint64_t v, char *out, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		out[i] = digits[v % 62];
		v /= 62;
	}
}

int64_t
id_seconds(const char *id)
{
	int64_t sec = 0;

	for (size_t i = 0; i < 6 && ascii_alnum(id[i]); i++)
		sec = sec * 62 + (strchr(digits, id[i]) - digits);
	return sec;
}

bool
id_ok(const char *id)
{
	size_t n = strnlen(id, ID_MAX);

	if (n != ID_LEN && n != ID_MAX - 1)
		return false;
	for (size_t i = 0; i < n; i++)
		if (i == 6 || i == (n == ID_LEN ? 13 : 18) ? id[i] != '-' : !ascii_alnum(id[i]))
			return false;
	return true;
}

const char *
id_format(int64_t sec, uint32_t usec, uint32_t pid, char out[ID_MAX])
{
	base62((uint64_t)sec, out, 6);
	out[6] = '-';
	base62(pid, out + 7, 6);
	out[13] = '-';
	base62(usec / 500, out + 14, 2);
	out[16] = '\0';
	return out;
}
