/* confine.h - what the process that talks to the network, and the one that looks a name up, can
 * still do (doc/SECURITY 3).
 *
 * Landlock gives them the files that they read: libraries and their modules, and certificates, or
 * the resolver's files.  The passwords, the spool and everybody's mail are not among them, and they
 * write nowhere.  Ports are not limited: it is confined before it hears of a host, and a service
 * record may name any.
 *
 * Seccomp takes away what it never has to do, and lets the rest be: a list of what is allowed would
 * have to name every call of every version of libc, GnuTLS, p11-kit and the resolver's modules, and
 * one that is missing, in a path that is rare, would hold mail back on somebody's machine.  What
 * only an attacker does (start a program, trace, change identity, mount, load code into the kernel)
 * ends the process with SIGSYS; what a library may try and do without (open for writing, signal
 * another, listen) is refused with EPERM; calls that are younger than the list, and those whose
 * arguments a filter cannot see (openat2, clone3), do not exist (ENOSYS), as in an older kernel.
 * The families of sockets are limited, and unix sockets are for who looks names up; but on i386 and
 * s390x libc's only way to make one (socketcall) has the family behind a pointer.
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
enum confined {
	CONFINED_NETWORK, /* makes no unix socket */
	CONFINED_NAMES,   /* looks a name up, for which modules ask others through unix sockets */
	CONFINED_TOKEN,   /* a PKCS#11 module is used, which has files and sockets that nobody can
			   * name here: no Landlock, and the user who may have it */
};
/* From here on: no new privileges, no core, not to be traced, a user of its own where root calls,
 * no capability (guard/drop.h), no file written, Landlock, seccomp; inherited by what it forks.
 * more: files (NULL ends them, "" is none) that may be read besides.
 * In a build with sanitizers, which need more than onehop does, only the first five.
 * False, with errno: it has rights of root, and must not go on. */
bool confine_network(const char *const *more, enum confined what, const struct trace *t) NODISCARD;
#endif
