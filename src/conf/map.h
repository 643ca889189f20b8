/* map.h - a table file of any size (lsearch.h): aliases, email-addresses, hubbed_hosts.
 *
 * One of up to FILE_MAX bytes is read once, when it is opened; a larger one is read by pieces,
 * again for each lookup, so that no process holds all of it. */
#ifndef ONEHOP_CONF_MAP_H
#define ONEHOP_CONF_MAP_H

#include "conf/lsearch.h"

enum { MAP_MAX = 64 * 1024 * 1024 }; /* bytes */

struct map {
	const char *path; /* NULL: there is no file */
	struct str text;  /* all of it, unless it is large */
	bool large;
	struct fail *trouble; /* of the first lookup that could not read it, or NULL */
};

/* Find the file, which may be missing or /dev/null (path is then NULL), and read it if it is small.
 * False: TEMP (no right to read it) or USER/CONFIG. */
bool map_open(struct map *m, struct arena *a, const char *path, struct fail *f) NODISCARD;
/* lsearch_find(); and Exim's partial-lsearch: the domain, "*.domain", then "*." and each shorter
 * suffix of at least two labels.  What they find lies in a or in the map. */
bool map_find(
    const struct map *m, struct str key, struct arena *a, struct lsearch_entry *e) NODISCARD;
bool map_find_partial(
    const struct map *m, struct str domain, struct arena *a, struct lsearch_entry *e) NODISCARD;
/* Each entry, in the order of the file; e is good while each() runs.  False: as map_open(). */
bool map_each(const struct map *m, void (*each)(void *ctx, const struct lsearch_entry *e),
    void *ctx, struct fail *f) NODISCARD;
/* Could all lookups be made?  False: *f is TEMP; what was not found may be there. */
bool map_intact(const struct map *m, struct fail *f) NODISCARD;
#endif
