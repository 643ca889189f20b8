/* rewrite.c - senders: email-addresses. */
#include "addr/rewrite.h"

#include <errno.h>

#include "addr/extract.h"
#include "addr/list.h"
#include "base/file.h"
#include "conf/lsearch.h"
#include "conf/names.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const char *
beside(struct arena *a, const char *file)
{
	const char *slash = file != NULL ? strrchr(file, '/') : NULL;

	return slash != NULL ? arena_fmt(a, "%.*s/email-addresses", (int)(slash - file), file) :
			       NULL;
}

bool
rewrite_open(
    struct rewrite *r, const struct conf *c, struct arena *a, const struct trace *t, struct fail *f)
{
	bool named = c->email_addresses != NULL && c->email_addresses[0] != '\0';
	const char *const places[] = {
		named ? c->email_addresses : arena_fmt(a, "%s/email-addresses", c->etc),
		named ? NULL : beside(a, c->file),
		named ? NULL : arena_fmt(a, "%s/exim4/email-addresses", c->etc),
	};
	struct rewrite found = { .conf = c, .arena = a, .trace = t };

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
		struct fail why = FAIL_INIT;

		if (places[i] == NULL)
			continue;
		if (file_read(a, places[i], &found.map, &why)) {
			found.map_file = places[i];
			break;
		}
		if (why.sys != ENOENT && why.sys != ENOTDIR) {
			*f = why;
			return false;
		}
	}
	if (named && found.map_file == NULL)
		trace_line(t, TRACE_LOG, "email_addresses: there is no file %s (%s)", places[0],
		    conf_where(c, CONF_email_addresses));
	*r = found;
	return true;
}

/* The value of the local part's key.  False with *keep_on: there is none; else it is unusable. */
static bool
map_value(const struct rewrite *r, struct mailbox *m, bool *keep_on)
{
	struct lsearch_entry e;
	struct extracted x;

	*keep_on = !lsearch_find(r->map, m->local, r->arena, &e);
	if (*keep_on)
		return false;
	if (!extract_address(r->arena, e.value, NULL, false, &x)) {
		trace_line(r->trace, TRACE_LOG,
		    "Rewrite of %s yielded unparseable address: %s in address %.*s (%s:%u)",
		    mailbox_text(r->arena, *m), x.reason, S_ARG(e.value), r->map_file, e.line);
		return false;
	}
	if (x.box.domain.n == 0) {
		trace_line(r->trace, TRACE_LOG,
		    "Rewrite of %s yielded unqualified address \"%.*s\" (%s:%u)",
		    mailbox_text(r->arena, *m), S_ARG(x.box.local), r->map_file, e.line);
		return false;
	}
	*m = x.box;
	return true;
}

/* True when one of the two rules changed it. */
static bool
apply_rules(const struct rewrite *r, struct mailbox *m)
{
	bool changed = false, keep_on = true;

	if (r->map.n == 0 || m->local.n == 0 || m->domain.n == 0)
		return false;
	if (domain_is_local(r->conf, m->domain))
		changed = map_value(r, m, &keep_on);
	if ((changed || keep_on) && domain_is_mailname(r->conf, m->domain))
		changed |= map_value(r, m, &keep_on);
	return changed;
}

struct mailbox
rewrite_address(const struct rewrite *r, struct mailbox m)
{
	(void)apply_rules(r, &m);
	return m;
}

static bool
qualify(const struct rewrite *r, struct mailbox *box)
{
	if (box->domain.n > 0 || r->conf->qualify_domain[0] == '\0')
		return false;
	box->domain = str_of(r->conf->qualify_domain);
	return true;
}

static bool
change_other(const void *ctx, struct arena *a, struct mailbox *box)
{
	(void)a;
	return qualify(ctx, box);
}

static bool
change_sender(const void *ctx, struct arena *a, struct mailbox *box)
{
	bool qualified = qualify(ctx, box);

	(void)a;
	return apply_rules(ctx, box) || qualified;
}

static void
log_bad(const void *ctx, const char *reason)
{
	trace_line(((const struct rewrite *)ctx)->trace, TRACE_LOG, "rewrite: %s", reason);
}

bool
rewrite_field(const struct rewrite *r, struct str text, bool map, struct buf *out)
{
	const struct address_edit edit = {
		.change = map ? change_sender : change_other,
		.bad = log_bad,
		.ctx = r,
	};

	return address_list_edit(text, r->arena, &edit, out);
}
