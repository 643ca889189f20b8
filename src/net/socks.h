/* socks.h - asking a SOCKS5 proxy for a connection (RFC 1928), without authentication. */
#ifndef ONEHOP_NET_SOCKS_H
#define ONEHOP_NET_SOCKS_H

#include "net/resolve.h"
#include "net/stream.h"

enum { SOCKS_PORT = 1080 };

/* s is connected to the proxy and has its deadline; true: it now is connected to to.
 * False: *why is the reason, a constant; s can only be closed. */
bool socks_connect(struct stream *s, const struct endpoint *to, const char **why) NODISCARD;
#endif
