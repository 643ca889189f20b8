/* list.h - the addresses in a header field or an argument, each with its place in the text.
 *
 * RFC 5322 3.4 with the obsolete forms and Exim's tolerance (unquoted dots and raw 8-bit
 * in phrases, empty items, groups).  Pure. */
#ifndef ONEHOP_ADDR_LIST_H
#define ONEHOP_ADDR_LIST_H

#include "addr/mailbox.h"

struct address {
	struct mailbox box;  /* comments and source route taken out; in the arena */
	struct str active;   /* the bytes in the text that stand for box (what rewriting replaces):
	                        route, comments inside and obsolete blanks included */
	bool in_group;
	bool bad;            /* this item could not be parsed: box is empty, active is the item,
	                        reason says why */
	const char *reason;  /* Exim's words */
};

struct address_list {
	struct str rest; /* private */
	bool in_group;
};

struct address_list address_list_open(struct str text);
/* Next item; false at the end.  Empty items and group brackets are stepped over. */
bool address_list_next(struct address_list *l, struct arena *a, struct address *out);
#endif
