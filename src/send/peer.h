/* peer.h - who asks onehop-send, as the kernel says (SO_PEERCRED), and what he may.
 *
 * Behind a shared door (front/door.h) the caller is another user than this process: then nothing
 * that he says of himself counts, and what onehop has checked as him is checked again. */
#ifndef ONEHOP_SEND_PEER_H
#define ONEHOP_SEND_PEER_H

#include <sys/time.h>

#include "base/trace.h"
#include "conf/conf.h"
#include "spool/queued.h"
#include "wire/submit.h"

enum {
	PEER_SECONDS = 300,           /* to say what he wants; to take all that he is told */
	PEER_LIFE_SECONDS = 2 * 3600, /* of this process, as the unit's RuntimeMaxSec= */
};

struct peer {
	unsigned uid, gid;
	bool foreign;            /* another user than this process, which is not root's either */
	const char *login;       /* a foreign one's */
	bool received;           /* peer_received() was here */
	struct timeval patience; /* what is left of PEER_SECONDS for what he is told */
	const struct trace *next;
	struct submit_trace *words;
};

/* Who is at the other end of fd.  False: TEMP. */
bool peer_find(struct peer *p, struct arena *a, int fd, struct fail *f) NODISCARD;
/* A foreign caller's message: q->e.login becomes his; message_size_limit, recipients_max and
 * force_sender (with trusted_users) hold.  False: PERM or USER, with the exit code that onehop
 * would have given; nothing was done. */
bool peer_may_send(const struct peer *p, const struct conf *c, struct queued *q,
    const struct trace *t, struct fail *f) NODISCARD;
/* A foreign caller who has not said all after PEER_SECONDS ends this process... */
void peer_hurry(const struct peer *p);
/* ...up to here.  From now on he can hold up nothing: he is hung up on (descriptor 0 is shut down,
 * so that each write to it fails at once) when writes to him, between true and false here, have
 * waited for PEER_SECONDS in all. */
void peer_received(struct peer *p);
/* Is he another user than this process, and not root?  What is shared is counted for him, and he
 * has no login at the smarthost before there is a message of his. */
bool peer_is_stranger(const struct peer *p);
/* The user who does not see what another's .forward says; NULL: he who asks may see all. */
const char *peer_viewer(const struct peer *p);
/* Has he been hung up on? */
bool peer_hung_up(const struct peer *p);
void peer_wait(struct peer *p, bool on);
/* Hands on to p->next, between the two. */
struct trace peer_trace(struct peer *p);
/* The caller hears, between the two, the id of his message, and that it is safe: not his any more,
 * whatever comes; or his again (wire/submit.h). */
void peer_named(struct peer *p, const char *id);
void peer_safe(struct peer *p, bool safe);
#endif
