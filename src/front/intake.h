/* intake.h - standard input to a message (doc/EXIM 5): line ends, lone dot, limits. */
#ifndef ONEHOP_FRONT_INTAKE_H
#define ONEHOP_FRONT_INTAKE_H

#include "mail/message.h"

/* What a line that is only "." does. */
enum intake_dot {
	INTAKE_DOT_TEXT, /* nothing (-i) */
	INTAKE_DOT_ENDS, /* it ends the message, as a person at a terminal means it */
	/* From a pipe or a file: it ends the message where nothing but blank lines follows within
	 * INTAKE_DOT_WAIT seconds; else it is text, and m->lone_dots says so.  Exim and sendmail
	 * lose what follows. */
	INTAKE_DOT_LAST,
};
enum { INTAKE_DOT_WAIT = 60 };

struct intake_options {
	enum intake_dot dot;
	/* SMTP: where the first line ends in CRLF, a bare LF ends none of the header's (RFC 5321
	 * 2.3.8): the next line is taken for more of the field, as Exim does.  Otherwise LF and
	 * CRLF end a line in any mixture: PHP 8 writes CRLF, the application behind it LF. */
	bool crlf_alone;
	uint64_t size_max;   /* message_size_limit; 0: none */
	const char *tmp_dir; /* for a large body (O_TMPFILE); else /var/tmp, /tmp, memory */
};

/* Read fd to its end (or the dot).  Fills m (headers split, not yet fixed up, type set; m->arena is
 * the caller's) and, when the first line is an mbox "From addr date" line, *from_line with the
 * address as it stands there (else p == NULL).
 * EOF is the only good end: any read error is TEMP/STAGE_INPUT (exit 74) and nothing is to be sent.
 * Too large: PERM/STAGE_INPUT with exit 65 and the option's name.  No room for a large body's file:
 * TEMP/STAGE_SPOOL.  On failure nothing is left open. */
bool intake_read(struct message *m, int fd, const struct intake_options *o, struct str *from_line,
    struct fail *f) NODISCARD;
/* The same without reading: take bytes as they come.  m->body is emptied; after a failure it is
 * the caller's to close. */
struct intake;
struct intake *intake_new(struct message *m, const struct intake_options *o);
/* *done: the dot was seen, and what follows it is not looked at.  False with *f on a limit or when
 * the temporary file cannot be written. */
bool intake_feed(struct intake *in, struct str bytes, bool *done, struct fail *f) NODISCARD;
bool intake_end(struct intake *in, struct str *from_line, struct fail *f) NODISCARD;
#endif
