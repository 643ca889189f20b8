/* take.c - a message of the spool is locked and read; its end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/file.h"
#include "base/id.h"
#include "spool/place.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { PIECE = 8192, NAME = ID_MAX + 8 };

/* What is being taken. */
struct taking {
	const struct spool *s;
	const char *id;
	int dir;
	struct queued *q;
	const char *why; /* what is wrong with it */
};

const char place_not_now[] = "it cannot be read now";

static const char *
name_of(const struct taking *t, char kind, char out[NAME])
{
	(void)snprintf(out, NAME, "%s-%c", t->id, kind);
	return out;
}

/* Why a file that cannot be opened is bad; place_not_now: the fault may pass, and the file is not
 * set aside for it. */
static const char *
why_not(int error)
{
	switch (error) {
	case ELOOP:
		return "it is a symbolic link";
	case EISDIR:
	case ENXIO:
		return "it is not a plain file";
	case EACCES:
	case EPERM:
		return "it cannot be opened";
	default:
		return place_not_now;
	}
}

int
place_file(const struct spool *s, int dir, const char *name, uint64_t max, const char **why)
{
	AUTO_FD int fd =
	    openat(dir, name, O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	*why = NULL;
	if (fd < 0 && errno == ENOENT)
		return -1;
	if (fd < 0 && errno == EACCES && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    st.st_uid == 0)
		*why = place_not_now; /* root was killed before it gave it away, and can take it */
	else if (fd < 0 || fstat(fd, &st) != 0)
		*why = why_not(errno);
	else if (!S_ISREG(st.st_mode))
		*why = "it is not a plain file";
	else if (st.st_uid != s->uid && st.st_uid != 0)
		*why = "it belongs to another user";
	else if (st.st_nlink > 1)
		*why = "it has more than one link";
	else if (st.st_size < 0 || (uint64_t)st.st_size > max)
		*why = "it is too large";
	return *why == NULL ? steal_fd(&fd) : -1;
}

/* ------------------------------------------------------------------ reading */

static bool
read_header(struct taking *t, struct queued_body *body, struct fail *f)
{
	char name[NAME];
	AUTO_FD int fd = place_file(t->s, t->dir, name_of(t, 'H', name), SPOOL_HEADER_MAX, &t->why);
	AUTO_BUF struct buf text = BUF_INIT(SPOOL_HEADER_MAX);
	struct stat st;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) != 0 || !buf_read(&text, fd, (size_t)st.st_size)) {
		t->why = place_not_now;
		return false;
	}
	if (!queued_read(arena_str(t->q->arena, buf_get(&text)), t->q, body, f)) {
		t->why = f->cls == FAIL_PERM ? f->text : place_not_now;
		return false;
	}
	if (strcmp(t->q->e.id, t->id) != 0)
		t->why = "it has the id of another message";
	else if (body->size < strlen(t->id) + 3)
		t->why = "its body has no first line";
	return t->why == NULL;
}

static bool
body_is_whole(struct taking *t, int fd, const struct queued_body *body, struct fail *f)
{
	struct digest sum;
	char piece[PIECE], hex[DIGEST_HEX];
	struct stat st;
	ssize_t got;

	if (!digest_init(&sum, f))
		return false;
	if (fstat(fd, &st) != 0) {
		t->why = place_not_now;
		return false;
	}
	if ((uint64_t)st.st_size != body->size) {
		t->why = "the body has not the length that it had";
		return false;
	}
	for (off_t at = 0; (got = TEMP_FAILURE_RETRY(pread(fd, piece, PIECE, at))) > 0; at += got)
		digest_update(&sum, str_at(piece, (size_t)got));
	if (got < 0)
		t->why = place_not_now;
	else if (strcmp(digest_hex(&sum, hex), body->sha256) != 0)
		t->why = "the body was changed";
	return t->why == NULL;
}

static void
attach(struct queued *q, int fd, const struct queued_body *body)
{
	q->file = *body;
	q->m.body.fd = fd;
	q->m.body.mem = NULL;
	q->m.body.start = strlen(q->e.id) + 3;
	q->m.body.size = body->size - q->m.body.start;
}

static enum spool_found
bad(struct taking *t, bool whole, struct fail *f)
{
	char name[NAME], why[FAIL_TEXT];

	if (t->why == place_not_now)
		return SPOOL_BUSY;
	(void)snprintf(why, sizeof why, "%s", t->why);
	(void)fail_set(f, FAIL_PERM, STAGE_SPOOL, 0, "%s", why);
	/* -H last: without it the others would be swept, were this the last thing that happens */
	if (whole)
		for (const char *kind = "DJH"; *kind != '\0'; kind++)
			place_set_aside(t->s, t->dir, name_of(t, *kind, name));
	return SPOOL_BAD;
}

static enum spool_found
take_whole(struct taking *t, int *lock, struct queued_body *body, struct fail *f)
{
	char name[NAME];
	struct stat st;

	*lock = place_file(t->s, t->dir, name_of(t, 'D', name), PLACE_BODY_MAX, &t->why);
	if (*lock < 0 && t->why == NULL) {
		struct stat header;

		if (fstatat(t->dir, name_of(t, 'H', name), &header, AT_SYMLINK_NOFOLLOW) != 0)
			return SPOOL_GONE;
		t->why = "its body is missing";
	}
	if (*lock < 0)
		return bad(t, true, f);
	if (flock(*lock, LOCK_EX | LOCK_NB) != 0)
		return SPOOL_BUSY;
	if (fstat(*lock, &st) == 0 && st.st_nlink == 0)
		return SPOOL_GONE;
	if (!read_header(t, body, f))
		return t->why == NULL ? SPOOL_GONE : bad(t, true, f);
	if (!place_journal(t->s, t->dir, t->q, true, &t->why) || !body_is_whole(t, *lock, body, f))
		return t->why == NULL ? SPOOL_BUSY : bad(t, true, f);
	return SPOOL_TAKEN;
}

enum spool_found
spool_take(const struct spool *s, const char *id, bool whole, struct queued *q, struct fail *f)
{
	AUTO_FD int dir = id_ok(id) ? place_find(s, id) : -1;
	AUTO_FD int lock = -1;
	struct taking t = { .s = s, .id = id, .dir = dir, .q = q };
	struct queued_body body = { 0 };
	enum spool_found found = SPOOL_TAKEN;

	if (dir < 0)
		return !id_ok(id) || errno == ENOENT ? SPOOL_GONE : SPOOL_BUSY;
	if (whole)
		found = take_whole(&t, &lock, &body, f);
	else if (!read_header(&t, &body, f) || !place_journal(s, dir, q, false, &t.why))
		found = t.why == NULL ? SPOOL_GONE : bad(&t, false, f);
	if (found != SPOOL_TAKEN)
		return found;
	queued_settle(q);
	attach(q, steal_fd(&lock), &body);
	return SPOOL_TAKEN;
}

/* ------------------------------------------------------------------ the end */

bool
spool_remove(const struct spool *s, const struct queued *q, struct fail *f)
{
	AUTO_FD int dir = place_find(s, q->e.id);
	char name[NAME];

	if (dir < 0)
		return errno == ENOENT ||
		    fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno, "cannot find %s/input/%s-H", s->path,
			q->e.id);
	for (const char *kind = "HDJ"; *kind != '\0'; kind++) {
		(void)snprintf(name, sizeof name, "%s-%c", q->e.id, *kind);
		if (unlinkat(dir, name, 0) != 0 && *kind == 'H' && errno != ENOENT)
			return fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno,
			    "cannot remove %s/input/%s", s->path, name);
	}
	(void)unlinkat(s->msglog, q->e.id, 0);
	return TEMP_FAILURE_RETRY(fsync(dir)) == 0 ||
	    fail_set(f, FAIL_TEMP, STAGE_SPOOL, errno, "cannot sync %s/input", s->path);
}

void
spool_release(struct queued *q)
{
	body_close(&q->m.body);
}
