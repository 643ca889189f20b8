/* courier.h - net/smarthost.h in a process of its own, which is confined (guard/confine.h).
 *
 * What a server sends is read there, TLS and its certificates with it; the spool, the log, local
 * deliveries and the passwords stay here.  The process starts at the first use, and sees nothing
 * but what it is told:
 *
 *   to the courier                          from the courier
 *   C hosts: connect now                    T kind + line: trace
 *   L hosts, is the message the caller's,   S names of a host: which password is for it?
 *     is a list tried once; then the        K name of a host: what was seen of it
 *     message as in wire/submit.h          P may the text go, to all or to some?
 *   s the credential; p go on, or why not   A a login begins, was refused, taken, is over
 *   a go on, or why not                     V what became of one recipient, in order
 *   Q that was all                          Z the end; the fail, if any
 *
 * A signal to stop (base/stop.h), which is held back here, is passed on to it: it ends, unless a
 * server may have the message: then the reply is waited for.  Nothing is begun any more.
 *
 * A courier that ends before Z (killed by its filter, say) is a temporary failure of those who had
 * no V; the next use starts another. */
#ifndef ONEHOP_SEND_COURIER_H
#define ONEHOP_SEND_COURIER_H

#include "base/trace.h"
#include "conf/conf.h"
#include "mail/message.h"
#include "wire/envelope.h"

struct courier;

/* c, a and t must outlive it; c as it is at the first use counts.  everything: trace lines besides
 * the log's are wanted too. */
struct courier *courier_new(
    const struct conf *c, struct arena *a, const struct trace *t, bool everything);
/* As smarthost_warm() and smarthost_try_once(). */
void courier_warm(struct courier *c, const char *hosts);
void courier_try_once(struct courier *c);
/* An administrator asks, since now_us: what rests (spool/logins.h) is tried once more. */
void courier_force(struct courier *c, int64_t now_us);
/* For messages that their caller still owns: ask before one goes to some of its recipients alone;
 * false (with *f) stops it, nobody has it then.  If this process or who it serves ends, none goes
 * any more, in part or whole. */
void courier_before_part(struct courier *c, bool (*ask)(void *ctx, struct fail *f), void *ctx);
/* As smarthost_deliver(); all recipients of e are RCPT_WAITING and have the same hosts. */
bool courier_deliver(
    struct courier *c, const struct envelope *e, struct message *m, struct fail *f) NODISCARD;
/* After a fork: it is the other process's alone. */
void courier_leave(struct courier *c);
/* It says QUIT and ends; the courier can be used again. */
void courier_free(struct courier *c);
#endif
