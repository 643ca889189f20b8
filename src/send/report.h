/* report.h - the two parts of a notice that are about the recipients.  Pure. */
#ifndef ONEHOP_SEND_REPORT_H
#define ONEHOP_SEND_REPORT_H

#include "send/notice.h"

/* The address a recipient is known by: a command or a file of a .forward has none of its own. */
const char *report_address(const struct notice *n, const struct rcpt *r);
/* Is an address UTF-8?  Then the status is message/global-delivery-status (RFC 6533). */
bool report_is_global(const struct notice *n);
/* How long a DELAYED message has waited, as "24 hours". */
const char *report_waited(const struct notice *n, char out[32]);
/* The body of the field of that name, without its line breaks' blanks around; empty: none. */
struct str report_field(const struct queued *q, const char *name);
/* Append the text for people: UTF-8. */
void report_text(const struct notice *n, struct buf *out);
/* Append the status for programs: ASCII, or UTF-8 when it is global. */
void report_status(const struct notice *n, struct buf *out);
#endif
