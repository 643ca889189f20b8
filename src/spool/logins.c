/* logins.c - what is known between runs of a login at a host. */
#include "spool/logins.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>

#include "base/date.h"
#include "base/num.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { RECORD_MAX = FAIL_TEXT + 1024, KEY_MAX = 8192, POLL_MS = 20 };

struct record {
	struct host_record rest;
	bool good;         /* it was taken the last time */
	uint64_t refusals; /* since it was begun with */
	uint64_t began_us; /* the rest, wall clock */
	char out[LOGIN_NAMES_MAX];
	uint64_t out_until; /* wall clock */
};

/* ------------------------------------------------------------------ the file */

static bool
set_line(struct str line, const char *stamp, struct record *r)
{
	struct str rest = line, name = str_cut(&rest, ' ');

	if (str_eq(name, STR("stamp")))
		return str_eq(rest, str_of(stamp));
	if (str_eq(name, STR("good")))
		r->good = str_eq(rest, STR("1"));
	else if (str_eq(name, STR("refusals")))
		return num_parse(rest, UINT32_MAX, &r->refusals);
	else if (str_eq(name, STR("began")))
		return num_parse(rest, INT64_MAX, &r->began_us);
	else if (str_eq(name, STR("left-out-until")))
		return num_parse(rest, INT64_MAX, &r->out_until);
	else if (str_eq(name, STR("left-out")) && rest.n < sizeof r->out)
		(void)snprintf(r->out, sizeof r->out, "%.*s", S_ARG(rest));
	else
		return host_record_line(line, &r->rest);
	return true;
}

/* What is damaged, or of another line, is as if nothing was known. */
static struct record
get(const struct spool *s, const char *file, const char *stamp)
{
	AUTO_BUF struct buf b = BUF_INIT(RECORD_MAX);
	struct record r = { .good = false };
	struct str text = note_read(s, file, &b) ? buf_get(&b) : STR("");

	while (text.n > 0)
		if (!set_line(str_cut(&text, '\n'), stamp, &r))
			return (struct record){ .good = false };
	return r;
}

static void
put(const struct logins *l, const struct record *r)
{
	AUTO_BUF struct buf b = BUF_INIT(RECORD_MAX);

	buf_fmt(&b, "stamp %s\ngood %d\nrefusals %" PRIu64 "\nbegan %" PRIu64 "\n", l->stamp,
	    r->good, r->refusals, r->began_us);
	if (r->out[0] != '\0')
		buf_fmt(&b, "left-out-until %" PRIu64 "\nleft-out %s\n", r->out_until, r->out);
	host_record_put(&r->rest, &b);
	note_write(&l->spool, l->file, &b);
}

static void
name_file(const struct login_key *k, char out[NOTE_NAME_MAX + 32])
{
	AUTO_BUF struct buf b = BUF_INIT(KEY_MAX);

	buf_fmt(&b, "%s %s", k->host, k->where);
	(void)note_name("login.", b.n > 0 ? b.p : "", out);
}

/* ------------------------------------------------------------------ locks */

/* The bytes of the lock file that belong to one login: one for each process that may try at the
 * same time, then one for its record. */
enum { AT_RECORD = LOGIN_REFUSALS_MAX, PLACES };

static bool
lock(const struct logins *l, int64_t first, int64_t n, short how)
{
	struct flock where = {
		.l_type = how, .l_whence = SEEK_SET, .l_start = l->at + first, .l_len = n
	};

	return fcntl(l->fd, F_OFD_SETLK, &where) == 0;
}

static bool
lock_one(const struct logins *l)
{
	for (int64_t i = 0; i < LOGIN_REFUSALS_MAX; i++)
		if (lock(l, i, 1, F_WRLCK))
			return true;
	return false;
}

/* Wait for one of the places, or (whole) for all of them.  False: other processes held them for
 * LOGINS_WAIT_S. */
static bool
wait_for(const struct logins *l, bool whole)
{
	for (int i = 0; i < LOGINS_WAIT_S * 1000 / POLL_MS; i++) {
		if (whole ? lock(l, 0, LOGIN_REFUSALS_MAX, F_WRLCK) : lock_one(l))
			return true;
		(void)poll(NULL, 0, POLL_MS);
	}
	return false;
}

static void
lock_record(const struct logins *l, short how)
{
	while (!lock(l, AT_RECORD, 1, how) && how == F_WRLCK)
		(void)poll(NULL, 0, 1);
}

/* ------------------------------------------------------------------ the rest */

static bool
rests(
    const struct logins *l, const struct record *r, const struct ages *a, const struct retry *rule)
{
	return r->rest.tries > 0 && !hosts_due(&r->rest, a, rule) &&
	    (l->forced_us == 0 || (int64_t)r->began_us >= l->forced_us);
}

static bool
say_rest(const struct record *r, const struct login_key *k, struct fail *f)
{
	char until[DATE_MAX];

	return fail_set(f, FAIL_TEMP, STAGE_REST, 0,
	    "the login of %s at %s rests until %s, unless that file changes, or -M or -qff asks "
	    "for "
	    "it: %s",
	    k->where, k->host, date_log(r->rest.next_try, until), r->rest.error);
}

bool
logins_rest(const struct logins *l, const struct login_key *k, struct fail *f)
{
	char file[NOTE_NAME_MAX + 32];
	struct retry rule;
	struct spool s;
	struct record r;
	struct fail ignored;
	bool yes = false;

	if (!spool_open(&s, l->conf, false, &ignored))
		return false;
	name_file(k, file);
	r = get(&s, file, k->stamp);
	if (r.rest.tries > 0 && retry_parse(&rule, str_of(l->conf->retry), &ignored)) {
		struct ages a = ages_now(&s);

		yes = rests(l, &r, &a, &rule) && !say_rest(&r, k, f);
	}
	spool_close(&s);
	return yes;
}

/* ------------------------------------------------------------------ an attempt */

static bool
open_file(struct logins *l, const struct login_key *k)
{
	struct fail ignored;

	l->open = spool_open(&l->spool, l->conf, true, &ignored);
	if (!l->open || !retry_parse(&l->rule, str_of(l->conf->retry), &ignored))
		return false;
	l->fd = openat(l->spool.db, "logins",
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
	if (l->fd < 0 || (l->spool.give && fchown(l->fd, l->spool.uid, l->spool.gid) != 0))
		return false;
	name_file(k, l->file);
	l->at = (int64_t)(str_hash(str_of(l->file)) >> 16) * PLACES;
	l->stamp = k->stamp;
	return true;
}

bool
logins_begin(
    struct logins *l, const struct login_key *k, char left_out[LOGIN_NAMES_MAX], struct fail *f)
{
	struct record r;

	left_out[0] = '\0';
	l->fd = -1;
	if (!open_file(l, k)) {
		logins_end(l);
		return true;
	}
	r = get(&l->spool, l->file, l->stamp);
	l->whole = !r.good;
	l->fresh = true;
	if (!wait_for(l, l->whole)) {
		logins_end(l);
		return fail_set(f, FAIL_TEMP, STAGE_REST, 0,
		    "other processes have been busy with the login of %s at %s for %d seconds",
		    k->where, k->host, LOGINS_WAIT_S);
	}
	r = get(&l->spool, l->file, l->stamp);
	if (r.rest.tries > 0)
		l->ages = ages_now(&l->spool);
	if (r.rest.tries > 0 && rests(l, &r, &l->ages, &l->rule)) {
		logins_end(l);
		return say_rest(&r, k, f);
	}
	if (r.out_until > (uint64_t)(l->now_us / 1000000) &&
	    r.out_until <= (uint64_t)(l->now_us / 1000000) + LOGINS_LEFT_OUT_S)
		(void)snprintf(left_out, LOGIN_NAMES_MAX, "%s", r.out);
	return true;
}

/* A refusal.  The first one of this attempt, or the first of all processes that began while the
 * login was known to be good, begins a rest. */
static void
note_refusal(struct logins *l, struct record *r, const char *words)
{
	struct fail f = FAIL_INIT;
	bool first = l->whole ? l->fresh : r->good;

	(void)fail_set(&f, FAIL_TEMP, STAGE_AUTH, 0, "%s", words);
	if (first) {
		l->ages = ages_now(&l->spool);
		host_record_failed(&r->rest, &f, &l->ages, &l->rule);
		r->refusals = 0;
		r->began_us = (uint64_t)l->now_us;
	} else {
		(void)snprintf(r->rest.error, sizeof r->rest.error, "%s", f.text);
	}
	l->fresh = false;
	r->good = false;
	r->refusals++;
}

static void
leave_out(const struct logins *l, struct record *r, const char *mechanism)
{
	uint64_t now = (uint64_t)(l->now_us / 1000000);
	size_t n;

	if (r->out_until <= now)
		r->out[0] = '\0';
	n = strlen(r->out);
	(void)snprintf(r->out + n, sizeof r->out - n, "%s%s", n > 0 ? " " : "", mechanism);
	r->out_until = now + LOGINS_LEFT_OUT_S;
}

static bool
note_success(struct record *r)
{
	if (r->good && r->rest.tries == 0)
		return false;
	r->good = true;
	r->refusals = 0;
	r->rest = (struct host_record){ .last_success = r->rest.last_success };
	return true;
}

bool
logins_tell(struct logins *l, enum login_news what, const char *mechanism, const char *words)
{
	struct record r;
	bool news = true;

	if (!l->open || l->fd < 0)
		return true;
	lock_record(l, F_WRLCK);
	r = get(&l->spool, l->file, l->stamp);
	if (what == LOGIN_NO)
		note_refusal(l, &r, words);
	else if (what == LOGIN_HUNG_UP)
		leave_out(l, &r, mechanism);
	else
		news = note_success(&r);
	if (news)
		put(l, &r);
	lock_record(l, F_UNLCK);
	if (what != LOGIN_NO)
		return true;
	if (!l->whole) { /* what the others are at counts, too */
		(void)lock(l, 0, LOGIN_REFUSALS_MAX, F_UNLCK);
		l->whole = wait_for(l, true);
		r = get(&l->spool, l->file, l->stamp);
	}
	return l->whole && r.refusals < LOGIN_REFUSALS_MAX;
}

void
logins_end(struct logins *l)
{
	if (l->open) {
		spool_close(&l->spool);
		if (l->fd >= 0)
			(void)close(l->fd);
	}
	l->open = false;
	l->fd = -1;
}
