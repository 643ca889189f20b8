/* logfile.h - the main log as a file: a trace that writes its log lines there and hands all on. */
#ifndef ONEHOP_LOG_LOGFILE_H
#define ONEHOP_LOG_LOGFILE_H

#include "base/trace.h"

struct logfile {
	int fd;                   /* -1: there is none */
	const char *id;           /* of the message; NULL or "" while there is none */
	const struct trace *next; /* gets every line too */
};

/* Open path for appending ("-" is standard error), made 0640; not through a symbolic link, and a
 * plain file only.  When it cannot be had l->fd is -1: a log never fails a mail. */
void logfile_open(struct logfile *l, const char *path);
void logfile_close(struct logfile *l);
/* "YYYY-MM-DD HH:MM:SS ID line" for each TRACE_LOG, in one write; l must outlive it. */
struct trace logfile_trace(struct logfile *l);
#endif
