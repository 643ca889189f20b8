/* syslog.c - log lines to systemd's journal, or to where syslogd listens. */
#include "send/syslog.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/date.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { MAIL = 2, INFO = 6, DATAGRAM_MAX = 20000 };

static bool
send_to(const struct syslog *s, const char *path, const struct buf *b)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (!buf_ok(b) || strlen(path) >= sizeof to.sun_path)
		return false;
	memcpy(to.sun_path, path, strlen(path));
	return sendto(s->fd, b->p, b->n, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)&to,
		   sizeof to) >= 0;
}

static void
add_message(struct buf *b, const char *id, struct str line)
{
	if (id != NULL)
		buf_fmt(b, "%s ", id);
	buf_put(b, line);
}

/* systemd's "native journal protocol": a field a line. */
static bool
to_journal(const struct syslog *s, const char *id, struct str line)
{
	AUTO_BUF struct buf b = BUF_INIT(DATAGRAM_MAX);

	buf_fmt(&b, "PRIORITY=%d\nSYSLOG_FACILITY=%d\nSYSLOG_IDENTIFIER=onehop\nSYSLOG_PID=%d\n",
	    INFO, MAIL, (int)getpid());
	if (id != NULL)
		buf_fmt(&b, "ONEHOP_ID=%s\n", id);
	buf_str(&b, "MESSAGE=");
	add_message(&b, id, line);
	buf_char(&b, '\n');
	return send_to(s, s->journal, &b);
}

/* As syslog(3) sends it (RFC 3164 4.1): "<22>Nov  4 06:42:02 onehop[123]: line". */
static bool
to_syslogd(const struct syslog *s, int64_t now, const char *id, struct str line)
{
	AUTO_BUF struct buf b = BUF_INIT(DATAGRAM_MAX);
	char date[DATE_MAX];
	const char *day = date_mbox(now, date) + strlen("Tue ");

	buf_fmt(&b, "<%d>%.4s%c%.10s onehop[%d]: ", MAIL * 8 + INFO, day,
	    day[4] == '0' ? ' ' : day[4], day + 5, (int)getpid());
	add_message(&b, id, line);
	return send_to(s, s->syslogd, &b);
}

bool
syslog_line(struct syslog *s, int64_t now, const char *id, struct str line)
{
	if (s->fd < 0)
		s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return s->fd >= 0 && (to_journal(s, id, line) || to_syslogd(s, now, id, line));
}

void
syslog_close(struct syslog *s)
{
	if (s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
}
