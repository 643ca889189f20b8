/* hide.c - masquerade: what the smarthost sees of the local mail name. */
#include "addr/list.h"
#include "addr/rewrite.h"
#include "conf/names.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
hide_active(const struct conf *c)
{
	return c->hide_mailname && c->visible_name[0] != '\0' &&
	    (c->configtype == TYPE_SMARTHOST || c->configtype == TYPE_SATELLITE);
}

static bool
change_domain(const void *ctx, struct arena *a, struct mailbox *box)
{
	const struct conf *c = ctx;

	(void)a;
	if (box->domain.n == 0 ||
	    (!domain_is_local(c, box->domain) && !domain_is_mailname(c, box->domain)))
		return false;
	box->domain = str_of(c->visible_name);
	return true;
}

bool
hide_field(const struct conf *c, struct arena *a, struct str text, struct buf *out)
{
	const struct address_edit edit = { .change = change_domain, .ctx = c };

	return address_list_edit(text, a, &edit, out);
}

struct mailbox
hide_address(const struct conf *c, struct mailbox m)
{
	(void)change_domain(c, NULL, &m);
	return m;
}
