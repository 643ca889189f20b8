/* ages.c - how long something has lasted, on the spool's own clock. */
#include "spool/ages.h"

#include <fcntl.h>
#include <inttypes.h>
#include <time.h>

#include "base/file.h"
#include "base/num.h"
#include "spool/note.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { BACK_TOLERANCE = 60 };
static const uint64_t MOMENT_MAX = INT64_MAX / 4;

/* The seconds between two looks at the clocks: by the wall clock, but within one boot no more than
 * passed since by CLOCK_BOOTTIME. */
static uint64_t
passed(const struct ages_seen *before, const struct ages_seen *now)
{
	int64_t wall = now->wall - before->wall, awake = now->boottime - before->boottime;

	if (strcmp(before->boot, now->boot) == 0 && awake < wall)
		wall = awake;
	if (wall <= 0)
		return 0;
	return wall < AGES_STEP ? (uint64_t)wall : AGES_STEP;
}

struct ages
ages_step(const struct ages *last, const struct ages_seen *before, const struct ages_seen *now)
{
	struct ages a = { .count = last->count, .again = last->again, .wall = now->wall };

	/* db/clock is lost: the count begins anew at the wall clock.  The old count, which went no
	 * faster, has not passed that. */
	if (last->wall == 0) {
		a.count = a.again = (uint64_t)now->wall;
		return a;
	}
	a.count += passed(before, now);
	if (now->wall < before->wall - BACK_TOLERANCE)
		a.again = a.count;
	return a;
}

static int64_t
seconds_of(clockid_t id)
{
	struct timespec t;

	/* 1: nobody's mail is older than the epoch, and 0 is "never" */
	return clock_gettime(id, &t) == 0 && t.tv_sec > 0 ? t.tv_sec : 1;
}

static struct ages_seen
look(void)
{
	struct ages_seen s = { .wall = seconds_of(CLOCK_REALTIME),
		.boottime = seconds_of(CLOCK_BOOTTIME) };
	AUTO_FD int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? fd_read_full(fd, s.boot, sizeof s.boot - 1) : -1;

	s.boot[n > 0 ? n : 0] = '\0';
	s.boot[strcspn(s.boot, " \n")] = '\0';
	return s;
}

static bool
moment(struct str *rest, int64_t *out)
{
	uint64_t v;

	if (!num_parse(str_word(rest), MOMENT_MAX, &v) || v == 0)
		return false;
	*out = (int64_t)v;
	return true;
}

/* A checksum of the numbers, so that a damaged db/clock makes no message old. */
static uint64_t
check(const struct ages *a)
{
	return a->count ^ a->again << 1 ^ (uint64_t)a->wall << 2;
}

/* "COUNT AGAIN WALL BOOTTIME CHECK BOOT" */
static bool
state_parse(struct str text, struct ages *a, struct ages_seen *s)
{
	struct str rest = text, boot;
	uint64_t sum;

	if (!num_parse(str_word(&rest), MOMENT_MAX, &a->count) || a->count == 0 ||
	    !num_parse(str_word(&rest), a->count, &a->again) || !moment(&rest, &a->wall) ||
	    !moment(&rest, &s->boottime) || !num_parse(str_word(&rest), UINT64_MAX, &sum) ||
	    sum != check(a))
		return false;
	boot = str_word(&rest);
	if (boot.n >= sizeof s->boot || str_word(&rest).n > 0)
		return false;
	s->wall = a->wall;
	memcpy(s->boot, boot.p, boot.n);
	s->boot[boot.n] = '\0';
	return true;
}

struct ages
ages_now(const struct spool *s)
{
	AUTO_BUF struct buf b = BUF_INIT(NOTE_MAX);
	struct ages last = { .wall = 0 }, a;
	struct ages_seen before = { .wall = 0 }, now = look();

	if (!note_read(s, "clock", &b) || !state_parse(buf_get(&b), &last, &before))
		last.wall = 0;
	a = ages_step(&last, &before, &now);
	memcpy(a.boot, now.boot, sizeof a.boot);
	/* nothing to add: the file stays, so that parts of a second add up from look to look */
	if (last.wall != 0 && a.count == last.count && a.again == last.again)
		return a;
	buf_reset(&b);
	buf_fmt(&b, "%" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 " %" PRIu64 " %s\n", a.count,
	    a.again, a.wall, now.boottime, check(&a), now.boot);
	note_write(s, "clock", &b);
	return a;
}

uint64_t
ages_since(const struct ages *a, uint64_t then)
{
	if (then == 0)
		return 0;
	/* a count later than now is from before db/clock was lost: it counts from there */
	if (then > a->count || then < a->again)
		then = a->again;
	return a->count - then;
}
