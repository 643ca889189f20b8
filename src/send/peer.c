/* peer.c - who asks onehop-send, and what he may. */
#include "send/peer.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "guard/environment.h"
#include "mail/list.h"
#include "mail/rewrite.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Whatever he has found to hold it up: a signal that is neither held back nor caught. */
static void
end_some_day(void)
{
	struct sigevent kill = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL };
	const struct itimerspec in = { .it_value = { .tv_sec = PEER_LIFE_SECONDS } };
	timer_t timer;

	if (timer_create(CLOCK_BOOTTIME, &kill, &timer) == 0)
		(void)timer_settime(timer, 0, &in, NULL);
}

bool
peer_find(struct peer *p, struct arena *a, int fd, struct fail *f)
{
	struct caller who;

	if (!guard_peer(fd, &p->uid, &p->gid, f))
		return false;
	p->foreign = p->uid != geteuid();
	p->patience.tv_sec = PEER_SECONDS;
	if (!p->foreign)
		return true;
	if (p->uid != 0)
		end_some_day();
	if (!guard_user(a, p->uid, &who, f))
		return false;
	p->login = who.login;
	return true;
}

void
peer_hurry(const struct peer *p)
{
	if (p->foreign)
		(void)alarm(PEER_SECONDS);
}

static void
hang_up(int number)
{
	int e = errno;

	(void)number;
	(void)shutdown(STDIN_FILENO, SHUT_RDWR);
	errno = e;
}

void
peer_received(struct peer *p)
{
	const struct sigaction sa = { .sa_handler = hang_up, .sa_flags = (int)SA_RESETHAND };

	if (!p->foreign || p->received)
		return;
	(void)alarm(0);
	(void)sigaction(SIGALRM, &sa, NULL);
	p->received = true;
}

/* SA_RESETHAND: the handler is gone once it has been called. */
bool
peer_hung_up(const struct peer *p)
{
	struct sigaction now;

	return p->received && sigaction(SIGALRM, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
}

bool
peer_is_stranger(const struct peer *p)
{
	return p->foreign && p->uid != 0;
}

const char *
peer_viewer(const struct peer *p)
{
	return peer_is_stranger(p) ? p->login : NULL;
}

/* One budget of time for all writes to the caller: reading an octet now and then gains nothing. */
void
peer_wait(struct peer *p, bool on)
{
	struct itimerval in = { .it_value = { 0 } }, left;

	if (!p->received)
		return;
	if (on && !peer_hung_up(p))
		in.it_value = p->patience;
	(void)setitimer(ITIMER_REAL, &in, &left);
	if (!on)
		p->patience = left.it_value;
}

static void
emit(void *ctx, enum trace_kind kind, struct str line)
{
	struct peer *p = ctx;

	peer_wait(p, true);
	p->next->emit(p->next->ctx, kind, line);
	peer_wait(p, false);
}

struct trace
peer_trace(struct peer *p)
{
	return (struct trace){ .emit = emit, .ctx = p };
}

void
peer_named(struct peer *p, const char *id)
{
	peer_wait(p, true);
	submit_named(p->words, id);
	peer_wait(p, false);
}

void
peer_safe(struct peer *p, bool safe)
{
	peer_wait(p, true);
	submit_safe(p->words, safe);
	peer_wait(p, false);
}

/* The fields of one type: how many, how many addresses they have, and the first. */
struct named {
	size_t fields, addresses;
	struct mailbox box;
};

/* Of a message that is sent again its Resent- fields count. */
static struct named
named(const struct message *m, enum header_type type)
{
	struct named who = { .fields = 0 };

	for (size_t i = 0; i < m->nheaders; i++) {
		const struct header *h = &m->headers[i];
		struct address_list l =
		    address_list_field(str_skip(h->text, str_find(h->text, ':') + 1), true);
		struct address x;

		if (h->type != type || h->resent != m->resent)
			continue;
		for (who.fields++; address_list_next(&l, m->arena, &x); who.addresses++)
			if (who.addresses == 0 && !x.bad)
				who.box = x.box;
	}
	return who;
}

static bool
is_box(struct mailbox one, struct mailbox other)
{
	return str_ieq(one.local, other.local) && str_ieq(one.domain, other.domain);
}

/* Who it is from must be certain (RFC 5322 3.6.2): of two fields readers show either. */
static bool
is_certain(const struct named *from, const struct named *sender, struct fail *f)
{
	const struct named *says = sender->fields > 0 ? sender : from;

	if (from->fields == 1 && sender->fields <= 1 && says->addresses == 1)
		return true;
	(void)fail_set(f, FAIL_USER, STAGE_DOOR, 0,
	    "the header has %zu From with %zu addresses and %zu Sender with %zu: force_sender "
	    "wants one From, at most one Sender, and one address in Sender, or in From where "
	    "there is no Sender",
	    from->fields, from->addresses, sender->fields, sender->addresses);
	f->exit = EX_DATAERR;
	return false;
}

/* The sender is the caller or nobody, and the header names him as its sender; where it has none, as
 * its author. */
static bool
is_his_own(const struct peer *p, const struct conf *c, const struct queued *q,
    const struct trace *t, struct fail *f)
{
	struct mailbox mapped = { str_of(p->login), str_of(c->qualify_domain) };
	struct mailbox sender = mailbox_split(q->e.sender);
	const struct named from = named(&q->m, H_FROM), by = named(&q->m, H_SENDER);
	struct rewrite map;

	if (!is_certain(&from, &by, f) || !rewrite_open(&map, c, q->arena, t, f))
		return false;
	mapped = rewrite_address(&map, mapped);
	if (!map_intact(&map.map, f))
		return false;
	if ((sender.local.n == 0 || mailbox_eq(sender, mapped)) &&
	    is_box(by.fields > 0 ? by.box : from.box, mapped))
		return true;
	(void)fail_set(f, FAIL_USER, STAGE_DOOR, 0,
	    "%s may send as %s alone (force_sender, trusted_users)", p->login,
	    mailbox_text(q->arena, mapped));
	f->exit = EX_NOPERM;
	return false;
}

bool
peer_may_send(const struct peer *p, const struct conf *c, struct queued *q, const struct trace *t,
    struct fail *f)
{
	if (!p->foreign)
		return true;
	q->e.login = p->login;
	q->e.auth_parameter = p->uid != 0;
	if (c->recipients_max > 0 && q->e.nrcpts > c->recipients_max)
		return fail_set(f, FAIL_USER, STAGE_DOOR, 0,
		    "more than %llu recipients (recipients_max)",
		    (unsigned long long)c->recipients_max);
	if (c->message_size_limit > 0 && q->m.body.size > c->message_size_limit) {
		(void)fail_set(f, FAIL_PERM, STAGE_DOOR, 0,
		    "message too big: it is larger than message_size_limit = %llu octets",
		    (unsigned long long)c->message_size_limit);
		f->exit = EX_DATAERR;
		return false;
	}
	return !c->force_sender || conf_trusts(c, p->uid, p->login) || is_his_own(p, c, q, t, f);
}
