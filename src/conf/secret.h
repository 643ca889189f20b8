/* secret.h - a login and its password, in locked memory that is left out of core dumps.
 *
 * Only onehop-send links this; secret_wipe() erases it. */
#ifndef ONEHOP_CONF_SECRET_H
#define ONEHOP_CONF_SECRET_H

#include "conf/conf.h"

enum secret_match {
	SECRET_CONFIGURED, /* the key is the name (or address) written in smarthost */
	SECRET_CANONICAL,  /* the key is exactly the canonical name that DNS gave */
	SECRET_PATTERN,    /* "*", "*tail", "^regex" */
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
	unsigned seen; /* SEEN_... (wire/told.h), and the file that says so; passwd_find() knows
			  nothing */
	const char *seen_in; /* of it (spool/hosts.h does) */
	struct buf left;     /* conf/redact.h's: what has gone out of it */
	void *page;          /* private */
	size_t page_size;    /* private */
};

/* A password that begins so is a token, for OAUTHBEARER and XOAUTH2. */
#define SECRET_TOKEN_MARK STR("oauth:")

enum { SECRET_MAX = 2048 }; /* bytes of a line of passwd.client; of a password elsewhere */

/* size bytes that are zero, locked where that is allowed and left out of core dumps; NULL: *f is
 * TEMP.  secret_unlock() wipes and frees them; p may be NULL. */
void *secret_lock(size_t size, struct fail *f) NODISCARD;
void secret_unlock(void *p, size_t size);
void secret_wipe(struct secret *s);
/* A credential that another process has found: login and password are copied. */
bool secret_copy(struct secret *s, struct str login, struct str password, struct fail *f) NODISCARD;
#endif
