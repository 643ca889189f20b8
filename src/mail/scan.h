/* scan.h - where a header section ends and its fields begin (doc/EXIM 5.2).  Pure. */
#ifndef ONEHOP_MAIL_SCAN_H
#define ONEHOP_MAIL_SCAN_H

#include "mail/message.h"

/* Length of the field name when line (one physical line, LF included) starts a header field:
 * graphic characters but ":", optional blanks, ":"; 8-bit and an empty name are taken as Exim does.
 * SIZE_MAX when it does not. */
size_t scan_field_name(struct str line);
/* What kind of field it is, from its name. */
enum header_type scan_type(struct str name, bool *resent);
/* The address in a "From addr date" line, in any of the shapes Exim's uucp_from_pattern takes;
 * p == NULL when line is not one. */
struct str scan_from_line(struct str line);
#endif
