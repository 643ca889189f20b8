/* errand.c - what runs in the confined process. */
#include "net/errand.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/module.h"
#include "base/program.h"
#include "base/stop.h"
#include "conf/secret.h"
#include "guard/confine.h"
#include "net/auth.h"
#include "net/saslmodule.h"
#include "net/smarthost.h"
#include "net/tlsmodule.h"
#include "wire/record.h"
#include "wire/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct worker {
	const struct errand *errand;
	int fd;
	struct arena arena; /* of all messages */
	struct trace trace;
	struct smarthost *smarthost;
	struct tls_files files;
};

static void
tell(void *ctx, enum trace_kind kind, struct str line)
{
	const struct worker *w = ctx;

	if (kind == TRACE_LOG || w->errand->everything)
		submit_line(w->fd, kind, line);
}

/* Ask, and hear the answer of that letter: its failure, what is behind it in b, and the descriptor
 * that came along, or -1. */
static bool
ask_for(struct worker *w, const char *letters, struct buf *b, struct str *rest, int *passed,
    struct fail *f)
{
	struct fail why = FAIL_INIT;
	char letter;

	if (!record_put_buf(w->fd, letters[0], b, f))
		return false;
	if (!record_get_socket(w->fd, &letter, b, passed) || letter != letters[1])
		return record_gone(f);
	*rest = buf_get(b);
	record_fail(rest, &why);
	if (why.cls != FAIL_NONE)
		*f = why;
	return why.cls == FAIL_NONE;
}

static bool
ask(struct worker *w, const char *letters, struct buf *b, struct str *rest, struct fail *f)
{
	AUTO_FD int none = -1;

	return ask_for(w, letters, b, rest, &none, f);
}

static int
ask_path(void *ctx, const char *path)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	AUTO_FD int fd = -1;
	struct fail f = FAIL_INIT;
	struct str rest;
	bool ok;

	record_add(&b, path);
	ok = ask_for(ctx, "Uu", &b, &rest, &fd, &f);
	errno = f.sys != 0 ? f.sys : EBADF;
	return ok ? steal_fd(&fd) : -1;
}

static bool
ask_name(void *ctx, const struct host *h, const struct resolve_options *o, struct answer *out,
    struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	struct str rest = { NULL, 0 };

	record_add(&b, h->name);
	record_add_number(&b, h->kind);
	record_add_number(&b, h->port);
	record_add_number(&b, o->family);
	if (!ask(ctx, "Nn", &b, &rest, f))
		return false;
	if (rest.n != sizeof *out)
		return record_gone(f);
	memcpy(out, rest.p, sizeof *out);
	return true;
}

static bool
ask_secret(
    void *ctx, const char *configured, const char *canonical, struct secret *s, struct fail *f)
{
	struct worker *w = ctx;
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	struct secret found = { .login = { 0 } };
	struct str rest, login;
	bool ok;

	record_add(&b, configured);
	record_add(&b, canonical);
	ok = ask(w, "Ss", &b, &rest, f);
	if (ok) {
		const char *key = record_text(&rest, &w->arena);
		const char *where = record_text(&rest, &w->arena);
		const char *warning = record_optional(&rest, &w->arena);
		enum secret_match match = (enum secret_match)record_number(&rest);
		bool only = record_number(&rest) != 0, none = record_number(&rest) != 0;
		unsigned seen = (unsigned)record_number(&rest);
		const char *seen_in = record_optional(&rest, &w->arena);
		const char *stamp = record_text(&rest, &w->arena);
		uint64_t n = record_number(&rest);

		login = str_at(rest.p, n < rest.n ? (size_t)n : rest.n);
		ok = login.n == 0 || secret_copy(&found, login, str_skip(rest, login.n), f);
		found.key = key;
		found.where = where;
		found.warning = warning;
		found.match = match;
		found.only = only;
		found.none = none;
		found.seen = seen;
		found.seen_in = seen_in;
		found.stamp = stamp;
	}
	buf_wipe(&b);
	if (ok)
		*s = found;
	return ok;
}

static void
tell_seen(void *ctx, const char *configured, unsigned news)
{
	const struct worker *w = ctx;
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	struct fail ignored;

	record_add(&b, configured);
	record_add_number(&b, news);
	(void)!record_put_buf(w->fd, 'K', &b, &ignored);
}

static bool
tell_login(void *ctx, const char *configured, const struct login_told *t, struct buf *left_out,
    struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	struct str rest;

	record_add_number(&b, t->what);
	record_add(&b, configured);
	record_add(&b, t->secret->where);
	record_add(&b, t->secret->stamp);
	record_add(&b, t->mechanism);
	record_add(&b, t->words);
	if (!ask(ctx, "Aa", &b, &rest, f))
		return false;
	buf_put(left_out, record_field(&rest));
	return true;
}

static bool
ask_leave(void *ctx, bool part, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	struct str rest;

	record_add_number(&b, part);
	return ask(ctx, "Pp", &b, &rest, f);
}

static bool
report(struct record_out *o, const struct rcpt *r, struct fail *f)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);

	record_add_number(&b, (uint64_t)r->state);
	record_add_fail(&b, fail_of(r->fail));
	record_add(&b, r->host);
	record_add(&b, r->ip);
	record_add(&b, r->confirmation);
	record_add(&b, r->tls);
	record_add(&b, r->tls_peer);
	record_add(&b, r->auth);
	record_add_number(&b, r->tls_verified);
	record_add_number(&b, r->continued);
	record_add_number(&b, r->chunked);
	record_add_number(&b, r->reused);
	return record_hold(o, 'V', buf_get(&b), f);
}

static bool
end(struct record_out *o, const struct fail *why)
{
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_FIELD_MAX);
	struct fail f;

	record_add_fail(&b, why);
	return record_hold(o, 'Z', buf_get(&b), &f) && record_flush(o, &f);
}

/* One message.  False: nobody listens any more. */
static bool
deliver(struct worker *w, struct str rest)
{
	AUTO_ARENA struct arena a = { NULL };
	const char *hosts = record_text(&rest, &a);
	bool owned = record_number(&rest) != 0, ok = true;
	struct fail why = FAIL_INIT, f;
	struct record_out o;
	struct envelope e;
	struct message m;

	if (record_number(&rest) != 0)
		smarthost_try_once(w->smarthost);
	if (!submit_receive_own(w->fd, &a, &e, &m, &f))
		return false;
	for (size_t i = 0; i < e.nrcpts; i++)
		e.rcpts[i].hosts = hosts;
	smarthost_before_text(w->smarthost, owned ? ask_leave : NULL, w);
	if (smarthost_deliver(w->smarthost, &e, &m, &why))
		why.cls = FAIL_NONE;
	body_close(&m.body); /* its descriptor holds the message's lock */
	record_begin(&o, w->fd);
	for (size_t i = 0; ok && i < e.nrcpts; i++)
		ok = report(&o, &e.rcpts[i], &f);
	return ok && end(&o, &why);
}

static bool
serve_one(struct worker *w, char letter, struct str payload)
{
	const struct fail none = FAIL_INIT;
	struct record_out o;

	if (letter == 'L')
		return deliver(w, payload);
	if (letter != 'C')
		return false;
	smarthost_warm(w->smarthost, arena_strz(&w->arena, payload));
	record_begin(&o, w->fd);
	return end(&o, &none);
}

bool
errand_confine(const struct conf *c, struct arena *a, const struct trace *t)
{
	const char *const more[] = { program_path(a, TLS_MODULE), program_path(a, SASL_MODULE),
		NULL };

	module_keep(TLS_MODULE);
	module_keep(SASL_MODULE);
	return confine_network(more,
	    tls_is_token(c->tls_certificate) || tls_is_token(c->tls_privatekey) ? CONFINED_TOKEN :
										  CONFINED_NETWORK,
	    t);
}

int
errand_names(int fd)
{
	static const char *const more[] = { NULL };

	fd = confine_descriptors(fd);
	return confine_network(more, CONFINED_NAMES, NULL) ? fd : -1;
}

static bool
confine(struct worker *w)
{
	w->fd = confine_descriptors(w->fd);
	tls_files_read(w->errand->conf, &w->arena, &w->files);
	return errand_confine(w->errand->conf, &w->arena, &w->trace);
}

int
errand_serve(void *errand, int fd)
{
	struct worker w = { .errand = errand, .fd = fd };
	AUTO_BUF struct buf b = BUF_INIT(SUBMIT_RECORD_MAX);
	AUTO_FD int passed = -1;
	char letter;

	w.trace = (struct trace){ .emit = tell, .ctx = &w };
	stop_release();
	if (!confine(&w))
		return ERRAND_STAYS_ROOT + errno;
	w.smarthost = smarthost_new(w.errand->conf, &w.arena, &w.trace);
	smarthost_files(w.smarthost, &w.files);
	smarthost_reach(w.smarthost, ask_path, ask_name);
	smarthost_ask_secret(w.smarthost, ask_secret, tell_seen, &w);
	smarthost_tell_login(w.smarthost, tell_login);
	while (record_get(w.fd, &letter, &b, &passed) && serve_one(&w, letter, buf_get(&b)) &&
	    !stop_asked())
		stop_release();
	smarthost_free(w.smarthost);
	/* should the other side still hold this end, too */
	(void)shutdown(w.fd, SHUT_RDWR);
	arena_free(&w.arena);
	return 0;
}
