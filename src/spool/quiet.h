/* quiet.h - db/quiet: until when nothing that waits can be due, so that a delivery that went well
 * need not look through the queue for what could go along.
 *
 * Written by who looked at everything and found nothing left to do.  It holds for minutes, in this
 * boot (it is not synced), with these rules, while the clock goes forward and the host lists for
 * which mail waits rest.  Whoever puts a message into the spool, or changes one, adds its id before
 * that can be seen: such messages are looked at.  A record that is lost, cut or changed is none:
 * then everything is looked at, and a queue run does so always. */
#ifndef ONEHOP_SPOOL_QUIET_H
#define ONEHOP_SPOOL_QUIET_H

#include "spool/hosts.h"

enum { QUIET_IDS = 16, QUIET_HOSTS = 8, QUIET_SECONDS = 15 * 60 };

/* When, and by which rules; strings are made in arena. */
struct quiet_at {
	const struct spool *spool;
	const struct ages *ages;
	const struct retry *rule;
	const char
	    *rules; /* all that decides when mail is due, and is not in the spool: one line */
	struct arena *arena;
};

struct quiet {
	int64_t made, until; /* wall clock */
	const char *hosts[QUIET_HOSTS];
	size_t nhosts;
	char ids[QUIET_IDS][ID_MAX]; /* to be looked at */
	size_t nids;
	int fd;       /* of the record that is being made; -1: none is */
	bool doubted; /* it shall not be made */
	struct arena *arena;
};

#define QUIET_NONE \
	{ \
		.fd = -1 \
	}

/* What the record says.  False: there is none that holds now, or one of its host lists is due, or
 * is good: one of which a server is known to take mail again (or NULL). */
bool quiet_read(const struct quiet_at *at, const char *good, struct quiet *q) NODISCARD;

/* Make it anew; the caller has the queue run's lock.  all: say nothing of the old one.
 * True: what it said is said again, and it is enough to look at few[*n]; false: at everything. */
bool quiet_begin(const struct quiet_at *at, bool all, struct quiet *q, char few[QUIET_IDS][ID_MAX],
    size_t *n) NODISCARD;
/* A message that was looked at: is due then; waits for this list; is to be looked at again. */
void quiet_until(struct quiet *q, int64_t when);
void quiet_for(struct quiet *q, const char *hosts);
void quiet_again(struct quiet *q, const char *id);
/* Something is not known, so that all must be looked at again. */
void quiet_doubt(struct quiet *q);
/* From now on it holds, unless there was a doubt. */
void quiet_end(const struct quiet_at *at, struct quiet *q);

/* Before and after the -H file of id gets its name. */
bool quiet_change(const struct spool *s, const char *id) NODISCARD;
void quiet_changed(const struct spool *s, bool change);
#endif
