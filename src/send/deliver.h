/* deliver.h - a message that was just submitted, or one that waits: what is done with it (Exim's
 * deliver.c).
 *
 * Direct first: a message that is one transaction with the smarthost, or one local delivery, goes
 * out with nothing on disk.  Any other is committed to the spool before, so that there is no moment
 * at which some have it and nobody owns the rest. */
#ifndef ONEHOP_SEND_DELIVER_H
#define ONEHOP_SEND_DELIVER_H

#include "base/trace.h"
#include "conf/conf.h"
#include "send/courier.h"
#include "send/logfile.h"
#include "send/peer.h"
#include "spool/hosts.h"

struct delivery {
	const struct conf *conf;
	struct arena *arena;
	const struct trace *trace;
	struct peer *caller;     /* hears whose the message is */
	struct logfile *log;     /* its id is the message's in turn */
	struct courier *courier; /* may have been warmed */
	bool verbose;            /* the caller wants to see the session */
	int64_t now;
	struct spool spool; /* opened when it is needed */
	bool spooling;
	struct ages ages;
	struct retry rule;
	int64_t forced_us;         /* an administrator asked then for what rests; 0: nobody did */
	int64_t last_id;           /* clock of the last id made here, half milliseconds */
	const char *failed_hosts;  /* whose failure is in db/ already, in this run */
	const char *good_hosts;    /* a list of which a server took a message */
	bool good_noted;           /* db/ says so */
	char (*offspring)[ID_MAX]; /* bounces and warnings made, to be tried next */
	size_t noffspring;
	struct way *ways; /* private to run.c, as what follows */
	bool running;     /* a queue run, whose lock is: */
	int run_lock;
	bool along;       /* some messages after a submission: it may end at any of them */
	bool over;        /* it has ended: the lock is gone */
	bool alone;       /* this process is there for the message that the run has left */
	int64_t purse_ms; /* for what users have at home, in all; then little is waited for */
};

/* A server took something: what was wrong with its list is over, and db/ says when that was; once,
 * and for mail that went at once no more than each minute. */
void delivery_note_success(struct delivery *d);
/* Open the spool, once.  False: TEMP/SPOOL. */
bool delivery_spool(struct delivery *d, bool make, struct fail *f) NODISCARD;

/* n->e.id and n->received become now; no other message made here has that id: there is one for each
 * half millisecond. */
void delivery_new_id(struct delivery *d, struct queued *n);

/* A submission, the caller waits.  Every recipient of q->e gets a state: RCPT_SENT, RCPT_KEPT (it
 * is in the spool, or a bounce is), or all of them RCPT_REFUSED, RCPT_RETRY, RCPT_WAITING: then
 * nobody has it and it is nowhere.  What is in the spool stays locked until spool_release(). */
void deliver_now(struct delivery *d, struct queued *q);
/* It was broken off before a server or a mailbox could have it: the caller has it still. */
bool deliver_was_stopped(const struct queued *q);
/* A submission that is only put into the spool; it stays locked until spool_release(), and its
 * recipients are RCPT_KEPT; q->trouble.error, which says why, is logged.  False: TEMP: it cannot be
 * kept, and nothing was done. */
bool deliver_keep(struct delivery *d, struct queued *q, struct fail *f) NODISCARD;
/* One attempt at a message that is in the spool and locked by us. */
void deliver_queued(struct delivery *d, struct queued *q);
/* End it: those who still wait are refused for this reason, and the sender gets a bounce. */
void deliver_give_up(struct delivery *d, struct queued *q, const char *reason);
#endif
