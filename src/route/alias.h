/* alias.h - the right-hand side of an alias or a .forward: Exim's redirection list. */
#ifndef ONEHOP_ROUTE_ALIAS_H
#define ONEHOP_ROUTE_ALIAS_H

#include "mail/mailbox.h"

enum {
	ALIAS_ITEMS_MAX = 10000, /* items of a user's list with all its :include: files */
	ALIAS_DEPTH_MAX = 8,     /* :include: inside :include: */
};

enum alias_kind {
	/* text: as written, to be parsed and qualified; a leading backslash stays */
	ALIAS_ADDRESS,
	ALIAS_PIPE,      /* text: command without the bar */
	ALIAS_FILE,      /* text: /path */
	ALIAS_DIRECTORY, /* text: /path/ */
	ALIAS_DEVNULL,   /* /dev/null */
	ALIAS_INCLUDE,   /* text: path behind :include:, absolute */
	ALIAS_FAIL,      /* text: the reason */
	ALIAS_DEFER,     /* text: the reason */
	ALIAS_BLACKHOLE,
	ALIAS_UNKNOWN, /* :unknown: - as if there were no alias */
	ALIAS_BAD,     /* text: the item; reason: what is wrong */
};

struct alias_item {
	enum alias_kind kind;
	struct str text;
	const char *reason;   /* ALIAS_BAD */
	const char *included; /* alias_expand(): "PATH:LINE" of an included file, or NULL */
};

struct alias_list {
	struct str rest; /* private */
};

/* Comma and newline separated; comments (#), quotes and backslashes as src/parse.c's
 * parse_forward_list takes them.  :fail:, :defer:, :blackhole: and :unknown: end the list.
 * Pure. */
struct alias_list alias_list_open(struct str text);
bool alias_list_next(struct alias_list *l, struct arena *a, struct alias_item *out);
/* FAIL, DEFER, BLACKHOLE, UNKNOWN: it decides for the whole list; FAIL only for what follows. */
bool alias_is_verdict(enum alias_kind kind);

/* What is wrong with an item of the aliases file, which holds no pipes and files; or NULL. */
const char *alias_fault(struct arena *a, const struct alias_item *item);

struct alias_items {
	struct alias_item *list;
	size_t n;
};

/* The whole list, of at most max items, with its :include: files read: with the rights of this
 * process, but none that only a stranger's link leads to (base/named.h), and a file that not only
 * root can write includes no other.  A verdict is the last item, and the only one but for FAIL:
 * what stands before that is served as in Exim.  False: TEMP/ROUTE: an included file cannot be
 * read, or they are nested too deeply; PERM/ROUTE: there are more items. */
bool alias_expand(struct arena *a, struct str text, size_t max, struct alias_items *out,
    struct fail *f) NODISCARD;
#endif
