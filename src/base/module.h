/* module.h - a part of ours that is loaded when it is needed, with the libraries that it links. */
#ifndef ONEHOP_BASE_MODULE_H
#define ONEHOP_BASE_MODULE_H

#include "base/arena.h"
#include "base/fail.h"

/* A module exports one constant: a struct that begins with the version it was built for. */
#define MODULE_EXPORT __attribute__((visibility("default")))

/* The table called symbol of the module file ("onehop-tls.so"), which lies where the sister
 * programs do (base/program.h).  It stays loaded; asking again is cheap. NULL: TEMP at that stage:
 * the file cannot be loaded, or is of another version. */
const void *module_table(
    const char *file, const char *symbol, enum fail_stage at, struct fail *f) NODISCARD;
/* Load it now, when it lies where not everybody may read: another user will have to use it.  What
 * fails is said by module_table(). */
void module_keep(const char *file);
#endif
