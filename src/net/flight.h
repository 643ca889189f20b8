/* flight.h - a whole transaction in one flight.  Private to net/transaction.c. */
#ifndef ONEHOP_NET_FLIGHT_H
#define ONEHOP_NET_FLIGHT_H

#include "net/output.h"
#include "net/session.h"

struct transaction {
	struct session *s;
	struct envelope *e;
	const size_t *which;
	size_t n;
	const struct message *m;
	struct output_plan plan;
	bool utf8;                /* MAIL says SMTPUTF8 */
	bool *asked, *accepted;   /* by place in which[]; accepted: whatever became of MAIL */
	size_t nasked, naccepted; /* naccepted: after a MAIL that was accepted */
	bool chunk;               /* the message goes with the envelope: BDAT */
	bool flown;               /* ... and has gone: from here on the server may have it */
	bool heard, heard_all;    /* of a group: the reply to MAIL; and those to RCPT */
	bool out_of_step;         /* one of them says that the group is none */
	bool mail_refused;
	bool go;             /* 354 */
	struct fail refusal; /* of the sender or the message: it concerns all */
};

/* What is in s->out, the recipients, and DATA or the message (chunk), in one write; then all the
 * replies.  Every answer is heard before the text is sent, so that the replies stay in step (RFC
 * 2920 3.1).  As session_transaction(); where PIPELINING or CHUNKING is not kept s->without has it,
 * and nobody has the message unless *f has STAGE_EOM. */
bool flight_send(struct transaction *t, struct fail *f) NODISCARD;

/* Of transaction.c.  The recipient by place in which[]. */
struct rcpt *transaction_rcpt(const struct transaction *t, size_t i);
/* Name what the next reply is to; in a group the last command said is not it. */
void transaction_about(struct transaction *t, const char *verb, const char *address);
/* RCPT for one recipient; one that cannot be said is refused here, alone. */
void transaction_say_rcpt(struct transaction *t, size_t i);
/* One reply each; false: the session is dead. */
bool transaction_hear_mail(struct transaction *t, struct fail *f) NODISCARD;
bool transaction_hear_rcpt(struct transaction *t, size_t i, struct fail *f) NODISCARD;
bool transaction_hear_data(struct transaction *t, struct fail *f) NODISCARD;
/* The reply to the end of the text: one for all; with LMTP one for each accepted recipient. */
bool transaction_hear_final(struct transaction *t, struct fail *f) NODISCARD;
/* Settle the accepted recipient i from that; first: it is the first of them. */
void transaction_settle(struct transaction *t, size_t i, bool first);
#endif
