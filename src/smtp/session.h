/* session.h - one SMTP or LMTP conversation over a stream (RFC 5321, 2920, 2033).
 *
 * Straight-line code: each phase is a function, the order of calls is the protocol.
 * smtp/smarthost.c puts the phases together. */
#ifndef ONEHOP_SMTP_SESSION_H
#define ONEHOP_SMTP_SESSION_H

#include "base/trace.h"
#include "conf/conf.h"
#include "conf/secret.h"
#include "io/stream.h"
#include "msg/message.h"
#include "smtp/caps.h"
#include "smtp/reply.h"
#include "spool/envelope.h"

struct session {
	struct stream *stream;
	const struct conf *conf;
	const struct trace *trace;
	const struct secret *secret; /* replies are redacted against it; may be NULL */
	const char *helo;
	const char *host, *ip;       /* for messages: H=host [ip] */
	bool lmtp;                   /* LHLO, one final reply per recipient */
	bool esmtp;                  /* EHLO was taken */
	bool tls;
	struct caps caps;
	const char *auth;            /* mechanism that worked, lower case; NULL: not logged in */
	struct buf out, line, text;  /* text: the whole last reply, lines joined by LF, redacted */
	struct reply reply;
};

void session_init(struct session *s, struct stream *stream, const struct conf *c,
    const struct trace *t);
void session_free(struct session *s);
/* Read the greeting. */
bool session_greeting(struct session *s, struct fail *f) NODISCARD;
/* EHLO (LHLO), then HELO when it is refused and helo_ok. Fills caps. */
bool session_hello(struct session *s, bool helo_ok, struct fail *f) NODISCARD;
/* STARTTLS up to its 220; the caller then starts TLS and says hello again.
 * Any byte behind the 220 is an error. */
bool session_starttls(struct session *s, struct fail *f) NODISCARD;
/* One transaction: MAIL, RCPT..., DATA, message.  mail_auth: "login@mailname" or NULL.
 * Every recipient of e whose index is in which[] gets a state.  True: the server said yes or no about
 * each.  False: *f says where it stopped; those still RCPT_WAITING must be tried again; at
 * STAGE_EOM the server may have taken the message. */
bool session_transaction(struct session *s, struct envelope *e, const size_t *which, size_t n,
    struct message *m, const char *mail_auth, struct fail *f) NODISCARD;
/* QUIT, without waiting for the reply. */
void session_quit(struct session *s);
/* Send what is in s->out; hear one reply into s->reply and s->text.  For auth.c. */
bool session_flush(struct session *s, enum fail_stage at, struct fail *f) NODISCARD;
bool session_hear(struct session *s, enum fail_stage at, struct fail *f) NODISCARD;
/* *f from the last reply: 4xx TEMP, 5xx PERM, with the server's words and status. Returns false. */
bool session_refused(struct session *s, enum fail_stage at, struct fail *f);
#endif
