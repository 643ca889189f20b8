/* script.c - a stream that plays a written dialogue. */
#include "script.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Check what the client wrote so far against the "C:" lines that are next. */
static void
check(struct script *sc)
{
	while (!sc->off && sc->lines[sc->at] != NULL && sc->lines[sc->at][0] == 'C') {
		const char *want = sc->lines[sc->at] + 3;
		const char *have = sc->got.p + sc->checked;
		size_t n = strlen(want);

		if (sc->got.n - sc->checked < n + 2)
			return;
		if (memcmp(have, want, n) != 0 || memcmp(have + n, "\r\n", 2) != 0) {
			sc->off = true;
			(void)snprintf(
			    sc->why, sizeof sc->why, "want '%s', got '%.120s'", want, have);
		}
		sc->checked += n + 2;
		sc->at++;
	}
}

static ptrdiff_t
script_read(struct stream *s, void *p, size_t n)
{
	struct script *sc = s->ctx;
	char *out = p;
	size_t len = 0;

	check(sc);
	sc->turns += sc->wrote;
	sc->wrote = false;
	if (sc->off || sc->lines[sc->at] == NULL || sc->lines[sc->at][0] == 'X')
		return 0;
	if (sc->lines[sc->at][0] == 'C') {
		sc->off = true;
		(void)snprintf(
		    sc->why, sizeof sc->why, "waits instead of saying '%s'", sc->lines[sc->at]);
	}
	if (sc->lines[sc->at][0] != 'S') {
		errno = sc->lines[sc->at][0] == 'R' ? ECONNRESET : ETIMEDOUT;
		return -1;
	}
	do {
		int k = snprintf(out + len, n - len, "%s\r\n", sc->lines[sc->at++] + 3);

		len += (size_t)k;
	} while (sc->lines[sc->at] != NULL && sc->lines[sc->at][0] == 's');
	return (ptrdiff_t)len;
}

static int
script_write(struct stream *s, const void *p, size_t n)
{
	struct script *sc = s->ctx;

	if (sc->lines[sc->at] != NULL && sc->lines[sc->at][0] == 'E') {
		errno = EPIPE;
		return -1;
	}
	sc->wrote = true;
	buf_add(&sc->got, p, n);
	check(sc);
	return 0;
}

static void
script_close(struct stream *s)
{
	buf_free(&((struct script *)s->ctx)->got);
}

static const struct stream_ops script_ops = { script_read, script_write, script_close };

void
script_open(struct stream *s, struct script *sc, const char *const *lines)
{
	memset(s, 0, sizeof *s);
	memset(sc, 0, sizeof *sc);
	sc->lines = lines;
	sc->got.max = 1 << 22;
	stream_init(s, &script_ops, sc, -1);
}

bool
script_done(struct script *sc)
{
	check(sc);
	if (sc->off)
		return false;
	if (sc->checked != sc->got.n) {
		(void)snprintf(
		    sc->why, sizeof sc->why, "more is written: '%.120s'", sc->got.p + sc->checked);
		return false;
	}
	if (sc->lines[sc->at] != NULL && strchr("XTER", sc->lines[sc->at][0]) == NULL) {
		(void)snprintf(sc->why, sizeof sc->why, "ends before '%s'", sc->lines[sc->at]);
		return false;
	}
	return true;
}
