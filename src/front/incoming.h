/* incoming.h - one transaction of -bs or -bS, from MAIL to the reply to its message.
 *
 * What is refused is a struct fail with the reply in it: smtp, dsn and text. */
#ifndef ONEHOP_FRONT_INCOMING_H
#define ONEHOP_FRONT_INCOMING_H

#include "front/command.h"
#include "front/handover.h"
#include "front/intake.h"

enum { INCOMING_DROPPED_MAX = 64 << 20 }; /* octets of a refused message that are still read */

struct incoming {
	struct session_start *start;
	struct arena arena; /* of this transaction */
	bool open;          /* MAIL was taken */
	bool chunked;       /* the message comes by BDAT, and has begun */
	struct handover h;
	struct mail_command mail;
	struct rcpt_command *rcpts; /* as h.rcpts.list */
	uint64_t taken;             /* RCPT commands, those for the same recipient too */
	struct intake *intake;
	uint64_t size, dropped; /* octets that came; since it failed */
	struct fail fail;       /* the reply to the message, though it must be read */
};

/* No transaction. */
void incoming_init(struct incoming *in, struct session_start *start);
/* What came so far is forgotten. */
void incoming_reset(struct incoming *in);
/* MAIL: helo (may be NULL) and protocol are Received's, and last as long as in. */
bool incoming_mail(struct incoming *in, struct str argument, const char *helo, const char *protocol,
    struct fail *f) NODISCARD;
bool incoming_rcpt(struct incoming *in, struct str argument, struct fail *f) NODISCARD;
/* The message begins, behind DATA or the first BDAT: onehop-send is started.  What goes wrong now
 * is said at its end, because a client that does not wait for replies sends it in any case. */
void incoming_data(struct incoming *in);
/* Its next octets.  False: it was refused long ago, and the client does not stop. */
bool incoming_feed(struct incoming *in, struct str octets) NODISCARD;
/* It is whole: hand it over.  True: the message with in->h.envelope.id is taken. */
bool incoming_end(struct incoming *in, struct fail *f) NODISCARD;
/* Make any failure a reply (smtp, dsn): 4xx or 5xx by what the caller of sendmail would be told by
 * an exit status; 552 for a message that is too large. */
void incoming_reply(struct fail *f);
#endif
