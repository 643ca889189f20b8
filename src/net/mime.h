/* mime.h - the leaves of a body: what has no parts of its own (RFC 2045, 2046).  One pass, in
 * memory that does not grow with the body. */
#ifndef ONEHOP_NET_MIME_H
#define ONEHOP_NET_MIME_H

#include "mail/message.h"

enum leaf_kind {
	LEAF_PLAIN,  /* not encoded: 7bit, 8bit or binary; may be encoded */
	LEAF_BASE64, /* may be wrapped anew */
	/* Signed, encrypted, a message, quoted-printable, or not understood: hands off. */
	LEAF_SEALED,
};

struct leaf {
	enum leaf_kind kind;
	bool whole;              /* it is all of the body; its header is the message's */
	struct str header;       /* else: its header as it is, valid during the call */
	uint64_t head, head_end; /* and where in the body that is; at head_end is an empty line */
	uint64_t from, to;       /* its content, without the LF that belongs to a boundary */
	uint64_t lines, longest; /* the longest in octets without LF */
	uint64_t odd;            /* octets that quoted-printable has to encode */
	bool has_8bit, utf8;     /* utf8: if it has 8-bit octets they are UTF-8 */
	bool has_nul;
};

typedef void mime_leaf_fn(void *ctx, const struct leaf *leaf);

/* What is in no leaf: boundaries, headers of parts, text around the parts. */
struct mime_rest {
	uint64_t longest;
	bool has_8bit, has_nul;
};

/* Call fn for each leaf of m's body, in order.  False with errno: the body could not be read. */
bool mime_walk(
    const struct message *m, mime_leaf_fn *fn, void *ctx, struct mime_rest *rest) NODISCARD;
/* Append the fields of a header section (LF line ends) to m.  False: a line is not a field. */
bool mime_fields(struct message *m, struct str header) NODISCARD;
#endif
