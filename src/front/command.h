/* command.h - one command line of an SMTP client (RFC 5321 4.1), for -bs.  Pure.
 *
 * What is refused is a struct fail with the reply in it: smtp, dsn and text. */
#ifndef ONEHOP_FRONT_COMMAND_H
#define ONEHOP_FRONT_COMMAND_H

#include "mail/mailbox.h"

enum {
	COMMAND_LINE_MAX = 4096, /* octets without the line end; RFC 5321 4.5.3.1.4 wants 512 */
	COMMAND_ENVID_MAX = 100, /* RFC 3461 4.4, encoded */
	COMMAND_ORCPT_MAX = 500, /* RFC 3461 4.2 */
};

enum verb {
	VERB_UNKNOWN,
	VERB_EHLO,
	VERB_HELO,
	VERB_MAIL,
	VERB_RCPT,
	VERB_DATA,
	VERB_BDAT,
	VERB_RSET,
	VERB_NOOP,
	VERB_VRFY,
	VERB_EXPN,
	VERB_HELP,
	VERB_QUIT,
	VERB_ABSENT,  /* known, and not offered: STARTTLS, AUTH ... */
	VERB_FOREIGN, /* another protocol's: a web page that talks to port 25 */
};

/* The verb of a line, its case ignored, and in *argument what stands behind it, without blanks
 * around.  A line with a control character in it is VERB_UNKNOWN. */
enum verb command_verb(struct str line, struct str *argument);
/* May EHLO's argument be repeated in Received: a name or an address literal? */
bool command_helo_ok(struct str name);

struct mail_command {
	struct mailbox sender; /* local.n == 0: the null sender; domain.n == 0: unqualified */
	uint64_t size;         /* SIZE, or 0 */
	unsigned body;         /* BODY: 0, 7 or 8 */
	unsigned ret;          /* the values of envelope.ret */
	const char *envid;     /* decoded, or NULL */
	bool utf8;             /* SMTPUTF8 */
};

struct rcpt_command {
	struct mailbox rcpt; /* domain.n == 0: unqualified */
	unsigned notify;     /* enum rcpt_notify */
	const char *orcpt;   /* as given: "rfc822;a+2Bb@c", or NULL */
};

/* "FROM:<path> SIZE=..." and "TO:<path> NOTIFY=..."; a path without < > is taken, as by Exim.
 * Strings are in a.  utf8: may the recipient have 8-bit octets?  False: *f is the reply. */
bool command_mail(
    struct arena *a, struct str argument, struct mail_command *out, struct fail *f) NODISCARD;
bool command_rcpt(struct arena *a, struct str argument, bool utf8, struct rcpt_command *out,
    struct fail *f) NODISCARD;
/* "n" or "n LAST" (RFC 3030).  False: *f is the reply, and where the next command begins is not
 * known. */
bool command_bdat(struct str argument, uint64_t *n, bool *last, struct fail *f) NODISCARD;
/* *f becomes a reply of the server's own.  Returns false. */
bool command_refuse(struct fail *f, int code, const char *dsn, const char *fmt, ...) PRINTF(4, 5);
#endif
