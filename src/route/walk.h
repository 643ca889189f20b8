/* walk.h - what the files of route/ share: the addresses still to be routed. */
#ifndef ONEHOP_ROUTE_WALK_H
#define ONEHOP_ROUTE_WALK_H

#include "route/route.h"

/* One recipient on its way: a stack of the addresses that it became. */
struct walk {
	const struct route_env *e;
	struct route **pending; /* the next one is the last */
	size_t npending;
	size_t made; /* addresses made for this recipient */
};

/* The address that is being routed, and what the routers know of it. */
struct subject {
	struct walk *walk;
	struct route *r;
	const char *local; /* local part without quotes, lower case when local */
	bool is_local;
	int user; /* user_exists(): 1, 0, -1; -2 not asked yet */
	bool probed;
	struct probe probe;
};

/* A new address that parent became.  Its outcome is ROUTE_FAIL until a router takes it. */
struct route *walk_make(
    struct walk *w, const struct route *parent, struct mailbox address, const char *text);
/* The addresses of list, in order, are the next to be routed. */
void walk_push(struct walk *w, struct route *const *list, size_t n);

/* Outcomes; each returns true: "taken". */
bool subject_defer(struct subject *s, const char *fmt, ...) PRINTF(2, 3);
bool subject_fail(struct subject *s, const char *fmt, ...) PRINTF(2, 3);

/* The redirecting routers (redirect.c).  False: declined, the next router is asked. */
bool redirect_aliases(struct subject *s);
bool redirect_forward(struct subject *s);
bool redirect_hub_user(struct subject *s);
bool redirect_mail4root(struct subject *s);
#endif
