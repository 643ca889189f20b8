/* lsearch.h - Exim's table files: aliases, email-addresses, hubbed_hosts, passwd.client.
 *
 * Syntax as doc/EXIM 1.1 has it, quirks included (a comment inside a continued
 * entry ends its value).  Pure: text in, slices out. */
#ifndef ONEHOP_CONF_LSEARCH_H
#define ONEHOP_CONF_LSEARCH_H

#include "base/arena.h"
#include "base/fail.h"

struct lsearch_entry {
	struct str key;   /* quotes and escapes resolved */
	struct str value; /* continuation lines joined by one blank */
	unsigned line;    /* of the key, from 1 */
};

struct lsearch {
	struct str rest; /* private: what is not read yet */
	unsigned line;
};

struct lsearch lsearch_open(struct str text);
/* Next entry, in file order; false at the end.  Slices lie in the text or in a. */
bool lsearch_next(struct lsearch *t, struct arena *a, struct lsearch_entry *e);
/* First entry whose key equals key without case (lsearch). */
bool lsearch_find(struct str text, struct str key, struct arena *a, struct lsearch_entry *e);
#endif
