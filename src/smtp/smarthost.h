/* smarthost.h - one message to the first host of a list that takes it.
 *
 * TLS and AUTH policy are here (DESIGN 6): never unauthenticated when there is a credential,
 * never clear text after a failed verification, reference names only as written by the administrator. */
#ifndef ONEHOP_SMTP_SMARTHOST_H
#define ONEHOP_SMTP_SMARTHOST_H

#include "base/trace.h"
#include "conf/conf.h"
#include "msg/message.h"
#include "spool/envelope.h"

/* A connection made before the message was complete (the caller is still reading its stdin): connected,
 * greeted, encrypted and logged in, ready for MAIL. */
struct smarthost;

struct smarthost *smarthost_new(const struct conf *c, struct arena *a, const struct trace *t);
/* Connect and log in to the hosts of this list, without a message.  Failure is not reported: it
 * comes again, with its words, in smarthost_deliver(). */
void smarthost_warm(struct smarthost *h, const char *hosts);
/* Deliver to all recipients of e that are RCPT_WAITING and have a transport of ours; each gets its
 * state.  False: *f is the failure that concerns all that are left waiting (or they carry their own). */
bool smarthost_deliver(struct smarthost *h, struct envelope *e, struct message *m,
    struct fail *f) NODISCARD;
void smarthost_free(struct smarthost *h);
#endif
