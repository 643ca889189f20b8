/* passwd.h - which password goes to which host: passwd.client (doc/EXIM 14, doc/SECURITY 2).
 *
 * A line is HOST:LOGIN:PASSWORD; HOST is a name, an address with or without brackets, or a
 * pattern.  PASSWORD may be file:/PATH, the first line of that file; it may be missing when
 * password_command is set, whose first output line it is then.  password_command = LOGIN:COMMAND
 * is for each host of smarthost that has no line.
 *
 * Only onehop-send links this, and the process that talks to the network never calls it.  The
 * file's text and the password live in locked memory. */
#ifndef ONEHOP_SEND_PASSWD_H
#define ONEHOP_SEND_PASSWD_H

#include "conf/secret.h"

/* The credential for a host: the line for configured exactly, then the line for canonical exactly
 * (may be NULL or equal), then the first pattern that matches either.
 * True with s->login.n == 0: no line matches (or no file): there is no password for this host.
 * False: the line that is for this host is malformed (no password, empty login; file:line), the
 * file cannot be read (EACCES: the sentence says who must be able to) or password_command gave
 * nothing: USER/CONFIG or TEMP. */
bool passwd_find(const struct conf *c, struct arena *a, const char *configured,
    const char *canonical, struct secret *s, struct fail *f) NODISCARD;
/* -bV: tell of each line of passwd.client that passwd_find() would not take, with file and line and
 * without a word of it; *lines: how many there are.  False: the file cannot be read. */
bool passwd_check(const struct conf *c, struct arena *a, void (*tell)(void *ctx, const char *why),
    void *ctx, size_t *lines, struct fail *f) NODISCARD;
#endif
