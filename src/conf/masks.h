/* masks.h - headers_rewrite: whom the smarthost sees instead of our addresses.  Pure.
 *
 * The plain forms of Exim's rules, with ":" between rules:
 *
 *	rule    = pattern address [flags]
 *	pattern = "*" / ( "*" / local ) "@" ( "*" / "*" tail / domain / "+local_domains" )
 *	address = ( local / "$1" ) "@" domain          ; $1: what stood before the "@"
 *	flags   = 1*( "f" / "r" / "s" / "t" / "c" / "b" / "h" ) ; From, Reply-To, Sender, To, Cc,
 *Bcc, all */
#ifndef ONEHOP_CONF_MASKS_H
#define ONEHOP_CONF_MASKS_H

#include "base/arena.h"
#include "base/fail.h"

enum {
	MASK_FROM = 1,
	MASK_REPLY_TO = 2,
	MASK_SENDER = 4,
	MASK_TO = 8,
	MASK_CC = 16,
	MASK_BCC = 32,
	MASK_ALL = 63
};

struct mask {
	struct str local, domain;       /* the pattern; "*" is any, "+local_domains" ours */
	struct str to_local, to_domain; /* to_local.n == 0: $1 */
	unsigned fields;
};

/* The rules in text, which must outlive them; n is 0 for "".  False: USER/CONFIG. */
bool masks_parse(
    struct arena *a, struct str text, struct mask **list, size_t *n, struct fail *f) NODISCARD;
/* Is it an address alone, as return_path is?  False: USER/CONFIG. */
bool masks_is_address(struct str text, struct fail *f) NODISCARD;
#endif
