/* handover.h - one message on its way from a face of onehop to onehop-send.
 *
 * What the message on stdin (front/sendmail.h) and a transaction of -bs (front/smtpd.h) have in
 * common: who sends, the fix-ups, the door, the verdicts. */
#ifndef ONEHOP_FRONT_HANDOVER_H
#define ONEHOP_FRONT_HANDOVER_H

#include "front/door.h"
#include "front/sendmail.h"
#include "front/submission.h"
#include "front/transcript.h"

struct handover {
	struct session_start *start;
	struct arena *arena; /* of this message */
	struct rewrite rewrite;
	struct submitter who;
	struct recipients rcpts;
	struct message message; /* closed by handover_end() */
	struct envelope envelope;
	char id[ID_MAX]; /* the one under which onehop-send has it */
	struct door door;
	bool greeted; /* what is behind the door was sent its hello */
	struct transcript transcript;
	struct trace trace;
	int64_t now;
	bool tried, whole; /* reading was tried; the message can be a dead letter */
};

/* A message that has nothing yet.  h must not move from here on: the trace points into it. */
void handover_begin(struct handover *h, struct session_start *start, struct arena *a);
/* The map of senders, and who the caller is: he is the sender until who.sender says otherwise.
 * False: the map or the -f address cannot be used. */
bool handover_submitter(struct handover *h, struct fail *f) NODISCARD;
/* m with qualify_domain, when it has no domain and is not the null sender. */
struct mailbox handover_qualified(const struct handover *h, struct mailbox m);
/* Start onehop-send; it connects to the smarthost at once when a recipient so far is far away.
 * A shared door is not held open while the caller thinks: handover_submit() opens it, and one that
 * could not be opened here. */
void handover_open(struct handover *h);
/* Fix up the message, give it its id, fill in the envelope: its recipients are those of rcpts, in
 * order.  False: *f. */
bool handover_fix(struct handover *h, struct fail *f) NODISCARD;
/* Hand it over and hear what became of it: every recipient of the envelope has a state.  Where
 * nothing is taken now it is tried again for a while.  A signal to stop is held back when this
 * returns (base/stop.h).
 * False: *f is for all of them, and nothing was taken. */
bool handover_submit(struct handover *h, struct fail *f) NODISCARD;
/* The exit status that the verdicts come to: EX_OK when each recipient has the message, or it is
 * kept for him.  *why is what decided it, or NULL.  What may work later outranks what never will:
 * the caller should try again; what only waited for another decides nothing. */
int handover_status(const struct handover *h, const struct fail **why);
/* Wait for onehop-send, close what is open. */
void handover_end(struct handover *h);
#endif
