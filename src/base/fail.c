/* fail.c - what went wrong, where, and what to do about it. */
#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/arena.h"
#include "base/str.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct {
	const char *text;
	const char *dsn;
	int ex;
} stages[STAGE_COUNT] = {
#define STAGE(sym, text, dsn, ex) [STAGE_##sym] = { text, dsn, ex },
#include "base/fail.def"
#undef STAGE
};

const struct fail *
fail_of(const struct fail *p)
{
	static const struct fail none = FAIL_INIT;

	return p != NULL ? p : &none;
}

const struct fail *
fail_keep(struct arena *a, const struct fail *f)
{
	struct fail *kept;

	if (f->cls == FAIL_NONE)
		return NULL;
	kept = arena_alloc(a, sizeof *kept);
	*kept = *f;
	return kept;
}

/* Whatever the text quotes (an address, a server's words), it stays one printable line. */
static void
make_printable(char *s)
{
	size_t n = strlen(s);
	char *to = s;

	while (n > 0 && ascii_space(s[n - 1]))
		s[--n] = '\0';
	while (n > 0) {
		struct str rest = str_at(s, n);
		size_t shown = str_shown(rest), whole = str_utf8(rest);

		if (shown > 0)
			memmove(to, s, shown);
		else
			*to = '?';
		to += shown > 0 ? shown : 1;
		s += whole > 0 ? whole : 1;
		n -= whole > 0 ? whole : 1;
	}
	*to = '\0';
}

/* The parentheses get past banned.h: this is the one place, and nothing here sets a locale. */
const char *
fail_words(int sys)
{
	return (strerror)(sys);
}

PRINTF(3, 0)
static void
set_text(struct fail *f, int sys, const char *fmt, va_list ap)
{
	int n = vsnprintf(f->text, sizeof f->text, fmt, ap);

	if (sys != 0 && n >= 0 && (size_t)n < sizeof f->text) {
		(void)snprintf(f->text + n, sizeof f->text - (size_t)n, ": %s", fail_words(sys));
	}
	make_printable(f->text);
}

static void
clear(struct fail *f, enum fail_class cls, enum fail_stage stage, int sys)
{
	f->cls = cls;
	f->stage = stage;
	f->sys = sys;
	f->smtp = f->exit = 0;
	f->dsn[0] = '\0';
}

bool
fail_set(struct fail *f, enum fail_class cls, enum fail_stage stage, int sys, const char *fmt, ...)
{
	va_list ap;

	clear(f, cls, stage, sys);
	va_start(ap, fmt);
	set_text(f, sys, fmt, ap);
	va_end(ap);
	return false;
}

bool
fail_conf(struct fail *f, const char *fmt, ...)
{
	va_list ap;

	clear(f, FAIL_USER, STAGE_CONFIG, 0);
	va_start(ap, fmt);
	set_text(f, 0, fmt, ap);
	va_end(ap);
	return false;
}

void
fail_prefix(struct fail *f, const char *fmt, ...)
{
	char old[FAIL_TEXT];
	va_list ap;
	int n;

	memcpy(old, f->text, sizeof old);
	va_start(ap, fmt);
	n = vsnprintf(f->text, sizeof f->text, fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof f->text)
		(void)snprintf(f->text + n, sizeof f->text - (size_t)n, ": %.*s",
		    (int)(sizeof f->text - (size_t)n), old);
	make_printable(f->text);
}

const char *
fail_stage_text(enum fail_stage stage)
{
	return stages[stage].text;
}

const char *
fail_status(const struct fail *f, char out[12])
{
	const char *s = f->dsn[0] != '\0' ? f->dsn : stages[f->stage].dsn;

	(void)snprintf(out, 12, "%s", s);
	out[0] = f->cls == FAIL_TEMP ? '4' : '5';
	return out;
}

bool
fail_is_hosts(const struct fail *f)
{
	return f->cls == FAIL_TEMP &&
	    ((f->stage >= STAGE_RESOLVE && f->stage <= STAGE_AUTH) || f->stage == STAGE_REST);
}

int
fail_exit_code(const struct fail *f)
{
	if (f->exit != 0)
		return f->exit;
	switch (f->cls) {
	case FAIL_NONE:
		return EX_OK;
	case FAIL_TEMP:
		return f->stage == STAGE_INPUT ? EX_IOERR : EX_TEMPFAIL;
	case FAIL_PERM:
		return EX_UNAVAILABLE;
	case FAIL_USER:
		return stages[f->stage].ex;
	}
	return EX_SOFTWARE;
}
