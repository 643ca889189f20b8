/* arena.h - memory that is freed all at once: one arena per message, per configuration.
 *
 * Slices and C strings taken from an arena live until arena_free().  Out of memory ends
 * the process with exit status 75 and one sentence on stderr: before the commit of a
 * message nothing was promised, after it nothing is lost. */
#ifndef ONEHOP_BASE_ARENA_H
#define ONEHOP_BASE_ARENA_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/str.h"

struct arena_block;

struct arena {
	struct arena_block *head; /* newest block first */
};

#define AUTO_ARENA __attribute__((cleanup(arena_free)))

/* n zeroed bytes, aligned for any type; never NULL. */
void *arena_alloc(struct arena *a, size_t n);
/* Room for count objects of size bytes, zeroed; the product is checked. */
void *arena_array(struct arena *a, size_t count, size_t size);
/* A NUL-terminated copy.  (s may hold NUL bytes; strlen of the copy is then shorter.) */
char *arena_strz(struct arena *a, struct str s);
/* A copy as a slice, terminated too. */
struct str arena_str(struct arena *a, struct str s);
char *arena_fmt(struct arena *a, const char *fmt, ...) PRINTF(2, 3);
/* Grow an array of *n objects by one: returns it with room for *n + 1 (the caller counts).
 * Capacity doubles at powers of two, so pass the same array and count each time. */
void *arena_grow(struct arena *a, void *array, size_t n, size_t size);
void arena_free(struct arena *a);
#endif
