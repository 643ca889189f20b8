/* show.h - the faces that only show: -bt, -bv, -bV, -bP, -bi, -brw, --help.  Nothing is ever sent.
 */
#ifndef ONEHOP_FRONT_SHOW_H
#define ONEHOP_FRONT_SHOW_H

#include "front/sendmail.h"

/* The configuration as it is for the sender that -f names, or else the caller, after rewriting: its
 * [sender PATTERN] sections apply. */
bool show_as_sender(struct session_start *s, struct fail *f) NODISCARD;
/* -bt: each address, router by router, on stdout; the routers that were asked on stderr.
 * -bv: "X verified" or "X failed to verify: reason".
 * Exit 0: all routable; 1: one cannot be resolved now; 2: one is undeliverable (as Exim). */
int show_routes(struct session_start *s);
/* -bV.  Loads the configuration itself: a broken one is part of the answer (exit 78). */
int show_version(struct session_start *s);
int show_options(struct session_start *s);
/* -bi: read the aliases file and complain of each line that could not be used (exit 65). */
int show_aliases(struct session_start *s);
int show_rewriting(struct session_start *s);
int show_help(void);
#endif
