/* listing.h - how the queue looks: Exim's columns, JSON (RFC 8259), status in words, JSON and
 * Prometheus' text.  Pure; the manual has the schemas. */
#ifndef ONEHOP_FRONT_LISTING_H
#define ONEHOP_FRONT_LISTING_H

#include "base/buf.h"
#include "wire/control.h"

enum listing_form {
	LISTING_FULL,        /* -bp: with the last error and the next try */
	LISTING_PLAIN,       /* -bpr, -bpa: Exim's lines and nothing else */
	LISTING_IDS,         /* -bpi: the id alone */
	LISTING_UNDELIVERED, /* -bpu: the same without the recipients that are done; exiqgrep's */
};

/* Append a message; damaged files are in the full form only. */
void listing_columns(
    struct buf *out, const struct control_message *m, enum listing_form form, int64_t now);
/* Append it as an object of -bpj's array. */
void listing_json(struct buf *out, const struct control_message *m);
/* Has the oldest message waited for queue_alarm_after? */
bool listing_is_alarm(const struct control_status *s);
void listing_status(struct buf *out, const struct control_status *s);
void listing_status_json(struct buf *out, const struct control_status *s);
void listing_status_prometheus(struct buf *out, const struct control_status *s);
#endif
