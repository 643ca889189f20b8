/* digest.h - SHA-256, by which a file says that it is whole.
 *
 * libnettle's, which GnuTLS brings, loaded when it is first needed. */
#ifndef ONEHOP_BASE_DIGEST_H
#define ONEHOP_BASE_DIGEST_H

#include "base/fail.h"
#include "base/str.h"

enum { DIGEST_HEX = 65 };

struct digest {
	_Alignas(16) unsigned char state[128];
	void (*update)(void *state, size_t n, const unsigned char *p);
	void (*finish)(void *state, size_t n, unsigned char *out);
};

/* False: TEMP/SPOOL: libnettle cannot be loaded. */
bool digest_init(struct digest *d, struct fail *f) NODISCARD;
void digest_update(struct digest *d, struct str s);
/* The digest in lower-case hex; d is as new again. */
const char *digest_hex(struct digest *d, char out[DIGEST_HEX]);
#endif
