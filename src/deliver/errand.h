/* errand.h - the courier's own side: what runs in the confined process.  Private to
 * deliver/courier.c, which has the protocol. */
#ifndef ONEHOP_DELIVER_ERRAND_H
#define ONEHOP_DELIVER_ERRAND_H

#include "conf/conf.h"

struct errand {
	const struct conf *conf;
	bool everything; /* trace lines besides the log's are wanted */
};

/* Be confined, then do what is asked on fd until its end; errand: a struct errand. */
void errand_serve(void *errand, int fd);
#endif
