/* secret.h - which password goes to which host: passwd.client (EXIM-SEMANTICS 14, SECURITY 2).
 *
 * A line is HOST:LOGIN:PASSWORD; HOST is a name, an address with or without brackets, or a
 * pattern.  PASSWORD may be file:/PATH, the first line of that file; it may be missing when
 * password_command is set, whose first output line it is then.  password_command = LOGIN:COMMAND
 * is for each host of smarthost that has no line.
 *
 * Only onehop-send links this.  The file's text and the password live in locked memory that
 * is left out of core dumps; secret_wipe() erases it. */
#ifndef ONEHOP_CONF_SECRET_H
#define ONEHOP_CONF_SECRET_H

#include "conf/conf.h"

enum secret_match {
	SECRET_CONFIGURED, /* the key is the name (or address) written in smarthost */
	SECRET_CANONICAL,  /* the key is exactly the canonical name that DNS gave */
	SECRET_PATTERN,    /* "*", "*tail", "^regex" */
};

/* What earlier runs saw of a host.  The first two are what clear text would betray (SECURITY 2). */
enum {
	SEEN_TLS = 1,      /* it offered TLS */
	SEEN_PRIVATE = 2,  /* it had a private address */
	SEEN_STARTTLS = 4, /* STARTTLS worked in the last 30 days */
	SEEN_STARTTLS_TODAY = 8,
	SEEN_NO_PIPELINING = 16, /* it offered this in the last day, and did not keep it */
	SEEN_NO_CHUNKING = 32,
};

struct secret {
	struct str login, password; /* in locked memory, owned by *s */
	const char *key;            /* as written; in the arena */
	const char *where;          /* "/etc/exim4/passwd.client:7" */
	enum secret_match match;
	const char *warning; /* everybody may read it; or NULL */
	const char *stamp;   /* of the files that it is from: another one, and it may be another */
	bool only;           /* it is the only credential line of the file */
	bool none;           /* there is no login at all, for whatever host */
	unsigned seen;       /* SEEN_..., and the file that says so; secret_find() knows nothing */
	const char *seen_in; /* of it (spool/hosts.h does) */
	struct buf left;     /* conf/redact.h's: what has gone out of it */
	void *page;          /* private */
	size_t page_size;    /* private */
};

/* A password that begins so is a token, for OAUTHBEARER and XOAUTH2. */
#define SECRET_TOKEN_MARK STR("oauth:")

enum { SECRET_MAX = 2048 }; /* bytes of a line of passwd.client; of a password elsewhere */

/* The credential for a host: the line for configured exactly, then the line for canonical exactly
 * (may be NULL or equal), then the first pattern that matches either.
 * True with s->login.n == 0: no line matches (or no file): there is no password for this host.
 * False: the line that is for this host is malformed (no password, empty login; file:line), the
 * file cannot be read (EACCES: the sentence says who must be able to) or password_command gave
 * nothing: USER/CONFIG or TEMP. */
bool secret_find(const struct conf *c, struct arena *a, const char *configured,
    const char *canonical, struct secret *s, struct fail *f) NODISCARD;
/* -bV: tell of each line of passwd.client that secret_find() would not take, with file and line and
 * without a word of it; *lines: how many there are.  False: the file cannot be read. */
bool secret_check(const struct conf *c, struct arena *a, void (*tell)(void *ctx, const char *why),
    void *ctx, size_t *lines, struct fail *f) NODISCARD;
void secret_wipe(struct secret *s);
/* A credential that another process has found: login and password are copied. */
bool secret_copy(struct secret *s, struct str login, struct str password, struct fail *f) NODISCARD;
#endif
