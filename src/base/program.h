/* program.h - where the sister programs are. */
#ifndef ONEHOP_BASE_PROGRAM_H
#define ONEHOP_BASE_PROGRAM_H

#include "base/arena.h"

/* The path of onehop-send or onehop-local: beside the running program when it lies there (a build
 * tree), else in the directory they are installed in.  Never searched for, never from the
 * environment. */
const char *program_path(struct arena *a, const char *name);
#endif
