/* bounces.c - no storm: how many bounces each sender had in this hour. */
#include <inttypes.h>

#include "base/num.h"
#include "spool/hosts.h"
#include "spool/note.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* More senders than this in one hour, and the one that began first is forgotten; but one user's
 * mail (port 25's is user onehop's, whoever speaks there) brings in no more than USERS_SENDERS of
 * them, so that nobody makes a count be forgotten by senders that he invents.  Root may. */
enum { SENDERS_MAX = 256, USERS_SENDERS = 128, HOUR = 3600 };

struct share {
	uint64_t since, n, uid; /* uid: whose mail brought the sender in */
	struct str sender;
};

struct shares {
	struct share list[SENDERS_MAX];
	size_t n;
};

/* "SINCE N UID SENDER" */
static bool
share_parse(struct str line, struct share *out)
{
	*out = (struct share){ .n = 0 };
	if (!num_parse(str_cut(&line, ' '), UINT64_MAX, &out->since) || line.p == NULL ||
	    !num_parse(str_cut(&line, ' '), BOUNCES_PER_HOUR, &out->n) || line.p == NULL ||
	    !num_parse(str_cut(&line, ' '), UINT32_MAX, &out->uid) || line.p == NULL)
		return false;
	out->sender = line;
	return true;
}

/* What is damaged is as if nothing had been sent. */
static void
shares_parse(struct str text, const struct ages *a, struct shares *out)
{
	struct share one;

	while (text.n > 0 && out->n < SENDERS_MAX)
		if (share_parse(str_cut(&text, '\n'), &one) && one.since <= a->count &&
		    a->count - one.since < HOUR)
			out->list[out->n++] = one;
}

/* The sender's own, a new one if need be.  NULL: uid has brought in enough. */
static struct share *
share_of(struct shares *all, struct str sender, unsigned uid, const struct ages *a)
{
	struct share *oldest = &all->list[0];
	size_t his = 0;

	for (size_t i = 0; i < all->n; i++) {
		if (str_eq(all->list[i].sender, sender))
			return &all->list[i];
		if (all->list[i].since < oldest->since)
			oldest = &all->list[i];
		his += all->list[i].uid == uid;
	}
	if (uid != 0 && his >= USERS_SENDERS)
		return NULL;
	if (all->n < SENDERS_MAX)
		oldest = &all->list[all->n++];
	*oldest = (struct share){ .since = a->count, .uid = uid, .sender = sender };
	return oldest;
}

bool
bounces_allow(const struct spool *s, const char *sender, unsigned uid, const struct ages *a)
{
	AUTO_BUF struct buf in = BUF_INIT(NOTE_MAX);
	AUTO_BUF struct buf out = BUF_INIT(NOTE_MAX);
	struct shares all = { .n = 0 };
	struct share *own;

	if (note_read(s, "bounces", &in))
		shares_parse(buf_get(&in), a, &all);
	own = share_of(&all, str_of(sender), uid, a);
	if (own == NULL || own->n == BOUNCES_PER_HOUR)
		return false;
	own->n++;
	for (size_t i = 0; i < all.n; i++)
		buf_fmt(&out, "%" PRIu64 " %" PRIu64 " %" PRIu64 " %.*s\n", all.list[i].since,
		    all.list[i].n, all.list[i].uid, S_ARG(all.list[i].sender));
	note_write(s, "bounces", &out);
	return true;
}
