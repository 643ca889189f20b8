/* stamp.h - what says when a message came, from whom, and under which id: Received, Message-Id,
 * Date.
 */
#ifndef ONEHOP_MAIL_STAMP_H
#define ONEHOP_MAIL_STAMP_H

#include "mail/message.h"

struct stamp {
	int64_t now;          /* seconds */
	const char *id;       /* Exim message id */
	const char *host;     /* primary_hostname */
	const char *login;    /* of who made it */
	const char *helo;     /* -bs: the name EHLO gave, or NULL */
	const char *protocol; /* Received's "with"; NULL: "local" */
	const char *sender;   /* "" is the null sender */
	const char *rcpt;     /* the only recipient, or NULL */
};

/* Message-Id (now, id and host count), Date (now), each where there is none; their Resent- forms,
 * in front, of a message that is sent again. */
void stamp_message_id(struct message *m, const struct stamp *by);
void stamp_date(struct message *m, const struct stamp *by);
/* Received, on top. */
void stamp_received(struct message *m, const struct stamp *by);
/* The message was stamped by somebody else, under an id that does not count: Received is made anew,
 * Message-Id where it was made of that id, and all three where there are none. */
void stamp_anew(struct message *m, const struct stamp *by, const char *claimed);
#endif
