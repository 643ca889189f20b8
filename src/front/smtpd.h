/* smtpd.h - -bs: SMTP on standard input and output (RFC 5321), each transaction a submission.
 *
 * The words and the order of commands are Exim's; enhanced status codes are added (RFC 2034).
 * -bS reads the same commands as a batch: nobody has to say EHLO, no reply is written but the one
 * that refuses, and that one ends it. */
#ifndef ONEHOP_FRONT_SMTPD_H
#define ONEHOP_FRONT_SMTPD_H

#include "front/sendmail.h"

/* Serve one session.  Returns EX_OK when the client ended it between two messages, else what is
 * wrong; what came of each message was said in the dialogue, and nothing of one that did not
 * come to its end is sent (a batch: EX_TEMPFAIL or EX_DATAERR when it was refused something). */
int cli_smtpd(struct session_start *s);
/* A session that cannot begin (a broken configuration): say why on stderr, and 421.  Returns the
 * exit status. */
int cli_smtpd_refuse(const struct fail *why);
#endif
