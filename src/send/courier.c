/* courier.c - the smarthost's session in a confined process; this process's side of it. */
#include "send/courier.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/stop.h"
#include "base/unix.h"
#include "mail/hostlist.h"
#include "net/errand.h"
#include "send/names.h"
#include "send/passwd.h"
#include "spool/logins.h"
#include "wire/record.h"
#include "wire/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct courier {
	struct errand errand;
	struct names names;
	const struct trace *trace;
	struct child child;
	const char *hosts; /* what it was sent to */
	bool (*before_part)(void *ctx, struct fail *f);
	void *part_ctx;
	bool once;
	int64_t forced_us;
	struct logins login; /* the one that is being tried */
	const char *stamp;
	struct arena tried; /* its strings */
	struct stop_wait stop;
};

/* What is being heard of one request. */
struct hearing {
	struct rcpt *rcpts;
	size_t n, settled;
	struct arena *arena;
};

struct courier *
courier_new(const struct conf *c, struct arena *a, const struct trace *t, bool everything)
{
	struct courier *new = arena_alloc(a, sizeof *new);

	new->errand = (struct errand){ .conf = c, .everything = everything };
	new->names.arena = a;
	new->trace = t;
	new->child = (struct child)CHILD_NONE;
	new->stop.seconds = STOP_SECONDS;
	return new;
}

void
courier_before_part(struct courier *c, bool (*ask)(void *ctx, struct fail *f), void *ctx)
{
	c->before_part = ask;
	c->part_ctx = ctx;
}

void
courier_force(struct courier *c, int64_t now_us)
{
	c->forced_us = now_us;
}

void
courier_try_once(struct courier *c)
{
	c->once = true;
}

/* ------------------------------------------------------------------ what it asks */

/* A courier that was taken over gets no password but those of the hosts that it was sent to. */
static bool
is_sent_to(const struct courier *c, struct arena *a, const char *name)
{
	return hostlist_has(a, c->hosts, name, ~0U);
}

static bool
give_path(struct courier *c, struct str rest, struct fail *f)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	AUTO_FD int fd = -1;
	const char *path = record_text(&rest, &a);
	struct fail why = FAIL_INIT;

	if (!hostlist_has(&a, c->hosts, path, 1U << HOST_UNIX | 1U << HOST_LMTP)) {
		(void)fail_conf(&why, "it asked for another socket");
	} else {
		fd = unix_connect(path);
		if (fd >= 0)
			return record_pass(c->child.in, 'u', fd, f);
		(void)fail_set(&why, FAIL_TEMP, STAGE_CONNECT, errno, "cannot connect to %s", path);
	}
	record_add_fail(&b, &why);
	return record_put_buf(c->child.in, 'u', &b, f);
}

static bool
give_name(struct courier *c, struct str rest, struct fail *f)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	struct answer *found = arena_alloc(&a, sizeof *found);
	struct fail why = FAIL_INIT;

	if (names_ask(&c->names, c->errand.conf, c->hosts, rest, found, &why))
		why.cls = FAIL_NONE;
	record_add_fail(&b, &why);
	buf_put(&b, str_at((const char *)found, sizeof *found));
	return record_put_buf(c->child.in, 'n', &b, f);
}

/* What earlier runs saw of the host.  It must not be lost where a password may go out in clear. */
static void
recall(const struct courier *c, struct arena *a, const char *name, struct secret *s)
{
	struct spool spool;
	struct fail ignored;

	if (!spool_open(&spool, c->errand.conf, c->errand.conf->auth_client_allow_notls_passwords,
		&ignored))
		return;
	s->seen = hosts_seen(&spool, name, clock_unix(), a, &s->seen_in);
	spool_close(&spool);
}

static void
remember(const struct courier *c, struct str rest)
{
	AUTO_ARENA struct arena a = { NULL };
	const char *name = record_text(&rest, &a);
	unsigned news = (unsigned)record_number(&rest);
	struct spool spool;
	struct fail ignored;

	if (!is_sent_to(c, &a, name) || !spool_open(&spool, c->errand.conf, false, &ignored))
		return;
	hosts_saw(&spool, name, clock_unix(), news);
	spool_close(&spool);
}

/* Whoever changes auth_mechanisms wants it tried, too. */
static const char *
stamp_of(const struct courier *c, const struct secret *s, struct arena *a)
{
	return arena_fmt(a, "%s%s", s->stamp, c->errand.conf->auth_mechanisms);
}

static bool
rests(const struct courier *c, const char *host, struct secret *s, struct arena *a, struct fail *f)
{
	const struct logins l = { .conf = c->errand.conf, .forced_us = c->forced_us };
	const struct login_key k = { host, s->where, stamp_of(c, s, a) };

	s->stamp = k.stamp;
	return logins_rest(&l, &k, f);
}

static bool
begin_login(struct courier *c, const struct login_key *k, struct buf *left_out, struct fail *f)
{
	char names[LOGIN_NAMES_MAX];

	logins_end(&c->login);
	arena_free(&c->tried);
	c->login = (struct logins){
		.conf = c->errand.conf, .now_us = clock_unix_us(), .forced_us = c->forced_us
	};
	if (!logins_begin(&c->login,
		&(struct login_key){ k->host, k->where, arena_strz(&c->tried, str_of(k->stamp)) },
		names, f))
		return false;
	buf_str(left_out, names);
	return true;
}

static bool
hear_login(struct courier *c, struct str rest, struct fail *f)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX), left_out = BUF_INIT(LOGIN_NAMES_MAX);
	enum login_news what = (enum login_news)record_number(&rest);
	const char *host = record_text(&rest, &a), *where = record_text(&rest, &a);
	const char *stamp = record_text(&rest, &a), *mechanism = record_text(&rest, &a);
	const char *words = record_text(&rest, &a);
	struct fail why = FAIL_INIT;

	if (!is_sent_to(c, &a, host))
		(void)fail_conf(&why, "it spoke of a login at another host");
	else if (what == LOGIN_BEGINS)
		(void)!begin_login(c, &(struct login_key){ host, where, stamp }, &left_out, &why);
	else if (what != LOGIN_OVER && !logins_tell(&c->login, what, mechanism, words))
		(void)fail_set(&why, FAIL_TEMP, STAGE_REST, 0, "enough refusals");
	if (what == LOGIN_OVER || what == LOGIN_YES)
		logins_end(&c->login);
	record_add_fail(&b, &why);
	record_add(&b, left_out.n > 0 ? left_out.p : "");
	return record_put_buf(c->child.in, 'a', &b, f);
}

static bool
give_secret(struct courier *c, struct str rest, struct fail *f)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	const char *configured = record_text(&rest, &a);
	bool any_name = record_optional(&rest, &a) != NULL;
	const char *canonical = any_name ? names_canonical(&c->names, configured) : NULL;
	struct secret s = { .login = { 0 } };
	struct fail why = FAIL_INIT;
	bool ok;

	if (!is_sent_to(c, &a, configured))
		(void)fail_conf(&why, "it asked for the password of another host");
	else if (passwd_find(c->errand.conf, &a, configured, canonical, &s, &why))
		why.cls = FAIL_NONE;
	if (s.login.n > 0 && rests(c, configured, &s, &a, &why))
		secret_wipe(&s);
	if (why.cls == FAIL_NONE)
		recall(c, &a, configured, &s);
	record_add_fail(&b, &why);
	record_add(&b, s.key);
	record_add(&b, s.where);
	record_add(&b, s.warning);
	record_add_number(&b, s.match);
	record_add_number(&b, s.only);
	record_add_number(&b, s.none);
	record_add_number(&b, s.seen);
	record_add(&b, s.seen_in);
	record_add(&b, s.stamp);
	record_add_number(&b, s.login.n);
	buf_put(&b, s.login);
	buf_put(&b, s.password);
	secret_wipe(&s);
	ok = record_put_buf(c->child.in, 's', &b, f);
	buf_wipe(&b);
	return ok;
}

/* May the text go?  That there is an answer also proves that onehop-send is alive, and with it the
 * caller who owns the message: where one of them was killed nothing is sent. */
static bool
give_leave(struct courier *c, struct str rest, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	struct fail why = FAIL_INIT;

	if (record_number(&rest) == 0 ||
	    (c->before_part != NULL && c->before_part(c->part_ctx, &why)))
		why.cls = FAIL_NONE;
	record_add_fail(&b, &why);
	return record_put_buf(c->child.in, 'p', &b, f);
}

/* ------------------------------------------------------------------ what it says */

/* What the network process says goes into logs and mails: no control characters in it. */
static void
clean(struct buf *b)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->p[i] != '\0' && ascii_control(b->p[i]))
			b->p[i] = '?';
}

static void
relay(const struct courier *c, struct str line)
{
	unsigned kind = line.n > 0 ? (unsigned)(line.p[0] - '0') : TRACE_DEBUG + 1;

	if (kind <= TRACE_DEBUG && c->trace->emit != NULL)
		c->trace->emit(c->trace->ctx, (enum trace_kind)kind, str_skip(line, 1));
}

static void
settle(struct hearing *h, struct str rest)
{
	struct rcpt *r = &h->rcpts[h->settled++];
	uint64_t state = record_number(&rest);
	struct fail f;

	r->state = state <= RCPT_REFUSED ? (enum rcpt_state)state : RCPT_RETRY;
	record_fail(&rest, &f);
	r->fail = fail_keep(h->arena, &f);
	r->host = record_optional(&rest, h->arena);
	r->ip = record_optional(&rest, h->arena);
	r->confirmation = record_optional(&rest, h->arena);
	r->tls = record_optional(&rest, h->arena);
	r->tls_peer = record_optional(&rest, h->arena);
	r->auth = record_optional(&rest, h->arena);
	r->tls_verified = record_number(&rest) != 0;
	r->continued = record_number(&rest) != 0;
	r->chunked = record_number(&rest) != 0;
	r->reused = record_number(&rest) != 0;
}

static bool
is_stopped(struct fail *f)
{
	return stop_asked() &&
	    !fail_set(f, FAIL_TEMP, STAGE_MAIL, 0, "onehop-send was told to stop");
}

/* It is gone, or says what makes no sense.  Nobody knows what became of a message that it had; but
 * a signal to stop does not end it when a server may have that. */
static bool
lost(struct courier *c, bool had_all, struct fail *f)
{
	enum fail_stage at = had_all ? STAGE_EOM : STAGE_MAIL;
	int status;

	logins_end(&c->login);
	(void)kill(c->child.pid, SIGKILL);
	status = child_wait(&c->child);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM && is_stopped(f))
		return false;
	if (stop_asked())
		(void)fail_set(f, FAIL_TEMP, at, 0,
		    "onehop-send was told to stop, and the network process did not end in %d "
		    "seconds",
		    STOP_SECONDS);
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		(void)fail_set(f, FAIL_TEMP, at, 0,
		    "the network process made a system call that its filter forbids and was ended; "
		    "the kernel's log has the number, please report it");
	else if (WIFSIGNALED(status))
		(void)fail_set(f, FAIL_TEMP, at, 0, "the network process was killed by signal %d",
		    WTERMSIG(status));
	else if (WEXITSTATUS(status) > ERRAND_STAYS_ROOT)
		(void)fail_set(f, FAIL_TEMP, at, WEXITSTATUS(status) - ERRAND_STAYS_ROOT,
		    "the network process cannot give up the rights of root, and talks to nobody "
		    "with them (CAP_SETUID and CAP_SETGID are for that)");
	else
		(void)fail_set(f, FAIL_TEMP, at, 0,
		    "the network process ended without a verdict (exit status %d)",
		    WEXITSTATUS(status));
	trace_line(c->trace, TRACE_LOG, "%s", f->text);
	return false;
}

static const struct {
	char letter;
	bool (*answer)(struct courier *c, struct str rest, struct fail *f);
} questions[] = { { 'N', give_name }, { 'S', give_secret }, { 'U', give_path }, { 'A', hear_login },
	{ 'P', give_leave } };

/* False: it is no question, or nobody hears the answer. */
static bool
answer(struct courier *c, char letter, struct str rest, struct fail *f)
{
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
		if (questions[i].letter == letter)
			return questions[i].answer(c, rest, f);
	return false;
}

/* Until Z.  False: *f is of Z, or *ended: it is gone. */
static bool
hear(struct courier *c, struct hearing *h, bool *ended, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_RECORD_MAX);
	AUTO_RECORDS struct record_in in = {
		.fd = c->child.in, .passed = -1, .wait = stop_wait, .ctx = &c->stop
	};
	struct fail end = FAIL_INIT;
	bool ok = true;
	char letter;

	*ended = true;
	c->stop.pass_on = c->child.pid;
	while (ok && record_next(&in, &letter, &b)) {
		struct str rest;

		clean(&b);
		rest = buf_get(&b);
		if (letter == 'T')
			relay(c, rest);
		else if (letter == 'K')
			remember(c, rest);
		else if (letter == 'V' && h->settled < h->n)
			settle(h, rest);
		else
			ok = letter == 'Z' || answer(c, letter, rest, f);
		if (letter != 'Z')
			continue;
		record_fail(&rest, &end);
		*ended = false;
		if (end.cls != FAIL_NONE)
			*f = end;
		return end.cls == FAIL_NONE;
	}
	return false;
}

/* ------------------------------------------------------------------ errands */

static bool
start(struct courier *c, struct fail *f)
{
	return !is_stopped(f) &&
	    (c->child.pid > 0 || child_serve(&c->child, errand_serve, &c->errand, STAGE_MAIL, f));
}

void
courier_warm(struct courier *c, const char *hosts)
{
	struct hearing h = { .n = 0 };
	struct fail f = FAIL_INIT;
	bool ended = true;

	c->hosts = hosts;
	if (!start(c, &f)) /* the delivery tries that again, and says it */
		return;
	if (record_put(c->child.in, 'C', str_of(hosts), &f))
		(void)hear(c, &h, &ended, &f);
	if (ended)
		(void)lost(c, false, &f);
}

static bool
hand_over(const struct courier *c, const struct envelope *e, struct message *m, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	struct record_out o;

	record_begin(&o, c->child.in);
	record_add(&b, c->hosts);
	record_add_number(&b, c->before_part != NULL);
	record_add_number(&b, c->once);
	return record_hold(&o, 'L', buf_get(&b), f) && submit_put(&o, e, m, f);
}

bool
courier_deliver(struct courier *c, const struct envelope *e, struct message *m, struct fail *f)
{
	struct hearing h = { .rcpts = e->rcpts, .n = e->nrcpts, .arena = m->arena };
	bool had_all, ended = true, ok;

	if (e->nrcpts == 0)
		return true;
	c->hosts = e->rcpts[0].hosts;
	if (!start(c, f))
		return false;
	had_all = hand_over(c, e, m, f);
	ok = had_all && hear(c, &h, &ended, f) && h.settled == h.n;
	if (ended)
		(void)lost(c, had_all, f);
	return ok;
}

void
courier_free(struct courier *c)
{
	struct hearing h = { .n = 0 };
	struct fail ignored;
	bool ended;

	if (c->child.pid <= 0)
		return;
	/* it is told to end by Q; where Q cannot be written, by a signal */
	if (!record_put(c->child.in, 'Q', STR(""), &ignored))
		(void)kill(c->child.pid, SIGTERM);
	(void)shutdown(c->child.in, SHUT_WR);
	(void)hear(c, &h, &ended, &ignored); /* -v shows QUIT */
	(void)child_wait(&c->child);
	logins_end(&c->login);
	arena_free(&c->tried);
}

void
courier_leave(struct courier *c)
{
	if (c->child.in >= 0)
		(void)close(c->child.in);
	c->child = (struct child)CHILD_NONE;
	logins_end(&c->login);
}
