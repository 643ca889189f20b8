/* file.h - the one way to open a file by name, whole reads and writes, and what Linux has for
 * descriptors and not every C library or kernel (musl; containers on old kernels).
 *
 * open_regular() is for every file whose name comes from configuration or a user: it never
 * hangs (a FIFO), never reads a device, never reads more than its limit. */
#ifndef ONEHOP_BASE_FILE_H
#define ONEHOP_BASE_FILE_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/fail.h"

enum { FILE_MAX = 1 << 20 }; /* bytes; configuration, maps and .forward are below it */

enum file_flags {
	FILE_NOFOLLOW = 1, /* the last component may not be a symbolic link */
};

/* Open path (relative to dirfd, which may be AT_FDCWD) for reading: non-blocking, close-on-exec,
 * no controlling terminal; *st is filled from the open descriptor and is a regular file.
 * Returns the descriptor (the caller's) or -1 with errno; EINVAL: not a regular file. */
int file_open(int dirfd, const char *path, enum file_flags flags, struct stat *st) NODISCARD;
/* What file_open() met, by errno; always false.  *f is TEMP, or USER/CONFIG when it is the file. */
bool file_not_opened(const char *path, struct fail *f);
/* The bytes of a file that people edit, as text: a byte order mark is skipped.  line 0: it is the
 * file's start; else the line at which this piece of it begins.  False: it is no text (UTF-16, an
 * octet that is NUL); *f is USER/CONFIG with path and line. */
bool file_text(const char *path, unsigned line, struct str *bytes, struct fail *f) NODISCARD;
/* The text of a regular file of at most FILE_MAX bytes, as a slice of the arena.
 * False: *f is TEMP or USER/CONFIG with the path in the text; f->sys has errno (ENOENT ...). */
bool file_read(struct arena *a, const char *path, struct str *out, struct fail *f) NODISCARD;
/* The same from a descriptor that file_open() gave (path is for the message only). */
bool file_read_fd(
    struct arena *a, int fd, const char *path, struct str *out, struct fail *f) NODISCARD;
/* flock(2) it for us alone: another has it for moments, which are waited for, ms at most.  False
 * with errno (EWOULDBLOCK: somebody has it still). */
bool file_lock(int fd, unsigned ms) NODISCARD;
/* Read until n bytes or the end; EINTR is retried, a non-blocking descriptor is waited for.
 * Returns the bytes read, or -1 with errno. */
ssize_t fd_read_full(int fd, void *p, size_t n) NODISCARD;
/* One read(2) of up to n bytes that retries EINTR and waits on EAGAIN; 0 at the end; -1 with errno.
 */
ssize_t fd_read(int fd, void *p, size_t n) NODISCARD;
/* Empty b, then read exactly n bytes into it.  False: fewer came, or they are more than b may hold.
 */
bool buf_read(struct buf *b, int fd, size_t n) NODISCARD;
/* Write all n bytes (EINTR retried, EAGAIN waited for).  False with errno. */
bool fd_write_full(int fd, const void *p, size_t n) NODISCARD;
/* Close all descriptors from first on; or mark them, so that no program that is started has one. */
void fd_close_from(int first);
void fd_close_on_exec_from(int first);
/* A descriptor that is readable when the process has ended, the caller's to close.
 * -1 with errno: this kernel (before Linux 5.3) has none. */
int fd_of_process(pid_t pid);
/* renameat() that replaces nothing: -1 with EEXIST.  Where the file system cannot refuse (NFS) it
 * looks first, which is enough for names that are used once. */
int file_rename(int from, const char *name, int to, const char *new_name);

/* glibc's: the call again until no signal interrupts it. */
#ifndef TEMP_FAILURE_RETRY
#define TEMP_FAILURE_RETRY(call) \
	({ \
		long result_; \
\
		do \
			result_ = (call); \
		while (result_ == -1 && errno == EINTR); \
		result_; \
	})
#endif
#endif
