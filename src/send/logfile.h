/* logfile.h - the main log: a trace that writes its log lines where the configuration says (a file,
 * syslog, the message's own log) and hands all on. */
#ifndef ONEHOP_SEND_LOGFILE_H
#define ONEHOP_SEND_LOGFILE_H

#include "base/trace.h"
#include "conf/conf.h"
#include "send/msglog.h"
#include "send/syslog.h"

struct logfile {
	int fd;              /* -1: there is none */
	unsigned use_syslog; /* the option: CHOICE_AUTO is when a line cannot be written to fd */
	struct syslog syslog;
	struct msglog messages; /* its dir is set by who opens the spool */
	bool holding;
	struct buf held;          /* lines of a message that has no id yet */
	const char *id;           /* of the message; NULL or "" while there is none */
	bool alone;               /* what comes is for the log, and not handed on */
	const struct trace *next; /* gets every line too */
};

enum { LOGFILE_HELD_MAX = 16384 };

#define LOGFILE_INIT(to) \
	{ \
		.fd = -1, .syslog = SYSLOG_INIT, .messages = MSGLOG_INIT, \
		.held = BUF_INIT(LOGFILE_HELD_MAX), .next = (to) \
	}

/* Open log_file for appending ("-" is standard error), as append_open() does; the last directory
 * of its path is made when it is missing.  When it cannot be had l->fd is -1: a log never fails a
 * mail. */
void logfile_open(struct logfile *l, const struct conf *c);
/* What comes now, while l->id is NULL, is of the message that is being received (a connection was
 * tried meanwhile): it is written behind the first line that has an id, with that id. */
void logfile_hold(struct logfile *l);
/* The caller is not to wait: a pipe that is the log (his standard error) is let go, unless process
 * 1 has it too, as in a container; what comes then is for syslog, or lost. */
void logfile_detach(struct logfile *l);
void logfile_close(struct logfile *l);
/* "YYYY-MM-DD HH:MM:SS ID line" for each TRACE_LOG and TRACE_PRIVATE, in one write that does not
 * wait; l must outlive it. */
struct trace logfile_trace(struct logfile *l);
#endif
