/* connect.h - a TCP connection to one host, its addresses raced (RFC 8305), or a unix socket. */
#ifndef ONEHOP_IO_CONNECT_H
#define ONEHOP_IO_CONNECT_H

#include "io/resolve.h"
#include "io/stream.h"

struct connect_options {
	uint64_t timeout_s;    /* for the whole race */
	const char *interface; /* local address, or "" */
	const char *socks;     /* host:port, or "" */
};

/* Connect to the first address of list (from index *which on) that answers; a second attempt starts
 * 250 ms after the first.  True: *s is an open socket stream, *which the index that won.
 * False: TEMP/CONNECT; the text has each address with its reason. */
bool connect_race(const struct endpoint *list, size_t n, size_t *which,
    const struct connect_options *o, struct stream *s, struct fail *f) NODISCARD;
/* A stream over a connected descriptor (owned by the stream from now on). */
void stream_socket(struct stream *s, int fd);
#endif
