/* recipients.h - whom a message is for: a set of mailboxes, filled from arguments or header (-t).
 */
#ifndef ONEHOP_MAIL_RECIPIENTS_H
#define ONEHOP_MAIL_RECIPIENTS_H

#include "mail/message.h"
#include "mail/rewrite.h"

/* Zero it before the first use. */
struct recipients {
	struct mailbox *list; /* qualified; as given, duplicates merged */
	bool *unqualified;    /* list[i] had no domain as given: alias lookup comes first */
	size_t n;
	size_t *slots; /* private: hash of list */
	size_t nslots; /* private */
};

/* Add m (qualified) unless it is there already.  Returns its index in list. */
size_t recipients_add(struct recipients *r, struct arena *a, struct mailbox m, bool unqualified);
bool recipients_has(const struct recipients *r, struct mailbox m);
/* Add every address of an RFC 5322 list, qualified: an argument (field is empty), or the body of
 * the field of that name.  False: USER/ADDRESS for a bad address with Exim's reason, or
 * USER/ARGS for more than recipients_max; the mail is not to be sent. */
bool recipients_add_list(struct recipients *r, const struct rewrite *rw, struct str text,
    struct str field, struct fail *f) NODISCARD;
/* Add the recipients of To, Cc and Bcc, or of the Resent- forms alone when any Resent- field exists
 * (-t), to what is in *out (the arguments, when they count too).
 * A bad address is USER/ADDRESS with the field's name: nothing is sent.
 * No recipient, in *out neither: USER/ARGS, exit 64. */
bool recipients_of_header(
    struct message *m, const struct rewrite *r, struct recipients *out, struct fail *f) NODISCARD;
#endif
