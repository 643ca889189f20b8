/* notice.h - bounces and delay warnings: RFC 3464 multipart/report with Exim's words
 * (EXIM-SEMANTICS 17.3, 17.4).  Pure. */
#ifndef ONEHOP_NOTICE_NOTICE_H
#define ONEHOP_NOTICE_NOTICE_H

#include "conf/conf.h"
#include "spool/queued.h"

struct notice {
	enum { NOTICE_FAILED, NOTICE_DELAYED } kind;
	const struct conf *conf;
	const struct queued *about;      /* the message: its sender gets the notice */
	const struct rcpt *const *rcpts; /* those it speaks of: fail, host, original are set */
	size_t nrcpts;
	int64_t now, will_retry_until; /* wall clock; 0: not known */
	uint64_t waited;               /* DELAYED: seconds */
	const char *id;                /* the notice's own message id */
};

/* Fill q (arena set): null sender, one recipient (the sender of about), Auto-Submitted, References,
 * a report of three parts: text, message/delivery-status, the message (FAILED, RET not HDRS, up to
 * 100 KiB) or its header. False: TEMP: the message's body could not be read. */
bool notice_write(const struct notice *n, struct queued *q, struct fail *f) NODISCARD;
/* May a delay be told at all?  Not for the null sender, lists, bulk, auto-submitted messages. */
bool notice_may_warn(const struct queued *q);
#endif
