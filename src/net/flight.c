/* flight.c - a whole transaction in one flight (RFC 2920, 3030), and what offers it and cannot. */
#include "net/flight.h"

#include "base/stop.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { CHUNK_BUF_MAX = 4 * SESSION_CHUNK_MAX };

/* The whole message behind the envelope, in the same flight (RFC 3030 with RFC 2920). */
static bool
say_chunk(struct transaction *t, struct fail *f)
{
	struct output o = { .m = t->m, .plan = t->plan };
	AUTO_BUF struct buf text = BUF_INIT(CHUNK_BUF_MAX);
	bool more = true;

	while (more)
		if (!output_next(&o, &text, &more, f))
			return false;
	if (!buf_ok(&text))
		return fail_set(f, FAIL_TEMP, STAGE_DATA, 0, "out of memory");
	if (!session_command(t->s, STAGE_DATA, f, "BDAT %zu LAST", text.n))
		return false;
	trace_line(t->s->trace, TRACE_OUT, "(writing message)");
	buf_put(&t->s->out, buf_get(&text));
	return true;
}

/* What it offers it does not keep (a filter on the way may be the cause): nobody has the message,
 * and here nothing more can be said. */
static bool
without(struct transaction *t, unsigned cap, struct fail *f)
{
	t->s->without |= cap;
	t->s->dead = true;
	t->flown = t->mail_refused = false;
	for (size_t i = 0; i < t->n; i++)
		if (t->asked[i] && (cap == CAP_PIPELINING || t->accepted[i])) {
			transaction_rcpt(t, i)->state = RCPT_WAITING;
			transaction_rcpt(t, i)->fail = NULL;
		}
	return fail_set(f, FAIL_TEMP, STAGE_DATA, 0,
	    cap == CAP_PIPELINING ?
		"%s offers PIPELINING and does not keep it; it is tried without" :
		"%s offers CHUNKING and does not know BDAT; it is tried with DATA",
	    t->s->where);
}

/* Part of a group was not answered, or was refused for being one: without PIPELINING on the
 * next connection, unless the text has flown and may have been taken; then the next time. */
static bool
group_failed(struct transaction *t, bool ok, struct fail *f)
{
	struct session *s = t->s;
	/* who refuses the sender and hangs up means that */
	bool gone = s->lost && !t->mail_refused && (t->heard || s->mails <= 1);
	bool mute = !ok && !t->heard_all && ((s->late && t->heard) || gone);
	bool nobody = !t->flown || t->mail_refused || (ok && t->naccepted == 0);
	bool taken = ok && t->flown && s->reply.code / 100 == 2;

	if (taken || (!mute && !t->out_of_step))
		return ok;
	if (nobody)
		return without(t, CAP_PIPELINING, f);
	s->without |= mute ? CAP_PIPELINING : 0U;
	return ok;
}

/* The reply to BDAT; when nobody was accepted it is a refusal that says nothing new.  A server that
 * refused the sender and takes the text all the same has it: its last word counts. */
static bool
hear_chunk(struct transaction *t, struct fail *f)
{
	if (t->naccepted > 0 && !transaction_hear_final(t, f)) {
		t->s->without |= t->s->lost || t->s->late ? CAP_CHUNKING : 0U;
		return false;
	}
	if (t->naccepted > 0)
		return (t->s->reply.code != 500 && t->s->reply.code != 502) ||
		    without(t, CAP_CHUNKING, f);
	transaction_about(t, "BDAT", NULL);
	if (!session_hear(t->s, STAGE_DATA, f))
		return false;
	if (t->mail_refused && t->s->reply.code / 100 == 2)
		for (size_t i = 0, n = 0; i < t->n; i++)
			if (t->accepted[i])
				transaction_settle(t, i, n++ == 0);
	return true;
}

/* The replies to a group; up to the first that says that it is none. */
static bool
hear_group(struct transaction *t, struct fail *f)
{
	if (!transaction_hear_mail(t, f))
		return false;
	for (size_t i = 0; i < t->n && (t->flown || !t->out_of_step); i++)
		if (t->asked[i] && !transaction_hear_rcpt(t, i, f))
			return false;
	if (!t->flown && t->out_of_step)
		return true;
	t->heard_all = true;
	return t->chunk ? hear_chunk(t, f) : transaction_hear_data(t, f);
}

/* All in one write (RFC 2920 3.1).  Every answer is heard before the text is sent, so that the
 * replies stay in step. */
bool
flight_send(struct transaction *t, struct fail *f)
{
	struct session *s = t->s;
	AUTO_BUF struct buf mail = BUF_INIT(s->asked.max);

	buf_put(&mail, buf_get(&s->asked));
	for (size_t i = 0; i < t->n; i++)
		transaction_say_rcpt(t, i);
	if (t->nasked == 0) {
		buf_reset(&s->out);
		return true;
	}
	if (!(t->chunk ? say_chunk(t, f) : session_command(s, STAGE_DATA, f, "DATA"))) {
		s->dead = true;
		return false;
	}
	if (t->chunk && s->before_text != NULL && !s->before_text(s->owner, false, f)) {
		s->dead = true;
		return false;
	}
	t->flown = t->chunk;
	if (t->chunk)
		stop_hold();
	if (!session_flush(s, t->chunk ? STAGE_EOM : STAGE_MAIL, f))
		return false;
	buf_reset(&s->asked);
	buf_put(&s->asked, buf_get(&mail));
	return group_failed(t, hear_group(t, f), f);
}
