/* saslmodule.h - what onehop-sasl.so exports: libgsasl is loaded for CRAM-MD5 and SCRAM only. */
#ifndef ONEHOP_NET_SASLMODULE_H
#define ONEHOP_NET_SASLMODULE_H

#include "net/sasl.h"

#define SASL_MODULE "onehop-sasl.so"
#define SASL_MODULE_TABLE "onehop_sasl"

struct sasl_module {
	const char *version; /* first, as base/module.h wants it */
	typeof(&sasl_new) new;
	typeof(&sasl_step) step;
	typeof(&sasl_free) free;
};

extern const struct sasl_module onehop_sasl;
#endif
