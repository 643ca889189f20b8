/* submission.h - header fix-ups for a locally submitted message, in Exim's order
 * (doc/EXIM 6).
 *
 * Pure: the caller's identity, the clock and the id come as arguments. */
#ifndef ONEHOP_FRONT_SUBMISSION_H
#define ONEHOP_FRONT_SUBMISSION_H

#include "mail/message.h"
#include "mail/recipients.h"

/* Who calls, from the passwd entry of the real uid; and what the command line says of the
 * sender. */
struct submitter {
	const char *login;
	const char *gecos_name; /* gecos up to the first "," or ":", & expanded; or -F */
	unsigned uid;
	bool trusted;          /* root or one of trusted_users */
	bool name_given;       /* gecos_name is -F's */
	bool sender_given;     /* -f or -r, or a From_ line; else sender is login@qualify_domain */
	struct mailbox sender; /* qualified; local.n == 0 and sender_given: the null sender */
	const char *protocol;  /* Received's "with"; NULL: "local" (-bs: "local-esmtp") */
	const char *helo;      /* -bs: the name EHLO gave, checked by the caller; else NULL */
};

struct submission_time {
	int64_t now;    /* seconds */
	const char *id; /* Exim message id */
};

/* All of section 6 but -t: removes what never leaves (Return-Path, Envelope-To, Delivery-Date, Bcc
 * and Resent-Bcc), completes From, Message-ID, Date, Received, rewrites and qualifies.  With
 * force_sender an untrusted who->sender is not used (the null sender is), and Sender says who it
 * was.  rcpts is for Received's "for" (only when there is exactly one).
 * False: PERM/INPUT, exit 65: a field outgrows HEADER_MAX when its addresses are completed; TEMP:
 * the map of senders could not be read any more. */
bool submission_fix(struct message *m, const struct rewrite *r, struct submitter *who,
    const struct recipients *rcpts, const struct submission_time *t, struct fail *f) NODISCARD;
#endif
