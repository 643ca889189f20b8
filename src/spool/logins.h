/* logins.h - what is known between runs of a login at a host, db/login.HOST and its line: a small
 * file that may be lost.
 *
 * A wrong password must not lock an account.  With the first refusal the login rests, for as long
 * as the retry rule says for that many such failures in a row: nobody offers it to that host until
 * then, unless its file has changed or an administrator asks for it (-M, -qff).  Whoever began goes
 * on down the ladder of mechanisms, but all who try at a time have LOGIN_REFUSALS_MAX refusals
 * together.  A login that was taken the last time is tried by so many at once, any other by one. */
#ifndef ONEHOP_SPOOL_LOGINS_H
#define ONEHOP_SPOOL_LOGINS_H

#include "spool/hosts.h"
#include "spool/note.h"
#include "wire/told.h"

enum {
	LOGINS_LEFT_OUT_S = 24 * 3600, /* how long a mechanism that cost a connection is left out */
	LOGINS_WAIT_S = 60,            /* at most, for others who log in */
};

struct login_key {
	const char *host;  /* as in smarthost */
	const char *where; /* "/etc/exim4/passwd.client:7" */
	const char *stamp; /* another one: the line may be another, what was known is forgotten */
};

/* One login that is being tried.  All zero but for the first three: it has not begun. */
struct logins {
	const struct conf *conf;
	int64_t now_us, forced_us; /* wall clock; a rest that began before the latter is over */
	struct spool spool;
	struct ages ages;
	struct retry rule;
	bool open, whole, fresh;
	int fd;     /* of the locks */
	int64_t at; /* their place in it */
	char file[NOTE_NAME_MAX + 32];
	const char *stamp;
};

/* Does it rest?  True: TEMP/REST, until when and why.  Nothing is locked. */
bool logins_rest(const struct logins *l, const struct login_key *k, struct fail *f);
/* BEGINS: wait for others, then *left_out has the mechanisms that cost a connection of late, with
 * blanks between.  False: TEMP/REST.  Without a spool there is no memory, and nothing to wait for.
 * k->stamp must last until OVER. */
bool logins_begin(struct logins *l, const struct login_key *k, char left_out[LOGIN_NAMES_MAX],
    struct fail *f) NODISCARD;
/* NO and HUNG_UP, with the mechanism and the server's words; YES.  False: there have been
 * LOGIN_REFUSALS_MAX refusals, another is not to be risked. */
bool logins_tell(struct logins *l, enum login_news what, const char *mechanism, const char *words);
/* Let others.  Harmless when it has not begun. */
void logins_end(struct logins *l);
#endif
