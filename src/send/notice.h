/* notice.h - bounces and delay warnings: RFC 3464 multipart/report with Exim's words
 * (doc/EXIM 17.3, doc/EXIM 17.4).  Pure. */
#ifndef ONEHOP_SEND_NOTICE_H
#define ONEHOP_SEND_NOTICE_H

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

/* Of so many recipients is told why; of the others only that. */
enum { NOTICE_REASONS_MAX = 1000 };

/* Fill q (arena set, e.login is who writes it): null sender, one recipient (the sender of about),
 * Auto-Submitted, References, a report of three parts: text, message/delivery-status, the message
 * (FAILED, RET not HDRS, up to 100 KiB, lines that SMTP can carry) or up to 100 KiB of its header.
 * False: TEMP/SPOOL: the message's body could not be read; q is as it was. */
bool notice_write(const struct notice *n, struct queued *q, struct fail *f) NODISCARD;
/* May a delay be told at all?  Not for the null sender, lists, bulk, auto-submitted messages
 * (Exim's delay_warning_condition). */
bool notice_may_warn(const struct queued *q);
#endif
