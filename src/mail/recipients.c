/* recipients.c - whom a message is for: address lists and -t. */
#include "mail/recipients.h"

#include "mail/list.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { SLOTS_MIN = 64 };

/* FNV-1a over what mailbox_eq() compares. */
static size_t
hash(struct mailbox m)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < m.local.n; i++)
		h = (h ^ (unsigned char)m.local.p[i]) * UINT64_C(0x100000001b3);
	for (size_t i = 0; i < m.domain.n; i++)
		h = (h ^ (unsigned char)ascii_lower(m.domain.p[i])) * UINT64_C(0x100000001b3);
	return (size_t)(h ^ (h >> 32));
}

/* The slot that has m, or the free one where it belongs.  A slot is an index plus one. */
static size_t *
find(const struct recipients *r, struct mailbox m)
{
	size_t i = hash(m) & (r->nslots - 1);

	while (r->slots[i] != 0 && !mailbox_eq(r->list[r->slots[i] - 1], m))
		i = (i + 1) & (r->nslots - 1);
	return &r->slots[i];
}

static void
grow(struct recipients *r, struct arena *a)
{
	r->nslots = r->nslots == 0 ? SLOTS_MIN : r->nslots * 2;
	r->slots = arena_array(a, r->nslots, sizeof *r->slots);
	for (size_t i = 0; i < r->n; i++)
		*find(r, r->list[i]) = i + 1;
}

bool
recipients_has(const struct recipients *r, struct mailbox m)
{
	return r->n > 0 && *find(r, m) != 0;
}

size_t
recipients_add(struct recipients *r, struct arena *a, struct mailbox m, bool unqualified)
{
	size_t *slot;

	if (r->n >= r->nslots / 2)
		grow(r, a);
	slot = find(r, m);
	if (*slot != 0) {
		r->unqualified[*slot - 1] |= unqualified;
		return *slot - 1;
	}
	r->list = arena_grow(a, r->list, r->n, sizeof *r->list);
	r->unqualified = arena_grow(a, r->unqualified, r->n, sizeof *r->unqualified);
	r->list[r->n] = m;
	r->unqualified[r->n] = unqualified;
	*slot = ++r->n;
	return r->n - 1;
}

static bool
bad_address(const struct address *x, struct str field, struct fail *f)
{
	bool in_field = field.n > 0;

	return fail_set(f, FAIL_USER, STAGE_ADDRESS, 0, "bad address \"%.*s\"%s%.*s%s: %s",
	    S_ARG(x->active), in_field ? " in the " : "", S_ARG(field), in_field ? " field" : "",
	    x->reason);
}

bool
recipients_add_list(struct recipients *r, const struct rewrite *rw, struct str text,
    struct str field, struct fail *f)
{
	struct address_list l =
	    field.n > 0 ? address_list_field(text, false) : address_list_open(text);
	uint64_t max = rw->conf->recipients_max;
	struct address x;

	while (address_list_next(&l, rw->arena, &x)) {
		bool unqualified = x.box.domain.n == 0;

		if (x.bad)
			return bad_address(&x, field, f);
		if (unqualified)
			x.box.domain = str_of(rw->conf->qualify_domain);
		recipients_add(r, rw->arena, x.box, unqualified);
		if (max > 0 && r->n > max)
			return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
			    "more than %llu recipients (recipients_max)", (unsigned long long)max);
	}
	return true;
}

static bool
names_recipients(const struct message *m, const struct header *h)
{
	return (h->type == H_TO || h->type == H_CC || h->type == H_BCC) && h->resent == m->resent;
}

bool
recipients_of_header(
    struct message *m, const struct rewrite *r, struct recipients *out, struct fail *f)
{
	const char *prefix = m->resent ? "Resent-" : "";
	struct recipients all = *out;

	for (size_t i = 0; i < m->nheaders; i++) {
		const struct header *h = &m->headers[i];
		struct str text = str_skip(h->text, str_find(h->text, ':') + 1);

		if (names_recipients(m, h) && !recipients_add_list(&all, r, text, h->name, f))
			return false;
	}
	if (all.n == 0)
		return fail_set(f, FAIL_USER, STAGE_ARGS, 0,
		    "no recipients: there is no address in %sTo, %sCc and %sBcc", prefix, prefix,
		    prefix);
	*out = all;
	return true;
}
