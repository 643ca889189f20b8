/* option.h - what both sides of a -H file (queued.h) have to agree on. */
#ifndef ONEHOP_SPOOL_OPTION_H
#define ONEHOP_SPOOL_OPTION_H

#include "spool/queued.h"

enum option_kind {
	OPTION_FLAG,   /* bool: the name alone */
	OPTION_UINT,   /* unsigned */
	OPTION_COUNT,  /* uint64_t */
	OPTION_TIME,   /* int64_t, may be negative */
	OPTION_STRING, /* const char *, escaped: any character may be in it */
};

/* An option line "-name value" and the field of struct queued that it fills. */
struct option {
	const char *name;
	enum option_kind kind;
	size_t at;
};

/* Ours; a field that is 0 or NULL has no line. */
enum { ONEHOP_OPTIONS = 12 };
extern const struct option onehop_options[ONEHOP_OPTIONS];

/* What stands between the address and its flags in a recipient's long form, and behind them: no
 * errors_to, no parent. */
#define RECIPIENT_END "  0,-1#3"
#define SUM_OPTION "-onehop_sha256 "

/* The checksum of a file whose checksum's line is left out. */
bool option_sum(struct str before, struct str behind, char out[65], struct fail *f) NODISCARD;
/* May it stand in a -H file?  False: *f is USER or PERM. */
bool option_address_ok(const char *address, bool empty_ok, struct fail *f) NODISCARD;
/* One field, its lines folded by a blank, without NUL and CR. */
bool option_header_ok(struct str text);
#endif
