/* merge.c - one copy for one mailbox, and the names of the transports. */
#include <stdlib.h>

#include "route/route.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct {
	const char *name;
	bool local;
} transports[] = {
	[TRANSPORT_NONE] = { "", false },
	[TRANSPORT_SMARTHOST] = { "remote_smtp_smarthost", false },
	[TRANSPORT_REMOTE] = { "remote_smtp", false },
	[TRANSPORT_MAILDIR] = { "maildir_home", true },
	[TRANSPORT_SPOOL] = { "mail_spool", true },
	[TRANSPORT_LMTP] = { "lmtp", false },
	[TRANSPORT_FILE] = { "address_file", true },
	[TRANSPORT_DIRECTORY] = { "address_directory", true },
	[TRANSPORT_PIPE] = { "address_pipe", true },
	[TRANSPORT_PROCMAIL] = { "procmail_pipe", true },
	[TRANSPORT_MAILDROP] = { "maildrop_pipe", true },
	[TRANSPORT_BYPASSED] = { "**bypassed**", true },
};

const char *
transport_name(enum transport t)
{
	return transports[t].name;
}

bool
transport_is_local(enum transport t)
{
	return transports[t].local;
}

static int
compare_strings(struct str x, struct str y, bool fold)
{
	for (size_t i = 0; i < x.n && i < y.n; i++) {
		char a = fold ? ascii_lower(x.p[i]) : x.p[i];
		char b = fold ? ascii_lower(y.p[i]) : y.p[i];

		if (a != b)
			return (unsigned char)a < (unsigned char)b ? -1 : 1;
	}
	return (x.n > y.n) - (x.n < y.n);
}

/* What distinguishes the deliveries to one domain: the mailbox, or how and where. */
static int
compare_targets(const struct route *x, const struct route *y)
{
	const char *const pairs[][2] = {
		{ x->path, y->path },
		{ x->hosts, y->hosts },
	};
	struct str to_x = x->user != NULL ? str_of(x->user) : x->address.local;
	struct str to_y = y->user != NULL ? str_of(y->user) : y->address.local;
	int c = compare_strings(to_x, to_y, false);

	for (size_t i = 0; i < 2 && c == 0; i++)
		c = compare_strings(str_of(pairs[i][0] != NULL ? pairs[i][0] : ""),
		    str_of(pairs[i][1] != NULL ? pairs[i][1] : ""), false);
	return c;
}

static int
compare_routes(const struct route *x, const struct route *y)
{
	int c;

	if (x->transport != y->transport)
		return x->transport < y->transport ? -1 : 1;
	c = compare_strings(x->address.domain, y->address.domain, true);
	return c != 0 ? c : compare_targets(x, y);
}

struct entry {
	struct route *r;
	size_t index;
};

/* The same deliveries side by side, each group in its old order. */
static int
compare_entries(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int c = compare_routes(a->r, b->r);

	if (c != 0)
		return c;
	return a->index < b->index ? -1 : 1;
}

void
route_merge(struct routes *r)
{
	struct entry *list = calloc(r->n > 0 ? r->n : 1, sizeof *list);
	const struct route *first = NULL;
	size_t n = 0;

	if (list == NULL) /* two copies are better than none */
		return;
	for (size_t i = 0; i < r->n; i++)
		if (r->list[i]->outcome == ROUTE_DELIVER)
			list[n++] = (struct entry){ r->list[i], i };
	qsort(list, n, sizeof *list, compare_entries);
	for (size_t i = 0; i < n; i++) {
		if (first == NULL || compare_routes(first, list[i].r) != 0) {
			first = list[i].r;
			continue;
		}
		list[i].r->outcome = ROUTE_PARENT;
		list[i].r->same_as = first;
	}
	free(list);
}

const char *const *
route_envelope_to(const struct routes *r, const struct route *d, struct arena *a, size_t *n)
{
	const char **list = NULL;
	size_t have = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct route *this = r->list[i];
		size_t k = 0;

		if (this != d && this->same_as != d)
			continue;
		while (k < have && strcmp(list[k], this->original) != 0)
			k++;
		if (k < have)
			continue;
		list = arena_grow(a, list, have, sizeof *list);
		list[have++] = this->original;
	}
	*n = have;
	return list;
}
