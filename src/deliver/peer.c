/* peer.c - who asks onehop-send, and what he may. */
#include "deliver/peer.h"

#include <sysexits.h>
#include <unistd.h>

#include "addr/list.h"
#include "addr/rewrite.h"
#include "guard/environment.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
peer_find(struct peer *p, struct arena *a, int fd, struct fail *f)
{
	struct caller who;

	if (!guard_peer(fd, &p->uid, &p->gid, f))
		return false;
	p->foreign = p->uid != geteuid();
	if (!p->foreign)
		return true;
	if (!guard_user(a, p->uid, &who, f))
		return false;
	p->login = who.login;
	return true;
}

void
peer_hurry(const struct peer *p, bool on)
{
	if (p->foreign)
		(void)alarm(on ? PEER_SECONDS : 0);
}

static bool
is_trusted(const struct peer *p, const struct conf *c)
{
	struct str rest = str_of(c->trusted_users);

	if (p->uid == 0)
		return true;
	while (rest.p != NULL)
		if (str_eq(str_trim(str_cut(&rest, ':')), str_of(p->login)))
			return true;
	return false;
}

/* Does a field of this type have box as its one or first address? */
static bool
names(const struct message *m, enum header_type type, struct mailbox box)
{
	for (size_t i = 0; i < m->nheaders; i++) {
		const struct header *h = &m->headers[i];
		struct address_list l =
		    address_list_open(str_skip(h->text, str_find(h->text, ':') + 1));
		struct address x;

		if (h->type == type && address_list_next(&l, m->arena, &x) && !x.bad &&
		    str_ieq(x.box.local, box.local) && str_ieq(x.box.domain, box.domain))
			return true;
	}
	return false;
}

/* The sender is the caller or nobody, and the header names him as its author or its sender. */
static bool
is_his_own(const struct peer *p, const struct conf *c, const struct queued *q,
    const struct trace *t, struct fail *f)
{
	struct mailbox mapped = { str_of(p->login), str_of(c->qualify_domain) };
	struct mailbox sender = mailbox_split(q->e.sender);
	struct rewrite map;

	if (!rewrite_open(&map, c, q->arena, t, f))
		return false;
	mapped = rewrite_address(&map, mapped);
	if ((sender.local.n == 0 || mailbox_eq(sender, mapped)) &&
	    (names(&q->m, H_FROM, mapped) || names(&q->m, H_SENDER, mapped)))
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
	return !c->force_sender || is_trusted(p, c) || is_his_own(p, c, q, t, f);
}
