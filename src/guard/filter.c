/* filter.c - the system calls that the process that talks to the network does not get. */
#include "guard/filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/banned.h" /* IWYU pragma: keep */

#ifndef AUDIT_ARCH_LOONGARCH64
#define AUDIT_ARCH_LOONGARCH64 0xc0000102
#endif

static const struct filter_machine machines[] = {
	{ "amd64", AUDIT_ARCH_X86_64, NR_AMD64, false },
	{ "i386", AUDIT_ARCH_I386, NR_I386, false },
	{ "armhf", AUDIT_ARCH_ARM, NR_ARM, false }, /* and armel */
	{ "arm64", AUDIT_ARCH_AARCH64, NR_GENERIC, false },
	{ "riscv64", AUDIT_ARCH_RISCV64, NR_GENERIC, false },
	{ "loong64", AUDIT_ARCH_LOONGARCH64, NR_GENERIC, false },
	{ "ppc64el", AUDIT_ARCH_PPC64LE, NR_PPC64, false },
	{ "s390x", AUDIT_ARCH_S390X, NR_S390X, true },
	{ "mips64el", AUDIT_ARCH_MIPSEL64, NR_MIPS64, false },
};

#if defined(__x86_64__) && defined(__LP64__)
#define HERE "amd64"
#elif defined(__i386__)
#define HERE "i386"
#elif defined(__arm__) && defined(__ARM_EABI__) && !defined(__ARMEB__)
#define HERE "armhf"
#elif defined(__aarch64__) && !defined(__AARCH64EB__) && defined(__LP64__)
#define HERE "arm64"
#elif defined(__riscv) && __riscv_xlen == 64
#define HERE "riscv64"
#elif defined(__loongarch64)
#define HERE "loong64"
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define HERE "ppc64el"
#elif defined(__s390x__)
#define HERE "s390x"
#elif defined(__mips64) && defined(__MIPSEL__) && defined(_ABI64) && _MIPS_SIM == _ABI64
#define HERE "mips64el"
#else
#define HERE ""
#endif

static const struct filter_call calls[] = {
#define CALL(what, name, ...) { what, #name, { __VA_ARGS__ } },
#include "guard/calls.def"
#undef CALL
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REFUSE(e) (SECCOMP_RET_ERRNO | (unsigned)(e))

/* Numbers of the kernel that every one of them has, but mips. */
enum {
	NEWEST = 449, /* futex_waitv, Linux 5.16; the same on all architectures from 424 on */
	MIPS64_FIRST = 5000,
	ARM_PRIVATE = 0x0f0000, /* to flush caches, and for threads */
	ARM_PRIVATE_END = 0x0f0010,
	EVERYBODYS_ENOSYS = 38,
	EVERYBODYS_EAFNOSUPPORT = 97,
	MIPS_ENOSYS = 89,
	MIPS_EAFNOSUPPORT = 124,
	OPEN_WRITES = 03 | 01000 | 020000000, /* O_ACCMODE, O_TRUNC, O_TMPFILE */
	OPEN_CREATES = 0100,
	MIPS_OPEN_CREATES = 0400,
	NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
	    CLONE_NEWPID | CLONE_NEWNET,
	CALL_LISTEN = 4, /* of socketcall */
	CALL_ACCEPT = 5,
	CALL_SOCKETPAIR = 8,
	CALL_ACCEPT4 = 18,
};

static const unsigned families[] = { AF_INET, AF_INET6, AF_NETLINK };

const struct filter_machine *
filter_machines(size_t *n)
{
	*n = COUNT(machines);
	return machines;
}

const struct filter_call *
filter_calls(size_t *n)
{
	*n = COUNT(calls);
	return calls;
}

const struct filter_machine *
filter_here(void)
{
	for (size_t i = 0; i < COUNT(machines); i++)
		if (FILTER_POSSIBLE && strcmp(machines[i].name, HERE) == 0)
			return &machines[i];
	return NULL;
}

static bool
is_mips(const struct filter_machine *m)
{
	return m->numbers == NR_MIPS64;
}

static unsigned
does_not_exist(const struct filter_machine *m)
{
	return REFUSE(is_mips(m) ? MIPS_ENOSYS : EVERYBODYS_ENOSYS);
}

static int
number(const struct filter_machine *m, const char *name)
{
	for (size_t i = 0; i < COUNT(calls); i++)
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].numbers[m->numbers];
	return -1;
}

static void
statement(struct filter_program *p, int code, unsigned k)
{
	p->code[p->n++] = (struct sock_filter){ .code = (unsigned short)code, .k = k };
}

/* If the test holds, the next instruction is skipped, or only then done. */
static void
skip_if(struct filter_program *p, int test, unsigned k)
{
	p->code[p->n++] =
	    (struct sock_filter)BPF_JUMP((unsigned short)(BPF_JMP | BPF_K | test), k, 1, 0);
}

static void
only_if(struct filter_program *p, int test, unsigned k)
{
	p->code[p->n++] =
	    (struct sock_filter)BPF_JUMP((unsigned short)(BPF_JMP | BPF_K | test), k, 0, 1);
}

static void
answer(struct filter_program *p, unsigned how)
{
	statement(p, BPF_RET | BPF_K, how);
}

static void
answer_all(
    struct filter_program *p, const struct filter_machine *m, enum filter_what what, unsigned how)
{
	for (size_t i = 0; i < COUNT(calls); i++) {
		if (calls[i].what != what || calls[i].numbers[m->numbers] < 0)
			continue;
		only_if(p, BPF_JEQ, (unsigned)calls[i].numbers[m->numbers]);
		answer(p, how);
	}
}

/* The rules of this call look at the lower half of one argument: at most 16 instructions, from this
 * load on. */
static size_t
begin_call(struct filter_program *p, const struct filter_machine *m, int call, unsigned argument)
{
	only_if(p, BPF_JEQ, (unsigned)call);
	p->code[p->n - 1].jf = 0;
	statement(p, BPF_LD | BPF_W | BPF_ABS,
	    (unsigned)offsetof(struct seccomp_data, args) + 8 * argument + (m->big_endian ? 4 : 0));
	return p->n - 2U;
}

static void
end_call(struct filter_program *p, size_t begin, unsigned otherwise)
{
	answer(p, otherwise);
	p->code[begin].jf = (unsigned char)(p->n - begin - 1);
}

static void
refuse_flags(struct filter_program *p, const struct filter_machine *m, const char *name,
    unsigned argument, unsigned flags)
{
	int call = number(m, name);
	size_t begin;

	if (call < 0)
		return;
	begin = begin_call(p, m, call, argument);
	only_if(p, BPF_JSET, flags);
	answer(p, REFUSE(EPERM));
	end_call(p, begin, SECCOMP_RET_ALLOW);
}

/* The families of what socketcall makes cannot be seen: glibc of i386 and s390x has no other way.
 */
static void
look_at_sockets(struct filter_program *p, const struct filter_machine *m, bool local)
{
	static const unsigned never[] = { CALL_LISTEN, CALL_ACCEPT, CALL_ACCEPT4 };
	int old = number(m, "socketcall");
	size_t begin = begin_call(p, m, number(m, "socket"), 0);

	if (local) {
		only_if(p, BPF_JEQ, AF_UNIX);
		answer(p, SECCOMP_RET_ALLOW);
	}
	for (size_t i = 0; i < COUNT(families); i++) {
		only_if(p, BPF_JEQ, families[i]);
		answer(p, SECCOMP_RET_ALLOW);
	}
	end_call(p, begin, REFUSE(is_mips(m) ? MIPS_EAFNOSUPPORT : EVERYBODYS_EAFNOSUPPORT));
	if (!local) {
		only_if(p, BPF_JEQ, (unsigned)number(m, "socketpair"));
		answer(p, REFUSE(EPERM));
	}
	if (old < 0)
		return;
	begin = begin_call(p, m, old, 0);
	for (size_t i = 0; i < COUNT(never); i++) {
		only_if(p, BPF_JEQ, never[i]);
		answer(p, REFUSE(EPERM));
	}
	if (!local) {
		only_if(p, BPF_JEQ, CALL_SOCKETPAIR);
		answer(p, REFUSE(EPERM));
	}
	end_call(p, begin, SECCOMP_RET_ALLOW);
}

static void
look_at_arguments(
    struct filter_program *p, const struct filter_machine *m, unsigned pid, bool local)
{
	unsigned writing = OPEN_WRITES | (is_mips(m) ? MIPS_OPEN_CREATES : OPEN_CREATES);
	size_t begin;

	refuse_flags(p, m, "open", 1, writing);
	refuse_flags(p, m, "openat", 2, writing);
	refuse_flags(p, m, "clone", m->numbers == NR_S390X ? 1 : 0, NAMESPACES);
	look_at_sockets(p, m, local);
	begin = begin_call(p, m, number(m, "tgkill"), 0); /* abort() */
	skip_if(p, BPF_JEQ, pid);
	answer(p, REFUSE(EPERM));
	end_call(p, begin, SECCOMP_RET_ALLOW);
}

/* Only numbers that are known go on. */
static void
limit_numbers(struct filter_program *p, const struct filter_machine *m)
{
	if (m->numbers == NR_ARM) {
		only_if(p, BPF_JGE, ARM_PRIVATE);
		p->code[p->n - 1].jf = 2;
		only_if(p, BPF_JGE, ARM_PRIVATE_END);
		p->code[p->n - 1].jt = 1;
		p->code[p->n - 1].jf = 0;
		answer(p, SECCOMP_RET_ALLOW);
	}
	/* x32 counts from 2^30; it is refused with what is too young */
	only_if(p, BPF_JGT, NEWEST + (is_mips(m) ? MIPS64_FIRST : 0));
	answer(p, does_not_exist(m));
}

void
filter_make(const struct filter_machine *m, unsigned pid, bool local, struct filter_program *p)
{
	p->n = 0;
	statement(p, BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, arch));
	skip_if(p, BPF_JEQ, m->audit);
	answer(p, SECCOMP_RET_KILL_PROCESS);
	statement(p, BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, nr));
	limit_numbers(p, m);
	answer_all(p, m, FILTER_UNKNOWN, does_not_exist(m));
	answer_all(p, m, FILTER_KILL, SECCOMP_RET_KILL_PROCESS);
	answer_all(p, m, FILTER_REFUSE, REFUSE(EPERM));
	look_at_arguments(p, m, pid, local);
	answer(p, SECCOMP_RET_ALLOW);
}

bool
filter_install(bool local)
{
	const struct filter_machine *m = filter_here();
	struct filter_program p;
	struct sock_fprog load = { .filter = p.code };

	if (m == NULL) {
		errno = ENOSYS;
		return false;
	}
	filter_make(m, (unsigned)getpid(), local, &p);
	load.len = p.n;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &load) == 0;
}
