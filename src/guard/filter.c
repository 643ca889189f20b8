/* filter.c - the system calls that the process that talks to the network does not get. */
#include "guard/filter.h"

#include <errno.h>

#if FILTER_POSSIBLE
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "base/banned.h" /* IWYU pragma: keep */

#if FILTER_POSSIBLE

#if defined(__x86_64__)
enum { ARCHITECTURE = (int)AUDIT_ARCH_X86_64 };
#elif defined(__aarch64__)
enum { ARCHITECTURE = (int)AUDIT_ARCH_AARCH64 };
#elif defined(__riscv)
enum { ARCHITECTURE = (int)AUDIT_ARCH_RISCV64 };
#else
enum { ARCHITECTURE = (int)AUDIT_ARCH_PPC64LE };
#endif

enum {
	NEWEST = 449, /* futex_waitv, Linux 5.16; the same on all architectures from 424 on */
	CODE_MAX = 400,
	WRITING = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY),
	NAMESPACES = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
	    CLONE_NEWPID | CLONE_NEWNET,
};

/* Nobody but an attacker. */
static const int deadly[] = { SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv,
	SYS_process_vm_writev, SYS_pidfd_getfd, SYS_init_module, SYS_finit_module,
	SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_bpf, SYS_setuid, SYS_setgid,
	SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid, SYS_setfsuid, SYS_setfsgid,
	SYS_setgroups, SYS_capset, SYS_mount, SYS_umount2, SYS_move_mount, SYS_open_tree,
	SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr, SYS_pivot_root,
	SYS_chroot, SYS_unshare, SYS_setns, SYS_swapon, SYS_swapoff, SYS_open_by_handle_at };

/* A library may try, and does without. */
static const int refused[] = {
#ifdef SYS_open /* what newer architectures have only in the form with a directory */
	SYS_creat, SYS_mkdir, SYS_rmdir, SYS_unlink, SYS_rename, SYS_link, SYS_symlink, SYS_mknod,
	SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_futimesat,
#endif
#ifdef SYS_renameat
	SYS_renameat,
#endif
	SYS_mkdirat, SYS_unlinkat, SYS_renameat2, SYS_linkat, SYS_symlinkat, SYS_mknodat,
	SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_utimensat, SYS_truncate,
	SYS_ftruncate, SYS_fallocate, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_removexattr,
	SYS_lremovexattr, SYS_fremovexattr, SYS_kill, SYS_tkill, SYS_rt_sigqueueinfo,
	SYS_rt_tgsigqueueinfo, SYS_pidfd_send_signal, SYS_listen, SYS_accept, SYS_accept4,
	SYS_keyctl, SYS_add_key, SYS_request_key, SYS_io_uring_setup, SYS_io_uring_enter,
	SYS_io_uring_register, SYS_userfaultfd, SYS_perf_event_open, SYS_kcmp,
	SYS_name_to_handle_at, SYS_fanotify_init, SYS_personality, SYS_acct, SYS_quotactl,
	SYS_syslog, SYS_settimeofday, SYS_clock_settime, SYS_sethostname, SYS_setdomainname
};

/* Their arguments are behind a pointer; libc has another way for each. */
static const int unseen[] = { SYS_openat2, SYS_clone3 };

static const unsigned families[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

struct program {
	struct sock_filter code[CODE_MAX];
	unsigned short n;
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define REFUSE(e) (SECCOMP_RET_ERRNO | (unsigned)(e))

static void
statement(struct program *p, int code, unsigned k)
{
	p->code[p->n++] = (struct sock_filter){ .code = (unsigned short)code, .k = k };
}

/* If the test holds, the next instruction is skipped, or only then done. */
static void
skip_if(struct program *p, int test, unsigned k)
{
	p->code[p->n++] =
	    (struct sock_filter)BPF_JUMP((unsigned short)(BPF_JMP | BPF_K | test), k, 1, 0);
}

static void
only_if(struct program *p, int test, unsigned k)
{
	p->code[p->n++] =
	    (struct sock_filter)BPF_JUMP((unsigned short)(BPF_JMP | BPF_K | test), k, 0, 1);
}

static void
answer(struct program *p, unsigned how)
{
	statement(p, BPF_RET | BPF_K, how);
}

static void
answer_all(struct program *p, const int *calls, size_t n, unsigned how)
{
	for (size_t i = 0; i < n; i++) {
		only_if(p, BPF_JEQ, (unsigned)calls[i]);
		answer(p, how);
	}
}

/* The rules of this call look at one argument: at most 16 instructions, from this load on. */
static size_t
begin_call(struct program *p, int call, unsigned argument)
{
	only_if(p, BPF_JEQ, (unsigned)call);
	p->code[p->n - 1].jf = 0;
	/* the lower half: all architectures here are little-endian */
	statement(p, BPF_LD | BPF_W | BPF_ABS,
	    (unsigned)offsetof(struct seccomp_data, args) + 8 * argument);
	return p->n - 2U;
}

static void
end_call(struct program *p, size_t begin, unsigned otherwise)
{
	answer(p, otherwise);
	p->code[begin].jf = (unsigned char)(p->n - begin - 1);
}

static void
refuse_flags(struct program *p, int call, unsigned argument, unsigned flags, int e)
{
	size_t begin = begin_call(p, call, argument);

	only_if(p, BPF_JSET, flags);
	answer(p, REFUSE(e));
	end_call(p, begin, SECCOMP_RET_ALLOW);
}

static void
look_at_arguments(struct program *p)
{
	size_t begin;

#ifdef SYS_open
	refuse_flags(p, SYS_open, 1, WRITING, EPERM);
#endif
	refuse_flags(p, SYS_openat, 2, WRITING, EPERM);
	refuse_flags(p, SYS_clone, 0, NAMESPACES, EPERM);
	begin = begin_call(p, SYS_socket, 0);
	for (size_t i = 0; i < COUNT(families); i++) {
		only_if(p, BPF_JEQ, families[i]);
		answer(p, SECCOMP_RET_ALLOW);
	}
	end_call(p, begin, REFUSE(EAFNOSUPPORT));
	begin = begin_call(p, SYS_tgkill, 0); /* abort() */
	skip_if(p, BPF_JEQ, (unsigned)getpid());
	answer(p, REFUSE(EPERM));
	end_call(p, begin, SECCOMP_RET_ALLOW);
}

bool
filter_install(void)
{
	struct program p = { .n = 0 };
	struct sock_fprog load = { .filter = p.code };

	statement(&p, BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, arch));
	skip_if(&p, BPF_JEQ, (unsigned)ARCHITECTURE);
	answer(&p, SECCOMP_RET_KILL_PROCESS);
	statement(&p, BPF_LD | BPF_W | BPF_ABS, (unsigned)offsetof(struct seccomp_data, nr));
	/* x32 counts from 2^30; it is refused with what is too young */
	only_if(&p, BPF_JGT, NEWEST);
	answer(&p, REFUSE(ENOSYS));
	answer_all(&p, unseen, COUNT(unseen), REFUSE(ENOSYS));
	answer_all(&p, deadly, COUNT(deadly), SECCOMP_RET_KILL_PROCESS);
	answer_all(&p, refused, COUNT(refused), REFUSE(EPERM));
	look_at_arguments(&p);
	answer(&p, SECCOMP_RET_ALLOW);
	load.len = p.n;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &load) == 0;
}

#else

bool
filter_install(void)
{
	errno = ENOSYS;
	return false;
}

#endif
