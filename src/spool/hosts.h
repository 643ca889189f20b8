/* hosts.h - what is known between runs of a host list, db/host.LIST, and of a host, db/seen.NAME:
 * small files that may be lost. */
#ifndef ONEHOP_SPOOL_HOSTS_H
#define ONEHOP_SPOOL_HOSTS_H

#include "conf/retry.h"
#include "spool/ages.h"

struct host_record {
	unsigned tries;             /* failures since the last success; 0: nothing is wrong */
	uint64_t first_failed;      /* spool's clock */
	int64_t last_try, next_try; /* wall clock */
	int64_t last_success;       /* wall clock, 0: never seen */
	char error[FAIL_TEXT];      /* of the last failure */
};

/* A line of its file; false: it is none.  All lines of it.  One more failure, at a's time. */
bool host_record_line(struct str line, struct host_record *r) NODISCARD;
void host_record_put(const struct host_record *r, struct buf *b);
void host_record_failed(
    struct host_record *r, const struct fail *f, const struct ages *a, const struct retry *rule);
/* What is known of hosts (dc_smarthost syntax); all zero when nothing is. */
void hosts_read(const struct spool *s, const char *hosts, struct host_record *r);
/* It could not be used (f): count, next_try by the rule.  A success (f NULL) clears the failure. */
void hosts_note(const struct spool *s, const char *hosts, const struct fail *f,
    const struct ages *a, const struct retry *rule);
/* May it be tried?  Also when next_try lies further ahead than the rule's longest interval: the
 * clock was set back. */
bool hosts_due(const struct host_record *r, const struct ages *a, const struct retry *rule);
/* What was seen of one host (the name in the list): SEEN_... of wire/told.h, of which some is
 * forgotten in time (now: wall clock); *file: its path, in the arena, for the sentence that tells
 * how it is forgotten at once. */
unsigned hosts_seen(
    const struct spool *s, const char *name, int64_t now, struct arena *a, const char **file);
/* Add to it what was seen now. */
void hosts_saw(const struct spool *s, const char *name, int64_t now, unsigned news);
/* For status: the latest success, and the error of the list that failed last ("" when none fails),
 * over all lists. */
void hosts_summary(const struct spool *s, struct host_record *r);
/* No storm: count one bounce of uid's mail to sender in this hour; false: it has had
 * BOUNCES_PER_HOUR, or uid's mail has had bounces to too many senders. */
enum { BOUNCES_PER_HOUR = 100 };
bool bounces_allow(const struct spool *s, const char *sender, unsigned uid, const struct ages *a);
#endif
