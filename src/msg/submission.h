/* submission.h - header fix-ups for a locally submitted message, in Exim's order (EXIM-SEMANTICS 6).
 *
 * Pure: the caller's identity, the clock and the id come as arguments. */
#ifndef ONEHOP_MSG_SUBMISSION_H
#define ONEHOP_MSG_SUBMISSION_H

#include "addr/rewrite.h"
#include "msg/message.h"

/* Who calls, from the passwd entry of the real uid; and what the command line says of the sender. */
struct submitter {
	const char *login;
	const char *gecos_name; /* gecos up to the first "," or ":", & expanded; or -F */
	unsigned uid;
	bool trusted;           /* root or one of trusted_users */
	bool sender_given;      /* -f or -r, or a From_ line */
	struct mailbox sender;  /* qualified; local.n == 0 and sender_given: the null sender */
};

struct recipients {
	struct mailbox *list; /* qualified; as given, duplicates merged */
	bool *unqualified;    /* list[i] had no domain as given: alias lookup comes first */
	size_t n;
};

struct submission_time {
	int64_t now;   /* seconds */
	const char *id; /* Exim message id */
};

/* Recipients of To, Cc and Bcc, or of the Resent- forms alone when any Resent- field exists (-t).
 * A bad address is USER/ADDRESS with the field's name: nothing is sent.
 * No recipient: USER/ARGS, exit 64. */
bool submission_recipients(struct message *m, const struct rewrite *r, struct recipients *out,
    struct fail *f) NODISCARD;
/* All of section 6 but -t: removes what never leaves (Return-Path, Bcc and Resent-Bcc ...), completes
 * From, Message-ID, Date, Received, rewrites and qualifies.  *sender becomes the rewritten
 * envelope sender.  rcpts is for Received's "for" (only when there is exactly one). */
bool submission_fix(struct message *m, const struct rewrite *r, const struct submitter *who,
    const struct recipients *rcpts, const struct submission_time *t, struct mailbox *sender,
    struct fail *f) NODISCARD;
#endif
