/* alias.h - the right-hand side of an alias or a .forward: Exim's redirection list.  Pure. */
#ifndef ONEHOP_ROUTE_ALIAS_H
#define ONEHOP_ROUTE_ALIAS_H

#include "addr/mailbox.h"

enum alias_kind {
	ALIAS_ADDRESS,   /* text: as written, to be parsed and qualified */
	ALIAS_PIPE,      /* text: command without the bar */
	ALIAS_FILE,      /* text: /path */
	ALIAS_DIRECTORY, /* text: /path/ */
	ALIAS_DEVNULL,   /* /dev/null */
	ALIAS_INCLUDE,   /* text: path behind :include: */
	ALIAS_FAIL,      /* text: the reason */
	ALIAS_DEFER,     /* text: the reason */
	ALIAS_BLACKHOLE,
	ALIAS_UNKNOWN,   /* :unknown: - as if there were no alias */
	ALIAS_BAD,       /* text: the item; reason: what is wrong */
};

struct alias_item {
	enum alias_kind kind;
	struct str text;
	const char *reason; /* ALIAS_BAD */
};

struct alias_list {
	struct str rest; /* private */
};

/* Comma and newline separated; comments (#), quotes and backslashes as src/parse.c's
 * parse_forward_list takes them. */
struct alias_list alias_list_open(struct str text);
bool alias_list_next(struct alias_list *l, struct arena *a, struct alias_item *out);
#endif
