/* filter.h - the system calls that the process that talks to the network does not get: the rules of
 * confine.h as a BPF program, for each architecture of Debian.  Private to guard/ and its test. */
#ifndef ONEHOP_GUARD_FILTER_H
#define ONEHOP_GUARD_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

#if defined(ONEHOP_SANITIZED) /* sanitizers need more than onehop does */
#define FILTER_POSSIBLE 0
#else
#define FILTER_POSSIBLE 1
#endif

enum { FILTER_CODE_MAX = 400 };

/* The columns of calls.def. */
enum filter_numbers {
	NR_AMD64,
	NR_I386,
	NR_ARM,
	NR_GENERIC,
	NR_PPC64,
	NR_S390X,
	NR_MIPS64,
	NR_COLUMNS
};

/* What differs between architectures. */
struct filter_machine {
	const char *name; /* Debian's */
	unsigned audit;   /* AUDIT_ARCH_... */
	enum filter_numbers numbers;
	bool big_endian;
};

struct filter_program {
	struct sock_filter code[FILTER_CODE_MAX];
	unsigned short n;
};

enum filter_what { FILTER_KILL, FILTER_REFUSE, FILTER_UNKNOWN, FILTER_LOOK };

struct filter_call {
	enum filter_what what;
	const char *name;
	int numbers[NR_COLUMNS];
};

/* The tables; *n: how many rows. */
const struct filter_machine *filter_machines(size_t *n);
const struct filter_call *filter_calls(size_t *n);
/* The machine that this is built for; NULL: none of them, and there is no filter. */
const struct filter_machine *filter_here(void);
/* The program for a machine and the process pid, which may make unix sockets, or not.  Pure. */
void filter_make(
    const struct filter_machine *m, unsigned pid, bool local, struct filter_program *p);
/* Needs no_new_privs.  False: errno; nothing is filtered. */
bool filter_install(bool local) NODISCARD;
#endif
