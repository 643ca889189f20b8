/* syslog.h - log lines to systemd's journal, or to where syslogd listens: one datagram a line.
 *
 * By hand, because both formats are simple and libsystemd would cost each start more than it
 * sends.  It never waits: what is not taken at once is lost. */
#ifndef ONEHOP_SEND_SYSLOG_H
#define ONEHOP_SEND_SYSLOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct syslog {
	const char *journal, *syslogd; /* the sockets, in the order in which they are tried */
	int fd;                        /* -1 until the first line */
};

#define SYSLOG_INIT \
	{ \
		.journal = "/run/systemd/journal/socket", .syslogd = "/dev/log", .fd = -1 \
	}

/* Facility mail, priority info, tag onehop; "ID line", and id (which may be NULL) in a field of its
 * own where there are fields.  The line has no control characters.  False: nobody took it. */
bool syslog_line(struct syslog *s, int64_t now, const char *id, struct str line);
void syslog_close(struct syslog *s);
#endif
