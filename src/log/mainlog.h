/* mainlog.h - Exim's main log lines (EXIM-SEMANTICS 19).  Pure: they are built here, and go to
 * -v, to the log file, to syslog wherever the caller sends them. */
#ifndef ONEHOP_LOG_MAINLOG_H
#define ONEHOP_LOG_MAINLOG_H

#include "base/buf.h"
#include "spool/envelope.h"

/* "<= sender U=login P=local S=size [id=msgid]" */
void mainlog_arrival(struct buf *out, const struct envelope *e, uint64_t size, const char *msgid);
/* "=>", "->", "==" or "**" line for one recipient, by its state. */
void mainlog_recipient(struct buf *out, const struct rcpt *r);
#endif
