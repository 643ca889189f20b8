/* output_fixture.h - a message, and what of it is on the wire. */
#ifndef ONEHOP_OUTPUT_FIXTURE_H
#define ONEHOP_OUTPUT_FIXTURE_H

#include "net/output.h"

/* A message of header fields and a body, as intake would make it. */
struct message output_message(struct arena *a, struct str header, struct str body);
/* Append all that output_next() gives. */
void output_all(
    const struct message *m, const struct output_plan *plan, bool stuff, struct buf *wire);
#endif
