/* names.h - who we are: host name, mail name, local domains (EXIM-SEMANTICS 2 and 3). */
#ifndef ONEHOP_CONF_NAMES_H
#define ONEHOP_CONF_NAMES_H

#include "conf/conf.h"

/* The mail name in the first line of a file's text, cut and lower-cased as update-exim4.conf
 * does (leading junk kept, then letters, digits, - @ .).  Pure. */
struct str mailname_parse(struct arena *a, struct str text);
/* uname's node name; when it has no dot, the first name with a dot that the resolver's
 * files give for it (getaddrinfo AI_CANONNAME, then aliases); else as it is. */
const char *hostname_find(struct arena *a);
/* Is domain (without case) one of ours: primary_hostname, localhost, local_domains (items may be
 * Exim patterns "*.x")?  The mailname is not by itself (Exim's rule). */
bool domain_is_local(const struct conf *c, struct str domain);
/* Is it the mail name (qualify_domain)? */
bool domain_is_mailname(const struct conf *c, struct str domain);
#endif
