/* fail.h - what went wrong, where, and what to do about it.
 *
 * A function that can fail returns bool and takes a struct fail * last.
 * true: done, *f untouched.  false: *f is filled, outputs untouched.
 * Only front/ and the programs' main.c print and exit; who prints adds the context
 * (host, address, queue id) that it knows. */
#ifndef ONEHOP_BASE_FAIL_H
#define ONEHOP_BASE_FAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

enum fail_class {
	FAIL_NONE, /* not set */
	FAIL_TEMP, /* try again later: keep the mail, exit 75 */
	FAIL_PERM, /* never will work for this mail: bounce, or exit 69 (or what exit says) */
	FAIL_USER, /* the caller or the configuration is wrong: exit 64/65/78 */
};

enum fail_stage {
#define STAGE(sym, text, dsn, ex) STAGE_##sym,
#include "base/fail.def"
#undef STAGE
	STAGE_COUNT
};

enum { FAIL_TEXT = 1024 };

struct fail {
	enum fail_class cls;
	enum fail_stage stage;
	int sys;              /* errno or 0 */
	int smtp;             /* reply code 400..599 or 0 */
	int exit;             /* sysexits code that overrides the table's, or 0 */
	char dsn[12];         /* RFC 3463 status the server gave ("5.1.1"), or "" */
	char text[FAIL_TEXT]; /* one printable line (UTF-8 allowed), no trailing newline */
};

#define FAIL_INIT \
	{ \
		.cls = FAIL_NONE \
	}

/* One of many things that can fail has a pointer, NULL where nothing failed, which the same fail
 * may serve for all.  What it says: *p, or a fail that is not set. */
const struct fail *fail_of(const struct fail *p);
/* A copy of *f that lasts as long as the arena; NULL when *f is not set. */
struct arena;
const struct fail *fail_keep(struct arena *a, const struct fail *f);
/* The words for an errno (%m), in English; never NULL. */
const char *fail_words(int sys);
/* Fill *f; %m-style text of sys (if not 0) is appended as ": No space left on device".
 * Control characters are shown as '?'.  Always returns false, so that
 * "return fail_set(...)" reads well. */
bool fail_set(struct fail *f, enum fail_class cls, enum fail_stage stage, int sys, const char *fmt,
    ...) PRINTF(5, 6);
/* The same for the commonest kind: wrong configuration, exit 78. */
bool fail_conf(struct fail *f, const char *fmt, ...) PRINTF(2, 3);
/* Put "prefix: " in front of the text (a file and line, a host). */
void fail_prefix(struct fail *f, const char *fmt, ...) PRINTF(2, 3);
const char *fail_stage_text(enum fail_stage stage);
/* The server's own status, or the stage's default with its first digit made 4 or 5 by class. */
const char *fail_status(const struct fail *f, char out[12]);
/* Is it about the host (not found, not reached, no TLS, no login), so that any other message would
 * have met it too? */
bool fail_is_hosts(const struct fail *f);
/* sysexits code for the caller. */
int fail_exit_code(const struct fail *f);
#endif
