/* trace.h - what -v shows while it happens: a sink that all below a main() talk to.
 *
 * Who hands a line on does not know whether the line goes to the caller's stderr, over the
 * submission protocol or to a log.  Secrets are starred before they come here. */
#ifndef ONEHOP_BASE_TRACE_H
#define ONEHOP_BASE_TRACE_H

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/str.h"

enum trace_kind {
	TRACE_LOG,   /* a main log line: shown as "LOG: MAIN" and the line behind two blanks */
	TRACE_NOTE,  /* as it is: "R: smarthost for x@y", "Connecting to ..." */
	TRACE_OUT,   /* a command of ours: "  SMTP>> EHLO debian" */
	TRACE_IN,    /* a reply line: "  SMTP<< 220 ...", continuation lines below it indented */
	TRACE_DEBUG, /* only with -d */
	/* 5 is none: SUBMIT_WORD (wire/record.h) */
	TRACE_WARNING = 6, /* as TRACE_LOG, but without -v the caller hears it too */
	TRACE_PRIVATE,     /* a main log line that the caller does not see */
};

struct trace {
	void (*emit)(void *ctx, enum trace_kind kind, struct str line);
	void *ctx;
};

/* Hand on a line that was built; one that went bad is dropped. */
void trace_buf(const struct trace *t, enum trace_kind kind, const struct buf *line);
/* Hand one line (no newline) to t; a NULL t or emit is silence. */
void trace_line(const struct trace *t, enum trace_kind kind, const char *fmt, ...) PRINTF(3, 4);
#endif
