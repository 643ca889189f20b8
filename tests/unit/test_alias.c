/* test_alias.c - redirection lists: Exim's parse_forward_list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "route/alias.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const char *const kinds[] = {
	[ALIAS_ADDRESS] = "address",
	[ALIAS_PIPE] = "pipe",
	[ALIAS_FILE] = "file",
	[ALIAS_DIRECTORY] = "directory",
	[ALIAS_DEVNULL] = "devnull",
	[ALIAS_INCLUDE] = "include",
	[ALIAS_FAIL] = "fail",
	[ALIAS_DEFER] = "defer",
	[ALIAS_BLACKHOLE] = "blackhole",
	[ALIAS_UNKNOWN] = "unknown",
	[ALIAS_BAD] = "bad",
};

/* "kind[text] kind[text]" */
static void
show(struct buf *out, const struct alias_item *it)
{
	buf_fmt(out, "%s%s[%.*s]", out->n > 0 ? " " : "", kinds[it->kind], S_ARG(it->text));
}

static const struct {
	const char *text, *items;
} lists[] = {
	{ "", "" },
	{ " \t\n,,\n", "" },
	{ "fax", "address[fax]" },
	{ "fax, bob\nx@far.example", "address[fax] address[bob] address[x@far.example]" },
	{ "fax\r\n", "address[fax]" },
	{ "# list\nfax # no comment\n#x\n", "address[fax # no comment]" },
	{ "fax # comment, bob", "address[fax # comment] address[bob]" },
	{ "\\bob, bob", "address[\\bob] address[bob]" },
	{ "\"fax\"", "address[fax]" },
	{ "\"\"", "" },
	{ "\"  \", fax", "address[fax]" },
	{ "\"a, b\"@x.example, c", "address[\"a, b\"@x.example] address[c]" },
	{ "\"a\\\"b, c\"@x.example", "address[\"a\\\"b, c\"@x.example]" },
	{ "Fax User <fax@debian>, \"B, B\" <b@x>",
	    "address[Fax User <fax@debian>] address[\"B, B\" <b@x>]" },
	{ "fax (a, (b), c), bob", "address[fax (a, (b), c)] address[bob]" },
	{ "(nobody, really), (a) (b)\nbob", "address[bob]" },
	{ "(open, bob\nfax", "address[fax]" },
	{ "<@a,@b:x@y>, c", "address[<@a,@b:x@y>] address[c]" },
	{ "@a,@b:x@y, c", "address[@a,@b:x@y] address[c]" },
	{ "a\\,b, c", "address[a\\,b] address[c]" },
	{ "\"open, a\nb", "address[\"open, a] address[b]" },
	{ "|/bin/prog -x a b", "pipe[/bin/prog -x a b]" },
	{ "| /bin/prog", "pipe[/bin/prog]" },
	{ "|/bin/prog a, b", "pipe[/bin/prog a] address[b]" },
	{ "\"|/bin/prog a, 'b c'\"", "pipe[/bin/prog a, 'b c']" },
	{ "\"|/bin/prog \\\"a b\\\" \\\\x\"", "pipe[/bin/prog \"a b\" \\x]" },
	{ "|prog me@x.example", "pipe[prog me@x.example]" },
	{ "|", "bad[|]" },
	{ "/var/mail/x, /home/x/Mail/", "file[/var/mail/x] directory[/home/x/Mail/]" },
	{ "\"/var/a b\"", "file[/var/a b]" },
	{ "/dev/null", "devnull[/dev/null]" },
	{ "/c=de/o=x/@gate.example", "address[/c=de/o=x/@gate.example]" },
	{ ":include:/etc/list, x", "include[/etc/list] address[x]" },
	{ ":include: /etc/list", "include[/etc/list]" },
	{ "\":include:/etc/my list\"", "include[/etc/my list]" },
	{ ":include:list", "bad[:include:list]" },
	{ ":fail: no longer here, sorry\nx", "fail[no longer here, sorry]" },
	{ "x, :fail:", "address[x] fail[]" },
	{ ":defer: later", "defer[later]" },
	{ ":blackhole:, x", "blackhole[, x]" },
	{ ":unknown:", "unknown[]" },
	{ ":failing: x", "address[:failing: x]" },
	{ "a\001b", "bad[a\001b]" },
	{ "\"|x\ty\"", "pipe[x\ty]" },
	{ "x\\", "address[x\\]" },
};

static void
test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		AUTO_ARENA struct arena a = { NULL };
		AUTO_BUF struct buf out = BUF_INIT(4096);
		struct alias_list l = alias_list_open(str_of(lists[i].text));
		struct alias_item it;

		while (alias_list_next(&l, &a, &it))
			show(&out, &it);
		if (!str_eq(buf_get(&out), str_of(lists[i].items)))
			fail_msg("\"%s\" gave %.*s", lists[i].text, S_ARG(buf_get(&out)));
		assert_false(alias_list_next(&l, &a, &it));
	}
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static char *
expand(struct arena *a, const char *text)
{
	AUTO_BUF struct buf out = BUF_INIT(1 << 20);
	struct alias_items items = { NULL, 0 };
	struct fail f = FAIL_INIT;

	if (!alias_expand(a, str_of(text), ALIAS_ITEMS_MAX, &items, &f)) {
		assert_int_equal(f.cls, strstr(f.text, "items") != NULL ? FAIL_PERM : FAIL_TEMP);
		return arena_fmt(a, "failed: %s", f.text);
	}
	for (size_t i = 0; i < items.n; i++)
		show(&out, &items.list[i]);
	return arena_strz(a, buf_get(&out));
}

static int
make_directory(void **state)
{
	char *path = strdup("/tmp/onehop-test-XXXXXX");

	*state = path;
	return path == NULL || mkdtemp(path) == NULL;
}

static int
remove_directory(void **state)
{
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static void
test_include(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	const char *inner = arena_fmt(&a, "%s/inner", (char *)*state);
	const char *outer = arena_fmt(&a, "%s/outer", (char *)*state);
	const char *text = arena_fmt(&a, "a, :include:%s, z", outer);

	assert_non_null(strstr(expand(&a, text), "failed: included file: cannot open"));
	write_file(inner, "# list\nfax\nbob, x@far.example\n");
	write_file(outer, arena_fmt(&a, "b\n:include:%s\nc", inner));
	assert_string_equal(expand(&a, text),
	    "address[a] address[b] address[fax] address[bob] address[x@far.example] address[c] "
	    "address[z]");
	write_file(inner, ":fail: closed\nx");
	assert_string_equal(expand(&a, text), "address[a] address[b] fail[closed]");
	/* round and round */
	write_file(inner, arena_fmt(&a, "x, :include:%s", inner));
	assert_non_null(strstr(expand(&a, text), "failed: the list has more than"));
	assert_int_equal(unlink(inner), 0);
	assert_int_equal(unlink(outer), 0);
}

static void
test_too_many(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);

	(void)state;
	for (int i = 0; i < ALIAS_ITEMS_MAX; i++)
		buf_str(&text, "x,");
	assert_null(strstr(expand(&a, text.p), "failed"));
	buf_str(&text, "x");
	assert_non_null(strstr(expand(&a, text.p), "failed: the list has more than"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test_setup_teardown(test_include, make_directory, remove_directory),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
