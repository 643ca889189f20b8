/* confine.h - what the process that talks to the network can still do (doc/SECURITY 3).
 *
 * Landlock gives it the files that it reads: libraries and their modules, the resolver's files,
 * certificates.  The passwords, the spool and everybody's mail are not among them, and it writes
 * nowhere.  Ports are not limited: SRV records and resolver modules use any.
 *
 * Seccomp takes away what it never has to do, and lets the rest be: a list of what is allowed would
 * have to name every call of every version of libc, GnuTLS, p11-kit and the resolver's modules, and
 * one that is missing, in a path that is rare, would hold mail back on somebody's machine.  What
 * only an attacker does (start a program, trace, change identity, mount, load code into the kernel)
 * ends the process with SIGSYS; what a library may try and do without (open for writing, signal
 * another, listen) is refused with EPERM; calls that are younger than the list, and those whose
 * arguments a filter cannot see (openat2, clone3), do not exist (ENOSYS), as in an older kernel.
 * The families of sockets are limited but on i386 and s390x, where libc's only way to make one
 * (socketcall) has them behind a pointer.
 *
 * Root's rights are given up or nothing is sent.  The rest never fails a mail: where the kernel, a
 * container or an architecture does not have a part, the work goes on without it and a line of -d
 * says so. */
#ifndef ONEHOP_GUARD_CONFINE_H
#define ONEHOP_GUARD_CONFINE_H

#include <stdbool.h>

#include "base/trace.h"

/* Hold nothing but fd (0-2 are /dev/null): returns the number that it has now. */
int confine_descriptors(int fd);
/* From here on: no new privileges, no core, not to be traced, a user of its own where root calls,
 * no capability (guard/drop.h), no file written, Landlock, seccomp; inherited by what it forks.
 * more: files (NULL ends them, "" is none) that may be read besides.
 * token: a PKCS#11 module is used, which has files that nobody can name here: no Landlock, and the
 * user who may have it.
 * In a build with sanitizers, which need more than onehop does, only the first five.
 * False, with errno: it has rights of root, and must not go on. */
bool confine_network(const char *const *more, bool token, const struct trace *t) NODISCARD;
#endif
