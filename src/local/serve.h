/* serve.h - the program onehop-local: one request for one user (wire/request.h). */
#ifndef ONEHOP_LOCAL_SERVE_H
#define ONEHOP_LOCAL_SERVE_H

#include "base/arena.h"

/* VERB USER from argv (from the descriptor when that is "serve"), the request from descriptor 0,
 * the answer to descriptor 1.  It becomes the user before it reads or opens anything.  Returns the
 * exit status: 0 when an answer was given, whatever it says; EX_USAGE for wrong arguments (nothing
 * is said). */
int local_serve(struct arena *a, int argc, char *const *argv, int64_t now);
#endif
