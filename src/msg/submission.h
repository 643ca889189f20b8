/* submission.h - header fix-ups for a locally submitted message, in Exim's order
 * (EXIM-SEMANTICS 6).
 *
 * Pure: the caller's identity, the clock and the id come as arguments. */
#ifndef ONEHOP_MSG_SUBMISSION_H
#define ONEHOP_MSG_SUBMISSION_H

#include "addr/rewrite.h"
#include "msg/message.h"

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

/* Zero it before the first use. */
struct recipients {
	struct mailbox *list; /* qualified; as given, duplicates merged */
	bool *unqualified;    /* list[i] had no domain as given: alias lookup comes first */
	size_t n;
	size_t *slots; /* private: hash of list */
	size_t nslots; /* private */
};

struct submission_time {
	int64_t now;    /* seconds */
	const char *id; /* Exim message id */
};

/* Add m (qualified) unless it is there already.  Returns its index in list. */
size_t recipients_add(struct recipients *r, struct arena *a, struct mailbox m, bool unqualified);
bool recipients_has(const struct recipients *r, struct mailbox m);
/* Add every address of an RFC 5322 list, qualified: an argument (field is empty), or the body of
 * the field of that name.  False: USER/ADDRESS for a bad address with Exim's reason, or
 * USER/ARGS for more than recipients_max; the mail is not to be sent. */
bool recipients_add_list(struct recipients *r, const struct rewrite *rw, struct str text,
    struct str field, struct fail *f) NODISCARD;
/* Add the recipients of To, Cc and Bcc, or of the Resent- forms alone when any Resent- field exists
 * (-t), to what is in *out (the arguments, when they count too).
 * A bad address is USER/ADDRESS with the field's name: nothing is sent.
 * No recipient, in *out neither: USER/ARGS, exit 64. */
bool submission_recipients(
    struct message *m, const struct rewrite *r, struct recipients *out, struct fail *f) NODISCARD;
/* All of section 6 but -t: removes what never leaves (Return-Path, Envelope-To, Delivery-Date, Bcc
 * and Resent-Bcc), completes From, Message-ID, Date, Received, rewrites and qualifies.  With
 * force_sender an untrusted who->sender is not used (the null sender is), and Sender says who it
 * was.  rcpts is for Received's "for" (only when there is exactly one).
 * False: PERM/INPUT, exit 65: a field outgrows HEADER_MAX when its addresses are completed; TEMP:
 * the map of senders could not be read any more. */
bool submission_fix(struct message *m, const struct rewrite *r, struct submitter *who,
    const struct recipients *rcpts, const struct submission_time *t, struct fail *f) NODISCARD;
#endif
