/* attempt.h - one attempt at one message: its routes, each one's result, the journal. */
#ifndef ONEHOP_SEND_ATTEMPT_H
#define ONEHOP_SEND_ATTEMPT_H

#include "send/decide.h"
#include "send/deliver.h"

/* Where the message is, and so who answers for it. */
enum place {
	WITH_CALLER,    /* nothing is on disk */
	IN_SPOOL,       /* it is committed: what is done is journalled */
	IN_SPOOL_STALE, /* what is done is not in the journal: -H has to say it */
	REMOVED,        /* from the spool: all is done */
};

/* Each try would say the same of all. */
enum { ATTEMPT_DEFERRALS = 100 };

struct attempt {
	struct delivery *d;
	struct queued *q;
	enum place place;
	bool noted; /* attempt_note_trouble() was here */
	bool left;  /* to another process, which was forked: nothing more is done here */
	struct routes routes;
	size_t *first;             /* routes of rcpts[i]: first[i] to first[i + 1] */
	struct rcpt *results;      /* one per route */
	bool *done;                /* of a route: the journal has it, or an earlier attempt had */
	size_t deferred, unlogged; /* recipients who wait; those without a line */
};

static inline struct pieces
attempt_pieces(const struct attempt *t)
{
	return (struct pieces){ &t->routes, t->results, t->done };
}

/* Route every recipient that is not RCPT_SENT, and mark what is done already.  False: a table
 * cannot be read: nothing is known of any. */
bool attempt_route(struct attempt *t, struct fail *f) NODISCARD;
/* Hand over all that waits, remote deliveries first; each is journalled once the message is safe.
 */
void attempt_make(struct attempt *t);
/* Those of this state are done: the journal says so, or, when nothing is left, the removal of the
 * message. */
void attempt_journal(struct attempt *t, enum rcpt_state state);
/* The journal says that those of this state are done if the message id, which is made next, is in
 * the spool: should this process end before it says that they are.  False: TEMP/SPOOL. */
bool attempt_journal_if(
    struct attempt *t, enum rcpt_state state, const char *id, struct fail *f) NODISCARD;
/* Each recipient fares as the worst of what it became. */
void attempt_settle(struct attempt *t);
/* The main log line of result i.  Of recipients who wait ATTEMPT_DEFERRALS have one in an attempt;
 * of the others attempt_log_rest() says how many they are. */
void attempt_log(struct attempt *t, size_t i);
void attempt_log_rest(struct attempt *t);
/* The end of an attempt at a message that is safe (finish.c): bounce what was refused, give up what
 * is too old, warn of a delay; then the message is removed, or its -H says what is left. */
void attempt_finish(struct attempt *t);
/* Note in q why it waits and until when, and in db/ what is wrong with its host list; true: the
 * trouble is the message's own. */
bool attempt_note_trouble(struct attempt *t);
#endif
