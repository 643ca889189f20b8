/* filter.h - the system calls that the process that talks to the network does not get: the rules of
 * confine.h as a BPF program.  Private to guard/. */
#ifndef ONEHOP_GUARD_FILTER_H
#define ONEHOP_GUARD_FILTER_H

#include <stdbool.h>

#include "base/cleanup.h"

/* Of the architectures on which one number is one call: where it is none of these there is no
 * filter rather than a wrong one. */
#if defined(ONEHOP_SANITIZED)
#define FILTER_POSSIBLE 0
#elif (defined(__x86_64__) && defined(__LP64__)) || defined(__aarch64__) || \
    (defined(__riscv) && __riscv_xlen == 64) || (defined(__powerpc64__) && _CALL_ELF == 2)
#define FILTER_POSSIBLE 1
#else
#define FILTER_POSSIBLE 0
#endif

/* Needs no_new_privs.  False: errno; nothing is filtered. */
bool filter_install(void) NODISCARD;
#endif
