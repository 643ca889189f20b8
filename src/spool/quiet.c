/* quiet.c - until when nothing that waits can be due.
 *
 * A head of fixed size, written in one piece over blanks when all is looked at, then an id a line,
 * appended by others.  Who makes a new file holds the lock of input/ alone for that moment, who
 * adds to it shares the lock until the message has its name: so a message is either there before
 * all are looked at, or its id is in the new file. */
#include "spool/quiet.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>

#include "base/file.h"
#include "base/id.h"
#include "base/num.h"
#include "spool/note.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { HEAD = 4096, SUM = 16, ADDED_MAX = QUIET_IDS * ID_MAX };
static const uint64_t MOMENT_MAX = INT64_MAX / 4;
static const char NAME[] = "quiet";

/* ------------------------------------------------------------------ reading */

static bool
add_id(struct quiet *q, struct str id)
{
	if (q->nids == QUIET_IDS || id.n >= ID_MAX)
		return false;
	(void)snprintf(q->ids[q->nids], ID_MAX, "%.*s", S_ARG(id));
	return id_ok(q->ids[q->nids++]);
}

static bool
add_hosts(struct quiet *q, struct str hosts)
{
	if (q->nhosts == QUIET_HOSTS)
		return false;
	q->hosts[q->nhosts++] = arena_strz(q->arena, hosts);
	return true;
}

/* "made N", "until N", "hosts LIST" ..., "id ID" ... */
static bool
head_line(struct quiet *q, struct str line)
{
	struct str name = str_cut(&line, ' ');
	uint64_t v;

	if (str_eq(name, STR("hosts")))
		return add_hosts(q, line);
	if (str_eq(name, STR("id")))
		return add_id(q, line);
	if (!num_parse(line, MOMENT_MAX, &v))
		return false;
	if (str_eq(name, STR("made")))
		q->made = (int64_t)v;
	else
		q->until = (int64_t)v;
	return true;
}

/* The first line: the sum of what follows, boot and rules among it. */
static const char *
head_sum(struct str rest, const struct quiet_at *at, char out[SUM + 1])
{
	uint64_t sum = str_hash(rest) ^ str_hash(str_of(at->ages->boot)) << 1 ^
	    str_hash(str_of(at->rules)) << 2;

	(void)snprintf(out, SUM + 1, "%016" PRIx64, sum);
	return out;
}

static bool
parse(struct str text, const struct quiet_at *at, struct quiet *q)
{
	struct str head = str_at(text.p, HEAD), added = str_skip(text, HEAD);
	struct str sum = str_cut(&head, '\n');
	char right[SUM + 1];

	if (!str_eq(sum, str_of(head_sum(head, at, right))))
		return false;
	while (head.n > 0 && head.p[0] != '\n')
		if (!head_line(q, str_cut(&head, '\n')))
			return false;
	while (added.n > 0)
		if (added.p[added.n - 1] != '\n' || !add_id(q, str_cut(&added, '\n')))
			return false;
	return true;
}

static bool
rests(const struct quiet_at *at, const char *good, const struct quiet *q)
{
	for (size_t i = 0; i < q->nhosts; i++) {
		struct host_record host;

		hosts_read(at->spool, q->hosts[i], &host);
		if (hosts_due(&host, at->ages, at->rule) ||
		    (good != NULL && strcmp(good, q->hosts[i]) == 0))
			return false;
	}
	return true;
}

bool
quiet_read(const struct quiet_at *at, const char *good, struct quiet *q)
{
	AUTO_BUF struct buf b = BUF_INIT(HEAD + ADDED_MAX);
	int64_t now = at->ages->wall;

	*q = (struct quiet){ .fd = -1, .arena = at->arena };
	return at->ages->boot[0] != '\0' && note_read(at->spool, NAME, &b) && b.n >= HEAD &&
	    parse(buf_get(&b), at, q) && q->made <= now && now < q->until && rests(at, good, q);
}

/* ------------------------------------------------------------------ making it */

void
quiet_until(struct quiet *q, int64_t when)
{
	if (when < q->until)
		q->until = when;
}

void
quiet_for(struct quiet *q, const char *hosts)
{
	for (size_t i = 0; i < q->nhosts; i++)
		if (strcmp(q->hosts[i], hosts) == 0)
			return;
	if (q->fd >= 0 && (strchr(hosts, '\n') != NULL || !add_hosts(q, str_of(hosts))))
		quiet_doubt(q);
}

void
quiet_again(struct quiet *q, const char *id)
{
	if (q->fd >= 0 && !add_id(q, str_of(id)))
		quiet_doubt(q);
}

void
quiet_doubt(struct quiet *q)
{
	q->doubted = true;
}

/* Full of blanks, so that there is room for what it will say. */
static int
make(const struct spool *s)
{
	AUTO_FD int fd = -1;
	char blanks[HEAD];

	memset(blanks, '\n', sizeof blanks);
	(void)unlinkat(s->db, NAME, 0);
	fd = openat(s->db, NAME, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return -1;
	if ((s->give && fchown(fd, s->uid, s->gid) != 0) || !fd_write_full(fd, blanks, HEAD)) {
		(void)unlinkat(s->db, NAME, 0);
		return -1;
	}
	return steal_fd(&fd);
}

bool
quiet_begin(
    const struct quiet_at *at, bool all, struct quiet *q, char few[QUIET_IDS][ID_MAX], size_t *n)
{
	bool alone = flock(at->spool->input, LOCK_EX | LOCK_NB) == 0;
	bool holds = !all && alone && quiet_read(at, NULL, q);

	if (!holds)
		*q = (struct quiet){ .made = at->ages->wall,
			.until = at->ages->wall + QUIET_SECONDS,
			.fd = -1,
			.arena = at->arena };
	*n = q->nids;
	memcpy(few, q->ids, sizeof q->ids);
	q->nids = 0;
	if (alone && at->ages->boot[0] != '\0')
		q->fd = make(at->spool);
	if (alone)
		(void)flock(at->spool->input, LOCK_UN);
	return holds;
}

static bool
publish(const struct quiet_at *at, const struct quiet *q)
{
	AUTO_BUF struct buf b = BUF_INIT(HEAD);
	char sum[SUM + 1];

	buf_fmt(&b, "%*s\nmade %" PRId64 "\nuntil %" PRId64 "\n", SUM, "", q->made, q->until);
	for (size_t i = 0; i < q->nhosts; i++)
		buf_fmt(&b, "hosts %s\n", q->hosts[i]);
	for (size_t i = 0; i < q->nids; i++)
		buf_fmt(&b, "id %s\n", q->ids[i]);
	while (buf_ok(&b) && b.n < HEAD)
		buf_char(&b, '\n');
	if (!buf_ok(&b))
		return false;
	memcpy(b.p, head_sum(str_skip(buf_get(&b), SUM + 1), at, sum), SUM);
	return TEMP_FAILURE_RETRY(pwrite(q->fd, b.p, HEAD, 0)) == HEAD;
}

void
quiet_end(const struct quiet_at *at, struct quiet *q)
{
	if (q->fd < 0)
		return;
	if (q->doubted || !publish(at, q))
		(void)unlinkat(at->spool->db, NAME, 0);
	(void)close(q->fd);
	q->fd = -1;
}

/* ------------------------------------------------------------------ who changes something */

/* False: it is not in the record, which must go. */
static bool
append(const struct spool *s, const char *id)
{
	AUTO_FD int fd =
	    openat(s->db, NAME, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char line[ID_MAX + 1];
	struct stat st;
	int n = snprintf(line, sizeof line, "%s\n", id);

	if (fd < 0)
		return errno == ENOENT;
	return fstat(fd, &st) == 0 && st.st_size < HEAD + ADDED_MAX - ID_MAX &&
	    fd_write_full(fd, line, (size_t)n);
}

bool
quiet_change(const struct spool *s, const char *id)
{
	bool locked = flock(s->input, LOCK_SH | LOCK_NB) == 0;

	if (!locked || !append(s, id))
		(void)unlinkat(s->db, NAME, 0);
	return locked;
}

/* Without the lock it may have been made in between. */
void
quiet_changed(const struct spool *s, bool change)
{
	if (change)
		(void)flock(s->input, LOCK_UN);
	else
		(void)unlinkat(s->db, NAME, 0);
}
