/* spool_fixture.h - a spool in a temporary directory, and one small message for it. */
#ifndef ONEHOP_TESTS_SPOOL_FIXTURE_H
#define ONEHOP_TESTS_SPOOL_FIXTURE_H

#include "spool/spool.h"

#define FIXTURE_ID "1vNaKG-000001-2A"

enum { FIXTURE_TEXT = 14 }; /* octets of the body */
extern const char fixture_text[FIXTURE_TEXT + 1];
extern const char *const fixture_two[2]; /* the recipients */

struct fixture {
	char path[64];
	struct spool s;
	struct conf c;
};

/* Where it stays: s points into it. */
void fixture_new(struct fixture *p, bool split);
void fixture_free(struct fixture *p);
/* One for each test, as *state. */
int fixture_set_up(void **state);
int fixture_tear_down(void **state);
/* Remove a directory with all that is in it. */
void fixture_wipe(int parent, const char *name);
/* How many names a directory of the spool has, the directories of one character left out. */
size_t fixture_names(int parent);
/* Is there such a name in input? */
bool fixture_has(const struct fixture *p, const char *name);
struct queued fixture_message(struct arena *a, const char *id);
/* The message, committed and released. */
void fixture_commit(const struct fixture *p, const char *id);
enum spool_found fixture_take(
    const struct fixture *p, const char *id, bool whole, struct arena *a, struct queued *q);
/* Its body is fixture_text. */
void fixture_has_text(const struct queued *q);
/* Append to a file. */
void fixture_put(int dir, const char *name, const char *bytes);
#endif
