/* queued_fixture.h - a waiting message, and how it comes back, for the tests of queued.h. */
#ifndef ONEHOP_TESTS_QUEUED_FIXTURE_H
#define ONEHOP_TESTS_QUEUED_FIXTURE_H

#include "spool/queued.h"

extern struct queued_body fixture_body;

void fixture_header(struct queued *q, const char *text);
/* A message of alice's to these n recipients, which stay the caller's. */
struct queued fixture_message(struct arena *a, struct rcpt *rcpts, size_t n);
/* queued_write() and queued_read(); the text stays in out. */
struct queued fixture_again(const struct queued *q, struct arena *a, struct buf *out);
#endif
