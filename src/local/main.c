/* main.c - onehop-local: one message into the mailbox of one local user, with that user's rights.
 */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "guard/environment.h"
#include "local/serve.h"
#include "local/user.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Behind the socket: root and the owner of the system's spool may ask, nobody else. */
static bool
may_ask(struct arena *a, int argc, char *const *argv)
{
	struct fail f = FAIL_INIT;
	unsigned uid, gid;
	struct user u;

	if (argc != 2 || strcmp(argv[1], "serve") != 0)
		return true;
	return guard_peer(STDIN_FILENO, &uid, &gid, &f) &&
	    (uid == 0 || (user_find(a, "onehop", &u, &f) > 0 && uid == u.uid));
}

int
main(int argc, char **argv)
{
	AUTO_ARENA struct arena a = { NULL };
	struct environment env;
	int status;

	guard_start(&env);
	status = may_ask(&a, argc, argv) ? local_serve(&a, argc, argv, time(NULL)) : EX_NOPERM;
	if (status == EX_USAGE)
		(void)fprintf(stderr,
		    "onehop-local: it is started by onehop and onehop-send to deliver to one "
		    "user, not by hand\n");
	return status;
}
