/* mailbox_fixture.h - one message on a pipe and a home to deliver it in. */
#ifndef ONEHOP_TESTS_UNIT_MAILBOX_FIXTURE_H
#define ONEHOP_TESTS_UNIT_MAILBOX_FIXTURE_H

#include "local/letter.h"

struct fixture {
	struct arena arena;
	struct user user; /* we ourselves, at home in a directory of this test's own */
	struct local_request rq;
	struct letter letter;
};

/* setup and teardown; *state is the fixture.  The working directory is the home. */
int fixture_make(void **state);
int fixture_remove(void **state);
/* The next message: text, of which size octets are promised. */
void fixture_message(struct fixture *x, const char *text, uint64_t size);
/* The whole of a file; NULL: there is none. */
char *fixture_read(struct fixture *x, const char *path);
/* "name name ..." of a directory, in order; "" when it is empty or missing. */
char *fixture_list(struct fixture *x, const char *path);

#define HEAD \
	"Return-path: <alice@debian>\nEnvelope-to: fax@debian,\n ali@debian\n" \
	"Delivery-date: Thu, 01 Jan 1970 00:16:40 +0000\n"
#endif
