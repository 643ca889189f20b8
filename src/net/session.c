/* session.c - one SMTP or LMTP conversation over a stream. */
#include "net/session.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	OUT_MAX = 1 << 20, /* the largest group of commands, or one piece of the message */
	ASKED_MAX = 4096,
	QUIT_SECONDS = 2,
	SHOWN_MAX = 2 * REPLY_LINE_MAX,
};

void
session_init(struct session *s, struct stream *stream, const struct conf *c, const struct trace *t)
{
	*s = (struct session){
		.stream = stream,
		.conf = c,
		.trace = t,
		.helo = c->helo_data[0] != '\0' ? c->helo_data : c->primary_hostname,
		.host = "",
		.ip = "",
		.where = "the server",
		.binding_type = "",
		.out = BUF_INIT(OUT_MAX),
		.line = BUF_INIT(REPLY_LINE_MAX),
		.raw = BUF_INIT(REPLY_MAX + REPLY_LINES_MAX),
		.shown = BUF_INIT(SHOWN_MAX),
		.text = BUF_INIT(REPLY_MAX + REPLY_LINES_MAX),
		.asked = BUF_INIT(ASKED_MAX),
	};
}

void
session_free(struct session *s)
{
	buf_wipe(&s->out);
	buf_free(&s->out);
	buf_wipe(&s->line); /* it may have echoed the password */
	buf_free(&s->line);
	buf_wipe(&s->raw);
	buf_free(&s->raw);
	buf_free(&s->shown);
	buf_free(&s->text);
	buf_free(&s->asked);
}

static void
about(struct session *s, const char *what)
{
	buf_reset(&s->asked);
	buf_str(&s->asked, what);
}

bool
session_command(struct session *s, enum fail_stage at, struct fail *f, const char *fmt, ...)
{
	size_t start = s->out.n;
	struct str line;
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return fail_set(f, FAIL_TEMP, at, 0, "out of memory");
	line = str_at(text, (size_t)n);
	buf_put(&s->out, line);
	free(text);
	for (size_t i = 0; i < line.n && buf_ok(&s->out); i++)
		if (ascii_control(s->out.p[start + i])) {
			s->out.n = start;
			return fail_set(f, FAIL_PERM, at, 0,
			    "an address or name has a control character in it; it is not sent");
		}
	if (!buf_ok(&s->out))
		return fail_set(f, FAIL_PERM, at, 0, "the command is too long to be sent");
	buf_reset(&s->asked);
	buf_add(&s->asked, s->out.p + start, line.n);
	trace_line(s->trace, TRACE_OUT, "%s", s->asked.p);
	buf_str(&s->out, "\r\n");
	return true;
}

void
session_secret(struct session *s, const char *verb, struct str secret)
{
	buf_str(&s->out, verb);
	about(s, verb);
	if (verb[0] != '\0' && secret.n > 0) {
		buf_char(&s->out, ' ');
		buf_char(&s->asked, ' ');
	}
	buf_put(&s->out, secret);
	buf_str(&s->out, "\r\n");
	for (size_t i = 0; i < secret.n; i++)
		buf_char(&s->asked, '*');
	trace_line(s->trace, TRACE_OUT, "%.*s", S_ARG(buf_get(&s->asked)));
	if (s->asked.n == 0)
		about(s, "an empty response");
}

/* RFC 5321 4.5.3.2 has a time for each kind of waiting. */
static uint64_t
patience(const struct session *s, enum fail_stage at)
{
	if (at == STAGE_EOM)
		return s->conf->final_timeout;
	return at == STAGE_DATA ? s->conf->data_timeout : s->conf->command_timeout;
}

/* Nothing more can be said; did the server hang up? */
static void
lose(struct session *s, const struct fail *f)
{
	s->dead = true;
	s->late = strcmp(f->text, STREAM_LATE) == 0;
	s->lost = f->sys == ECONNRESET || f->sys == EPIPE || strcmp(f->text, STREAM_CLOSED) == 0;
}

bool
session_flush(struct session *s, enum fail_stage at, struct fail *f)
{
	bool ok;

	stream_phase(s->stream, patience(s, at));
	ok = stream_send(s->stream, &s->out, at, f);
	buf_reset(&s->out);
	if (!ok) {
		lose(s, f);
		fail_prefix(f, "%s", s->where);
	}
	return ok;
}

/* Keep a line of the reply, without what must not be shown. */
static void
keep_line(struct session *s)
{
	buf_reset(&s->shown);
	buf_put(&s->shown, buf_get(&s->line));
	if (s->show != NULL && s->secret != NULL)
		s->show(s->secret, s->login, &s->shown);
	for (size_t i = 0; i < s->shown.n; i++)
		if (ascii_control(s->shown.p[i]))
			s->shown.p[i] = '?';
	if (s->reply.lines > 1) {
		buf_char(&s->raw, '\n');
		buf_char(&s->text, '\n');
	}
	buf_put(&s->raw, buf_get(&s->line));
	buf_put(&s->text, buf_get(&s->shown));
	trace_line(s->trace, TRACE_IN, "%.*s", S_ARG(buf_get(&s->shown)));
}

bool
session_hear(struct session *s, enum fail_stage at, struct fail *f)
{
	s->reply = (struct reply){ 0 };
	buf_reset(&s->raw);
	buf_reset(&s->text);
	stream_phase(s->stream, patience(s, at));
	for (;;) {
		enum reply_step step;

		if (!stream_line(s->stream, &s->line, at, f)) {
			lose(s, f);
			if (strcmp(f->text, STREAM_CLOSED) == 0)
				return fail_set(f, FAIL_TEMP, at, 0,
				    STREAM_CLOSED " in response to %.*s: %s",
				    S_ARG(buf_get(&s->asked)), s->where);
			fail_prefix(f, "%s after %.*s", s->where, S_ARG(buf_get(&s->asked)));
			return false;
		}
		step = reply_feed(&s->reply, buf_get(&s->line));
		if (step == REPLY_BAD) {
			s->dead = true;
			return fail_set(f, FAIL_TEMP, at, 0,
			    "%s does not speak SMTP: its answer to %.*s is malformed", s->where,
			    S_ARG(buf_get(&s->asked)));
		}
		keep_line(s);
		if (step == REPLY_DONE)
			break;
	}
	s->dead |= s->reply.code == 421; /* RFC 5321 3.8: it hangs up */
	return true;
}

void
session_words(const struct session *s, struct buf *out)
{
	struct str rest = buf_get(&s->text);

	while (rest.p != NULL) {
		buf_put(out, str_cut(&rest, '\n'));
		if (rest.p != NULL)
			buf_str(out, "\\n");
	}
}

/* Is it about the name that we say in EHLO?  Not that it does not know the command. */
static bool
is_about_helo(const struct session *s)
{
	struct str words = buf_get(&s->text);
	int code = s->reply.code;

	for (; words.n > 0 && code >= 400 && (code < 500 || code > 503 || code == 501);
	     words = str_skip(words, 1))
		if (str_istarts(words, STR("helo ")) || str_istarts(words, STR("ehlo ")) ||
		    str_istarts(words, STR("fully-qualified host")))
			return true;
	return false;
}

/* What to do about it, where that is for the administrator. */
static void
put_advice(const struct session *s, enum fail_stage at, bool login, struct buf *out)
{
	bool tls = s->reply.code == 530 && !s->tls && (s->caps.have & CAP_STARTTLS) != 0;

	if (tls && s->auth == NULL)
		buf_str(out, " (it wants TLS first)");
	else if (login && s->auth == NULL && at != STAGE_AUTH)
		buf_str(out, " (it wants a login: add a line for it to passwd.client)");
	else if (is_about_helo(s))
		buf_fmt(out,
		    " (it does not accept \"%s\" as our name: set helo_data, or primary_hostname, "
		    "to "
		    "a full name that it can look up)",
		    s->helo);
}

bool
session_refused(struct session *s, enum fail_stage at, struct fail *f)
{
	int code = s->reply.code;
	const unsigned *enh = s->reply.enh;
	bool login = code == 530 || code == 535 || code == 538;
	AUTO_BUF struct buf words = BUF_INIT(REPLY_WORDS_MAX), advice = BUF_INIT(FAIL_TEXT);

	session_words(s, &words);
	put_advice(s, at, login, &advice);
	(void)fail_set(f, code >= 500 && !login ? FAIL_PERM : FAIL_TEMP, at, 0,
	    "SMTP error from remote mail server after %.*s: %.*s%.*s", S_ARG(buf_get(&s->asked)),
	    S_ARG(buf_get(&words)), S_ARG(buf_get(&advice)));
	f->smtp = code >= 400 ? code : 0;
	if (enh[0] == (unsigned)code / 100 && code >= 400)
		(void)snprintf(
		    f->dsn, sizeof f->dsn, "%u.%u.%u", enh[0] % 10, enh[1] % 1000, enh[2] % 1000);
	return false;
}

/* One command, one answer of the 2xx kind. */
static bool
ask(struct session *s, enum fail_stage at, struct fail *f)
{
	if (!session_flush(s, at, f) || !session_hear(s, at, f))
		return false;
	return s->reply.code / 100 == 2 || session_refused(s, at, f);
}

/* The host as such says no: another host or another day may be better, so nothing is bounced. */
static bool
host_refused(struct session *s, struct fail *f)
{
	(void)session_refused(s, STAGE_GREET, f);
	f->cls = FAIL_TEMP;
	return false;
}

bool
session_greeting(struct session *s, struct fail *f)
{
	about(s, "initial connection");
	if (!session_hear(s, STAGE_GREET, f))
		return false;
	return s->reply.code / 100 == 2 || host_refused(s, f);
}

static void
read_caps(struct session *s)
{
	struct str rest = buf_get(&s->raw);

	(void)str_cut(&rest, '\n'); /* the server's name */
	while (rest.p != NULL)
		caps_feed(&s->caps, str_skip(str_cut(&rest, '\n'), 4));
	s->caps.have &= ~s->without;
}

bool
session_hello(struct session *s, bool helo_ok, struct fail *f)
{
	s->caps = (struct caps){ 0 }; /* what was said before TLS does not count (RFC 3207 4.2) */
	s->esmtp = false;
	if (!session_command(s, STAGE_GREET, f, "%s %s", s->lmtp ? "LHLO" : "EHLO", s->helo) ||
	    !session_flush(s, STAGE_GREET, f) || !session_hear(s, STAGE_GREET, f))
		return false;
	if (s->reply.code / 100 == 2) {
		s->esmtp = true;
		read_caps(s);
		return true;
	}
	if (s->reply.code < 500 || !helo_ok || s->lmtp)
		return host_refused(s, f);
	if (!session_command(s, STAGE_GREET, f, "HELO %s", s->helo) ||
	    !session_flush(s, STAGE_GREET, f) || !session_hear(s, STAGE_GREET, f))
		return false;
	return s->reply.code / 100 == 2 || host_refused(s, f);
}

bool
session_starttls(struct session *s, struct fail *f)
{
	if (!session_command(s, STAGE_TLS, f, "STARTTLS"))
		return false;
	if (!ask(s, STAGE_TLS, f)) {
		f->cls = FAIL_TEMP;
		return false;
	}
	if (stream_pending(s->stream) == 0)
		return true;
	s->dead = true;
	return fail_set(f, FAIL_TEMP, STAGE_TLS, 0,
	    "there is text behind the server's answer to STARTTLS; somebody on the way may have "
	    "put "
	    "it there, so nothing is sent");
}

size_t
session_rcpt_max(const struct session *s)
{
	uint64_t n = s->caps.limit_rcpt;

	return n == 0 || n > SESSION_RCPT_MAX ? SESSION_RCPT_MAX : (size_t)n;
}

static bool
say_quit(struct session *s, struct fail *f)
{
	buf_reset(&s->out);
	if (s->dead || !session_command(s, STAGE_GREET, f, "QUIT"))
		return false;
	s->dead = true;
	stream_phase(s->stream, QUIT_SECONDS);
	return stream_send(s->stream, &s->out, STAGE_GREET, f);
}

void
session_quit(struct session *s)
{
	struct fail ignored = FAIL_INIT; /* the verdicts stand, however the goodbye goes */

	(void)!say_quit(s, &ignored);
}

bool
session_goodbye(struct session *s)
{
	struct fail ignored = FAIL_INIT;

	return say_quit(s, &ignored) && stream_line(s->stream, &s->line, STAGE_GREET, &ignored);
}
