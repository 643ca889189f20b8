/* caps.h - what a server offers in its reply to EHLO or LHLO.  Pure. */
#ifndef ONEHOP_NET_CAPS_H
#define ONEHOP_NET_CAPS_H

#include <stdint.h>

#include "base/cleanup.h"
#include "base/str.h"

enum cap {
	CAP_PIPELINING = 1,
	CAP_SIZE = 2,
	CAP_8BITMIME = 4,
	CAP_SMTPUTF8 = 8,
	CAP_DSN = 16,
	CAP_STARTTLS = 32,
	CAP_AUTH = 64,
	CAP_CHUNKING = 128,
	CAP_LIMITS = 256,
};

struct caps {
	unsigned have;       /* enum cap */
	uint64_t size_max;   /* SIZE n; 0: none or not said */
	uint64_t limit_rcpt; /* LIMITS RCPTMAX, MAILMAX (RFC 9422); 0: not said */
	uint64_t limit_mail;
	char mechanisms[512]; /* upper case, one blank between, of all "AUTH X Y" and "AUTH=X Y"
				 lines, no duplicates */
};

/* Take one line of the reply, the text behind "250-" or "250 ".  (Not the first line: that is
 * the server's name.)  Unknown words are ignored. */
void caps_feed(struct caps *c, struct str line);
/* Is this mechanism among those offered (without case)? */
bool caps_offers(const struct caps *c, struct str mechanism) NODISCARD;
#endif
