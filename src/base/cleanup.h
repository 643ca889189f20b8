/* cleanup.h - scope-bound release of resources, and the attributes used everywhere.
 *
 * GCC and Clang run the cleanup function when the variable leaves its scope, so a
 * function that can fail in six places needs no ladder of gotos. */
#ifndef ONEHOP_BASE_CLEANUP_H
#define ONEHOP_BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

static inline void
cleanup_free(char **p)
{
	free(*p);
}

static inline void
cleanup_fd(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void
cleanup_file(FILE **f)
{
	if (*f != NULL)
		(void)fclose(*f);
}

#define AUTO_FREE __attribute__((cleanup(cleanup_free)))
#define AUTO_FD __attribute__((cleanup(cleanup_fd)))
#define AUTO_FILE __attribute__((cleanup(cleanup_file)))

/* Hand a descriptor on: returns *fd and leaves -1, so that AUTO_FD does nothing. */
static inline int
steal_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}
#endif
