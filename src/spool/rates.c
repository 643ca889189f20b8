/* rates.c - how many messages each user has sent of late. */
#include "spool/rates.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "base/num.h"
#include "spool/note.h"
#include "spool/place.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	LINE = 21, /* 20 digits, a newline */
	LOCK_MS = 5000,
};

/* Made by us: nobody else's file under a name in db/ is written to, or given away. */
static bool
is_ours(const struct spool *s, const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_nlink <= 1 &&
	    (st->st_uid == geteuid() || st->st_uid == s->uid);
}

/* uid's file, locked.  -1: it cannot be had. */
static int
open_locked(const struct spool *s, unsigned uid)
{
	struct stat st = { .st_nlink = 0 };
	char name[32];

	(void)snprintf(name, sizeof name, "rate.%u", uid);
	/* without a name: rates_sweep() was quicker */
	while (st.st_nlink == 0) {
		AUTO_FD int fd = openat(s->db, name,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);

		if (fd < 0 || !file_lock(fd, LOCK_MS) || fstat(fd, &st) != 0 || !is_ours(s, &st) ||
		    (s->give && fchown(fd, s->uid, s->gid) != 0))
			return -1;
		if (st.st_nlink > 0)
			return steal_fd(&fd);
	}
	return -1;
}

struct lines {
	size_t young; /* moments of the last seconds */
	size_t free;  /* the first line that holds none */
};

/* Count the moments of the last seconds.  A line that holds none is free; one that is yet to come
 * counts as ages_since() has it. */
static bool
count(int fd, uint64_t seconds, const struct ages *a, struct lines *l)
{
	AUTO_BUF struct buf b = BUF_INIT(NOTE_MAX);
	struct stat st;
	uint64_t then;

	if (fstat(fd, &st) != 0 ||
	    !buf_read(&b, fd, st.st_size < NOTE_MAX ? (size_t)st.st_size : NOTE_MAX))
		return false;
	*l = (struct lines){ 0, b.n / LINE };
	for (size_t i = l->free; i > 0; i--) {
		const char *at = b.p + (i - 1) * LINE;

		if (at[LINE - 1] == '\n' && num_parse(str_at(at, LINE - 1), UINT64_MAX, &then) &&
		    then != 0 && ages_since(a, then) < seconds)
			l->young++;
		else
			l->free = i - 1;
	}
	return true;
}

enum rates_found
rates_ask(
    const struct spool *s, unsigned uid, const struct rate *limit, const struct ages *a, bool take)
{
	AUTO_FD int fd = open_locked(s, uid);
	char line[LINE + 1];
	struct lines l;

	if (fd < 0 || !count(fd, limit->seconds, a, &l))
		return RATES_UNKNOWN;
	if (l.young >= limit->most)
		return RATES_OVER;
	(void)snprintf(line, sizeof line, "%020" PRIu64 "\n", a->count);
	return !take || pwrite(fd, line, LINE, (off_t)(l.free * LINE)) == LINE ? RATES_ROOM :
										 RATES_UNKNOWN;
}

static void
sweep(void *ctx, int dir, const char *name)
{
	struct stat st;
	struct lines l;

	if (!str_starts(str_of(name), STR("rate.")))
		return;
	AUTO_FD int fd = file_open(dir, name, FILE_NOFOLLOW, &st);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && count(fd, RATE_SECONDS_MAX, ctx, &l) &&
	    l.young == 0)
		(void)unlinkat(dir, name, 0);
}

void
rates_sweep(const struct spool *s, const struct ages *a)
{
	struct ages now = *a;

	(void)place_each(s->db, ".", sweep, &now);
}
