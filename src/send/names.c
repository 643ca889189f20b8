/* names.c - where the hosts of a courier's list are, looked up for it. */
#include "send/names.h"

#include <string.h>

#include "base/clock.h"
#include "net/errand.h"
#include "wire/record.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct noted {
	struct noted *next;
	const char *name, *canonical;
};

const char *
names_canonical(const struct names *n, const char *name)
{
	for (const struct noted *k = n->last; k != NULL; k = k->next)
		if (strcmp(k->name, name) == 0)
			return k->canonical;
	return name;
}

static void
note(struct names *n, const char *name, const struct answer *found)
{
	size_t length = strnlen(found->canonical, sizeof found->canonical);
	struct str canonical = length > 0 ? str_at(found->canonical, length) : str_of(name);
	struct noted *k;

	if (str_eq(str_of(names_canonical(n, name)), canonical))
		return;
	k = arena_alloc(n->arena, sizeof *k);
	*k = (struct noted){ n->last, arena_strz(n->arena, str_of(name)),
		arena_strz(n->arena, canonical) };
	n->last = k;
}

bool
names_ask(struct names *n, const struct conf *c, const char *hosts, struct str question,
    struct answer *out, struct fail *f)
{
	AUTO_ARENA struct arena a = { NULL };
	struct host host = { .name = record_text(&question, &a) };
	struct resolve_options how = { .deadline_ms =
					   clock_ms() + (int64_t)c->connect_timeout * 1000 };
	bool ours;

	host.kind = record_number(&question) == HOST_SRV ? HOST_SRV : HOST_NAME;
	host.port = (unsigned)record_number(&question) & 0xffff;
	how.family = (unsigned)record_number(&question) % 3;
	ours = hostlist_has(&a, hosts, host.name, 1U << host.kind);
	if (!ours && !hostlist_has(&a, c->socks_proxy, host.name, 1U << HOST_NAME))
		return fail_conf(f, "it asked for another name");
	if (!resolve_ask(&host, &how, errand_names, out, f))
		return false;
	if (ours)
		note(n, host.name, out);
	return true;
}
