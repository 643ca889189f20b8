/* names.h - who we are: host name, mail name, local domains (doc/EXIM 2, doc/EXIM 3). */
#ifndef ONEHOP_CONF_NAMES_H
#define ONEHOP_CONF_NAMES_H

#include "conf/conf.h"

/* The mail name in the first line of a file's text, cut and lower-cased as update-exim4.conf
 * does (leading junk kept, then letters, digits, - @ .; blanks folded).  Pure. */
struct str mailname_parse(struct arena *a, struct str text);
/* The first name with a dot in the first line of an /etc/hosts that has node among its names;
 * node itself when that line has none.  False: no line has node.  Pure. */
bool hostname_from(struct str hosts, struct str node, struct str *out);
/* uname's node name; when it has no dot, what hostname_from() finds in etc/hosts, then
 * the resolver's canonical name (the network may be asked); else as it is. */
const char *hostname_find(struct arena *a, const char *etc);
/* May it stand behind an "@" and in EHLO: not empty, no control character, blank or special? */
bool domain_is_plain(struct str domain);
/* Is domain (without case) one of ours: primary_hostname, localhost, local_domains (items may be
 * Exim patterns: "*.x", "*", "@" for primary_hostname, "!x" for not)?  The mailname is not by
 * itself (Exim's rule). */
bool domain_is_local(const struct conf *c, struct str domain);
/* Is it the mail name (qualify_domain)? */
bool domain_is_mailname(const struct conf *c, struct str domain);
#endif
