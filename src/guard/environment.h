/* environment.h - the one place that reads the environment, and what a process inherits.
 *
 * guard_start() is the first call of every main(). */
#ifndef ONEHOP_GUARD_ENVIRONMENT_H
#define ONEHOP_GUARD_ENVIRONMENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/fail.h"
#include "conf/conf.h"

struct environment {
	const char *xdg_config_home; /* absolute path or NULL, like the next two */
	const char *xdg_state_home;
	const char *credentials_directory;
	const char *tz;
};

/* Descriptors 0-2 opened on /dev/null if closed, SIGPIPE and SIGXFSZ ignored, other signals to
 * default, umask 077, environment read and then reduced to PATH, LANG=C, and (when they are
 * what they should be) TZ and the three directories below. */
void guard_start(struct environment *env);
/* No core file, and other processes of the same user cannot look into this one: it has passwords.
 * In builds with sanitizers, which look into themselves, only the first. */
void guard_no_core(void);
/* Be told to stop (base/stop.h) when the parent dies: a caller that was killed still owns the
 * message, so it is not sent behind its back. */
void guard_with_parent(void);
/* The promise to the caller is kept: this process may outlive it. */
void guard_without_parent(void);
/* Who is at the other end of a unix socket (SO_PEERCRED).  False: TEMP. */
bool guard_peer(int fd, unsigned *uid, unsigned *gid, struct fail *f) NODISCARD;
/* From here on this process works for itself: a session of its own, no parent to end with, and
 * nothing of the caller's is held open (descriptors 0-2 are /dev/null). */
void guard_detach(void);
/* fork(2): the other process is as after guard_detach(), and ends by guard_end(). */
pid_t guard_apart(void);
_Noreturn void guard_end(void);

/* Who calls: the passwd entry of the real uid; without one (containers) the number is the login. */
struct caller {
	unsigned uid, gid;
	const char *login, *gecos, *home;
};
/* The user uid; the caller.  False: TEMP when NSS fails. */
bool guard_user(struct arena *a, unsigned uid, struct caller *who, struct fail *f) NODISCARD;
bool guard_caller(struct arena *a, struct caller *who, struct fail *f) NODISCARD;
/* Where this caller's configuration is looked for; file: -C FILE, or NULL.  A user's own setup is
 * $XDG_CONFIG_HOME/onehop/onehop.conf (or below ~/.config), its state $XDG_STATE_HOME/onehop
 * (or below ~/.local/state). */
struct conf_paths guard_conf_paths(
    struct arena *a, const struct environment *env, const struct caller *who, const char *file);
#endif
