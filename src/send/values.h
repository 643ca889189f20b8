/* values.h - can the value of an option work?  What the options' types (conf/options.def) do not
 * say of a text: that it is a list of hosts, a file that is there, a command that can be run. */
#ifndef ONEHOP_SEND_VALUES_H
#define ONEHOP_SEND_VALUES_H

#include "conf/conf.h"

/* Tell of each option that was set to what cannot work: file and line, name, and the nearest right
 * form where there is one; in a. */
void values_check(
    const struct conf *c, struct arena *a, void (*tell)(void *ctx, const char *why), void *ctx);
#endif
