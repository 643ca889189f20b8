/* append.h - a log file is opened in one way. */
#ifndef ONEHOP_SEND_APPEND_H
#define ONEHOP_SEND_APPEND_H

#include <stdbool.h>

#include "base/cleanup.h"

/* Open dir/name for appending.  make: a missing one is made, 0640.  Root's file becomes the
 * directory's owner's when we are root.  -1 with errno: also when it is not a plain file with one
 * name (a FIFO, a device, a symbolic or hard link), so that no log line lands elsewhere. */
int append_open(int dir, const char *name, bool make) NODISCARD;
#endif
