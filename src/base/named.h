/* named.h - open a file that another file names, for a program that has more rights than who wrote
 * that one. */
#ifndef ONEHOP_BASE_NAMED_H
#define ONEHOP_BASE_NAMED_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/str.h"

/* Open the regular file of an absolute path for reading, so that nobody is shown by it what he
 * could not have put there himself: a symbolic link is followed where only root (or this process's
 * user) can have made it, and below a directory of somebody else's everything is his, by one name
 * alone. *st is of the file; *trusted: nobody else can have written it. Returns the descriptor (the
 * caller's), or -1 with *why: a clause about the path, which is valid for ever (errno has more
 * where *why is NULL). */
int named_open(const char *path, struct stat *st, bool *trusted, const char **why) NODISCARD;
#endif
