/* smarthost.c - one message to the first host of a list that takes it. */
#include "net/smarthost.h"

#include "base/clock.h"
#include "base/stop.h"
#include "net/hop.h"
#include "net/masquerade.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct smarthost {
	struct hop hop;
	const char *hosts; /* the list, and the place in it, that an open hop belongs to */
	size_t place;
	const char *listed; /* the list that was parsed last */
	struct host *list;
	size_t nlist;
	struct fail cold; /* what smarthost_warm() met: that was the try, it is not made again */
	bool (*before_text)(void *ctx, bool part, struct fail *f);
	void *owner;
	bool once; /* a list that fails is not tried again */
	bool worn; /* a connection that had delivered was refused the next message */
	struct dead *dead;
};

/* A list of which no host could be used. */
struct dead {
	struct dead *next;
	const char *hosts;
	struct fail why;
};

/* A delivery: the recipients of one list. */
struct load {
	struct envelope *e;
	struct message *m;
	const char *mail_auth;
	size_t *list; /* indices into e->rcpts */
	size_t n;
};

struct smarthost *
smarthost_new(const struct conf *c, struct arena *a, const struct trace *t)
{
	struct smarthost *h = arena_alloc(a, sizeof *h);

	h->hop = (struct hop){ .conf = c, .arena = a, .trace = t };
	return h;
}

void
smarthost_files(struct smarthost *h, const struct tls_files *files)
{
	h->hop.files = files;
}

void
smarthost_ask_secret(struct smarthost *h,
    bool (*ask)(
	void *ctx, const char *configured, const char *canonical, struct secret *s, struct fail *f),
    void (*tell)(void *ctx, const char *configured, unsigned news), void *ctx)
{
	h->hop.ask_secret = ask;
	h->hop.tell_seen = tell;
	h->hop.ask_ctx = ctx;
}

void
smarthost_reach(struct smarthost *h, int (*open_path)(void *ctx, const char *path),
    bool (*ask_name)(void *ctx, const struct host *host, const struct resolve_options *o,
	struct answer *out, struct fail *f))
{
	h->hop.open_path = open_path;
	h->hop.ask_name = ask_name;
}

void
smarthost_tell_login(struct smarthost *h,
    bool (*tell)(void *ctx, const char *configured, const struct login_told *t,
	struct buf *left_out, struct fail *f))
{
	h->hop.tell_login = tell;
}

void
smarthost_before_text(
    struct smarthost *h, bool (*ask)(void *ctx, bool part, struct fail *f), void *ctx)
{
	h->before_text = ask;
	h->owner = ctx;
}

void
smarthost_try_once(struct smarthost *h)
{
	h->once = true;
}

void
smarthost_free(struct smarthost *h)
{
	hop_forget(&h->hop);
}

static bool
parse(struct smarthost *h, const char *hosts, struct fail *f)
{
	if (h->listed != NULL && strcmp(h->listed, hosts) == 0)
		return true;
	h->listed = NULL;
	if (!hostlist_of_route(h->hop.conf, h->hop.arena, hosts, &h->list, &h->nlist, f))
		return false;
	h->listed = arena_strz(h->hop.arena, str_of(hosts));
	return true;
}

/* Look a host up.  Why one cannot be found goes to the log; of the last host in the list it becomes
 * the message's own reason. */
static bool
find(struct smarthost *h, const struct host *host, struct fail *f)
{
	if (hop_find(&h->hop, host, f))
		return true;
	if (h->place + 1 < h->nlist)
		trace_line(h->hop.trace, TRACE_LOG, "%s", f->text);
	return false;
}

void
smarthost_warm(struct smarthost *h, const char *hosts)
{
	hop_close(&h->hop);
	h->hosts = hosts;
	if (!parse(h, hosts, &h->cold))
		return;
	for (h->place = 0; h->place < h->nlist && !h->hop.open; h->place += !h->hop.open) {
		if (!find(h, &h->list[h->place], &h->cold))
			continue;
		for (size_t i = 0; i < h->hop.at.n; i++)
			if (hop_open(&h->hop, &i, &h->cold) || !hop_other_address(&h->cold))
				break;
	}
	if (h->hop.open)
		h->cold = (struct fail)FAIL_INIT;
}

/* --- the message --- */

/* Nobody knows whether this recipient has it: not to be given to another host in this run. */
static bool
in_doubt(const struct rcpt *r)
{
	return r->state == RCPT_RETRY && fail_of(r->fail)->stage == STAGE_EOM && r->fail->smtp == 0;
}

static size_t
count(const struct load *load, enum rcpt_state state)
{
	size_t n = 0;

	for (size_t i = 0; i < load->n; i++)
		n += load->e->rcpts[load->list[i]].state == state;
	return n;
}

/* Recipients whom another host refused for now wait again, for this host; returns how many wait. */
static size_t
wake(const struct load *load)
{
	for (size_t i = 0; i < load->n; i++) {
		struct rcpt *r = &load->e->rcpts[load->list[i]];

		if (r->state == RCPT_RETRY && !in_doubt(r))
			r->state = RCPT_WAITING; /* its fail stays, for when nobody takes it */
	}
	return count(load, RCPT_WAITING);
}

static void
stamp(const struct smarthost *h, const struct load *load, struct rcpt *r)
{
	const struct session *s = &h->hop.session;

	r->host = s->host;
	r->ip = arena_strz(load->m->arena, str_of(s->ip));
	if (r->state != RCPT_SENT && r->state != RCPT_REFUSED)
		return;
	r->tls = s->tls ? h->hop.tls.cipher : NULL;
	r->tls_peer = s->tls ? h->hop.tls.peer : NULL;
	r->tls_verified = s->tls && h->hop.tls.verdict != TLS_UNVERIFIED;
	r->auth = s->auth;
	r->reused = s->reused;
}

/* Exim's line of a host that does not take a message now, or not for the recipients that the next
 * host is asked for: why the first of them has to wait. */
static void
tell_of_refusal(const struct smarthost *h, const struct load *load, const size_t *which, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct rcpt *r = &load->e->rcpts[which[i]];
		const struct fail *why = fail_of(r->fail);

		if (r->state != RCPT_RETRY || why->smtp == 0)
			continue;
		if (why->stage != STAGE_RCPT || h->place + 1 < h->nlist)
			trace_line(
			    h->hop.trace, TRACE_LOG, "H=%s [%s]: %s", r->host, r->ip, why->text);
		return;
	}
}

/* What was said to the sender, if that is why they wait. */
static const struct fail *
refusal_of_sender(const struct load *load, const size_t *which, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct rcpt *r = &load->e->rcpts[which[i]];

		if (r->state == RCPT_RETRY && fail_of(r->fail)->stage == STAGE_MAIL &&
		    r->fail->smtp / 100 == 4)
			return r->fail;
	}
	return NULL;
}

/* A connection's limit is not the message's: what a server refuses for now to the sender, over a
 * connection that has delivered, is asked again over a fresh one.  Refused there too, as its first,
 * it is the host that takes no more, unless it speaks of the sender's address (X.1.X).  True: *f,
 * and the recipients wait as before. */
static bool
refuses_more(struct smarthost *h, const struct load *load, const size_t *which, size_t n,
    bool delivered, struct fail *f)
{
	const struct fail *why =
	    f->stage == STAGE_MAIL && f->smtp == 421 ? f : refusal_of_sender(load, which, n);

	if (why == NULL || (!delivered && !h->worn) ||
	    (!delivered && strncmp(why->dsn, "4.1.", 4) == 0)) {
		h->worn = false;
		return false;
	}
	*f = *why;
	if (delivered)
		h->worn = true;
	else
		f->stage = STAGE_GREET; /* the host's: it backs off */
	for (size_t i = 0; i < n; i++) {
		struct rcpt *r = &load->e->rcpts[which[i]];

		if (r->state == RCPT_RETRY && fail_of(r->fail)->stage == STAGE_MAIL) {
			r->state = RCPT_WAITING;
			r->fail = NULL;
		}
	}
	return true;
}

/* One transaction for as many as it may hold.  *sent counts those that were taken. */
static bool
carry_some(struct smarthost *h, const struct load *load, size_t *sent, struct fail *f)
{
	struct session *s = &h->hop.session;
	size_t which[SESSION_RCPT_MAX] = { 0 }, n = 0, before = *sent;
	bool ok, delivered = s->reused || *sent > 0;
	struct fail why = FAIL_INIT;

	for (size_t i = 0; i < load->n && n < session_rcpt_max(s); i++)
		if (load->e->rcpts[load->list[i]].state == RCPT_WAITING)
			which[n++] = load->list[i];
	s->mail_auth = s->auth != NULL ? load->mail_auth : NULL;
	s->before_text = h->before_text;
	s->owner = h->owner;
	s->part = n < load->n;
	s->mails++;
	ok = session_transaction(s, load->e, which, n, load->m, &why);
	for (size_t i = 0; i < n; i++) {
		stamp(h, load, &load->e->rcpts[which[i]]);
		*sent += load->e->rcpts[which[i]].state == RCPT_SENT;
	}
	ok &= !refuses_more(h, load, which, n, delivered, &why);
	if (!ok)
		*f = why;
	tell_of_refusal(h, load, which, n);
	/* "Too many recipients" after it took some: the next transaction is for the others. */
	for (size_t i = 0; i < n; i++) {
		struct rcpt *r = &load->e->rcpts[which[i]];

		if (*sent != before && r->state == RCPT_RETRY &&
		    fail_of(r->fail)->stage == STAGE_RCPT && r->fail->smtp == 452)
			r->state = RCPT_WAITING;
	}
	return ok;
}

/* Has the server said that it takes no more over this connection (RFC 9422, MAILMAX)? */
static bool
is_used_up(const struct session *s)
{
	return s->caps.limit_mail > 0 && s->mails >= s->caps.limit_mail;
}

/* All transactions that this connection needs or allows. */
static bool
carry(struct smarthost *h, const struct load *load, size_t *sent, struct fail *f)
{
	struct session *s = &h->hop.session;

	while (count(load, RCPT_WAITING) > 0) {
		if (stop_asked())
			return fail_set(
			    f, FAIL_TEMP, STAGE_MAIL, 0, "onehop-send was told to stop");
		if (s->dead)
			return fail_set(f, FAIL_TEMP, STAGE_MAIL, 0,
			    "%s ended the connection before all recipients were given", s->host);
		if (is_used_up(s))
			return fail_set(f, FAIL_TEMP, STAGE_MAIL, 0,
			    "%s takes only %ju messages in one connection", s->host,
			    (uintmax_t)s->caps.limit_mail);
		if (!carry_some(h, load, sent, f)) {
			trace_line(
			    h->hop.trace, TRACE_LOG, "H=%s [%s]: %s", s->host, s->ip, f->text);
			return false;
		}
	}
	return true;
}

/* Carry over the open connection; it is closed when it failed. */
static bool
use_link(struct smarthost *h, const struct load *load, size_t *sent, struct fail *f)
{
	bool ok;

	(void)wake(load);
	h->hop.stream.final_ms = clock_ms() + (int64_t)h->hop.conf->total_timeout * 1000;
	ok = carry(h, load, sent, f);
	h->hop.session.reused |= *sent > 0;
	if (!ok || h->hop.session.dead)
		hop_close(&h->hop);
	return ok;
}

/* One host, address by address, until nothing is left that it might take. */
static bool
try_host(struct smarthost *h, const struct host *host, const struct load *load, struct fail *f)
{
	bool ok = false;
	size_t i = 0;

	if (!find(h, host, f))
		return false;
	while (i < h->hop.at.n && wake(load) > 0 && !stop_asked()) {
		unsigned without = h->hop.without;
		size_t sent = 0;

		if (!hop_open(&h->hop, &i, f)) {
			if (!hop_other_address(f))
				return false;
			i++;
			continue;
		}
		ok = use_link(h, load, &sent, f);
		/* else it took some and hung up, or does not keep what it offers: ask it again */
		if (ok || (sent == 0 && without == h->hop.without))
			i++;
		if (wake(load) > 0)
			hop_close(&h->hop);
	}
	return ok;
}

/* No host took them: those without a refusal of their own get the host's. */
static bool
give_up(const struct smarthost *h, const struct load *load, const struct fail *host_fail)
{
	const struct fail *why = fail_keep(load->m->arena, host_fail);
	bool reached = host_fail->stage > STAGE_CONNECT && host_fail->stage != STAGE_REST,
	     blamed = false;

	for (size_t i = 0; i < load->n; i++) {
		struct rcpt *r = &load->e->rcpts[load->list[i]];

		if (r->state != RCPT_WAITING)
			continue;
		r->state = RCPT_RETRY;
		if (r->fail != NULL)
			continue;
		r->fail = why;
		r->host = reached ? h->hop.session.host : NULL;
		r->ip = reached ? h->hop.session.ip : NULL;
		blamed = true;
	}
	return blamed;
}

static bool
is_dead(const struct smarthost *h, const char *hosts, struct fail *f)
{
	for (const struct dead *d = h->dead; d != NULL; d = d->next)
		if (strcmp(d->hosts, hosts) == 0) {
			*f = d->why;
			return true;
		}
	return false;
}

static void
bury(struct smarthost *h, const char *hosts, const struct fail *why)
{
	struct dead *d = arena_alloc(h->hop.arena, sizeof *d);

	*d = (struct dead){ h->dead, arena_strz(h->hop.arena, str_of(hosts)), *why };
	h->dead = d;
}

static bool
deliver_list(struct smarthost *h, const struct load *load, const char *hosts, struct fail *f)
{
	struct fail why = FAIL_INIT;
	size_t n, place = 0, sent = 0;
	bool ok;

	if (is_dead(h, hosts, f)) {
		(void)wake(load);
		(void)give_up(h, load, f);
		return false;
	}
	n = parse(h, hosts, &why) ? h->nlist : 0;
	if (n == 0 && why.cls == FAIL_NONE)
		(void)fail_set(&why, FAIL_TEMP, STAGE_CONFIG, 0, "smarthost is empty");
	if (h->hosts == NULL || strcmp(h->hosts, hosts) != 0) {
		hop_close(&h->hop);
		h->cold = (struct fail)FAIL_INIT;
	}
	if (h->cold.cls != FAIL_NONE) {
		why = h->cold;
		h->cold = (struct fail)FAIL_INIT;
		place = n;
	}
	if (h->hop.open && is_used_up(&h->hop.session))
		hop_close(&h->hop);
	if (h->hop.open) {
		place = h->place;
		/* a connection made while the message came in may have timed out: then the same
		 * host over a new one */
		if (use_link(h, load, &sent, &why) && wake(load) > 0)
			place++;
	}
	for (; place < n && wake(load) > 0 && !stop_asked(); place++) {
		hop_close(&h->hop);
		h->hosts = h->listed;
		h->place = place;
		ok = try_host(h, &h->list[place], load, &why);
		h->worn = false;
		if (ok && wake(load) == 0)
			break;
	}
	if (!give_up(h, load, &why))
		return true;
	*f = why;
	if (h->once && fail_is_hosts(f))
		bury(h, hosts, f);
	return false;
}

bool
smarthost_deliver(struct smarthost *h, struct envelope *e, struct message *m, struct fail *f)
{
	struct envelope wire = *e;
	struct message text = *m;
	struct load load = { .e = &wire, .m = &text };
	bool *taken = arena_array(m->arena, e->nrcpts + 1, sizeof *taken), ok = true;

	masquerade(h->hop.conf, &wire, &text);
	if (e->auth_parameter && h->hop.conf->smtp_auth_parameter && e->login != NULL &&
	    e->login[0] != '\0')
		load.mail_auth =
		    arena_fmt(m->arena, "%s@%s", e->login, h->hop.conf->qualify_domain);
	load.list = arena_array(m->arena, e->nrcpts + 1, sizeof *load.list);
	for (size_t i = 0; i < e->nrcpts; i++) {
		const char *hosts = e->rcpts[i].hosts;

		if (taken[i] || e->rcpts[i].state != RCPT_WAITING || hosts == NULL)
			continue;
		load.n = 0;
		for (size_t k = i; k < e->nrcpts; k++) {
			struct rcpt *r = &e->rcpts[k];

			if (r->state != RCPT_WAITING || r->hosts == NULL ||
			    strcmp(r->hosts, hosts) != 0)
				continue;
			taken[k] = true;
			r->fail = NULL;
			load.list[load.n++] = k;
		}
		ok &= deliver_list(h, &load, hosts, f);
	}
	return ok;
}
