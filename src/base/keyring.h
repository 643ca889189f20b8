/* keyring.h - the keys that a process inherits. */
#ifndef ONEHOP_BASE_KEYRING_H
#define ONEHOP_BASE_KEYRING_H

#include <stdbool.h>

/* A session keyring of this process's own, empty: what it becomes next, and what it starts, reads
 * none of the keys that its caller has.  True also where this kernel, or a container's filter, has
 * no keyrings for it.  False with errno. */
bool keyring_own(void);
#endif
