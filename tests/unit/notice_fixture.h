/* notice_fixture.h - a message, and the notice about it. */
#ifndef ONEHOP_TESTS_NOTICE_FIXTURE_H
#define ONEHOP_TESTS_NOTICE_FIXTURE_H

#include "send/notice.h"

#define ID "1vNLq1-0001Aa-0Z"
#define OWN_ID "1vNLqX-0001Ab-2k"

struct post {
	struct arena arena;
	struct conf conf;
	struct queued about, out;
	struct rcpt rcpts[2];
	const struct rcpt *list[2];
	struct notice notice;
	struct str text; /* of the notice, header and body */
};

int post_set_up(void **state);
int post_tear_down(void **state);
/* What was sent: body has to outlive the post. */
void post_message(struct post *p, const char *header, const char *body);
/* r was refused; code not 0: by a server, which r names then. */
void post_refused(struct post *p, struct rcpt *r, enum fail_stage at, int code, const char *fmt,
    ...) PRINTF(5, 6);
/* With this status of RFC 3463. */
void post_status(struct post *p, struct rcpt *r, const char *dsn);
void post_by_server(struct post *p, struct rcpt *r, const char *words);
/* Write the notice: its header and body, also in p->text. */
const char *post_write(struct post *p);
/* Is it said in text, or not? */
void says(const char *text, const char *what);
void says_not(const char *text, const char *what);
#endif
