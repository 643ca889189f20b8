/* b64.h - base64 (RFC 4648 section 4). */
#ifndef ONEHOP_BASE_B64_H
#define ONEHOP_BASE_B64_H

#include "base/buf.h"

/* Append the encoding of s, with padding, without line breaks. */
void b64_encode(struct buf *out, struct str s);
/* Append the bytes that s encodes.  False for anything that is not canonical base64
 * (wrong length, foreign character, padding inside); *out may then hold a part. */
bool b64_decode(struct buf *out, struct str s) NODISCARD;
#endif
