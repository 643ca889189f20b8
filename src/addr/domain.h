/* domain.h - internationalised domain names (the only place that includes idn2). */
#ifndef ONEHOP_ADDR_DOMAIN_H
#define ONEHOP_ADDR_DOMAIN_H

#include "base/arena.h"
#include "base/fail.h"

/* The A-label form ("xn--...") of a UTF-8 domain; a plain ASCII domain comes back as it is,
 * without loading anything.  IDNA 2008, non-transitional.  False: USER/ADDRESS. */
bool domain_to_ascii(struct arena *a, struct str domain, struct str *out, struct fail *f) NODISCARD;
#endif
