/* tlsfiles.h - what the tls_ options name, read before the rights to read it are given up. */
#ifndef ONEHOP_NET_TLSFILES_H
#define ONEHOP_NET_TLSFILES_H

#include "base/arena.h"
#include "conf/conf.h"

struct tls_file {
	struct str text; /* p NULL: it was not read */
	const char *why; /* NULL, or the sentence why it could not be */
};

struct tls_files {
	struct tls_file trust, certificate, privatekey;
};

/* Does it name an object of a PKCS#11 module, not a file? */
bool tls_is_token(const char *value);
/* Read the files of tls_trust_file, tls_certificate and tls_privatekey that are set, into a; with a
 * token among the last two both are left to GnuTLS.  What fails is said in the file's why. */
void tls_files_read(const struct conf *c, struct arena *a, struct tls_files *out);
/* tls_trust_file is a file of its own, not the system's authorities. */
bool tls_names_trust(const struct conf *c);
#endif
