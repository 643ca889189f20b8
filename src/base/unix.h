/* unix.h - a program of ours behind a socket of this host (doc/ARCHITECTURE 2). */
#ifndef ONEHOP_BASE_UNIX_H
#define ONEHOP_BASE_UNIX_H

#include "base/cleanup.h"

/* A connection to the stream socket at path (shorter than 108 octets), blocking, close-on-exec; the
 * caller's.  -1 with errno: ENOENT, ECONNREFUSED: nobody is there; EACCES: it is not for us;
 * EAGAIN: more wait there than its queue holds, and none was taken for a while. */
int unix_connect(const char *path) NODISCARD;
#endif
