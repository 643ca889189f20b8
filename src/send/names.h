/* names.h - where the hosts of a courier's list are, looked up for it: what a name leads to decides
 * on the login, so that the network process does not say it (doc/SECURITY 2). */
#ifndef ONEHOP_SEND_NAMES_H
#define ONEHOP_SEND_NAMES_H

#include "net/resolve.h"

struct names {
	struct arena *arena; /* of what is noted */
	struct noted *last;
};

/* The question N (wire/PROTOCOL): a name of the list hosts, or of socks_proxy.  It is looked up by
 * a process confined to that, for as long as a connection may take (connect_timeout), and the
 * canonical name is noted.  False: CONFIG: it is another name; TEMP/RESOLVE: there is no answer. */
bool names_ask(struct names *n, const struct conf *c, const char *hosts, struct str question,
    struct answer *out, struct fail *f) NODISCARD;
/* The canonical name that name had last; name itself where it was not looked up. */
const char *names_canonical(const struct names *n, const char *name);
#endif
