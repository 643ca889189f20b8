/* list.h - the addresses in a header field or an argument, each with its place in the text.
 *
 * RFC 5322 3.4 with the obsolete forms and Exim's tolerance (unquoted dots and raw 8-bit
 * in phrases, empty items, groups).  Pure. */
#ifndef ONEHOP_MAIL_LIST_H
#define ONEHOP_MAIL_LIST_H

#include "base/buf.h"
#include "mail/extract.h"

struct address_list {
	struct str rest; /* private: begins at the next item */
	size_t item;     /* private: bytes of it that belong to an item begun already */
	bool in_group, field, author;
};

struct address_list address_list_open(struct str text);
/* The same for the body of a header field, where people write what is not legal: extract_loose().
 * author: in From, Sender and Reply-To, where besides a comma in the only name is no separator
 * ("From: Doe, John <root>"). */
struct address_list address_list_field(struct str text, bool author);
/* Next item; false at the end.  Empty items and group brackets are stepped over.
 * Unlike Exim, what follows the ";" of a group without a comma is an item too. */
bool address_list_next(struct address_list *l, struct arena *a, struct address *out);

/* What to do with the addresses of a field. */
struct address_edit {
	/* True: *box was changed and is to stand in the field. */
	bool (*change)(const void *ctx, struct mailbox *box);
	/* An item that could not be parsed, and stays; may be NULL. */
	void (*bad)(const void *ctx, const char *reason);
	const void *ctx;
	bool author; /* as address_list_field() has it */
};

/* A field (name through final LF) with its addresses edited.  True when something changed: the
 * new field was appended to out, all other bytes kept; when an address became longer and ends
 * past column 40, "\n\t" follows its separator, as Exim does; a name that extract_loose() found is
 * quoted.  False: out is as it was. */
bool address_list_edit(
    struct str field, struct arena *a, const struct address_edit *e, struct buf *out);
#endif
