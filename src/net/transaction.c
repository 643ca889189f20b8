/* transaction.c - MAIL, RCPT, DATA or BDAT, and one verdict per recipient. */
#include <sysexits.h>

#include "base/stop.h"
#include "mail/domain.h"
#include "mail/mailbox.h"
#include "net/flight.h"
#include "net/parameters.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* What the size of output_plan(), which is Exim's, has over the octets that are sent. */
enum { SIZE_ROOM = 1023 };
enum { CONFIRMATION_MAX = 1000 };

struct rcpt *
transaction_rcpt(const struct transaction *t, size_t i)
{
	return &t->e->rcpts[t->which[i]];
}

/* *f lasts as long as the message (fail_keep()). */
static void
settle_kept(struct rcpt *r, const struct fail *f)
{
	r->state = f->cls == FAIL_TEMP ? RCPT_RETRY : RCPT_REFUSED;
	r->fail = f;
}

static void
settle(const struct transaction *t, size_t i, const struct fail *f)
{
	settle_kept(transaction_rcpt(t, i), fail_keep(t->m->arena, f));
}

/* The same verdict for all that have none yet. */
static void
settle_waiting(const struct transaction *t, const struct fail *f)
{
	const struct fail *why = fail_keep(t->m->arena, f);

	for (size_t i = 0; i < t->n; i++)
		if (transaction_rcpt(t, i)->state == RCPT_WAITING)
			settle_kept(transaction_rcpt(t, i), why);
}

/* The address as this server can take it: domain in A-labels unless SMTPUTF8 is in use. */
static bool
wire_path(const struct transaction *t, const char *address, struct buf *out, struct fail *f)
{
	struct mailbox box = mailbox_split(address);
	struct str domain = box.domain;

	if (!parameters_path_ok(address))
		return fail_set(f, FAIL_PERM, STAGE_ADDRESS, 0,
		    "%s is not an address that can be sent", address);
	if (!t->utf8 && str_8bit(box.local))
		return fail_set(f, FAIL_PERM, STAGE_ADDRESS, 0,
		    "%s has characters other than ASCII before the @, and the smarthost does not "
		    "offer SMTPUTF8",
		    address);
	if (!t->utf8 && !domain_to_ascii(t->m->arena, domain, &domain, f)) {
		f->cls = FAIL_PERM;
		return false;
	}
	buf_put(out, box.local);
	if (domain.n > 0) {
		buf_char(out, '@');
		buf_put(out, domain);
	}
	return true;
}

static bool
say_mail(struct transaction *t, struct fail *f)
{
	const struct mail_wants wants = { .size = t->plan.size,
		.body_8bit = t->plan.needs_8bit || t->utf8,
		.utf8 = t->utf8,
		.auth = t->s->mail_auth };
	AUTO_BUF struct buf path = BUF_INIT(4096), more = BUF_INIT(16384);

	if (!wire_path(t, t->e->sender, &path, f))
		return false;
	parameters_mail(t->s->caps.have, t->e, &wants, &more);
	return session_command(t->s, STAGE_MAIL, f, "MAIL FROM:<%.*s>%.*s", S_ARG(buf_get(&path)),
	    S_ARG(buf_get(&more)));
}

/* RCPT for one recipient; one that cannot be said is refused here, alone. */
void
transaction_say_rcpt(struct transaction *t, size_t i)
{
	AUTO_BUF struct buf path = BUF_INIT(4096), more = BUF_INIT(16384);
	struct fail why = FAIL_INIT;

	parameters_rcpt(t->s->caps.have, transaction_rcpt(t, i), &more);
	t->asked[i] = wire_path(t, transaction_rcpt(t, i)->address, &path, &why) &&
	    session_command(t->s, STAGE_RCPT, &why, "RCPT TO:<%.*s>%.*s", S_ARG(buf_get(&path)),
		S_ARG(buf_get(&more)));
	if (t->asked[i])
		t->nasked++;
	else
		settle(t, i, &why);
}

/* Name what the next reply is to; in a group the last command said is not it. */
void
transaction_about(struct transaction *t, const char *verb, const char *address)
{
	buf_reset(&t->s->asked);
	buf_fmt(&t->s->asked, address != NULL ? "%s:<%s>" : "%s", verb, address);
}

/* Does the reply refuse a command because it came in a group with others (PIPELINING that is not
 * kept)? */
static bool
says_out_of_step(const struct session *s)
{
	struct str words = buf_get(&s->text);

	if (s->reply.code < 500)
		return false;
	for (; words.n > 0; words = str_skip(words, 1))
		if (str_istarts(words, STR("synchroni")) || str_istarts(words, STR("pipelin")))
			return true;
	return false;
}

bool
transaction_hear_mail(struct transaction *t, struct fail *f)
{
	if (!session_hear(t->s, STAGE_MAIL, f))
		return false;
	t->heard = true;
	t->out_of_step |= says_out_of_step(t->s);
	if (t->s->reply.code / 100 == 2) {
		t->s->mail_open = true;
		return true;
	}
	(void)session_refused(t->s, STAGE_MAIL, &t->refusal);
	t->mail_refused = !t->s->dead;
	if (t->mail_refused)
		return true;
	*f = t->refusal;
	return false;
}

bool
transaction_hear_rcpt(struct transaction *t, size_t i, struct fail *f)
{
	struct fail why = FAIL_INIT;

	transaction_about(t, "RCPT TO", transaction_rcpt(t, i)->address);
	if (!session_hear(t->s, STAGE_RCPT, f))
		return false;
	if (t->s->dead)
		return session_refused(t->s, STAGE_RCPT, f);
	t->out_of_step |= says_out_of_step(t->s);
	if (t->s->reply.code / 100 == 2) {
		t->accepted[i] = true;
		t->naccepted += !t->mail_refused;
	} else if (!t->mail_refused) {
		(void)session_refused(t->s, STAGE_RCPT, &why);
		settle(t, i, &why);
	}
	return true;
}

/* An answer that is there before the question is none: what it says would be taken for the fate of
 * a message that the server has not seen. */
static bool
in_step(struct transaction *t, enum fail_stage at, struct fail *f)
{
	if (stream_pending(t->s->stream) == 0)
		return true;
	t->s->dead = true;
	return fail_set(
	    f, FAIL_TEMP, at, 0, "%s answers before it is asked; nothing is sent", t->s->host);
}

/* 354 and only 354 asks for the text. */
bool
transaction_hear_data(struct transaction *t, struct fail *f)
{
	struct fail why = FAIL_INIT;

	transaction_about(t, "DATA", NULL);
	if (!session_hear(t->s, STAGE_DATA, f))
		return false;
	t->go = t->s->reply.code == 354;
	if (t->go || t->naccepted == 0)
		return true;
	(void)session_refused(t->s, STAGE_DATA, &why);
	if (t->s->reply.code >= 400 && !t->s->dead) {
		settle_waiting(t, &why);
		return true;
	}
	t->s->dead = true;
	*f = why;
	return false;
}

/* Settle the accepted recipient i from the reply to the end of the message. */
void
transaction_settle(struct transaction *t, size_t i, bool first)
{
	struct rcpt *r = transaction_rcpt(t, i);
	struct fail why = FAIL_INIT;
	AUTO_BUF struct buf words = BUF_INIT(REPLY_WORDS_MAX);

	if (t->s->reply.code / 100 != 2) {
		(void)session_refused(t->s, STAGE_EOM, &why);
		settle(t, i, &why);
		t->s->dead |= t->s->reply.code < 400; /* out of step */
		return;
	}
	session_words(t->s, &words);
	r->state = RCPT_SENT;
	r->confirmation = arena_fmt(t->m->arena, "%.*s", CONFIRMATION_MAX, buf_get(&words).p);
	r->continued = !first;
	r->chunked = t->chunk;
}

/* One reply for all; with LMTP one for each accepted recipient. */
bool
transaction_hear_final(struct transaction *t, struct fail *f)
{
	bool first = true;

	transaction_about(t, "end of data", NULL);
	for (size_t i = 0; i < t->n; i++) {
		if (!t->accepted[i])
			continue;
		if ((first || t->s->lmtp) && !session_hear(t->s, STAGE_EOM, f))
			return false;
		transaction_settle(t, i, first);
		first = false;
	}
	t->s->mail_open = false;
	return true;
}

/* DATA was not stopped although nobody takes the message: RFC 2920 3.1 has a lone dot for it.
 * LMTP would send no reply to count on, and a server that refused the sender and goes on may
 * deliver an empty message: so there the line is dropped. */
static bool
send_nothing(struct transaction *t, struct fail *f)
{
	if (t->s->lmtp || t->mail_refused) {
		t->s->dead = true;
		return true;
	}
	t->s->mail_open = false;
	return session_command(t->s, STAGE_DATA, f, ".") && session_flush(t->s, STAGE_DATA, f) &&
	    session_hear(t->s, STAGE_DATA, f);
}

static bool
send_text(struct transaction *t, struct fail *f)
{
	struct output o = { .m = t->m, .plan = t->plan, .stuff_dots = true };
	bool more = true;

	trace_line(t->s->trace, TRACE_OUT, "(writing message)");
	while (more) {
		if (!output_next(&o, &t->s->out, &more, f)) {
			t->s->dead = true; /* no dot: what was sent is dropped by the server */
			return false;
		}
		if (more && !session_flush(t->s, STAGE_DATA, f))
			return false;
	}
	stop_hold(); /* what is said now has to be heard, and told */
	return session_command(t->s, STAGE_EOM, f, ".") && session_flush(t->s, STAGE_EOM, f) &&
	    transaction_hear_final(t, f);
}

/* No dot will follow a refusal to go on: the server drops what it has. */
static bool
may_go(const struct transaction *t, struct fail *f)
{
	const struct session *s = t->s;

	return s->before_text == NULL ||
	    s->before_text(s->owner, t->naccepted < t->n || s->part, f);
}

/* One command, one answer: for servers without PIPELINING. */
static bool
step_by_step(struct transaction *t, struct fail *f)
{
	if (!session_flush(t->s, STAGE_MAIL, f) || !transaction_hear_mail(t, f))
		return false;
	for (size_t i = 0; i < t->n && !t->mail_refused; i++) {
		transaction_say_rcpt(t, i);
		if (t->asked[i] &&
		    (!session_flush(t->s, STAGE_RCPT, f) || !transaction_hear_rcpt(t, i, f)))
			return false;
	}
	if (t->naccepted == 0)
		return true;
	return session_command(t->s, STAGE_DATA, f, "DATA") && session_flush(t->s, STAGE_DATA, f) &&
	    transaction_hear_data(t, f);
}

/* All that is said: RSET where an earlier transaction was left open, the envelope, the text. */
static bool
converse(struct transaction *t, struct fail *f)
{
	struct fail lost = FAIL_INIT;

	if (!in_step(t, STAGE_MAIL, f))
		return false;
	if (t->s->mail_open) {
		t->s->mail_open = false;
		if (!session_command(t->s, STAGE_MAIL, f, "RSET") ||
		    !session_flush(t->s, STAGE_MAIL, f) || !session_hear(t->s, STAGE_MAIL, f))
			return false;
	}
	if (!say_mail(t, &t->refusal)) {
		settle_waiting(t, &t->refusal);
		return true;
	}
	if (!(t->s->caps.have & CAP_PIPELINING ? flight_send : step_by_step)(t, &lost)) {
		if (!t->mail_refused) {
			*f = lost;
			return false;
		}
		t->s->dead = true; /* it said no, and did not stay for the rest */
	}
	if (t->mail_refused)
		settle_waiting(t, &t->refusal);
	if (!t->go)
		return true;
	if (t->naccepted == 0)
		return send_nothing(t, f);
	return may_go(t, f) && in_step(t, STAGE_DATA, f) && send_text(t, f);
}

/* After the loss of the final reply nobody knows: the accepted recipients must not be given to
 * another host in this run. */
static void
settle_unknown(struct transaction *t, struct fail *f)
{
	const struct fail *why;

	if (t->flown && f->smtp == 0)
		f->stage = STAGE_EOM;
	if (f->stage != STAGE_EOM || f->smtp != 0)
		return;
	fail_prefix(f, "the answer to the end of the message was lost, it may arrive twice");
	why = fail_keep(t->m->arena, f);
	for (size_t i = 0; i < t->n; i++)
		if (transaction_rcpt(t, i)->state == RCPT_WAITING && (t->flown || t->accepted[i]))
			settle_kept(transaction_rcpt(t, i), why);
}

/* Can the message not be given to this server at all, whoever the recipients are?  Then t->refusal
 * says why. */
static bool
unfit(struct transaction *t)
{
	struct fail *f = &t->refusal;
	uint64_t max = t->s->caps.size_max, size = t->plan.size - SIZE_ROOM;

	if (t->plan.has_nul) {
		(void)fail_set(f, FAIL_PERM, STAGE_DATA, 0,
		    "the message has NUL octets where they cannot be encoded (in a signed or "
		    "enclosed part): "
		    "servers lose what stands behind them");
		f->exit = EX_DATAERR;
		return true;
	}
	if (!(t->s->caps.have & CAP_SIZE) || max == 0 || size <= max)
		return false;
	(void)fail_set(f, FAIL_PERM, STAGE_MAIL, 0,
	    "the message has %ju octets, %s takes at most %ju", (uintmax_t)size, t->s->host,
	    (uintmax_t)max);
	(void)snprintf(f->dsn, sizeof f->dsn, "5.3.4");
	return true;
}

/* Decide by what the server offers how the message goes: its encoding, SMTPUTF8, BDAT in one
 * flight. */
static void
weigh(struct transaction *t)
{
	unsigned have = t->s->caps.have, both = CAP_PIPELINING | CAP_CHUNKING;

	t->plan = output_plan(t->m, (have & CAP_8BITMIME) != 0);
	t->utf8 = (have & CAP_SMTPUTF8) && parameters_need_utf8(t->e, t->which, t->n);
	t->chunk = (have & both) == both && !t->s->lmtp && t->plan.size <= SESSION_CHUNK_MAX &&
	    (t->s->before_text == NULL || (t->n == 1 && !t->s->part));
}

/* Does the message need, or ask for, what the server does not offer? */
static bool
misses(const struct transaction *t)
{
	const struct caps *c = &t->s->caps;

	return (!(c->have & CAP_SMTPUTF8) && parameters_need_utf8(t->e, t->which, t->n)) ||
	    (!(c->have & CAP_DSN) && parameters_want_dsn(t->e, t->which, t->n)) ||
	    (!(c->have & CAP_8BITMIME) && t->plan.needs_8bit) ||
	    ((c->have & CAP_SIZE) && c->size_max > 0 && t->plan.size - SIZE_ROOM > c->size_max);
}

/* Some servers say only to whom they know what they offer: EHLO again, once, before anything is
 * given up.  One that does not want to hear it keeps what it said before. */
static bool
ask_again(struct transaction *t, struct fail *f)
{
	struct session *s = t->s;
	struct caps before = s->caps;
	struct fail why = FAIL_INIT;

	if (s->auth == NULL || s->asked_again || !misses(t))
		return true;
	s->asked_again = true;
	if (session_hello(s, false, &why)) {
		s->mail_open = false;
		weigh(t);
		return true;
	}
	if (s->dead) {
		*f = why;
		return false;
	}
	s->caps = before;
	s->esmtp = true;
	return true;
}

bool
session_transaction(struct session *s, struct envelope *e, const size_t *which, size_t n,
    struct message *m, struct fail *f)
{
	struct transaction t = { .s = s, .e = e, .which = which, .n = n, .m = m };

	t.asked = arena_array(m->arena, n, sizeof *t.asked);
	t.accepted = arena_array(m->arena, n, sizeof *t.accepted);
	weigh(&t);
	if (!ask_again(&t, f))
		return false;
	if (t.plan.long_lines)
		trace_line(s->trace, TRACE_LOG,
		    "the message has lines of more than %d octets; they are sent as they are",
		    (int)LINE_MAX_OCTETS);
	if (unfit(&t)) {
		settle_waiting(&t, &t.refusal);
		return true;
	}
	if (converse(&t, f))
		return true;
	s->dead = true;
	settle_unknown(&t, f);
	return false;
}
