/* domain.h - internationalised domain names (the only place that includes idn2).
 *
 * libidn2 is not linked: that would cost each start 0.44 million instructions (measured with
 * callgrind: 0.13 M for an empty program, 0.57 M with libidn2 and its libunistring).  It is
 * loaded by dlopen() at the first domain with a non-ASCII letter; a confined process has to
 * call this before its filter, or have libidn2 loaded already (GnuTLS links it). */
#ifndef ONEHOP_MAIL_DOMAIN_H
#define ONEHOP_MAIL_DOMAIN_H

#include "base/arena.h"
#include "base/fail.h"

/* The A-label form ("xn--...") of a UTF-8 domain; a plain ASCII domain comes back as it is,
 * without loading anything.  IDNA 2008, non-transitional.  False: USER/ADDRESS. */
bool domain_to_ascii(struct arena *a, struct str domain, struct str *out, struct fail *f) NODISCARD;
#endif
