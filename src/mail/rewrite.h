/* rewrite.h - senders: email-addresses (doc/EXIM 7) and masquerade (doc/EXIM 8).
 *
 * Pure but for reading the map once in rewrite_open(). */
#ifndef ONEHOP_MAIL_REWRITE_H
#define ONEHOP_MAIL_REWRITE_H

#include "base/buf.h"
#include "base/trace.h"
#include "conf/conf.h"
#include "conf/map.h"
#include "mail/mailbox.h"

struct rewrite {
	const struct conf *conf;
	struct arena *arena;
	struct map map; /* email-addresses */
	const struct trace *trace;
	bool bare; /* fields keep addresses without a domain (-bnq) */
};

/* Find and read the map (conf->email_addresses or the three default places).  No file: no mapping,
 * no error.  An unreadable one is TEMP/CONFIG: mail under a wrong sender is not sent. */
bool rewrite_open(struct rewrite *r, const struct conf *c, struct arena *a, const struct trace *t,
    struct fail *f) NODISCARD;
/* The address in a value of the map.  NULL: that; else why it cannot be used. */
const char *rewrite_value(struct arena *a, struct str value, struct mailbox *out);
/* R1 then R2 of doc/EXIM 7 on one qualified address; the key "*" is for all local parts that
 * have none of their own.  An unusable value of the map
 * (two addresses, unqualified, empty) changes nothing and is traced as TRACE_WARNING with
 * file:line. */
struct mailbox rewrite_address(const struct rewrite *r, struct mailbox m);
/* What a header field becomes: every unqualified address is qualified; when map is set
 * (From, Sender, Reply-To and Resent- forms) each address also goes through rewrite_address().
 * text is the whole field, name through final LF.  True when something changed: the new field is
 * in out.  All other bytes are kept, folding as Exim does when it becomes longer. */
bool rewrite_field(const struct rewrite *r, struct str text, bool map, struct buf *out);
/* Masquerade for the smarthost: *@local or *@mailname becomes *@visible_name in From, Reply-To,
 * Sender and the envelope sender; then the rules of headers_rewrite, and return_path. hide_active()
 * says whether the configuration asks for any of it.  field: MASK_FROM ... (conf/masks.h).  The
 * null sender stays what it is. */
bool hide_active(const struct conf *c);
bool hide_field(
    const struct conf *c, struct arena *a, unsigned field, struct str text, struct buf *out);
struct mailbox hide_address(const struct conf *c, struct mailbox m);
#endif
