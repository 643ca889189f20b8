/* fuzz_address.c - addresses from any bytes: what is let in is safe on the wire, keeps its meaning
 * when it is read again, and editing a field changes nothing but what it has to. */
#include <stdint.h>
#include <stdlib.h>

#include "mail/list.h"
#include "mail/phrase.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* It was let in, so it can stand between < and > and is one address still. */
static void
check_mailbox(struct arena *a, struct mailbox m)
{
	struct fail f = FAIL_INIT;
	struct str text = str_of(mailbox_text(a, m));
	struct mailbox again, split = mailbox_split(text.p);
	bool quoted = false;

	must(mailbox_ok(m, &f));
	must(text.n <= ADDRESS_MAX && text.n == m.local.n + m.domain.n + (m.domain.n > 0));
	for (size_t i = 0; i < text.n; i++) {
		must(!ascii_control(text.p[i]));
		if (text.p[i] == '\\')
			i++;
		else if (text.p[i] == '"')
			quoted = !quoted;
		else
			must(quoted || strchr(" <>,;", text.p[i]) == NULL);
	}
	must(!quoted);
	must(str_eq(split.local, m.local) && str_eq(split.domain, m.domain));
	must(mailbox_parse(a, text, false, &again, &f));
	must(str_eq(again.local, m.local) && str_eq(again.domain, m.domain));
	text = str_of(arena_fmt(a, "<%s>", text.p));
	must(mailbox_parse(a, text, false, &again, &f));
	must(mailbox_eq(again, m));
}

static bool
keep(const void *ctx, struct mailbox *box)
{
	(void)ctx;
	return box->local.n == 0;
}

static bool
replace(const void *ctx, struct mailbox *box)
{
	(void)ctx;
	*box = mailbox_split("new@far.example");
	return true;
}

static void
check_list(struct arena *a, struct str field)
{
	struct address_list l = address_list_open(str_skip(field, str_find(field, ':') + 1));
	const struct address_edit none = { .change = keep }, all = { .change = replace };
	AUTO_BUF struct buf out = BUF_INIT(1 << 24);
	const char *behind = field.p;
	struct address x;
	size_t n = 0;

	while (address_list_next(&l, a, &x)) {
		must(x.active.p >= behind && x.active.p + x.active.n <= field.p + field.n);
		behind = x.active.p + x.active.n;
		must(x.bad == (x.reason != NULL));
		if (x.bad)
			continue;
		n++;
		check_mailbox(a, x.box);
	}
	must(!address_list_edit(field, a, &none, &out) && out.n == 0);
	must(address_list_edit(field, a, &all, &out) == (n > 0));
}

/* A name made into a display name does not add an address or a line. */
static void
check_phrase(struct arena *a, struct str name)
{
	AUTO_BUF struct buf b = BUF_INIT(1 << 24);
	struct fail f = FAIL_INIT;
	struct mailbox m;

	phrase_put(&b, name);
	must(
	    buf_ok(&b) && str_find(buf_get(&b), '\n') == b.n && str_find(buf_get(&b), '\r') == b.n);
	buf_str(&b, " <a@b>");
	if (mailbox_parse(a, buf_get(&b), false, &m, &f))
		must(mailbox_eq(m, mailbox_split("a@b")));
	else /* nothing else may be wrong with it */
		must(strstr(f.text, "nested too deeply") != NULL);
	buf_reset(&b);
	local_part_put(&b, name);
	if (b.n <= LOCAL_PART_MAX && mailbox_parse(a, buf_get(&b), false, &m, &f))
		must(str_eq(m.local, buf_get(&b)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a = { 0 };
	struct str s = str_at((const char *)data, size);
	struct fail f = FAIL_INIT;
	struct mailbox m;

	if (mailbox_parse(&a, s, true, &m, &f) && m.local.n > 0)
		check_mailbox(&a, m);
	check_list(&a, s);
	check_phrase(&a, s);
	return 0;
}
