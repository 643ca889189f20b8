/* route_cases.h - recipients and where they live; names with a dash are recorded cases of Exim's.
 */
#ifndef ONEHOP_TESTS_UNIT_ROUTE_CASES_H
#define ONEHOP_TESTS_UNIT_ROUTE_CASES_H

#include "route/route.h"

/* A home in which something was set up; NULL user ends a list. */
struct home {
	const char *user;
	struct probe probe;
	const char *fails;
};

struct test {
	const char *name, *conf, *aliases, *hubbed;
	struct home homes[3];
	const char *recipient, *routes, *trace;
	bool qualified; /* the recipient was given with its domain */
};

extern const struct test route_cases[], forward_cases[];
extern const size_t route_ncases, forward_ncases;
#endif
