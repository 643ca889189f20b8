/* local.c - onehop-local: one message into the mailbox of one local user, with that user's rights.
 */
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "guard/environment.h"
#include "local/serve.h"

#include "base/banned.h" /* IWYU pragma: keep */

int
main(int argc, char **argv)
{
	AUTO_ARENA struct arena a = { NULL };
	struct environment env;
	int status;

	guard_start(&env);
	status = local_serve(&a, argc, argv, time(NULL));
	if (status == EX_USAGE)
		(void)fprintf(stderr,
		    "onehop-local: it is started by onehop and onehop-send to deliver to one "
		    "user, not by hand\n");
	return status;
}
