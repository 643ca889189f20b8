/* check.h - can this configuration work?  What -bV asks of onehop-send, which reads and loads for
 * that what a delivery would: values, passwd.client, the maps, TLS with its authorities, SASL. */
#ifndef ONEHOP_SEND_CHECK_H
#define ONEHOP_SEND_CHECK_H

#include "conf/conf.h"

enum { CHECK_MAX = 256 * 1024 }; /* bytes of sentences */

/* Append a line to wrong for each thing that stops mail, with file and line and the nearest right
 * form; and to notes for what could not be looked at ("Not checked: ") or stops nothing
 * ("Warning: ").  Nothing of passwd.client
 * is quoted. */
void check_conf(struct arena *a, const struct conf *c, struct buf *wrong, struct buf *notes);
#endif
