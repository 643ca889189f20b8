/* connect.h - a TCP connection to one host, its addresses raced (RFC 8305), or a unix socket. */
#ifndef ONEHOP_NET_CONNECT_H
#define ONEHOP_NET_CONNECT_H

#include "net/resolve.h"
#include "net/stream.h"

struct connect_options {
	const char *name;      /* of the host, for the sentences */
	uint64_t timeout_s;    /* for the whole race */
	const char *interface; /* local address, or "" or NULL */
	const char *socks;     /* host:port, or "" or NULL */
	/* Asked for a connection to the socket at path (-1 with errno); NULL: that is made here. */
	int (*open_path)(void *ctx, const char *path);
	/* As struct resolve_options', for the proxy's name. */
	bool (*ask_name)(void *ctx, const struct host *h, const struct resolve_options *o,
	    struct answer *out, struct fail *f);
	void *ask_ctx; /* of the two */
	/* Told of each address that failed before the race was over, no proxy's; may be NULL. */
	void (*tell)(void *ctx, const struct endpoint *e, int err);
	void *ctx;
};

/* Connect to the first address of list (from index *which on) that answers, in the list's order;
 * the next attempt starts when one fails, or 250 ms after it.  Through a SOCKS5 proxy the addresses
 * are tried one after the other. True: *s is an open socket stream without deadline (stream_phase,
 * final_ms are the caller's), *which the index that won.  False: TEMP/CONNECT; the text has each
 * address with its reason. */
bool connect_race(const struct endpoint *list, size_t n, size_t *which,
    const struct connect_options *o, struct stream *s, struct fail *f) NODISCARD;
/* A stream over a connected descriptor (owned by the stream from now on). */
void stream_socket(struct stream *s, int fd);
#endif
