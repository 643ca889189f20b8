/* masquerade.h - hide_mailname: what the smarthost sees instead of our own name. */
#ifndef ONEHOP_NET_MASQUERADE_H
#define ONEHOP_NET_MASQUERADE_H

#include "conf/conf.h"
#include "mail/message.h"
#include "wire/envelope.h"

/* Rewrite the sender and the fields of copies of an envelope and a message that go out, where
 * hide_mailname and its kin ask for it; strings are in m->arena.  What goes to a mailbox of this
 * host (local_delivery = lmtp:/path) stays as it is. */
void masquerade(const struct conf *c, struct envelope *e, struct message *m);
#endif
