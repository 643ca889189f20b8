/* peer.h - who asks onehop-send, as the kernel says (SO_PEERCRED), and what he may.
 *
 * Behind a shared door (cli/door.h) the caller is another user than this process: then nothing
 * that he says of himself counts, and what onehop has checked as him is checked again. */
#ifndef ONEHOP_DELIVER_PEER_H
#define ONEHOP_DELIVER_PEER_H

#include "base/trace.h"
#include "conf/conf.h"
#include "spool/queued.h"

enum { PEER_SECONDS = 300 }; /* to say what he wants; to take an answer */

struct peer {
	unsigned uid, gid;
	bool foreign;      /* another user than this process, which is not root's either */
	const char *login; /* a foreign one's */
};

/* Who is at the other end of fd.  False: TEMP. */
bool peer_find(struct peer *p, struct arena *a, int fd, struct fail *f) NODISCARD;
/* A foreign caller's message: q->e.login becomes his; message_size_limit, recipients_max and
 * force_sender (with trusted_users) hold.  False: PERM or USER, with the exit code that onehop
 * would have given; nothing was done. */
bool peer_may_send(const struct peer *p, const struct conf *c, struct queued *q,
    const struct trace *t, struct fail *f) NODISCARD;
/* A foreign caller who says nothing, or does not take what he is told, ends this process after
 * PEER_SECONDS; false lets it run on. */
void peer_hurry(const struct peer *p, bool on);
#endif
