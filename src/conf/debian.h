/* debian.h - Debian's exim4 configuration: the keys of update-exim4.conf.conf, and the macros of
 * exim4.conf.localmacros and exim4.conf.template.  Read, never executed.  Private to conf/.
 *
 * What an administrator set is taken; what Debian's template sets itself changes nothing here. */
#ifndef ONEHOP_CONF_DEBIAN_H
#define ONEHOP_CONF_DEBIAN_H

#include "conf/table.h"

struct conf_macros {
	struct assignments macros;    /* that a file has set */
	struct assignments variables; /* of update-exim4.conf.conf, as its shell has them */
	bool split;                   /* dc_use_split_config */
	bool seeded;                  /* what update-exim4.conf generates is among the macros */
};

/* One assignment of update-exim4.conf.conf, its value as the shell would have it. */
bool debian_set(struct conf *c, const struct assignment *one, struct fail *f) NODISCARD;
/* What one macro means here.  ours: the administrator wrote it, so an unknown one is warned of. */
bool debian_apply(
    struct conf *c, const struct assignment *one, bool ours, struct fail *f) NODISCARD;
/* The macros in the text of one of Exim's files.  ours: all that is in it is the administrator's
 * (localmacros); else Debian's own defaults are passed over and unknown macros are no news. */
bool debian_macros(
    struct conf *c, struct str text, const char *file, bool ours, struct fail *f) NODISCARD;
/* Read the files that hold macros: localmacros and template in dir, where update-exim4.conf.conf
 * is, or conf.d/ when dc_use_split_config is true.  Missing ones are no error. */
bool debian_load(struct conf *c, const char *dir, struct fail *f) NODISCARD;
#endif
