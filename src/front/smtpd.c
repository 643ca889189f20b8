/* smtpd.c - -bs and -bS: SMTP on standard input and output, a batch of it on standard input. */
#include "front/smtpd.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/date.h"
#include "base/stop.h"
#include "front/client.h"
#include "front/dots.h"
#include "front/incoming.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	ERRORS_MAX = 20,      /* Postfix: smtpd_hard_error_limit */
	JUNK_MAX = 100,       /* commands that lead to no message, smtpd_junk_command_limit */
	OVERSHOOT_MAX = 1000, /* recipients past the limit, smtpd_recipient_overshoot_limit */
};

struct smtpd {
	struct session_start *start;
	struct client client;
	struct incoming in;
	struct buf line;
	char helo[DOMAIN_MAX + 1]; /* "": not said yet */
	const char *protocol;
	bool crlf; /* a command ended with CRLF: the client's lines do */
	bool closing;
	int status;   /* the exit status, when it is closing */
	bool in_text; /* behind DATA's 354 */
	unsigned errors, junk, overshoot, taken;
};

static const char *
host(const struct smtpd *s)
{
	return s->start->conf.primary_hostname;
}

static void
refuse(struct smtpd *s, const struct fail *f)
{
	client_reply(&s->client, f->smtp, false, f->dsn, "%s", f->text);
}

/* A command that is wrong. */
static void
error(struct smtpd *s, int code, const char *dsn, const char *text)
{
	s->errors++;
	client_reply(&s->client, code, false, dsn, "%s", text);
}

static void
close_with(struct smtpd *s, const char *dsn, const char *text)
{
	client_reply(&s->client, 421, false, dsn, "%s %s", host(s), text);
	s->closing = true;
	s->status = EX_PROTOCOL;
}

/* ------------------------------------------------------------------ EHLO, HELP, VRFY ... */

static void
offer(struct smtpd *s)
{
	client_reply(&s->client, 250, true, NULL, "SIZE %llu",
	    (unsigned long long)s->start->conf.message_size_limit);
	client_reply(&s->client, 250, true, NULL, "8BITMIME");
	client_reply(&s->client, 250, true, NULL, "SMTPUTF8");
	client_reply(&s->client, 250, true, NULL, "PIPELINING");
	client_reply(&s->client, 250, true, NULL, "CHUNKING");
	client_reply(&s->client, 250, true, NULL, "DSN");
	client_reply(&s->client, 250, true, NULL, "ENHANCEDSTATUSCODES");
	client_reply(&s->client, 250, false, NULL, "HELP");
}

static void
hello(struct smtpd *s, struct str name, bool esmtp)
{
	if (!command_helo_ok(name)) {
		error(s, 501, "5.5.4",
		    esmtp ? "syntactically invalid EHLO argument" :
			    "syntactically invalid HELO argument");
		return;
	}
	incoming_reset(&s->in);
	s->junk++;
	(void)snprintf(s->helo, sizeof s->helo, "%.*s", S_ARG(name));
	if (!s->client.batch)
		s->protocol = esmtp ? "local-esmtp" : "local-smtp";
	client_reply(&s->client, 250, esmtp, NULL, "%s Hello %s at %s", host(s),
	    s->start->caller.login, s->helo);
	if (esmtp)
		offer(s);
}

static void
help(struct smtpd *s)
{
	s->junk++;
	client_reply(&s->client, 214, true, "2.0.0", "Commands supported:");
	client_reply(&s->client, 214, false, "2.0.0",
	    "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY EXPN HELP QUIT");
}

/* ------------------------------------------------------------------ a transaction */

static void
mail(struct smtpd *s, struct str argument)
{
	const char *helo = s->helo[0] != '\0' ? s->helo : NULL;
	struct fail f = FAIL_INIT;

	if (helo == NULL && !s->client.batch) {
		error(s, 503, "5.5.1", "HELO or EHLO required");
	} else if (s->in.open) {
		error(s, 503, "5.5.1", "sender already given");
	} else if (!incoming_mail(&s->in, argument, helo, s->protocol, &f)) {
		s->errors++;
		refuse(s, &f);
	} else {
		client_reply(&s->client, 250, false, "2.1.0", "OK");
	}
}

static void
rcpt(struct smtpd *s, struct str argument)
{
	struct fail f = FAIL_INIT;

	if (!s->in.open || s->in.chunked) {
		error(s, 503, "5.5.1",
		    s->in.chunked ? "the message has begun" : "sender not yet given");
	} else if (!incoming_rcpt(&s->in, argument, &f)) {
		if (f.smtp != 452 || ++s->overshoot > OVERSHOOT_MAX)
			s->errors++;
		refuse(s, &f);
	} else {
		client_reply(&s->client, 250, false, "2.1.5", "Accepted");
	}
}

/* The message is whole. */
static void
finish(struct smtpd *s)
{
	struct fail f = FAIL_INIT;

	if (incoming_end(&s->in, &f)) {
		client_reply(&s->client, 250, false, "2.0.0", "OK id=%s", s->in.h.id);
		s->junk = 0;
		s->taken++;
	} else {
		refuse(s, &f);
	}
	incoming_reset(&s->in);
	if (stop_asked())
		close_with(s, "4.3.2", "was told to stop");
	else if (client_flush(&s->client))
		stop_release(); /* the reply is out */
}

/* May a message follow?  What is wrong is said. */
static bool
may_begin(struct smtpd *s)
{
	if (s->in.open && s->in.h.rcpts.n > 0)
		return true;
	error(s, 503, "5.5.1", "valid RCPT command must precede DATA");
	return false;
}

static void
never_ends(struct smtpd *s)
{
	close_with(s, "4.3.4", "the message was refused and does not end");
}

static void
read_text(struct smtpd *s)
{
	struct dots d = { .bare_lf = !s->crlf };
	struct str octets = { NULL, 0 };

	s->in_text = true;
	while (!d.ended) {
		if (octets.n == 0 && !client_octets(&s->client, SIZE_MAX, &octets))
			return;
		if (!incoming_feed(&s->in, dots_next(&d, &octets))) {
			never_ends(s);
			return;
		}
	}
	client_unread(&s->client, octets.n);
	s->in_text = false;
	finish(s);
}

static void
data(struct smtpd *s, struct str argument)
{
	if (argument.n > 0) {
		error(s, 501, "5.5.4", "DATA has no argument");
	} else if (s->in.chunked) {
		error(s, 503, "5.5.1", "the message has begun by BDAT");
	} else if (may_begin(s)) {
		incoming_data(&s->in);
		client_reply(&s->client, 354, false, NULL,
		    "Enter message, ending with \".\" on a line by itself");
		read_text(s);
	}
}

/* A chunk comes whatever we think of it (RFC 3030 2).  False: it did not come to its end. */
static bool
read_chunk(struct smtpd *s, uint64_t left)
{
	uint64_t dropped = 0;

	while (left > 0) {
		struct str octets;

		if (!client_octets(&s->client, left, &octets))
			return false;
		left -= octets.n;
		dropped += octets.n;
		if (s->in.chunked ? !incoming_feed(&s->in, octets) :
				    dropped > INCOMING_DROPPED_MAX) {
			never_ends(s);
			return false;
		}
	}
	return true;
}

static void
bdat(struct smtpd *s, struct str argument)
{
	struct fail f = FAIL_INIT;
	uint64_t size;
	bool last;

	if (!command_bdat(argument, &size, &last, &f)) {
		refuse(s, &f);
		close_with(s, "4.5.0", "lost: where the next command begins is not known");
		return;
	}
	if (!s->in.chunked && may_begin(s)) {
		incoming_data(&s->in);
		s->in.chunked = true;
	}
	s->in_text = s->in.chunked;
	if (!read_chunk(s, size))
		return;
	s->in_text = false;
	if (!s->in.chunked)
		incoming_reset(&s->in); /* or a message without its first chunk might follow */
	else if (last)
		finish(s);
	else if (s->in.fail.cls != FAIL_NONE)
		refuse(s, &s->in.fail);
	else
		client_reply(&s->client, 250, false, "2.0.0", "%llu octets received",
		    (unsigned long long)s->in.size);
}

/* ------------------------------------------------------------------ the session */

static void
reset(struct smtpd *s)
{
	s->junk++;
	incoming_reset(&s->in);
	client_reply(&s->client, 250, false, "2.0.0", "Reset OK");
}

static void
quit(struct smtpd *s)
{
	incoming_reset(&s->in);
	client_reply(&s->client, 221, false, "2.0.0", "%s closing connection", host(s));
	s->closing = true;
}

/* What is answered whatever the argument and the state. */
static void
answer(struct smtpd *s, enum verb verb)
{
	static const struct {
		enum verb verb;
		int code;
		const char *dsn, *text;
	} answers[] = {
		{ VERB_NOOP, 250, "2.0.0", "OK" },
		{ VERB_VRFY, 252, "2.5.2", "Administrative prohibition: send a message and see" },
		{ VERB_EXPN, 550, "5.7.2", "Administrative prohibition: lists are not shown here" },
		{ VERB_ABSENT, 502, "5.5.1", "command not implemented" },
		{ VERB_UNKNOWN, 500, "5.5.2", "unrecognized command" },
	};
	size_t i = 0;

	while (answers[i].verb != verb && answers[i].verb != VERB_UNKNOWN)
		i++;
	s->junk++;
	if (answers[i].code >= 500)
		error(s, answers[i].code, answers[i].dsn, answers[i].text);
	else
		client_reply(
		    &s->client, answers[i].code, false, answers[i].dsn, "%s", answers[i].text);
}

static void
obey(struct smtpd *s, enum verb verb, struct str argument)
{
	switch (verb) {
	case VERB_EHLO:
	case VERB_HELO:
		hello(s, argument, verb == VERB_EHLO);
		break;
	case VERB_MAIL:
		mail(s, argument);
		break;
	case VERB_RCPT:
		rcpt(s, argument);
		break;
	case VERB_DATA:
		data(s, argument);
		break;
	case VERB_BDAT:
		bdat(s, argument);
		break;
	case VERB_RSET:
		reset(s);
		break;
	case VERB_QUIT:
		quit(s);
		break;
	case VERB_HELP:
		help(s);
		break;
	case VERB_FOREIGN: /* what follows may hold a mail that a web page made up */
		close_with(s, "4.7.0", "this is SMTP");
		break;
	case VERB_NOOP:
	case VERB_VRFY:
	case VERB_EXPN:
	case VERB_ABSENT:
	case VERB_UNKNOWN:
		answer(s, verb);
		break;
	}
}

/* The session is over, and not by QUIT. */
static int
lost(struct smtpd *s)
{
	bool begun = s->in.open;

	/* nobody hears of a batch's next message: what is not a clean end is an error */
	if (s->client.batch && s->client.state == CLIENT_LOST && !begun) {
		if (!s->client.broken && s->line.n == 0)
			return EX_OK;
		begun = true;
	}
	if (s->client.state == CLIENT_LATE)
		close_with(s, "4.4.2", "timeout exceeded");
	else if (s->client.state == CLIENT_ENDLESS)
		close_with(s, "4.7.0", "a line that does not end");
	else
		close_with(s, "4.4.2", "lost input connection");
	if (!begun)
		return s->client.state == CLIENT_LOST ? EX_OK : s->status;
	(void)fprintf(stderr,
	    "onehop: reading the message: the SMTP session ended before the end of a message, "
	    "which was not sent%s\n",
	    s->in_text && !s->in.chunked && s->crlf ?
		" (its end is a line with a dot alone, between CRLF and CRLF)" :
		"");
	return EX_IOERR;
}

/* A command of a batch was refused, and with it all that follows. */
static int
abandon(struct smtpd *s)
{
	buf_put(&s->client.replies, buf_get(&s->line));
	buf_char(&s->client.replies, '\n');
	(void)fprintf(stderr,
	    "onehop: reading the message: -bS: standard output says what was refused; "
	    "messages taken before it: %u; the rest was not read\n",
	    s->taken);
	return s->client.refused < 500 ? EX_TEMPFAIL : EX_DATAERR;
}

static int
serve(struct smtpd *s)
{
	char date[DATE_MAX];

	client_reply(&s->client, 220, false, NULL, "%s ESMTP onehop " PACKAGE_VERSION " %s",
	    host(s), date_rfc5322(time(NULL), date));
	while (!s->closing) {
		struct str argument;
		enum verb verb;
		bool crlf, whole;

		if (!client_line(&s->client, &s->line, &crlf, &whole))
			break;
		s->crlf |= crlf;
		verb = command_verb(buf_get(&s->line), &argument);
		if (whole)
			obey(s, verb, argument);
		else
			error(s, 500, "5.5.2", "line too long");
		if (s->client.state != CLIENT_HERE)
			break;
		if (s->client.batch && s->client.refused != 0)
			return abandon(s);
		if (s->errors + (s->junk > JUNK_MAX ? s->junk - JUNK_MAX : 0) > ERRORS_MAX)
			close_with(s, "4.7.0", "too many errors");
	}
	if (s->client.state != CLIENT_HERE)
		return lost(s);
	return stop_asked() ? EX_OK : s->status;
}

/* The other end of a socket may be anywhere, of a pipe or a terminal it is here.  (A connection
 * that was reset has no name, but may still be read.) */
static bool
is_near(int fd)
{
	struct sockaddr_storage ss;
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	socklen_t len = sizeof ss;

	if (getpeername(fd, (struct sockaddr *)&ss, &len) != 0)
		return errno == ENOTSOCK;
	switch (ss.ss_family) {
	case AF_INET:
		memcpy(&four, &ss, sizeof four);
		return ntohl(four.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	case AF_INET6:
		memcpy(&six, &ss, sizeof six);
		return IN6_IS_ADDR_LOOPBACK(&six.sin6_addr) ||
		    (IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) &&
			six.sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
	default:
		return ss.ss_family == AF_UNIX;
	}
}

int
cli_smtpd(struct session_start *start)
{
	struct smtpd s = { .start = start, .line = BUF_INIT(COMMAND_LINE_MAX) };
	int status = EX_NOPERM;

	client_init(&s.client, STDIN_FILENO, STDOUT_FILENO);
	s.client.line_timeout = start->conf.command_timeout;
	s.client.data_timeout = start->conf.data_timeout;
	s.client.batch = start->cmd->mode == MODE_BATCH;
	s.protocol = "local-bsmtp";
	incoming_init(&s.in, start);
	if (is_near(STDIN_FILENO))
		status = serve(&s);
	else
		client_reply(&s.client, 554, false, "5.7.1",
		    "%s takes no mail from the network: -bs serves programs of this host alone",
		    host(&s));
	s.client.state = CLIENT_HERE;
	if (!client_flush(&s.client) && status == EX_OK)
		status = EX_IOERR;
	incoming_reset(&s.in);
	buf_free(&s.line);
	client_free(&s.client);
	return status;
}

int
cli_smtpd_refuse(const struct fail *why)
{
	struct client c;

	client_init(&c, STDIN_FILENO, STDOUT_FILENO);
	client_reply(&c, 421, false, "4.3.5", "onehop: %s", why->text);
	(void)!client_flush(&c);
	client_free(&c);
	return cli_complain(why);
}
