/* where.c - where an option was set; the TLS module links this, too. */
#include "conf/conf.h"

#include "base/banned.h" /* IWYU pragma: keep */

const char *
conf_where(const struct conf *c, enum conf_option o)
{
	const struct conf_origin *at = &c->origin[o];

	if (at->file == NULL)
		return "default";
	return at->line == 0 ? at->file : arena_fmt(c->arena, "%s:%u", at->file, at->line);
}
