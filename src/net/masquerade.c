/* masquerade.c - hide_mailname: what the smarthost sees instead of our own name. */
#include "net/masquerade.h"

#include "conf/masks.h"
#include "mail/rewrite.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { FIELD_MAX = 2 * HEADER_MAX }; /* a header field afterwards */

/* The field's bit for hide_field(), or 0. */
static unsigned
field_of(enum header_type type)
{
	static const struct {
		enum header_type type;
		unsigned field;
	} fields[] = { { H_FROM, MASK_FROM }, { H_REPLYTO, MASK_REPLY_TO },
		{ H_SENDER, MASK_SENDER }, { H_TO, MASK_TO }, { H_CC, MASK_CC },
		{ H_BCC, MASK_BCC } };

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (fields[i].type == type)
			return fields[i].field;
	return 0;
}

/* local_delivery = lmtp:/path comes this way, too; it stays as it is. */
static bool
goes_out(const struct conf *c, const struct envelope *e)
{
	return e->nrcpts > 0 && e->rcpts[0].hosts != NULL &&
	    strcmp(e->rcpts[0].hosts, c->local_delivery) != 0;
}

void
masquerade(const struct conf *c, struct envelope *e, struct message *m)
{
	struct header *copy;

	if (!hide_active(c) || !goes_out(c, e))
		return;
	copy = arena_array(m->arena, m->nheaders + 1, sizeof *copy);
	if (e->sender[0] != '\0')
		e->sender = mailbox_text(m->arena, hide_address(c, mailbox_split(e->sender)));
	memcpy(copy, m->headers, m->nheaders * sizeof *copy);
	m->headers = copy;
	for (size_t i = 0; i < m->nheaders; i++) {
		AUTO_BUF struct buf text = BUF_INIT(FIELD_MAX);

		unsigned field = field_of(copy[i].type);

		if (field == 0 || !hide_field(c, m->arena, field, copy[i].text, &text) ||
		    !buf_ok(&text))
			continue;
		copy[i].text = arena_str(m->arena, buf_get(&text));
		copy[i].name.p = copy[i].text.p;
	}
}
