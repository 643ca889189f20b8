/* confine.c - what the process that talks to the network can still do. */
#include "guard/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fail.h"
#include "base/file.h"
#include "guard/drop.h"
#include "guard/environment.h"
#include "guard/filter.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* linux/landlock.h may be older than the kernel: these are its numbers. */
enum landlock_fs {
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_ABI1 = (1 << 13) - 1,
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,
	SCOPE_ABSTRACT_UNIX = 1 << 0,
	SCOPE_SIGNAL = 1 << 1,
	CREATE_VERSION = 1 << 0,
	RULE_PATH_BENEATH = 1,
};
enum landlock_abi { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_SCOPE = 6 };

struct landlock_ruleset {
	uint64_t fs, net, scoped;
};

struct landlock_path {
	uint64_t allowed;
	int parent;
} __attribute__((packed));

/* What is read: by all (libraries and their modules), by libc's resolver, by GnuTLS.  Not /run,
 * /etc, /etc/ssl and /etc/pki as a whole: passwords and keys are below them. */
static const char *const roots[] = { "/usr", "/lib", "/lib64", NULL }; /* or a link into another */
static const char *const stores[] = { "/nix/store", "/gnu/store", NULL };
static const char *const loader[] = { "/etc/ld.so.cache", "/dev/urandom", NULL };
static const char *const names_directories[] = { "/run/systemd/resolve", "/run/resolvconf",
	"/run/NetworkManager", "/run/connman", "/var/lib/sss", NULL };
static const char *const names_files[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf",
	"/etc/nsswitch.conf", "/etc/gai.conf", "/etc/mdns.allow", NULL };
static const char *const tls_directories[] = { "/etc/ssl/certs", "/etc/pki/tls/certs",
	"/etc/pki/ca-trust", "/etc/pki/nssdb", "/etc/ca-certificates", "/var/lib/ca-certificates",
	"/etc/gnutls", "/etc/pkcs11", "/etc/crypto-policies", "/proc/sys/crypto", NULL };
static const char *const tls_files[] = { "/etc/ssl/openssl.cnf", "/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem", NULL };

int
confine_descriptors(int fd)
{
	/* A sanitizer's report is worth more than a quiet standard error. */
	if (FILTER_POSSIBLE)
		guard_detach();
	if (fd != STDERR_FILENO + 1 && dup2(fd, STDERR_FILENO + 1) >= 0)
		fd = STDERR_FILENO + 1;
	if (fd == STDERR_FILENO + 1)
		fd_close_from(STDERR_FILENO + 2);
	return fd;
}

static void
without(const struct trace *t, const char *what)
{
	trace_line(t, TRACE_DEBUG, "confinement: no %s here: %s", what, fail_words(errno));
}

/* A path that is not there, "" among them, needs no rule. */
static void
allow(int rules, const char *const *paths, int flags, uint64_t rights)
{
	for (; *paths != NULL; paths++) {
		struct landlock_path rule = { rights, open(*paths, O_PATH | O_CLOEXEC | flags) };

		if (rule.parent < 0)
			continue;
		(void)syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0);
		(void)close(rule.parent);
	}
}

static void
restrict_files(const char *const *more, bool names, const struct trace *t)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);
	struct landlock_ruleset all = { .fs = FS_ABI1 };
	int rules = -1;

	if (abi >= ABI_REFER)
		all.fs |= FS_REFER;
	if (abi >= ABI_TRUNCATE)
		all.fs |= FS_TRUNCATE;
	if (abi >= ABI_SCOPE)
		all.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	if (abi > 0)
		rules = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);

	if (rules < 0) {
		without(t, "Landlock");
		return;
	}
	allow(rules, roots, O_DIRECTORY | O_NOFOLLOW, FS_READ_FILE | FS_READ_DIR);
	allow(rules, stores, O_DIRECTORY, FS_READ_FILE | FS_READ_DIR);
	allow(rules, loader, 0, FS_READ_FILE);
	allow(rules, names ? names_directories : tls_directories, O_DIRECTORY,
	    FS_READ_FILE | FS_READ_DIR);
	allow(rules, names ? names_files : tls_files, 0, FS_READ_FILE);
	allow(rules, more, 0, FS_READ_FILE);
	if (syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		without(t, "Landlock");
	else
		trace_line(t, TRACE_DEBUG, "confinement: Landlock %ld for files%s", abi,
		    abi >= ABI_SCOPE ? ", abstract sockets and signals" : "");
	(void)close(rules);
}

/* The last: it takes the right to do the others. */
static void
restrict_calls(enum confined what, const struct trace *t)
{
	const struct rlimit none = { 0, 0 };

	/* a limit on the size of files would hold for an emulator's own (valgrind), which has no
	 * filter either */
	if (!filter_install(what != CONFINED_NETWORK))
		without(t, "system call filter");
	else if (setrlimit(RLIMIT_FSIZE, &none) != 0)
		without(t, "limit on files");
	else
		trace_line(t, TRACE_DEBUG,
		    "confinement: system call filter of %s, no file is written",
		    filter_here()->name);
}

bool
confine_network(const char *const *more, enum confined what, const struct trace *t)
{
	struct drop_to to;

	guard_no_core();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		without(t, "no_new_privs");
	else
		trace_line(t, TRACE_DEBUG, "confinement: no_new_privs");
	drop_find(what == CONFINED_TOKEN, &to); /* before the users cannot be read */
	/* Landlock first: root finds what is to be read also where others may not look */
	if (what == CONFINED_TOKEN)
		trace_line(t, TRACE_DEBUG, "confinement: no Landlock with a PKCS#11 module");
	else if (FILTER_POSSIBLE)
		restrict_files(more, what == CONFINED_NAMES, t);
	if (!drop_rights(&to, t))
		return false;
	if (FILTER_POSSIBLE)
		restrict_calls(what, t);
	else
		trace_line(t, TRACE_DEBUG, "confinement: a build with sanitizers has no more");
	return true;
}
