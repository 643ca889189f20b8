/* tlsmodule.h - what onehop-tls.so exports.  For it and its loader alone. */
#ifndef ONEHOP_NET_TLSMODULE_H
#define ONEHOP_NET_TLSMODULE_H

#include "net/tls.h"

#define TLS_MODULE "onehop-tls.so"
#define TLS_MODULE_TABLE "onehop_tls"

struct tls_module {
	const char *version; /* first, as base/module.h wants it */
	typeof(&tls_start) start;
	typeof(&tls_channel_binding) channel_binding;
	typeof(&tls_check) check;
};

extern const struct tls_module onehop_tls;
#endif
