/* listing.c - how the queue looks. */
#include "front/listing.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/date.h"
#include "base/num.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* ------------------------------------------------------------------ Exim's columns */

static void
put_age(struct buf *out, int64_t seconds)
{
	int64_t minutes = seconds > 0 ? seconds / 60 : 0, hours = (minutes + 30) / 60;

	if (minutes <= 90)
		buf_fmt(out, "%2" PRId64 "m ", minutes);
	else if (hours <= 72)
		buf_fmt(out, "%2" PRId64 "h ", hours);
	else
		buf_fmt(out, "%2" PRId64 "d ", (hours + 12) / 24);
}

static void
put_size(struct buf *out, uint64_t n)
{
	const uint64_t K = 1024, M = K * K;

	if (n < K)
		buf_fmt(out, "%5" PRIu64, n);
	else if (n < 10 * K)
		buf_fmt(out, "%4.1fK", (double)n / (double)K);
	else if (n < M)
		buf_fmt(out, "%4" PRIu64 "K", (n + K / 2) / K);
	else if (n < 10 * M)
		buf_fmt(out, "%4.1fM", (double)n / (double)M);
	else
		buf_fmt(out, "%4" PRIu64 "M", (n + M / 2) / M);
}

/* What is somebody else's goes to a terminal. */
static void
put_shown(struct buf *out, const char *before, const char *text, const char *after)
{
	buf_str(out, before);
	buf_shown(out, str_of(text));
	buf_str(out, after);
}

/* Both lines have an address, because exiqgrep -a takes whatever stands under a message for a
 * recipient, and stops at what has no @. */
static void
put_trouble(struct buf *out, const struct control_message *m, int64_t now)
{
	AUTO_BUF struct buf who = BUF_INIT(4096);
	char date[DATE_MAX];
	size_t n = 0;

	for (size_t i = 0; i < m->nrcpts; i++)
		if (*m->rcpts[i] == ' ' && n++ == 0)
			put_shown(&who, "", m->rcpts[i] + 2, "");
	if (n == 0)
		return;
	if (n > 1)
		buf_fmt(&who, " and %zu more", n - 1);
	if (m->error[0] != '\0')
		buf_fmt(out, "        last error for %.*s: %s\n", S_ARG(buf_get(&who)), m->error);
	if (!m->frozen)
		buf_fmt(out, "        next try for %.*s: %s\n", S_ARG(buf_get(&who)),
		    m->next_try > now ? date_log(m->next_try, date) : "the next queue run");
}

void
listing_columns(
    struct buf *out, const struct control_message *m, enum listing_form form, int64_t now)
{
	if (m->bad) {
		if (form == LISTING_FULL)
			buf_fmt(out, "           %s *** spool format error: %s ***\n\n", m->id,
			    m->error);
		return;
	}
	if (form == LISTING_IDS) {
		buf_fmt(out, "%s\n", m->id);
		return;
	}
	put_age(out, now - m->received);
	put_size(out, m->size);
	buf_fmt(out, " %s", m->id);
	put_shown(out, " <", m->sender, m->frozen ? "> *** frozen ***\n" : ">\n");
	for (size_t i = 0; i < m->nrcpts; i++)
		if (*m->rcpts[i] == ' ' || form != LISTING_UNDELIVERED)
			put_shown(out, "        ", m->rcpts[i], "\n");
	if (form == LISTING_FULL)
		put_trouble(out, m, now);
	buf_char(out, '\n');
}

/* ------------------------------------------------------------------ JSON */

static void
put_string(struct buf *out, const char *z)
{
	struct str s = str_of(z);

	buf_char(out, '"');
	while (s.n > 0) {
		size_t n = str_utf8(s);

		if (n == 0 || str_shown(s) == 0)
			buf_fmt(
			    out, "\\u%04x", n == 0 ? (unsigned char)*s.p : str_code(s) & 0xffff);
		else if (*s.p == '"' || *s.p == '\\')
			buf_fmt(out, "\\%c", *s.p);
		else
			buf_add(out, s.p, n);
		s = str_skip(s, n > 0 ? n : 1);
	}
	buf_char(out, '"');
}

/* ,"name":value for each; a time that is not known is null. */
static void
put_named(struct buf *out, const char *name, const char *s)
{
	buf_fmt(out, ",\"%s\":", name);
	put_string(out, s);
}

static void
put_time(struct buf *out, const char *name, int64_t when)
{
	buf_fmt(out, ",\"%s\":", name);
	if (when > 0)
		buf_fmt(out, "%" PRId64, when);
	else
		buf_str(out, "null");
}

static void
put_flag(struct buf *out, const char *name, bool flag)
{
	buf_fmt(out, ",\"%s\":%s", name, flag ? "true" : "false");
}

static void
put_list(struct buf *out, const char *name, const struct control_message *m, char which)
{
	const char *between = "";

	buf_fmt(out, ",\"%s\":[", name);
	for (size_t i = 0; i < m->nrcpts; i++) {
		if (*m->rcpts[i] != which)
			continue;
		buf_str(out, between);
		put_string(out, m->rcpts[i] + 2);
		between = ",";
	}
	buf_char(out, ']');
}

void
listing_json(struct buf *out, const struct control_message *m)
{
	buf_str(out, "{\"id\":");
	put_string(out, m->id);
	put_flag(out, "damaged", m->bad);
	put_named(out, "sender", m->sender);
	put_named(out, "login", m->login);
	buf_fmt(out, ",\"size\":%" PRIu64, m->size);
	put_time(out, "received", m->received);
	put_flag(out, "frozen", m->frozen);
	put_time(out, "frozen_at", m->frozen ? m->frozen_at : 0);
	put_time(out, "next_try", m->frozen ? 0 : m->next_try);
	put_named(out, "error", m->error);
	put_list(out, "waiting", m, ' ');
	put_list(out, "delivered", m, 'D');
	buf_char(out, '}');
}

/* ------------------------------------------------------------------ status */

bool
listing_is_alarm(const struct control_status *s)
{
	return s->oldest > 0 && s->alarm_after > 0 && s->waited >= s->alarm_after;
}

void
listing_status(struct buf *out, const struct control_status *s)
{
	char age[48], date[DATE_MAX];

	buf_fmt(out, "messages: %" PRIu64 " (%" PRIu64 " frozen)\n", s->messages, s->frozen);
	if (s->bad > 0)
		buf_fmt(out, "damaged files: %" PRIu64 " (mailq names them)\n", s->bad);
	if (s->oldest > 0)
		buf_fmt(out, "oldest: %s, it has waited %s\n", date_log(s->oldest, date),
		    num_format_seconds(s->waited, age));
	buf_fmt(out, "last success: %s\n",
	    s->last_success > 0 ? date_log(s->last_success, date) : "not known");
	if (s->error[0] != '\0')
		buf_fmt(out, "last error: %s: %s\n", date_log(s->last_failure, date), s->error);
	if (listing_is_alarm(s))
		buf_fmt(out, "ALARM: mail waits longer than queue_alarm_after = %s\n",
		    num_format_seconds(s->alarm_after, age));
}

void
listing_status_json(struct buf *out, const struct control_status *s)
{
	buf_fmt(out, "{\"messages\":%" PRIu64 ",\"frozen\":%" PRIu64 ",\"damaged\":%" PRIu64,
	    s->messages, s->frozen, s->bad);
	put_time(out, "oldest", s->oldest);
	buf_fmt(out, ",\"oldest_seconds\":%" PRIu64, s->waited);
	put_time(out, "last_success", s->last_success);
	put_time(out, "last_failure", s->last_failure);
	put_named(out, "error", s->error);
	buf_fmt(out, ",\"alarm_after\":%" PRIu64, s->alarm_after);
	put_flag(out, "alarm", listing_is_alarm(s));
	buf_str(out, "}\n");
}

void
listing_status_prometheus(struct buf *out, const struct control_status *s)
{
	const struct {
		const char *name, *help;
		uint64_t value;
	} rows[] = {
		{ "queue_messages", "Messages that wait.", s->messages },
		{ "queue_frozen_messages", "Those of them that are frozen.", s->frozen },
		{ "queue_damaged_files", "Files that were set aside.", s->bad },
		{ "queue_oldest_seconds", "How long the oldest message has waited.", s->waited },
		{ "queue_alarm", "1 when that is longer than queue_alarm_after.",
		    listing_is_alarm(s) },
		{ "last_success_timestamp_seconds", "When a smarthost last took a message.",
		    (uint64_t)s->last_success },
		{ "last_failure_timestamp_seconds", "When a try last failed; 0: nothing fails.",
		    (uint64_t)s->last_failure },
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		buf_fmt(out, "# HELP onehop_%s %s\n# TYPE onehop_%s gauge\nonehop_%s %" PRIu64 "\n",
		    rows[i].name, rows[i].help, rows[i].name, rows[i].name, rows[i].value);
}
