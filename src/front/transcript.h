/* transcript.h - -v on stderr, in Exim's shape: "LOG: MAIN", "  SMTP>> ", "  SMTP<< ". */
#ifndef ONEHOP_FRONT_TRANSCRIPT_H
#define ONEHOP_FRONT_TRANSCRIPT_H

#include "base/trace.h"

struct transcript {
	int fd;
	bool verbose, debug;
	bool in_reply; /* private: the next reply line is a continuation */
};

/* A trace that writes to t->fd what its flags ask for. */
struct trace transcript_trace(struct transcript *t);
#endif
