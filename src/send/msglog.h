/* msglog.h - the log of one message, SPOOL/msglog/ID, while it is in the spool: what -Mvl shows.
 *
 * The main log's lines of that message, "YYYY-MM-DD HH:MM:SS text" (Exim words some of them another
 * way there).  The spool removes the
 * file with the message.  Nothing here fails: a log never fails a mail. */
#ifndef ONEHOP_SEND_MSGLOG_H
#define ONEHOP_SEND_MSGLOG_H

#include "base/buf.h"

enum { MSGLOG_HELD_MAX = 65536 };

struct msglog {
	int dir;           /* msglog/, not ours to close; -1: no such logs are kept, or no spool */
	const char *early; /* id of a message that is not in the spool yet, or NULL */
	struct buf held;   /* its lines */
};

#define MSGLOG_INIT \
	{ \
		.dir = -1, .held = BUF_INIT(MSGLOG_HELD_MAX) \
	}

/* Append line (of the main log) to id's log.  Without a file nothing is written: only
 * msglog_keep() makes one, so what is said after the message's end makes none. */
void msglog_line(struct msglog *m, const char *id, const char *date, struct str line);
/* id (which must outlive m) may yet go into the spool: its lines are held back. */
void msglog_hold(struct msglog *m, const char *id);
/* id is in the spool now: make its file, with what was held of it. */
void msglog_keep(struct msglog *m, const char *id);
void msglog_free(struct msglog *m);
#endif
