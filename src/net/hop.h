/* hop.h - one host of the list: found, connected, encrypted, logged in, ready for MAIL. */
#ifndef ONEHOP_NET_HOP_H
#define ONEHOP_NET_HOP_H

#include "conf/secret.h"
#include "net/auth.h"
#include "net/resolve.h"
#include "net/tls.h"

struct hop {
	const struct conf *conf; /* these four are set by the owner */
	struct arena *arena;
	const struct trace *trace;
	const struct tls_files *files; /* NULL: they are read when TLS starts */
	/* asked for the credential; NULL: there is no login */
	bool (*ask_secret)(void *ctx, const char *configured, const char *canonical,
	    struct secret *s, struct fail *f);
	/* told what is new of it, SEEN_..., where the credential has a seen_in */
	void (*tell_seen)(void *ctx, const char *configured, unsigned news);
	/* as struct login's; configured: the name in smarthost */
	bool (*tell_login)(void *ctx, const char *configured, const struct login_told *t,
	    struct buf *left_out, struct fail *f);
	void *ask_ctx;
	/* as in struct connect_options and struct resolve_options, with ask_ctx */
	int (*open_path)(void *ctx, const char *path);
	bool (*ask_name)(void *ctx, const struct host *h, const struct resolve_options *o,
	    struct answer *out, struct fail *f);
	/* after hop_find() */
	const struct host *host;
	struct resolved at;
	struct secret secret; /* login.n == 0: there is none for this host */
	bool via_dns;         /* it was found through the canonical name alone */
	int64_t final_ms;     /* total_timeout for all its addresses together */
	bool in_clear;        /* STARTTLS does not work with it, and is not said again */
	unsigned without;     /* CAP_...: what it offers and does not keep */
	/* after hop_open() */
	bool open;
	struct stream stream;
	struct session session;
	struct tls_info tls;
};

/* Look up the addresses and the credential; closes and forgets what was before.
 * False: no address (TEMP), or the credentials cannot be read (TEMP, USER): nothing may be sent. */
bool hop_find(struct hop *h, const struct host *host, struct fail *f) NODISCARD;
/* Connect to the first address from *which on that answers (it becomes *which) and go on up to the
 * login.  False: TEMP, it is closed again, and the log has a line. */
bool hop_open(struct hop *h, size_t *which, struct fail *f) NODISCARD;
/* After this failure of hop_open(), is another address of the same host worth a try?  A login or a
 * certificate would fail there too (a password is not offered more than needed), and an address
 * that cannot be reached was raced with all the others. */
bool hop_other_address(const struct fail *f);
void hop_close(struct hop *h);  /* QUIT when that can be said */
void hop_forget(struct hop *h); /* close, and wipe the password */
#endif
