/* incoming.c - one transaction of -bs. */
#include "front/incoming.h"

#include <stdio.h>
#include <sysexits.h>

#include "wire/submit.h"

#include "base/banned.h" /* IWYU pragma: keep */

void
incoming_init(struct incoming *in, struct session_start *start)
{
	*in = (struct incoming){ .start = start };
}

void
incoming_reset(struct incoming *in)
{
	if (in->open)
		handover_end(&in->h);
	arena_free(&in->arena);
	incoming_init(in, in->start);
}

void
incoming_reply(struct fail *f)
{
	int status = fail_exit_code(f);
	bool later = status == EX_TEMPFAIL || status == EX_IOERR || status == EX_OSERR ||
	    status == EX_CONFIG;
	char dsn[sizeof f->dsn];

	if (f->stage == STAGE_INPUT && f->smtp == 0 && !later) {
		f->smtp = 552;
		(void)snprintf(f->dsn, sizeof f->dsn, "5.3.4");
	}
	/* 421, 530 and their like are between us and the next hop. */
	if (f->smtp / 10 != (later ? 45 : 55))
		f->smtp = later ? 451 : 550;
	(void)snprintf(dsn, sizeof dsn, "%s", fail_status(f, dsn));
	dsn[0] = later ? '4' : '5';
	(void)snprintf(f->dsn, sizeof f->dsn, "%s", dsn);
}

static bool
refused(struct fail *f)
{
	incoming_reply(f);
	return false;
}

bool
incoming_mail(struct incoming *in, struct str argument, const char *helo, const char *protocol,
    struct fail *f)
{
	uint64_t max = in->start->conf.message_size_limit;
	struct handover *h = &in->h;

	incoming_reset(in);
	if (!command_mail(&in->arena, argument, &in->mail, f))
		return false;
	if (max > 0 && in->mail.size > max)
		return command_refuse(f, 552, "5.3.4",
		    "message size exceeds message_size_limit = %llu octets",
		    (unsigned long long)max);
	handover_begin(h, in->start, &in->arena);
	if (!handover_submitter(h, f))
		return refused(f);
	h->who.sender = handover_qualified(h, in->mail.sender);
	h->who.sender_given = true;
	h->who.protocol = protocol;
	h->who.helo = helo;
	in->open = true;
	return true;
}

bool
incoming_rcpt(struct incoming *in, struct str argument, struct fail *f)
{
	uint64_t max = in->start->conf.recipients_max;
	struct recipients *list = &in->h.rcpts;
	struct rcpt_command r;
	size_t i, n = list->n;

	if (max == 0 || max > SUBMIT_RECIPIENTS_MAX)
		max = SUBMIT_RECIPIENTS_MAX;
	if (in->taken >= max)
		return command_refuse(f, 452, "4.5.3",
		    "too many recipients: %llu are the most that one message has here",
		    (unsigned long long)max);
	if (!command_rcpt(&in->arena, argument, in->mail.utf8, &r, f))
		return false;
	in->taken++;
	i = recipients_add(
	    list, &in->arena, handover_qualified(&in->h, r.rcpt), r.rcpt.domain.n == 0);
	if (list->n > n)
		in->rcpts = arena_grow(&in->arena, in->rcpts, n, sizeof r);
	in->rcpts[i] = r;
	return true;
}

void
incoming_data(struct incoming *in)
{
	const struct conf *c = &in->start->conf;
	struct intake_options o = {
		.crlf_alone = true, .size_max = c->message_size_limit, .tmp_dir = c->spool_directory
	};

	in->intake = intake_new(&in->h.message, &o);
	handover_open(&in->h);
}

bool
incoming_feed(struct incoming *in, struct str octets)
{
	bool done;

	in->size += octets.n;
	if (in->fail.cls != FAIL_NONE) {
		in->dropped += octets.n;
		return in->dropped <= INCOMING_DROPPED_MAX;
	}
	if (!intake_feed(in->intake, octets, &done, &in->fail))
		incoming_reply(&in->fail);
	return true;
}

static void
complete_envelope(struct incoming *in)
{
	struct envelope *e = &in->h.envelope;

	if (in->mail.envid != NULL)
		e->envid = in->mail.envid;
	if (in->mail.ret != RET_UNSET)
		e->ret = in->mail.ret;
	if (in->mail.body != 0)
		e->body_declared = in->mail.body;
	for (size_t i = 0; i < e->nrcpts; i++) {
		e->rcpts[i].orcpt = in->rcpts[i].orcpt;
		if (in->rcpts[i].notify != 0)
			e->rcpts[i].notify = in->rcpts[i].notify;
	}
}

static bool
verdict(const struct handover *h, struct fail *f)
{
	const struct fail *why;

	if (handover_status(h, &why) == EX_OK)
		return true;
	if (why != NULL)
		*f = *why;
	else
		(void)fail_set(f, FAIL_TEMP, STAGE_DOOR, 0, "it could not be delivered yet");
	return false;
}

bool
incoming_end(struct incoming *in, struct fail *f)
{
	struct handover *h = &in->h;
	struct str from_line;

	if (in->fail.cls != FAIL_NONE) {
		*f = in->fail;
		return false;
	}
	if (!intake_end(in->intake, &from_line, f) || !handover_fix(h, f))
		return refused(f);
	complete_envelope(in);
	if (!handover_submit(h, f) || !verdict(h, f))
		return refused(f);
	return true;
}
