/* tlsserver.h - a GnuTLS server in a child, at the other end of a socket pair. */
#ifndef ONEHOP_UNIT_TLSSERVER_H
#define ONEHOP_UNIT_TLSSERVER_H

#include <sys/types.h>

#include "certs.h"
#include "conf/conf.h"
#include "net/stream.h"

/* Its certificates; what each is, is in tlsserver.c. */
enum {
	ROOT,
	OTHER_ROOT,
	MIDDLE,
	GOOD,
	BEHIND_MIDDLE,
	WRONG_NAME,
	EXPIRED,
	FUTURE,
	SELF_SIGNED,
	ENDLESS,
	FOREIGN,
	CLIENT,
	MANY_NAMES,
	OLD_MIDDLE,
	BEHIND_OLD,
	IP_AS_NAME,
	IP_AS_CN,
	NAME_AS_CN,
	NAME_AND_IP,
	CERTS
};

extern struct cert server_cert[CERTS];
extern char server_trust[64];  /* a file with ROOT, and things that do not matter */
extern char server_client[64]; /* a certificate with its key */

struct server {
	int cert, middle; /* middle: sent behind it, or 0 */
	const char *priority;
	bool ask_client;
};

/* For cmocka_run_group_tests(). */
int server_set_up(void **state);
int server_tear_down(void **state);
/* It greets with "220 SNI", and " cert" when the client has sent one, then echoes until the end. */
pid_t server_start(const struct server *w, struct stream *s);
void server_finish(struct stream *s, pid_t pid);
/* tls_ options that trust ROOT. */
struct conf server_conf(void);
#endif
