/* date.h - points of time as mail writes them.  Pure but for the time zone (localtime_r). */
#ifndef ONEHOP_BASE_DATE_H
#define ONEHOP_BASE_DATE_H

#include <stdint.h>

enum { DATE_MAX = 64 };

/* RFC 5322 3.3 in local time, as Exim: "Tue, 24 Nov 2026 06:42:02 +0000". */
const char *date_rfc5322(int64_t now, char out[DATE_MAX]);
/* An mbox From_ line's: "Tue Nov 24 06:42:02 2026", local time. */
const char *date_mbox(int64_t now, char out[DATE_MAX]);
/* Exim's log: "2026-11-24 06:42:02", local time. */
const char *date_log(int64_t now, char out[DATE_MAX]);
#endif
