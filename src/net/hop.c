/* hop.c - one host of the list: found, connected, encrypted, logged in. */
#include "net/hop.h"

#include "base/clock.h"
#include "conf/redact.h"
#include "net/connect.h"
#include "net/policy.h"
#include "wire/told.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { PORT_SMTP = 25, PORT_SUBMISSIONS = 465 };

static bool
look_up(const struct hop *h, const char *canonical, struct secret *s, struct fail *f)
{
	if (h->ask_secret != NULL)
		return h->ask_secret(h->ask_ctx, h->at.name, canonical, s, f);
	*s = (struct secret){ .none = true };
	return true;
}

static bool
find_secret(struct hop *h, struct fail *f)
{
	struct secret alone = { 0 };

	if (h->host->kind == HOST_LMTP || h->host->kind == HOST_UNIX)
		return true;
	if (!look_up(h, h->at.canonical, &h->secret, f))
		return false;
	if (h->secret.warning != NULL)
		trace_line(h->trace, TRACE_LOG, "%s", h->secret.warning);
	h->via_dns = h->secret.match == SECRET_CANONICAL;
	if (h->secret.login.n == 0 || h->secret.match != SECRET_PATTERN)
		return true;
	if (!look_up(h, NULL, &alone, f))
		return false;
	h->via_dns = alone.login.n == 0;
	secret_wipe(&alone);
	return true;
}

/* Extensions that some servers offer and do not keep; the note leaves them out for a day. */
static const struct {
	unsigned cap, seen;
} kept[] = { { CAP_PIPELINING, SEEN_NO_PIPELINING }, { CAP_CHUNKING, SEEN_NO_CHUNKING } };

bool
hop_find(struct hop *h, const struct host *host, struct fail *f)
{
	const struct conf *c = h->conf;
	struct resolve_options how = { c->tls == TLS_IMPLICIT ? PORT_SUBMISSIONS : PORT_SMTP,
		c->ip_family, clock_ms() + (int64_t)c->connect_timeout * 1000, h->ask_name,
		h->ask_ctx };

	hop_forget(h);
	if (h->host != host)
		h->without = 0;
	h->host = host;
	h->in_clear = false;
	h->final_ms = clock_ms() + (int64_t)c->total_timeout * 1000;
	if (!resolve_host(h->arena, host, &how, &h->at, f)) {
		if (host->kind != HOST_SRV)
			fail_prefix(f, "cannot connect to %s port %u", host->name,
			    host->port != 0 ? host->port : how.default_port);
		return false;
	}
	if (!find_secret(h, f))
		return false;
	for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
		h->without |= h->secret.seen & kept[i].seen ? kept[i].cap : 0U;
	return true;
}

/* Have onehop-send remember what was seen of this host: what is new, where it can be kept. */
static void
tell(struct hop *h, unsigned seen)
{
	unsigned news = seen & ~h->secret.seen;

	if (h->secret.seen_in == NULL || news == 0)
		return;
	h->secret.seen |= news;
	h->tell_seen(h->ask_ctx, h->at.name, news);
}

void
hop_forget(struct hop *h)
{
	hop_close(h);
	secret_wipe(&h->secret);
	h->secret = (struct secret){ 0 };
	h->at = (struct resolved){ 0 };
	h->via_dns = false;
}

void
hop_close(struct hop *h)
{
	if (h->open) {
		for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
			tell(h, h->session.without & kept[i].cap ? kept[i].seen : 0U);
		h->without |= h->session.without;
		session_quit(&h->session);
		session_free(&h->session);
		stream_close(&h->stream);
	}
	h->open = false;
}

/* What would help, where there is no TLS. */
static const char *
way_out(const struct hop *h)
{
	if (h->secret.login.n > 0 || h->conf->tls != TLS_AUTO)
		return "";
	return h->secret.seen & SEEN_STARTTLS ?
	    " (it has worked within the last 30 days, so the mail waits; tls = off or "
	    "hosts_avoid_tls would do without)" :
	    " (tls = off or hosts_avoid_tls would do without)";
}

static bool
start_tls(struct hop *h, struct link *l, struct fail *f)
{
	struct session *s = &h->session;
	const char *names[2];
	struct tls_options how = { h->conf, names, policy_names(l, names), h->files };

	if (!tls_start(&h->stream, &how, h->arena, &h->tls, f)) {
		s->dead = true;
		return false;
	}
	s->tls = l->tls = true;
	l->verdict = h->tls.verdict;
	l->why = h->tls.why;
	s->binding = tls_channel_binding(&h->stream, h->arena, &s->binding_type);
	return true;
}

/* STARTTLS was said, or the handshake tried, to no avail.  Without it from now on, unless the
 * server is not to blame, or somebody may be in between (text where there must be none). */
static bool
goes_clear(struct hop *h, const struct link *l, const struct fail *f)
{
	if (stream_pending(&h->stream) > 0 ||
	    (f->smtp == 0 && !h->session.lost && !h->session.late && !h->tls.refused) ||
	    !policy_goes_clear(h->conf, l))
		return false;
	h->in_clear = true;
	trace_line(h->trace, TRACE_LOG,
	    "%s: delivering unencrypted to H=%s [%s] (not in hosts_require_tls)", f->text, l->host,
	    l->ip);
	return true;
}

/* Say STARTTLS.  True: the connection goes on, encrypted or, where policy_goes_clear() lets it, in
 * clear. */
static bool
upgrade(struct hop *h, struct link *l, struct fail *f)
{
	struct session *s = &h->session;
	struct fail why = FAIL_INIT;

	if (session_starttls(s, &why) && start_tls(h, l, &why)) {
		tell(h, SEEN_STARTTLS | SEEN_STARTTLS_TODAY);
		return session_hello(s, false, f);
	}
	fail_prefix(&why, "there is no TLS with %s%s", s->where,
	    policy_goes_clear(h->conf, l) ? "" : way_out(h));
	if (goes_clear(h, l, &why) && !s->dead)
		return true;
	*f = why;
	return false;
}

static bool
secure(struct hop *h, struct link *l, struct fail *f)
{
	struct session *s = &h->session;

	if (policy_implicit(h->conf, l)) {
		if (start_tls(h, l, f))
			return session_greeting(s, f) && session_hello(s, true, f);
		fail_prefix(f, "there is no TLS with %s%s", s->where, way_out(h));
		return false;
	}
	if (!session_greeting(s, f) || !session_hello(s, true, f))
		return false;
	l->offered = (s->caps.have & CAP_STARTTLS) != 0;
	return h->in_clear || !policy_starttls(h->conf, l) || upgrade(h, l, f);
}

static bool
log_in(struct hop *h, const struct link *l, struct login *a, struct fail *f)
{
	struct session *s = &h->session;

	if (!policy_allows(h->conf, l, f))
		return false;
	if (h->secret.login.n == 0 && !auth_external(s, h->conf))
		return true;
	a->secure = l->tls || l->loopback;
	return auth_login(s, a, f);
}

/* A line of -v for the attempt, as Exim has it. */
static void
note_attempt(const struct hop *h, const struct endpoint *e, const char *how)
{
	if (e->ip[0] == '\0')
		trace_line(h->trace, TRACE_NOTE, "Connecting to %s ... %s", h->at.name, how);
	else
		trace_line(h->trace, TRACE_NOTE, "Connecting to %s [%s]:%u ... %s", h->at.canonical,
		    e->ip, endpoint_port(e), how);
}

struct failures {
	const struct hop *h;
	bool any;
};

static void
note_failed(void *ctx, const struct endpoint *e, int err)
{
	struct failures *all = ctx;

	all->any = true;
	note_attempt(all->h, e, "failed");
	trace_line(
	    all->h->trace, TRACE_LOG, "H=%s [%s] %s", all->h->at.canonical, e->ip, fail_words(err));
}

static bool
dial(struct hop *h, size_t *which, struct fail *f)
{
	const struct conf *c = h->conf;
	struct failures all = { .h = h };
	const struct connect_options o = { .name = h->at.canonical,
		.timeout_s = c->connect_timeout,
		.interface = c->interface,
		.socks = c->socks_proxy,
		.open_path = h->open_path,
		.ask_name = h->ask_name,
		.ask_ctx = h->ask_ctx,
		.tell = note_failed,
		.ctx = &all };

	if (connect_race(h->at.list, h->at.n, which, &o, &h->stream, f)) {
		note_attempt(h, &h->at.list[*which], "connected");
		return true;
	}
	if (!all.any)
		trace_line(h->trace, TRACE_LOG, "H=%s %s", h->at.canonical, f->text);
	return false;
}

static void
begin(struct hop *h, const struct endpoint *at)
{
	AUTO_BUF struct buf where = BUF_INIT(FAIL_TEXT / 2);
	struct session *s = &h->session;

	h->stream.final_ms = h->final_ms;
	h->tls = (struct tls_info){ 0 };
	session_init(s, &h->stream, h->conf, h->trace);
	s->without = h->without;
	s->secret = &h->secret;
	s->show = secret_show;
	h->open = true;
	endpoint_words(at, h->at.canonical, &where);
	s->host = h->at.canonical;
	s->where = arena_strz(h->arena, buf_get(&where));
	s->ip = at->ip;
	s->lmtp = h->host->kind == HOST_LMTP;
}

/* Connect, encrypt and log in, over one connection. */
static bool
try(struct hop *h, size_t *which, struct login *a, struct fail *f)
{
	struct session *s = &h->session;
	const struct endpoint *at;
	bool ok, clear = h->in_clear;
	struct link l = { .host = h->at.canonical,
		.where = h->at.canonical,
		.configured = h->at.name,
		.ip = "",
		.secret = &h->secret,
		.via_dns = h->via_dns,
		.submissions = h->at.implicit_tls };

	if (!dial(h, which, f))
		return false;
	at = &h->at.list[*which];
	begin(h, at);
	l.where = s->where;
	l.ip = at->ip;
	l.path = h->host->kind == HOST_LMTP || h->host->kind == HOST_UNIX;
	l.loopback = at->loopback;
	l.private = at->private;
	l.port = endpoint_port(at);
	ok = secure(h, &l, f) && log_in(h, &l, a, f);
	tell(h, policy_seen(h->conf, &l));
	if (ok)
		return true;
	if (h->in_clear == clear)
		trace_line(h->trace, TRACE_LOG, "H=%s [%s]: %s", s->host, s->ip, f->text);
	hop_close(h);
	return false;
}

static bool
tell_login(void *ctx, const struct login_told *t, struct buf *left_out, struct fail *f)
{
	const struct hop *h = ctx;

	return h->tell_login(h->ask_ctx, h->at.name, t, left_out, f);
}

/* Is another connection worth it: in clear, or with the next mechanism? */
static bool
is_worth_it(struct hop *h, struct login *a, bool *clear)
{
	if (h->in_clear && !*clear) {
		*clear = true;
		return true;
	}
	if (!a->again)
		return false;
	trace_line(h->trace, TRACE_NOTE, "the next mechanism is tried on a new connection");
	a->again = false;
	return true;
}

static bool
climb(struct hop *h, size_t *which, struct login *a, struct fail *f)
{
	bool clear = h->in_clear, ok = try(h, which, a, f);

	while (!ok && is_worth_it(h, a, &clear))
		ok = try(h, which, a, f);
	/* where the last connection failed the reason is still what the server said to the login
	 * before */
	if (!ok && f->stage != STAGE_AUTH && a->why.cls != FAIL_NONE)
		(void)auth_explain(&h->session, a, f);
	return ok;
}

bool
hop_open(struct hop *h, size_t *which, struct fail *f)
{
	struct login a = { .conf = h->conf,
		.secret = &h->secret,
		.tell = h->tell_login != NULL ? tell_login : NULL,
		.ctx = h };
	bool ok = climb(h, which, &a, f);

	if (!ok)
		auth_over(&a);
	return ok;
}

bool
hop_other_address(const struct fail *f)
{
	return f->stage != STAGE_AUTH && f->stage != STAGE_REST && f->stage != STAGE_TLS &&
	    f->stage != STAGE_CONNECT;
}
