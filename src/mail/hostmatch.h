/* hostmatch.h - is a host in a list of Exim's?  Pure. */
#ifndef ONEHOP_MAIL_HOSTMATCH_H
#define ONEHOP_MAIL_HOSTMATCH_H

#include "base/fail.h"

/* Items are names, "*.domain", addresses,
 * networks as "192.0.2.0/24", "*" for all, and "!item" for not; the first that fits decides.
 * configured and canonical are its names, ip its address, as text. */
bool hostmatch_has(const char *list, const char *configured, const char *canonical, const char *ip);
/* Is each item of such a list one of these?  False: USER/CONFIG. */
bool hostmatch_check(const char *list, struct fail *f) NODISCARD;
#endif
