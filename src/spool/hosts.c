/* hosts.c - what is known of a host list between runs. */
#include "spool/hosts.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>

#include "base/num.h"
#include "spool/note.h"
#include "wire/told.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { RECORD_MAX = FAIL_TEXT + 512 };
static const uint64_t MOMENT_MAX = INT64_MAX / 4;

static bool
set_error(struct str s, struct host_record *r)
{
	for (size_t i = 0; i < s.n; i++)
		if (ascii_control(s.p[i]))
			return false;
	(void)snprintf(r->error, sizeof r->error, "%.*s", S_ARG(s));
	return s.n < sizeof r->error;
}

bool
host_record_line(struct str line, struct host_record *r)
{
	struct str name = str_cut(&line, ' ');
	uint64_t v = 0;

	if (str_eq(name, STR("error")))
		return set_error(line, r);
	if (!num_parse(line, MOMENT_MAX, &v))
		return false;
	if (str_eq(name, STR("tries")) && v < UINT32_MAX)
		r->tries = (unsigned)v;
	else if (str_eq(name, STR("first-failed")))
		r->first_failed = v;
	else if (str_eq(name, STR("last-try")))
		r->last_try = (int64_t)v;
	else if (str_eq(name, STR("next-try")))
		r->next_try = (int64_t)v;
	else if (str_eq(name, STR("last-success")))
		r->last_success = (int64_t)v;
	else
		return false;
	return true;
}

static bool
record_parse(struct str text, struct host_record *r)
{
	while (text.n > 0)
		if (!host_record_line(str_cut(&text, '\n'), r))
			return false;
	return true;
}

static void
read_file(const struct spool *s, const char *name, struct host_record *r)
{
	AUTO_BUF struct buf b = BUF_INIT(RECORD_MAX);

	*r = (struct host_record){ .tries = 0 };
	if (!note_read(s, name, &b) || !record_parse(buf_get(&b), r))
		*r = (struct host_record){ .tries = 0 };
}

void
hosts_read(const struct spool *s, const char *hosts, struct host_record *r)
{
	char name[NOTE_NAME_MAX + 32];

	read_file(s, note_name("host.", hosts, name), r);
}

void
host_record_put(const struct host_record *r, struct buf *b)
{
	buf_fmt(b, "tries %u\nfirst-failed %" PRIu64 "\nlast-try %" PRId64 "\n", r->tries,
	    r->first_failed, r->last_try);
	buf_fmt(b, "next-try %" PRId64 "\nlast-success %" PRId64 "\nerror %s\n", r->next_try,
	    r->last_success, r->error);
}

static void
write_file(const struct spool *s, const char *name, const struct host_record *r)
{
	AUTO_BUF struct buf b = BUF_INIT(RECORD_MAX);

	host_record_put(r, &b);
	note_write(s, name, &b);
}

static void
succeeded(struct host_record *r, const struct ages *a)
{
	*r = (struct host_record){ .last_try = a->wall, .last_success = a->wall };
}

void
host_record_failed(
    struct host_record *r, const struct fail *f, const struct ages *a, const struct retry *rule)
{
	/* as Exim: the last interval is the one that was planned or the one that passed, whichever
	 * is smaller */
	int64_t meant = r->next_try - r->last_try, came = a->wall - r->last_try;
	int64_t last = r->tries == 0 ? 0 : meant < came ? meant : came;

	if (r->tries++ == 0)
		r->first_failed = a->count;
	r->last_try = a->wall;
	r->next_try = a->wall +
	    (int64_t)retry_interval(
		rule, ages_since(a, r->first_failed), last > 0 ? (uint64_t)last : 0);
	(void)snprintf(r->error, sizeof r->error, "%s", f->text);
}

void
hosts_note(const struct spool *s, const char *hosts, const struct fail *f, const struct ages *a,
    const struct retry *rule)
{
	char name[NOTE_NAME_MAX + 32];
	struct host_record r;

	read_file(s, note_name("host.", hosts, name), &r);
	if (f == NULL)
		succeeded(&r, a);
	else
		host_record_failed(&r, f, a, rule);
	write_file(s, name, &r);
}

bool
hosts_due(const struct host_record *r, const struct ages *a, const struct retry *rule)
{
	return r->tries == 0 || r->next_try <= a->wall ||
	    r->next_try - a->wall > (int64_t)retry_longest(rule);
}

enum { DAY_S = 24 * 3600 };

/* A line is a word, or a word and when that was seen. */
static const struct {
	unsigned bit;
	struct str word;
	int64_t life_s; /* 0: for ever, without a time */
} sights[] = {
	{ SEEN_TLS, STR("tls"), 0 },
	{ SEEN_PRIVATE, STR("private-address"), 0 },
	{ SEEN_STARTTLS, STR("starttls"), (int64_t)30 * DAY_S },
	{ SEEN_NO_PIPELINING, STR("no-pipelining"), DAY_S },
	{ SEEN_NO_CHUNKING, STR("no-chunking"), DAY_S },
};

enum { SIGHTS = sizeof sights / sizeof sights[0] };

/* When each of them was seen: 0 for not, or no more. */
static void
read_sights(const struct spool *s, const char *file, int64_t now, int64_t at[SIGHTS])
{
	AUTO_BUF struct buf b = BUF_INIT(RECORD_MAX);
	struct str text = note_read(s, file, &b) ? buf_get(&b) : STR("");

	memset(at, 0, SIGHTS * sizeof *at);
	while (text.n > 0) {
		struct str line = str_cut(&text, '\n');
		struct str word = str_cut(&line, ' ');
		uint64_t v = 1;

		for (size_t i = 0; i < SIGHTS; i++) {
			int64_t life = sights[i].life_s;

			if (!str_eq(word, sights[i].word) ||
			    (life > 0 && !num_parse(line, MOMENT_MAX, &v)))
				continue;
			/* a time ahead is from before the clock was set back */
			if (life == 0 || (now - (int64_t)v < life && (int64_t)v - now < life))
				at[i] = (int64_t)v;
		}
	}
}

unsigned
hosts_seen(const struct spool *s, const char *name, int64_t now, struct arena *a, const char **file)
{
	char n[NOTE_NAME_MAX + 32];
	int64_t at[SIGHTS];
	unsigned seen = 0;

	*file = arena_fmt(a, "%s/db/%s", s->path, note_name("seen.", name, n));
	read_sights(s, n, now, at);
	for (size_t i = 0; i < SIGHTS; i++) {
		seen |= at[i] != 0 ? sights[i].bit : 0U;
		if (sights[i].bit == SEEN_STARTTLS && now - at[i] < DAY_S)
			seen |= SEEN_STARTTLS_TODAY;
	}
	return seen;
}

void
hosts_saw(const struct spool *s, const char *name, int64_t now, unsigned news)
{
	AUTO_BUF struct buf b = BUF_INIT(RECORD_MAX);
	char n[NOTE_NAME_MAX + 32];
	int64_t at[SIGHTS];

	read_sights(s, note_name("seen.", name, n), now, at);
	for (size_t i = 0; i < SIGHTS; i++) {
		if (news & sights[i].bit)
			at[i] = now;
		if (at[i] == 0)
			continue;
		buf_fmt(&b, "%.*s", S_ARG(sights[i].word));
		if (sights[i].life_s > 0)
			buf_fmt(&b, " %" PRId64, at[i]);
		buf_char(&b, '\n');
	}
	note_write(s, n, &b);
}

static void
summarize(const struct spool *s, const char *name, struct host_record *r)
{
	struct host_record one;
	int64_t success = r->last_success;

	read_file(s, name, &one);
	if (one.last_success > success)
		success = one.last_success;
	if (one.tries > 0 && (r->tries == 0 || one.last_try > r->last_try))
		*r = one;
	r->last_success = success;
}

static void
close_directory(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

void
hosts_summary(const struct spool *s, struct host_record *r)
{
	AUTO_FD int fd = openat(s->db, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__attribute__((cleanup(close_directory))) DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *e;

	*r = (struct host_record){ .tries = 0 };
	if (d == NULL)
		return;
	(void)steal_fd(&fd);
	while ((e = readdir(d)) != NULL)
		if (str_starts(str_of(e->d_name), STR("host.")))
			summarize(s, e->d_name, r);
}
