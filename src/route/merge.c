/* merge.c - one copy for one mailbox, and the names of the transports. */
#include "mail/recipients.h"
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

/* What a delivery has of its own, as an address: how, to whom and where, in which domain. */
static struct mailbox
target(const struct route *r, struct arena *a)
{
	struct str to = r->user != NULL ? str_of(r->user) : r->address.local;
	const char *path = r->path != NULL ? r->path : "",
		   *hosts = r->hosts != NULL ? r->hosts : "";

	return (struct mailbox){ str_of(arena_fmt(a, "%s\n%.*s\n%s\n%s",
				     transport_name(r->transport), S_ARG(to), path, hosts)),
		r->address.domain };
}

void
route_merge(struct routes *r, struct arena *a)
{
	const struct route **first = arena_array(a, r->n, sizeof(void *));
	struct recipients targets = { 0 };

	for (size_t i = 0; i < r->n; i++) {
		struct route *this = r->list[i];
		size_t at;

		if (this->outcome != ROUTE_DELIVER)
			continue;
		at = recipients_add(&targets, a, target(this, a), false);
		if (first[at] == NULL) {
			first[at] = this;
		} else {
			this->outcome = ROUTE_PARENT;
			this->same_as = first[at];
		}
	}
}

const char *
route_key(const struct route *d, struct arena *a)
{
	const struct route *r = d->same_as != NULL ? d->same_as : d;

	if (r->path == NULL)
		return arena_fmt(
		    a, "%s%s", r->parent != NULL ? "\\" : "", mailbox_text(a, r->address));
	return arena_fmt(a, "%s:%s", mailbox_text(a, r->address), r->path);
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
