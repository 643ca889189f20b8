/* encode.h - quoted-printable and base64 for text (RFC 2045 6.7 and 6.8), piece by piece.  Pure.
 *
 * Input has LF line ends, output CRLF and lines of at most 76 octets.  Neither encoding gives a
 * line that begins with a dot. */
#ifndef ONEHOP_NET_ENCODE_H
#define ONEHOP_NET_ENCODE_H

#include "base/buf.h"

struct encode {
	unsigned column; /* octets in the line that is being written */
	bool lf_due;     /* base64: the CR of a line end went into the line before */
};

/* Append the encoding of s to out; last says that nothing follows s.  Returns how many octets were
 * taken: all of the last, else a few may be left, to be given again with what follows. */
size_t encode_qp(struct encode *e, struct buf *out, struct str s, bool last) NODISCARD;
size_t encode_base64(struct encode *e, struct buf *out, struct str s, bool last) NODISCARD;
#endif
