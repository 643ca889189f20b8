/* queued.h - a message in the spool: what its -H file says, its -D file, and what is done. */
#ifndef ONEHOP_SPOOL_QUEUED_H
#define ONEHOP_SPOOL_QUEUED_H

#include "base/buf.h"
#include "mail/message.h"
#include "wire/envelope.h"

/* Why the message is still here, and when it is tried again. */
struct trouble {
	unsigned tries;             /* attempts that failed for a reason of the message's own */
	uint64_t first_failed;      /* on the spool's clock (spool/ages.h); 0: it was never tried */
	int64_t last_try, next_try; /* wall clock, seconds; next_try 0: now */
	const char *hosts; /* the host list that could not be reached: db/ knows when; or NULL */
	const char *error; /* one line, for mailq; or NULL */
};

/* The -D file. */
struct queued_body {
	uint64_t size;   /* octets of -D, its first line included */
	char sha256[65]; /* of -D, hex */
};

struct queued {
	struct arena *arena; /* of all its strings */
	/* id, sender, login, auth_parameter, envid, ret, protocol, body_declared; all its
	 * recipients (address, original, unqualified, notify, orcpt), RCPT_WAITING, or RCPT_SENT
	 * when the whole recipient is among done */
	struct envelope e;
	struct message m; /* the body is the open -D file, which is locked through it */
	unsigned uid, gid;
	int64_t received; /* wall clock */
	uint32_t received_usec;
	uint64_t arrived;     /* on the spool's clock */
	const char *protocol; /* "local", "local-esmtp" */
	const char *parent;   /* a bounce or warning: the id of the message it speaks of; or NULL */
	unsigned warnings;    /* delay warnings that were sent */
	bool frozen, manual_thaw;
	int64_t frozen_at;       /* wall clock */
	uint64_t frozen_counted; /* the same on the spool's clock */
	struct trouble trouble;
	struct queued_body file; /* once it is in the spool */
	/* Keys of deliveries (route_key()) that need not be made again: the tree of non-recipients
	 * in -H and the journal.  Append with arena_grow(); the first nsorted are in order. */
	const char **done;
	size_t ndone, nsorted;
};

/* The -H file (Exim 4.96's format, doc/EXIM 18, with -onehop_ lines among its options).  Pure
 * but for libnettle, which is loaded (base/digest.h). */
enum { QUEUED_RECIPIENTS_MAX = 50000, QUEUED_HEADERS_MAX = HEADER_MAX + 64 * 1024 };

/* Append the file's text, whose last option, -onehop_sha256, covers all the rest of it.
 * False: PERM/SPOOL: something in it cannot be written (a newline in an address, too large), or
 * TEMP/SPOOL: there is no SHA-256; *out may then hold a part. */
bool queued_write(const struct queued *q, const struct queued_body *body, struct buf *out,
    struct fail *f) NODISCARD;
/* Read it; q->arena must be set; q->m has its headers, and of the body only lines, longest_line,
 * has_8bit, has_nul (where the body is, and its size, are left as they were).  q->e.id is what the
 * file says: the caller compares it with the file's name.  Every address has passed mailbox_ok(),
 * every header field scan_field_name().
 * False: PERM/SPOOL and nothing else in q is to be used: cut, changed, or not onehop's; TEMP/SPOOL:
 * that cannot be known now, because there is no SHA-256. */
bool queued_read(
    struct str text, struct queued *q, struct queued_body *body, struct fail *f) NODISCARD;
/* The same of Exim's own -H file, 4.80 to 4.100: it has no checksum, and does not say how the body
 * is. Its options are passed over but for those that say who, when, frozen, DSN.  False:
 * PERM/SPOOL: cut, or something in it that onehop cannot keep, which *f names. */
bool queued_read_exim(struct str text, struct queued *q, struct fail *f) NODISCARD;
/* Put done in order, each key once, and mark the recipients that are among it RCPT_SENT.
 * (queued_read() does it; whoever appended a journal does it again.) */
void queued_settle(struct queued *q);
/* Is key among done?  Quick for the first nsorted. */
bool queued_is_done(const struct queued *q, const char *key);
#endif
