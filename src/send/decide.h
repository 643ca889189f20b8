/* decide.h - what becomes of recipients and of a message: values in, values out.  No file, no
 * clock, no log; tests/unit/test_decide.c and test_pieces.c have a row for each case. */
#ifndef ONEHOP_SEND_DECIDE_H
#define ONEHOP_SEND_DECIDE_H

#include "conf/retry.h"
#include "route/route.h"
#include "wire/envelope.h"

/* What routing made of all recipients: routes->list[i] has results[i], and done[i] when the journal
 * or an earlier attempt has it. */
struct pieces {
	const struct routes *routes;
	const struct rcpt *results;
	const bool *done;
};

/* What a route is worth before anything is handed over. */
enum rcpt_state decide_routed(enum route_outcome outcome);
/* What a failure makes of a recipient: for now, or for good. */
enum rcpt_state decide_failed(const struct fail *f);

/* Must somebody still get piece i? */
bool decide_is_wanted(const struct pieces *p, size_t i);
/* Is it for this attempt to hand over, to a mailbox (local) or a server? */
bool decide_is_ours(const struct pieces *p, size_t i, bool local);
/* Does piece k go with piece i, in one transaction? */
bool decide_goes_with(const struct pieces *p, size_t i, size_t k);
/* Does it wait for a further attempt? */
bool decide_waits(const struct pieces *p, size_t i);

/* Is all of it one transaction of at most max recipients with the smarthost, or one local delivery,
 * so that it cannot come out in part but by the server's word before the text?  Then nothing has to
 * be on disk first. */
bool decide_is_single(const struct pieces *p, size_t max);
/* Must the caller keep it, because a right is missing for some recipient? */
bool decide_lacks_right(const struct pieces *p);
/* Is somebody refused or to wait already? */
bool decide_has_failed(const struct pieces *p);
/* Is nothing left to hand over, and somebody refused? */
bool decide_is_hopeless(const struct pieces *p);
/* Has somebody got it?  A recipient that is refused may have become others, of whom some took it.
 */
bool decide_has_reached(const struct pieces *p);
/* Is nobody left who must get it? */
bool decide_is_over(const struct pieces *p);

/* A recipient became the pieces from first up to end: it fares as the worst of them.  What may work
 * later is worse than what never will: it must not be forgotten; then comes what only waits for
 * another recipient. */
struct fate {
	enum rcpt_state state;
	const struct rcpt *by; /* whose failure it is, or NULL */
	const struct rcpt
	    *via; /* the first that has a server's reply, for a message that is sent */
};
struct fate decide_fate(const struct pieces *p, size_t first, size_t end);

/* Who answers for a message that was just tried while its caller waits. */
enum keeper {
	KEEPER_NOBODY,  /* all have it: it is done */
	KEEPER_CALLER,  /* nobody has it and nobody will: the refusal is his, and the spool has
			   nothing */
	KEEPER_STOPPED, /* it was broken off before a server or a mailbox could have it: his, too */
	KEEPER_SPOOL,   /* some have it, or it waits */
};
struct tried {
	size_t rcpts, sent, refused;
	bool safe;    /* the spool has it */
	bool reached; /* decide_has_reached() */
	bool stopped; /* this process was told to, and no server was at the end of the text */
};
enum keeper decide_keeper(const struct tried *t);

/* Why it waits: the last piece with a trouble of its own, and the last whose host list has one;
 * SIZE_MAX: there is none.  The own one is shown. */
struct blame {
	size_t own, hosts;
};
struct blame decide_blame(const struct pieces *p);

/* How long somebody has waited since his first failure, and how often he was tried. */
struct patience {
	uint64_t age;
	unsigned tries;
};
/* Is a recipient given up?  hosts: of his host list when that is to blame, else NULL: a list that
 * went down later than the message was first refused starts anew. */
bool decide_give_up(const struct retry *rule, struct patience own, const struct patience *hosts);

/* Does a recipient who asked so (enum rcpt_notify, 0: not at all) want word of this kind? */
bool decide_wants(unsigned notify, enum rcpt_notify kind);
/* What is done about those who were refused. */
enum bounce {
	BOUNCE_NONE,   /* nobody was */
	BOUNCE_SILENT, /* they asked for silence */
	BOUNCE_SENDER, /* the sender hears it */
	BOUNCE_FREEZE, /* nobody can be told */
};
enum bounce decide_bounce(size_t refused, size_t wanted, const char *sender);
/* How many warnings of a delay the sender of a message that has waited so long has had when this
 * attempt is over; had: so many; every: delay_warning, 0 is never. */
unsigned decide_warnings(uint64_t waited, uint64_t every, unsigned had, bool may);
#endif
