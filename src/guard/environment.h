/* environment.h - the one place that reads the environment, and what a process inherits.
 *
 * guard_start() is the first call of every main(). */
#ifndef ONEHOP_GUARD_ENVIRONMENT_H
#define ONEHOP_GUARD_ENVIRONMENT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/fail.h"

struct environment {
	const char *xdg_config_home; /* absolute, or NULL */
	const char *xdg_state_home;
	const char *credentials_directory;
	const char *tz;
};

/* Descriptors 0-2 opened on /dev/null if closed, SIGPIPE and SIGXFSZ ignored, other signals to
 * default, umask 077, environment read and then reduced to PATH, TZ, LANG=C. */
void guard_start(struct environment *env);

/* Who calls: the passwd entry of the real uid. */
struct caller {
	unsigned uid, gid;
	const char *login, *gecos, *home;
};
/* False: TEMP when NSS fails, USER/ARGS "no user name for uid N" (exit 67). */
bool guard_caller(struct arena *a, struct caller *who, struct fail *f) NODISCARD;
#endif
