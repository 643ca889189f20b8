/* smarthost.h - one message to the first host of a list that takes it.
 *
 * TLS and AUTH policy are in net/policy.h (doc/ARCHITECTURE 6).  A host that cannot be reached,
 * greets with a refusal, fails at TLS or at the login, or says 4xx to the sender or the message
 * gives way to the next; what a host says with 5xx about the sender, a recipient or the message is
 * final.  A 4xx to the sender over a connection that has delivered is asked again over a fresh one;
 * refused there, too, it is the host that takes no more for now. */
#ifndef ONEHOP_NET_SMARTHOST_H
#define ONEHOP_NET_SMARTHOST_H

#include "base/trace.h"
#include "conf/conf.h"
#include "mail/message.h"
#include "net/resolve.h"
#include "wire/envelope.h"

/* A connection made before the message was complete (the caller is still reading its stdin):
 * connected, greeted, encrypted and logged in, ready for MAIL. */
struct smarthost;
struct secret;

/* c, a and t must outlive it; results of deliveries have strings in a. */
struct smarthost *smarthost_new(const struct conf *c, struct arena *a, const struct trace *t);
/* What the tls_ options name was read before. */
struct tls_files;
void smarthost_files(struct smarthost *h, const struct tls_files *files);
/* The passwords are another's to read: ask is called for each; without it there is no login.  What
 * is seen of a host is another's to remember: tell is called with each SEEN_... that is new. */
void smarthost_ask_secret(struct smarthost *h,
    bool (*ask)(
	void *ctx, const char *configured, const char *canonical, struct secret *s, struct fail *f),
    void (*tell)(void *ctx, const char *configured, unsigned news), void *ctx);
/* Sockets by path are another's to connect to (net/connect.h), and names another's to look up
 * (net/resolve.h), with the same ctx. */
void smarthost_reach(struct smarthost *h, int (*open_path)(void *ctx, const char *path),
    bool (*ask_name)(void *ctx, const struct host *host, const struct resolve_options *o,
	struct answer *out, struct fail *f));
/* And so is what became of a login (net/auth.h), with the same ctx. */
struct login_told;
void smarthost_tell_login(struct smarthost *h,
    bool (*tell)(void *ctx, const char *configured, const struct login_told *t,
	struct buf *left_out, struct fail *f));
/* Connect and log in to the hosts of this list, without a message.  When none can be had, the next
 * smarthost_deliver() to this list says why, without another try. */
void smarthost_warm(struct smarthost *h, const char *hosts);
/* Deliver to all recipients of e that are RCPT_WAITING and have hosts; each gets its state
 * (RCPT_RETRY when no host could be asked) and, when a server was reached, host and ip.
 * m and the addresses in e are not changed (hide_mailname works on copies).
 * False: some are RCPT_RETRY for a reason that concerns a host, not them; *f is the last of these.
 * The connection is kept for the next message.
 * From the moment that a server may have it the signals of base/stop.h are held back: the caller
 * releases them when he has made known what became of it. */
bool smarthost_deliver(
    struct smarthost *h, struct envelope *e, struct message *m, struct fail *f) NODISCARD;
/* For a message that is not safe on disk yet, whose caller still owns it: before a server is given
 * its text, ask; part: the server refused some of its recipients.  False (with *f) stops it, nobody
 * has it then. */
void smarthost_before_text(
    struct smarthost *h, bool (*ask)(void *ctx, bool part, struct fail *f), void *ctx);
/* For a queue run: a list of which no host could be used is not tried a second time, and further
 * messages for it fail as the first did. */
void smarthost_try_once(struct smarthost *h);
void smarthost_free(struct smarthost *h);
#endif
