/* credstore.h - a passwd.client that is a credential (systemd.exec(5)): the units get it, and
 * nobody else.
 *
 * Its place is one of systemd's stores, where it may be encrypted, so that no other process can
 * make anything of it.  What counts here is that it exists: who does not get it has not seen the
 * passwords, and must not go on as if there were none. */
#ifndef ONEHOP_CONF_CREDSTORE_H
#define ONEHOP_CONF_CREDSTORE_H

#include "conf/conf.h"

/* The credential that counts for c and that this process was not given, by its path in the store.
 * NULL: there is none, or it was given, or c has its passwords elsewhere; or we may not look into
 * the stores (others than root may not, usually). */
const char *credstore_not_given(const struct conf *c, struct arena *a);
#endif
