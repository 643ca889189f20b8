/* test_list.c - the addresses in a field or an argument, and editing them in place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mail/list.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct {
	const char *text;
	const char *items; /* "address[active]" or "!reason[item]", one a line */
} table[] = {
	{ "", "" },
	{ " \n", "" },
	{ ",, ,", "" },
	{ "a@b", "a@b[a@b]\n" },
	{ "a@b, c@d\n", "a@b[a@b]\nc@d[c@d]\n" },
	{ "a,b , c@d", "a[a]\nb[b]\nc@d[c@d]\n" },
	{ "A <a@b> (x,y), \"B, C\" <c@d>", "a@b[a@b]\nc@d[c@d]\n" },
	{ "(a) alice (b) @ (c) debian (d)", "alice@debian[alice (b) @ (c) debian]\n" },
	{ "< a@b (x) >", "a@b[ a@b (x)]\n" },
	{ "<@a,@b:c@d>, e", "c@d[@a,@b:c@d]\ne[e]\n" },
	{ "@a,@b:c@d, e", "c@d[@a,@b:c@d]\ne[e]\n" },
	{ "<@a:b, c@d>, e", "!\"@\" or \".\" expected after \"b\"[<@a:b, c@d>]\ne[e]\n" },
	{ "undisclosed-recipients:;", "" },
	{ "us: a@b, B <c@d>; , e@f", "a@b[a@b]\nc@d[c@d]\ne@f[e@f]\n" },
	{ "us: a@b; e@f, them:;x", "a@b[a@b]\ne@f[e@f]\nx[x]\n" },
	{ "us: a@b;,e@f", "a@b[a@b]\ne@f[e@f]\n" },
	{ "us: ;, them: (nobody);", "" },
	{ "us: a@@b; c@d", "!domain missing or malformed[us: a@@b; c@d]\n" },
	{ "us: <a@>; c@d", "!domain missing or malformed[us: <a@>; c@d]\n" },
	{ "us: them: a@b;",
	    "!missing or malformed local part (expected word or \"<\")[us: them: a@b;]\n" },
	{ "a@b; c@d, e@f", "!malformed address: ; c@d may not follow a@b[a@b; c@d]\ne@f[e@f]\n" },
	{ "a@@b, c@d", "!domain missing or malformed[a@@b]\nc@d[c@d]\n" },
	{ "a b, c@d",
	    "!missing or malformed local part (expected word or \"<\")[a b]\nc@d[c@d]\n" },
	{ "\"a, b@c", "!unmatched doublequote in local part[\"a, b@c]\n" },
	{ "<a@b, c@d", "!malformed address: , c@d may not follow <a@b[<a@b, c@d]\n" },
	{ "a\\,b@c, d@e", "a\\,b@c[a\\,b@c]\nd@e[d@e]\n" },
	{ "(a\\), b) c@d", "c@d[c@d]\n" },
	{ "\"a\\\", b\"@d", "\"a\\\", b\"@d[\"a\\\", b\"@d]\n" },
	{ "a@b (open, c@d", "a@b[a@b]\n" },
	{ "\"x\n y\"@z", "\"x y\"@z[\"x\n y\"@z]\n" },
	{ "a@b\\", "!malformed address: \\ may not follow a@b[a@b\\]\n" },
};

static void
finds_items(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		AUTO_ARENA struct arena a = { 0 };
		AUTO_BUF struct buf got = BUF_INIT(4096);
		struct address_list l = address_list_open(str_of(table[i].text));
		struct address x;

		while (address_list_next(&l, &a, &x)) {
			assert_int_equal(x.bad, x.box.local.n == 0);
			buf_fmt(&got, "%s%s[%.*s]\n", x.bad ? "!" : "",
			    x.bad ? x.reason : mailbox_text(&a, x.box), S_ARG(x.active));
		}
		assert_string_equal(arena_strz(&a, buf_get(&got)), table[i].items);
	}
}

/* Input that makes a careless parser slow: these take milliseconds, or the test never ends. */
static void
takes_linear_time(void **state)
{
	static const char *const units[] = { "g:a;", "a;", "(", "((a)", "\"", "<", ",", "a,", "a@",
		"@a,", "a ", "a:", "\\", "a@b,c:", "<a>,(", ";" };
	enum { BYTES = 1 << 20 };

	(void)state;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		AUTO_ARENA struct arena a = { 0 };
		size_t n = strlen(units[i]), count = 0;
		char *text = arena_alloc(&a, BYTES);
		struct address_list l;
		struct address x;

		for (size_t j = 0; j < BYTES; j++)
			text[j] = units[i][j % n];
		l = address_list_open(str_at(text, BYTES));
		while (address_list_next(&l, &a, &x))
			count++;
		assert_true(count <= BYTES);
	}
}

/* "x" becomes ctx; other addresses stay. */
static bool
change_x(const void *ctx, struct mailbox *box)
{
	if (!str_eq(box->local, STR("x")))
		return false;
	*box = mailbox_split(ctx);
	return true;
}

static const struct {
	const char *before, *to, *after; /* after NULL: unchanged */
} edits[] = {
	{ "From: a@b\n", "new@c", NULL },
	{ "From:\n", "new@c", NULL },
	{ "From: x@b\n", "new@c", "From: new@c\n" },
	{ "From:x@b\n", "n@c", "From:n@c\n" },
	{ "From: (a) x (b) @ (c) b (d)\n", "new@c", "From: (a) new@c (d)\n" },
	{ "From: A\n B\n\tC\n  <x@b>\n", "new@c", "From: A\n B\n\tC\n  <new@c>\n" },
	{ "To: us: x@b, Y <y@z>;, x\n", "n@c", "To: us: n@c, Y <y@z>;, n@c\n" },
	/* longer, but not past column 40 */
	{ "From: x@b, a@b\n", "new.name@c.example", "From: new.name@c.example, a@b\n" },
	/* longer and past it: a fold behind the comma and its blank */
	{ "From: Some Long Name <x@b>, a@b\n", "new.name@c.example",
	    "From: Some Long Name <new.name@c.example>, \n\ta@b\n" },
	/* 40 and 41 columns */
	{ "From: Some Long Nam <x@b>, a@b\n", "new.nam@c.example",
	    "From: Some Long Nam <new.nam@c.example>, \n\ta@b\n" },
	{ "From: Some Long Na <x@b>, a@b\n", "new.nam@c.example",
	    "From: Some Long Na <new.nam@c.example>, a@b\n" },
	/* not longer: no fold */
	{ "From: Some Long Name <x@bbbbbbbbbbbbbbbbbbbb>, a@b\n", "new.name@c.example",
	    "From: Some Long Name <new.name@c.example>, a@b\n" },
	/* there is a fold already, or the end */
	{ "From: Some Long Name <x@b>,\n a@b\n", "new.name@c.example",
	    "From: Some Long Name <new.name@c.example>,\n a@b\n" },
	{ "From: Some Long Name in Two Words <x@b>\n", "new.name@c.example",
	    "From: Some Long Name in Two Words <new.name@c.example>\n" },
	/* the column counts from the last fold that was made */
	{ "To: x, x, x, x, x, x\n", "new.name@c.example",
	    "To: new.name@c.example, new.name@c.example, \n\tnew.name@c.example, "
	    "new.name@c.example, "
	    "\n\tnew.name@c.example, new.name@c.example\n" },
	{ "To: x (no newline)", "n@c", "To: n@c (no newline)" },
};

static void
edits_in_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof edits / sizeof *edits; i++) {
		AUTO_ARENA struct arena a = { 0 };
		AUTO_BUF struct buf out = BUF_INIT(4096);
		const struct address_edit e = { .change = change_x, .ctx = edits[i].to };
		bool changed = address_list_edit(str_of(edits[i].before), &a, &e, &out);

		assert_int_equal(changed, edits[i].after != NULL);
		assert_string_equal(arena_strz(&a, buf_get(&out)), changed ? edits[i].after : "");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_items),
		cmocka_unit_test(takes_linear_time),
		cmocka_unit_test(edits_in_place),
	};

	return cmocka_run_group_tests_name("list", tests, NULL, NULL);
}
