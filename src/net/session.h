/* session.h - one SMTP or LMTP conversation over a stream (RFC 5321, 2920, 2033).
 *
 * Straight-line code: each phase is a function, the order of calls is the protocol.
 * net/smarthost.c puts the phases together.
 *
 * A failure is TEMP unless the server said 5xx.  530, 535 and 538 are TEMP too: a missing or wrong
 * login is the administrator's to mend, not the mail's fault. */
#ifndef ONEHOP_NET_SESSION_H
#define ONEHOP_NET_SESSION_H

#include "base/trace.h"
#include "conf/conf.h"
#include "mail/message.h"
#include "net/caps.h"
#include "net/reply.h"
#include "net/stream.h"
#include "wire/envelope.h"

struct secret;

enum {
	SESSION_RCPT_MAX = 100, /* recipients of one transaction when the server does not say */
	SESSION_CHUNK_MAX = 1 << 16, /* a message up to this size goes with its envelope (BDAT) */
};

struct session {
	struct stream *stream;
	const struct conf *conf;
	const struct trace *trace;
	const struct secret *secret; /* what show takes out of replies; may be NULL */
	void (*show)(const struct secret *secret, bool login,
	    struct buf *line); /* secret_show(); a pointer, so that a program without passwords
				  need not link them */
	bool login;            /* what is heard belongs to one */
	const char *helo;
	const char *host, *ip; /* for messages: H=host [ip] */
	const char *where;     /* the same in a sentence: endpoint_words() */
	bool lmtp;             /* LHLO, one final reply per recipient */
	bool esmtp;            /* EHLO was taken */
	bool tls;
	bool dead;        /* 421, lost or out of step: no further command may be sent */
	bool lost;        /* the server closed or reset the connection */
	bool reused;      /* it has carried a message */
	bool late;        /* it did not answer in time */
	unsigned without; /* CAP_...: not used though it is offered; set when it is not kept */
	uint64_t mails;   /* transactions that were begun */
	bool mail_open;   /* MAIL was taken and its transaction has not ended */
	bool asked_again; /* EHLO was said once more after the login */
	struct caps caps;
	/* Asked before the text of a message that its caller still owns; part: it goes to some of
	 * its recipients alone.  False stops it, nobody has it.  NULL: there is nothing to ask. */
	bool (*before_text)(void *ctx, bool part, struct fail *f);
	void *owner;
	bool part;                /* set for a transaction that leaves recipients out */
	const char *auth;         /* mechanism that worked, lower case; NULL: not logged in */
	const char *mail_auth;    /* "login@mailname" for MAIL's AUTH=, or NULL */
	const char *binding_type; /* TLS channel binding (net/tls.h), for SCRAM-...-PLUS; "" or */
	struct str binding;       /* empty: none */
	struct buf out, line;     /* line: the last line as it came */
	struct buf raw;           /* the whole last reply, lines joined by LF */
	struct buf shown, text;   /* text: the same, fit to be shown */
	struct buf asked;         /* what the reply is to, secrets starred: "RCPT TO:<x@y>" */
	struct reply reply;
};

void session_init(
    struct session *s, struct stream *stream, const struct conf *c, const struct trace *t);
void session_free(struct session *s);
/* Read the greeting. */
bool session_greeting(struct session *s, struct fail *f) NODISCARD;
/* EHLO (LHLO), then HELO when it is refused and helo_ok. Fills caps. */
bool session_hello(struct session *s, bool helo_ok, struct fail *f) NODISCARD;
/* STARTTLS up to its 220; the caller then starts TLS and says hello again.
 * Any byte behind the 220 is an error. */
bool session_starttls(struct session *s, struct fail *f) NODISCARD;
/* One transaction: MAIL, RCPT..., DATA, message.
 * Every recipient of e whose index is in which[] (at most session_rcpt_max() of them) gets a state.
 * m is not changed; strings of the results are in m->arena.  True: the server said yes or no about
 * each.  False: *f says where it stopped and the session is dead; those still RCPT_WAITING must be
 * tried again.  A recipient in RCPT_RETRY whose fail has STAGE_EOM and smtp 0 may have it. */
bool session_transaction(struct session *s, struct envelope *e, const size_t *which, size_t n,
    struct message *m, struct fail *f) NODISCARD;
/* How many recipients one transaction may have: LIMITS RCPTMAX, else SESSION_RCPT_MAX. */
size_t session_rcpt_max(const struct session *s);
/* QUIT, without waiting for the reply. */
void session_quit(struct session *s);
/* QUIT, and a moment's wait for the reply: does the server still hold the connection? */
bool session_goodbye(struct session *s);

/* --- for auth.c and transaction.c --- */

/* Put one command into s->out and show it.  False: it has a control character (an address that
 * got past all checks): PERM, nothing was added. */
bool session_command(struct session *s, enum fail_stage at, struct fail *f, const char *fmt, ...)
    PRINTF(4, 5) NODISCARD;
/* The same for "verb secret" (either may be empty): the secret is shown as asterisks. */
void session_secret(struct session *s, const char *verb, struct str secret);
/* Send what is in s->out; hear one reply into s->reply and s->text. */
bool session_flush(struct session *s, enum fail_stage at, struct fail *f) NODISCARD;
bool session_hear(struct session *s, enum fail_stage at, struct fail *f) NODISCARD;
/* *f from the last reply: 4xx TEMP, 5xx PERM, with the server's words and status. Returns false. */
bool session_refused(struct session *s, enum fail_stage at, struct fail *f);
/* The last reply as one line, its line breaks as \n, as Exim writes it. */
void session_words(const struct session *s, struct buf *out);
#endif
