/* note.c - small files in the spool's db/ that may be lost. */
#include "spool/note.h"

#include <fcntl.h>
#include <inttypes.h>

#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

static bool
is_plain(char c)
{
	return ascii_alnum(c) || c == '.' || c == '-' || c == '_';
}

const char *
note_name(const char *kind, const char *about, char out[NOTE_NAME_MAX + 32])
{
	struct str s = str_of(about);
	int n = snprintf(out, NOTE_NAME_MAX, "%s", kind);

	for (size_t i = 0; i < s.n; i++) {
		if (n > NOTE_NAME_MAX - 4) {
			(void)snprintf(out + n, 32, "%%%016" PRIx64, str_hash(s));
			break;
		}
		n +=
		    snprintf(out + n, 4, is_plain(s.p[i]) ? "%c" : "%%%02X", (unsigned char)s.p[i]);
	}
	return out;
}

bool
note_read(const struct spool *s, const char *name, struct buf *b)
{
	struct stat st;
	AUTO_FD int fd = file_open(s->db, name, FILE_NOFOLLOW, &st);

	return fd >= 0 && st.st_size >= 0 && st.st_size <= NOTE_MAX &&
	    buf_read(b, fd, (size_t)st.st_size);
}

static bool
fill(const struct spool *s, int fd, const struct buf *b)
{
	return (!s->give || fchown(fd, s->uid, s->gid) == 0) && fd_write_full(fd, b->p, b->n);
}

void
note_write(const struct spool *s, const char *name, const struct buf *b)
{
	char temporary[32];
	AUTO_FD int fd = -1;

	if (!buf_ok(b) || b->n == 0)
		return;
	(void)snprintf(temporary, sizeof temporary, "new.%ld", (long)getpid());
	/* one of a process that died with our number */
	(void)unlinkat(s->db, temporary, 0);
	fd = openat(s->db, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return;
	if (!fill(s, fd, b) || renameat(s->db, temporary, s->db, name) != 0)
		(void)unlinkat(s->db, temporary, 0);
}
