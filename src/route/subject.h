/* subject.h - what the files of route/ share: the address that is being routed. */
#ifndef ONEHOP_ROUTE_SUBJECT_H
#define ONEHOP_ROUTE_SUBJECT_H

#include "route/route.h"

struct subject {
	const struct route_env *e;
	struct route *r;
	const char *local; /* local part without quotes, lower case when local */
	bool is_local;
	struct str hubs; /* the line of hubbed_hosts */
	int user;        /* user_exists(): 1, 0, -1; -2 not asked yet */
	bool probed;
	struct probe probe;
	struct route **children; /* in order; they count when r becomes a ROUTE_PARENT */
	size_t nchildren;
};

/* A new address that the subject may become.  Its outcome is ROUTE_FAIL until a router takes it. */
struct route *subject_child(struct subject *s, struct mailbox address, const char *text);
/* It is deferred (FAIL_TEMP) or fails, as *f says. */
void route_failed(struct arena *a, struct route *r, const struct fail *f);
/* Defer (FAIL_TEMP) or fail (FAIL_PERM) it.  Returns true: "taken". */
bool subject_refuse(struct subject *s, enum fail_class cls, const char *fmt, ...) PRINTF(3, 4);
bool same_address(struct mailbox x, struct mailbox y);

/* The redirecting routers (redirect.c).  False: declined, the next router is asked. */
bool redirect_aliases(struct subject *s);
bool redirect_forward(struct subject *s);
bool redirect_hub_user(struct subject *s);
bool redirect_mail4root(struct subject *s);
#endif
