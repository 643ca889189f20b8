/* mailbox.h - one mail address: parsing it, and the one decision whether it may enter.
 *
 * Every address that enters onehop (argument, header, map, alias, .forward, protocol)
 * goes through mailbox_parse() or mailbox_ok(); nothing else lets one in (doc/SECURITY 1). */
#ifndef ONEHOP_MAIL_MAILBOX_H
#define ONEHOP_MAIL_MAILBOX_H

#include "base/arena.h"
#include "base/fail.h"

/* Octets.  RFC 5321's 64 of a local part is not held to by real systems, Exim takes 255; a longer
 * address is "ridiculously long" to it. */
enum { LOCAL_PART_MAX = 255, DOMAIN_MAX = 255, ADDRESS_MAX = 256 };

/* local@domain; domain.n == 0: unqualified.  local keeps its quotes as written. */
struct mailbox {
	struct str local, domain;
};

/* May this address be used, as it would stand between < and > on the wire?
 * Refuses C0 controls, DEL, NUL, unquoted < > blanks, over-long parts, an empty local part,
 * a malformed domain or literal.  8-bit (UTF-8, well-formed) is allowed, and "_" in a domain
 * (hosts have such names; Exim refuses it).  On false *f is USER/ADDRESS and says what is wrong
 * with which address. */
bool mailbox_ok(struct mailbox m, struct fail *f) NODISCARD;
/* The same decision: NULL when it may be used, else what is wrong with it in Exim's words. */
const char *mailbox_fault(struct mailbox m);
/* Parse s as one RFC 5322 mailbox the way Exim does: display name, <>, comments, source route
 * (dropped), quoted local part, domain literal, obsolete blanks around dots and @.
 * "<>" and "" give an empty mailbox (local.n == 0) when empty_ok.
 * False: *f USER/ADDRESS with Exim's reason ("domain missing or malformed"). */
bool mailbox_parse(
    struct arena *a, struct str s, bool empty_ok, struct mailbox *out, struct fail *f) NODISCARD;
/* "local@domain" (or "local" when unqualified) as a C string in the arena. */
char *mailbox_text(struct arena *a, struct mailbox m);
/* Split "local@domain" that was already accepted (no syntax check: the last unquoted @). */
struct mailbox mailbox_split(const char *text);
/* Equal as Exim compares: local part byte for byte, domain without case. */
bool mailbox_eq(struct mailbox x, struct mailbox y);
#endif
