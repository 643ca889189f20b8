/* main.c - onehop-send: takes one submission, or one request about the queue, on descriptor 0. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/clock.h"
#include "base/stop.h"
#include "guard/environment.h"
#include "mail/stamp.h"
#include "net/errand.h"
#include "send/check.h"
#include "send/control.h"
#include "send/due.h"
#include "send/peer.h"
#include "send/post.h"
#include "send/run.h"
#include "send/share.h"
#include "wire/record.h"
#include "wire/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { ALONG = 10 }; /* due messages that a delivery which went well takes along */

struct serve {
	struct arena *arena;
	struct conf conf, usual; /* as the message's sender has it, and as it is for others */
	struct submit_hello hello;
	struct submit_trace *out;
	struct delivery d;
	struct peer peer;
	int turns; /* what holds the caller's place and turn, or -1 */
	bool busy; /* nothing is taken from him now */
	bool own;  /* it does the caller's mail alone (send/post.h) */
};

static bool
load(struct serve *s, const struct environment *env, const char *file, struct fail *f)
{
	struct conf_paths paths;
	struct caller who;

	if (!guard_caller(s->arena, &who, f))
		return false;
	if (s->peer.foreign) /* a shared door has no user's own setup */
		who.uid = 0;
	paths = guard_conf_paths(s->arena, env, &who, file);
	if (!conf_load(&s->conf, s->arena, &paths, f))
		return false;
	s->usual = s->conf;
	return true;
}

/* The mail that goes along is not this sender's: neither his smarthost nor his password is for it.
 */
static void
forget_sender(struct serve *s)
{
	if (!conf_depends_on_sender(&s->conf))
		return;
	courier_free(s->d.courier);
	s->conf = s->usual;
}

/* Does every recipient have it? */
static bool
is_all_sent(const struct envelope *e)
{
	for (size_t i = 0; i < e->nrcpts; i++)
		if (e->rcpts[i].state != RCPT_SENT)
			return false;
	return e->nrcpts > 0;
}

/* Is some of it no longer the caller's: sent, or kept in the queue? */
static bool
is_ours(const struct envelope *e)
{
	for (size_t i = 0; i < e->nrcpts; i++)
		if (e->rcpts[i].state == RCPT_SENT || e->rcpts[i].state == RCPT_KEPT)
			return true;
	return false;
}

/* Is there a spool with something in it that may be due? */
static bool
something_waits(struct delivery *d)
{
	struct fail f = FAIL_INIT;
	struct spool look;
	bool any;

	if (d->spooling)
		return spool_has_mail(&d->spool) && !due_is_quiet(d);
	if (!spool_open(&look, d->conf, false, &f))
		return false;
	any = spool_has_mail(&look);
	spool_close(&look);
	return any && delivery_spool(d, false, &f) && !due_is_quiet(d);
}

/* Does he know that the message is ours?  Without the verdict that is so while he is there and was
 * told before, when it was safe; one who is gone has it again. */
static bool
knows(const struct serve *s, bool told)
{
	if (told)
		return submit_heard(STDIN_FILENO);
	return s->out->taken && (peer_hung_up(&s->peer) || !submit_gone(STDIN_FILENO));
}

/* True: he knows what became of his message. */
static bool
detach(struct serve *s, const struct queued *q, const struct fail *whole, bool stays)
{
	enum submit_ending how = s->busy ? SUBMIT_BUSY : stays ? SUBMIT_STAYS : SUBMIT_DONE;
	struct fail f = FAIL_INIT;
	bool told;

	guard_without_parent();
	peer_received(&s->peer);
	peer_wait(&s->peer, true);
	told = submit_verdicts(STDIN_FILENO, &q->e, whole, how, &f);
	peer_wait(&s->peer, false);
	if (is_ours(&q->e))
		told = knows(s, told);
	s->out->flags = 0;
	if (stays) {
		guard_detach();
		logfile_detach(s->d.log);
	}
	return told;
}

/* What is begun is brought to its end (base/stop.h); this has not begun. */
static bool
may_begin(struct serve *s, struct fail *f)
{
	s->busy = stop_asked();
	return !s->busy || fail_set(f, FAIL_TEMP, STAGE_DOOR, 0, "onehop-send was told to stop");
}

/* Only put it into the spool: its user has had his share of rate_limit, or of the turns. */
static enum conf_delivery
keep_for_later(struct serve *s, struct queued *q, struct fail *whole)
{
	if (!deliver_keep(&s->d, q, whole))
		fail_prefix(whole, "%s, and it cannot be kept", q->trouble.error);
	return DELIVERY_QUEUE;
}

/* Try it, or keep it; which of the two is the answer.  What cannot be kept is tried while the
 * caller waits, unless he has had his share: then all of it is his. */
static enum conf_delivery
deliver_or_keep(struct serve *s, struct queued *q, struct fail *whole)
{
	struct delivery *d = &s->d;
	struct fail f = FAIL_INIT;
	unsigned how = s->hello.delivery;

	if (how > DELIVERY_QUEUE)
		how = s->conf.delivery_mode;
	if (how == DELIVERY_QUEUE && deliver_keep(d, q, &f))
		return DELIVERY_QUEUE;
	if (!share_allows(d, q))
		return keep_for_later(s, q, whole);
	if (how == DELIVERY_BACKGROUND && deliver_keep(d, q, &f))
		return DELIVERY_BACKGROUND;
	if (!share_turn(s->turns, q, true)) {
		(void)keep_for_later(s, q, whole);
		s->busy = whole->cls != FAIL_NONE; /* he may ask again */
		return DELIVERY_QUEUE;
	}
	deliver_now(d, q);
	if (deliver_was_stopped(q))
		(void)may_begin(s, whole);
	return DELIVERY_FOREGROUND;
}

static void
deliver_as_asked(struct serve *s, struct queued *q, struct fail *whole)
{
	struct delivery *d = &s->d;
	enum conf_delivery how = deliver_or_keep(s, q, whole);
	bool along, stays, heard;

	d->log->id = NULL;
	along = !s->own && is_all_sent(&q->e) && something_waits(d);
	stays = d->noffspring > 0 || along || how == DELIVERY_BACKGROUND;
	if (how != DELIVERY_BACKGROUND)
		spool_release(q); /* it is the next one's, his next command's among them */
	heard = detach(s, q, whole, stays);
	if (!heard && is_ours(&q->e))
		run_unheard(d, q);
	delivery_note_success(d);
	if (heard && how == DELIVERY_BACKGROUND) {
		d->log->id = q->e.id;
		if (share_turn(s->turns, q, false))
			deliver_queued(d, q);
		else
			trace_line(d->trace, TRACE_LOG, "%s", q->trouble.error);
		d->log->id = NULL;
	}
	spool_release(q);
	forget_sender(s);
	if (stays)
		run_along(d, along ? ALONG : 0);
}

/* The message gets its id and the moment of its arrival: a foreign caller's are not what he says,
 * nor is what Received says of him, and he hears the id (wire/submit.h). */
static void
name(struct serve *s, struct queued *q)
{
	const char *claimed = arena_strz(s->arena, str_of(q->e.id));
	struct stamp by = { .id = q->e.id,
		.host = s->conf.primary_hostname,
		.login = q->e.login,
		.helo = q->e.helo,
		.protocol = q->e.protocol,
		.sender = q->e.sender,
		.rcpt = q->e.nrcpts == 1 ? q->e.rcpts[0].address : NULL };

	if (!s->peer.foreign) {
		q->received = clock_unix();
		return;
	}
	delivery_new_id(&s->d, q);
	by.now = q->received;
	stamp_anew(&q->m, &by, claimed);
	peer_named(&s->peer, q->e.id);
}

/* Has it come too often (RFC 5321 6.3)?  Whoever hands it over has put one Received on top. */
static bool
circles(const struct serve *s, const struct queued *q, struct fail *f)
{
	uint64_t n = 0, most = s->conf.received_headers_max;

	for (size_t i = 0; i < q->m.nheaders; i++)
		n += q->m.headers[i].type == H_RECEIVED;
	if (n <= most + 1)
		return false;
	(void)fail_set(f, FAIL_PERM, STAGE_ROUTE, 0,
	    "the message has %llu Received fields, more than received_headers_max = %llu: it goes "
	    "in a circle; look for a .forward or an alias that sends mail back to where it came "
	    "from",
	    (unsigned long long)n - 1, (unsigned long long)most);
	(void)snprintf(f->dsn, sizeof f->dsn, "5.4.6");
	return true;
}

/* The sender is known only now, and what the configuration says for it. */
static int
serve_submission(struct serve *s)
{
	struct queued q = { .arena = s->arena,
		.uid = s->peer.uid,
		.gid = s->peer.gid,
		.m = { .arena = s->arena, .body = { .fd = -1 } } };
	struct fail whole = FAIL_INIT;
	bool warm = s->hello.connect_now && !peer_is_stranger(&s->peer) &&
	    !conf_depends_on_sender(&s->conf) && s->conf.delivery_mode == DELIVERY_FOREGROUND &&
	    share_is_left(&s->d, s->peer.uid);

	logfile_hold(s->d.log);
	if (warm)
		courier_warm(s->d.courier, s->conf.smarthost);
	if (submit_receive(STDIN_FILENO, stop_may_end, s->arena, &q.e, &q.m, &whole) &&
	    may_begin(s, &whole) && !circles(s, &q, &whole) &&
	    conf_apply_sender(&s->conf, q.e.sender, &whole) &&
	    peer_may_send(&s->peer, &s->conf, &q, s->d.trace, &whole)) {
		peer_received(&s->peer);
		name(s, &q);
		s->d.log->id = q.e.id;
		msglog_hold(&s->d.log->messages, q.e.id);
		q.protocol = q.e.protocol;
		deliver_as_asked(s, &q, &whole);
	} else {
		(void)detach(s, &q, &whole, false);
	}
	run_close(&s->d);
	body_close(&q.m.body);
	return whole.cls == FAIL_NONE ? EX_OK : fail_exit_code(&whole);
}

/* Somebody who is not root shares the door with others: there is a limit to what is his. */
static bool
enter(struct serve *s, struct fail *f)
{
	if (peer_is_stranger(&s->peer) && !share_place(&s->conf, s->peer.uid, &s->turns, f)) {
		s->busy = true;
		return false;
	}
	submit_serving(STDIN_FILENO);
	return true;
}

static bool
hello(struct serve *s, struct fail *f)
{
	peer_hurry(&s->peer);
	return stop_may_end(NULL, STDIN_FILENO) && submit_accept(STDIN_FILENO, &s->hello, f) &&
	    stop_may_end(NULL, STDIN_FILENO);
}

static int
serve_control(struct serve *s, const struct buf *request)
{
	const struct queued none = { .uid = 0 };
	struct control c = { 0 };
	struct fail f = FAIL_INIT;
	bool ok = control_read(buf_get(request), &c, s->arena, &f) &&
	    deliver_control(&s->d, STDIN_FILENO, s->peer.uid, &c, &f);

	run_close(&s->d);
	(void)detach(s, &none, &f, false);
	return ok ? EX_OK : fail_exit_code(&f);
}

static int
serve(struct serve *s, struct logfile *log, const struct trace *trace)
{
	AUTO_BUF struct buf request = BUF_INIT(SUBMIT_RECORD_MAX);

	s->d = (struct delivery){ .conf = &s->conf,
		.arena = s->arena,
		.trace = trace,
		.caller = &s->peer,
		.log = log,
		.now = clock_unix(),
		.courier = courier_new(&s->conf, s->arena, trace, s->hello.flags != 0),
		.verbose = s->hello.flags != 0 };
	logfile_open(log, &s->conf);
	return submit_is_control(STDIN_FILENO, &request) ? serve_control(s, &request) :
							   serve_submission(s);
}

static void
say_lines(FILE *to, const struct buf *lines, const char *what)
{
	struct str rest = buf_get(lines);

	while (rest.n > 0) {
		struct str line = str_cut(&rest, '\n');

		(void)fprintf(to, "%s%.*s\n", what, S_ARG(line));
	}
}

static void
add_line(void *ctx, enum trace_kind kind, struct str line)
{
	(void)kind;
	buf_put(ctx, line);
	buf_char(ctx, '\n');
}

/* The parts that this machine has are found by being put on: nothing but output comes after. */
static void
try_confinement(struct arena *a, const struct conf *c, struct buf *notes)
{
	const struct trace t = { add_line, notes };

	if (!errand_confine(c, a, &t))
		trace_line(&t, TRACE_DEBUG,
		    "confinement: the rights of root cannot be given up (%s), and mail for other "
		    "hosts waits: CAP_SETUID and CAP_SETGID are for that",
		    fail_words(errno));
}

/* -bV: what is wrong on standard error, notes on standard output; 78 when something is. */
static int
check(struct arena *a, const char *file)
{
	AUTO_BUF struct buf wrong = BUF_INIT(CHECK_MAX), notes = BUF_INIT(CHECK_MAX);
	struct environment env;
	struct caller who;
	struct conf_paths paths;
	struct conf c;
	struct fail f = FAIL_INIT;

	guard_start(&env);
	guard_no_core();
	if (!guard_caller(a, &who, &f))
		return fail_exit_code(&f);
	paths = guard_conf_paths(a, &env, &who, file);
	if (!conf_load(&c, a, &paths, &f))
		return fail_exit_code(&f); /* onehop has said why */
	check_conf(a, &c, &wrong, &notes);
	say_lines(stderr, &wrong, "onehop: reading the configuration: ");
	try_confinement(a, &c, &notes);
	say_lines(stdout, &notes, "");
	return wrong.n > 0 ? EX_CONFIG : EX_OK;
}

int
main(int argc, char **argv)
{
	AUTO_ARENA struct arena arena = { NULL };
	const char *file = argc > 2 && strcmp(argv[argc - 2], "-C") == 0 ? argv[argc - 1] : NULL;
	struct submit_trace out = { .fd = STDIN_FILENO };
	struct trace told = submit_trace(&out);
	struct serve s = { .arena = &arena,
		.out = &out,
		.peer = { .next = &told, .words = &out },
		.turns = -1,
		.own = argc > 1 && strcmp(argv[1], POST_WORD) == 0 };
	struct trace caller = peer_trace(&s.peer);
	struct logfile log = LOGFILE_INIT(&caller);
	struct trace trace = logfile_trace(&log);
	const struct queued none = { .uid = 0 };
	struct environment env;
	struct fail f = FAIL_INIT;

	if (argc > 1 && strcmp(argv[1], "-bV") == 0)
		return check(&arena, file);
	guard_start(&env);
	guard_no_core();
	guard_with_parent();
	stop_hold();
	stop_spare_alarm();
	if (peer_find(&s.peer, &arena, STDIN_FILENO, &f) && load(&s, &env, file, &f) &&
	    enter(&s, &f) && hello(&s, &f)) {
		int status;

		out.flags = s.hello.flags;
		status = serve(&s, &log, &trace);
		logfile_close(&log);
		return status;
	}
	(void)detach(&s, &none, &f, false);
	return fail_exit_code(&f);
}
