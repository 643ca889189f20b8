/* extract.h - the operative address inside one mailbox: RFC 5322 3.4 as Exim reads it.
 *
 * The grammar behind mailbox_parse() and address_list_next(); others call those.  Pure,
 * without recursion: time and memory are linear in the item. */
#ifndef ONEHOP_MAIL_EXTRACT_H
#define ONEHOP_MAIL_EXTRACT_H

#include "mail/mailbox.h"

enum { COMMENT_DEPTH_MAX = 64 };

struct address {
	struct mailbox box; /* in the arena; local.n == 0: the null address "<>", or bad */
	/* The bytes of the text that stand for box (what rewriting replaces): route, comments
	 * inside and obsolete blanks included; the item when it is bad. */
	struct str active;
	/* extract_loose(): the name in front, which is to be quoted; active begins with it. */
	struct str name;
	bool bad, empty;    /* it could not be read; there was no address in it at all */
	const char *reason; /* why it is bad: Exim's words, one printable line */
	size_t used;        /* bytes of item read: all, or up to behind a group's ";" */
};

/* Read the address in item; false: it is bad.  in_group (NULL: groups are not allowed) says
 * whether a group "phrase:" is open, and is updated.  null_ok: "<>" is an address. */
bool extract_address(
    struct arena *a, struct str item, bool *in_group, bool null_ok, struct address *out) NODISCARD;
/* What a person reads in an item that is bad by the grammar: where it has exactly one "<...>", at
 * its end, that is the address and all before it a name ("Proxmox VE [n1] <root>"); where it may
 * be the author of a field and has none, its last word is, if that alone has an "@" ("DenyHosts
 * root@localhost").  False: out is as it was. */
bool extract_loose(struct arena *a, struct str item, bool author, struct address *out) NODISCARD;
/* Length of the quoted string or comment that s begins with: pairs with a backslash and inner
 * comments are stepped over.  *open: how many quotes or brackets the end of s leaves open, or
 * COMMENT_DEPTH_MAX + 1 where comments nest deeper than that (the length then ends there). */
size_t enclosed_length(struct str s, unsigned *open);
#endif
