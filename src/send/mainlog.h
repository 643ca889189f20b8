/* mainlog.h - Exim's main log lines (doc/EXIM 19).  Pure: they are built here, and go to
 * -v, to the log file, to syslog wherever the caller sends them. */
#ifndef ONEHOP_SEND_MAINLOG_H
#define ONEHOP_SEND_MAINLOG_H

#include "base/buf.h"
#include "wire/envelope.h"

struct mainlog_arrival {
	const char *parent; /* R=: the message that a bounce speaks of; or NULL */
	const char *msgid;  /* id=: the Message-ID that it came with; or NULL */
	uint64_t size;      /* S= */
};
/* "<= sender [R=parent] U=login P=local S=size [id=msgid]" */
void mainlog_arrival(struct buf *out, const struct envelope *e, const struct mainlog_arrival *a);
/* "=>", "->", "==" or "**" line for one recipient, by its state. */
void mainlog_recipient(struct buf *out, const struct rcpt *r);
/* The same for him who may not see what became of the recipient that he gave. */
void mainlog_undisclosed(struct buf *out, const struct rcpt *r);
/* The number in "defer (N)": an errno, or Exim's own code for where it went wrong. */
int mainlog_defer_number(const struct fail *f);
#endif
