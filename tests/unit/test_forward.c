/* test_forward.c - what a user has set up at home, and the words of a pipe. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/words.h"
#include "local/forward.h"
#include "local/pipe.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const char *const founds[] = {
	[PROBE_NO_USER] = "no user",
	[PROBE_MAILBOX] = "mailbox",
	[PROBE_FORWARD] = "forward",
	[PROBE_PROCMAIL] = "procmail",
	[PROBE_MAILDROP] = "maildrop",
};

/* "forward discard skipped(...) transport[text] ..." */
static char *
show(struct arena *a, const struct probe *p)
{
	AUTO_BUF struct buf out = BUF_INIT(65536);

	buf_str(&out, founds[p->found]);
	if (p->discard)
		buf_str(&out, " discard");
	if (p->skipped != NULL)
		buf_fmt(&out, " skipped(%s)", p->skipped);
	for (size_t i = 0; i < p->nitems; i++)
		buf_fmt(&out, " %s[%s]", transport_name(p->items[i].transport), p->items[i].text);
	return arena_strz(a, buf_get(&out));
}

static const struct {
	const char *text, *found; /* or the failure */
} files[] = {
	{ "", "mailbox" },
	{ "# comment only\n\n", "mailbox" },
	{ "fax\r\n", "forward [fax]" },
	{ "\\bob, x@far.example\n", "forward [\\bob] [x@far.example]" },
	{ "\"|/usr/bin/tee -a /home/bob/out\"\n",
	    "forward address_pipe[/usr/bin/tee -a /home/bob/out]" },
	{ "/home/bob/mbox\n/home/bob/M/\n/dev/null\n",
	    "forward address_file[/home/bob/mbox] address_directory[/home/bob/M/] "
	    "**bypassed**[/dev/null]" },
	{ ":blackhole:\n", "forward discard" },
	{ ":unknown:\n", "mailbox" },
	{ ":fail: go away\n",
	    "error in redirect file: \":fail: go away\" is not permitted (/home/bob/.forward)" },
	{ "fax, :defer: x\n",
	    "error in redirect file: \":defer: x\" is not permitted (/home/bob/.forward)" },
	{ "# Exim filter\nif true then finish endif\n",
	    "/home/bob/.forward is an Exim or Sieve filter; filters are not supported, write "
	    "addresses or \"|/usr/bin/procmail\" there" },
	{ "#   sieve FILTER\nkeep;\n",
	    "/home/bob/.forward is an Exim or Sieve filter; filters are not supported, write "
	    "addresses or \"|/usr/bin/procmail\" there" },
	{ "fax\nbad@@x\na b@c d\n",
	    "forward skipped(bad address \"bad@@x\": domain missing or malformed) [fax]" },
	{ "bad@@x\n", "mailbox skipped(bad address \"bad@@x\": domain missing or malformed)" },
	{ "a\002b\nfax", "forward skipped(control character in \"a?b\") [fax]" },
	{ "|\nfax", "forward skipped(missing command after | in \"|\") [fax]" },
	{ ":include:/nonexistent\n",
	    "error in redirect file /home/bob/.forward: included file: cannot open /nonexistent: "
	    "No such file or directory" },
};

static void
test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		AUTO_ARENA struct arena a = { NULL };
		struct probe p = { .found = PROBE_NO_USER };
		struct fail f = FAIL_INIT;

		if (forward_parse(&a, str_of(files[i].text), "/home/bob/.forward", &p, &f)) {
			assert_string_equal(show(&a, &p), files[i].found);
			continue;
		}
		assert_string_equal(f.text, files[i].found);
		assert_int_equal(f.cls, FAIL_TEMP);
		assert_int_equal(p.found, PROBE_NO_USER);
	}
}

struct home {
	struct arena arena;
	struct user user;
};

static int
make_home(void **state)
{
	struct home *h = calloc(1, sizeof *h);
	char path[] = "/tmp/onehop-test-XXXXXX";

	*state = h;
	if (h == NULL || mkdtemp(path) == NULL || chdir(path) != 0)
		return 1;
	h->user =
	    (struct user){ "bob", arena_fmt(&h->arena, "%s", path), "/bin/sh", getuid(), getgid() };
	*state = h;
	return 0;
}

static int
remove_home(void **state)
{
	struct home *h = *state;

	(void)unlink(".forward");
	(void)unlink("list");
	(void)unlink("other");
	(void)!chdir("/");
	(void)rmdir(h->user.home);
	arena_free(&h->arena);
	free(h);
	return 0;
}

static void
put(const char *path, const char *text, mode_t mode)
{
	AUTO_FD int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_true(fd >= 0 && fd_write_full(fd, text, strlen(text)) && fchmod(fd, mode) == 0);
}

/* What is found, or why not. */
static const char *
probe(struct home *h, bool skip)
{
	struct probe p;
	struct fail f = FAIL_INIT;

	if (!forward_probe(&h->arena, &h->user, skip, &p, &f)) {
		assert_int_equal(f.cls, FAIL_TEMP);
		return arena_fmt(&h->arena, "%s", f.text);
	}
	return show(&h->arena, &p);
}

static void
test_home(void **state)
{
	struct home *h = *state;

	assert_string_equal(probe(h, false), "mailbox");
	assert_true(user_has_no_filter(&h->arena, &h->user));
	put(".forward", "fax\n", 0644);
	assert_false(user_has_no_filter(&h->arena, &h->user));
	assert_string_equal(probe(h, false), "forward [fax]");
	assert_string_equal(probe(h, true), "mailbox");
	put("list", "alice\n", 0600);
	put(".forward", arena_fmt(&h->arena, ":include:%s/list, fax", h->user.home), 0600);
	assert_string_equal(probe(h, false), "forward [alice] [fax]");
	put("list",
	    "\xef\xbb\xbf"
	    "alice\r\n",
	    0600);
	assert_string_equal(probe(h, false), "forward [alice] [fax]");
	put(".forward",
	    "\xef\xbb\xbf"
	    "fax\r\n",
	    0600);
	assert_string_equal(probe(h, false), "forward [fax]");
	put(".forward",
	    "\xff\xfe"
	    "f",
	    0600);
	assert_non_null(strstr(probe(h, false), "is UTF-16"));
}

static void
test_no_home(void **state)
{
	struct home *h = *state;

	h->user.home = "/nonexistent/home";
	assert_string_equal(probe(h, false), "mailbox");
	assert_true(user_has_no_filter(&h->arena, &h->user));
}

static void
test_refused(void **state)
{
	struct home *h = *state;
	const char *name = arena_fmt(&h->arena, "%s/.forward", h->user.home);
	char *big;

	put(".forward", "fax\n", 0664);
	assert_string_equal(probe(h, false),
	    arena_fmt(&h->arena, "bad mode (0100664) for %s: 020 bit(s) unexpected; chmod go-w it",
		name));
	put(".forward", "fax\n", 0646);
	assert_non_null(strstr(probe(h, false), "02 bit(s) unexpected"));
	put(".forward", "fax\n", 0600);
	assert_int_equal(link(".forward", "other"), 0);
	assert_non_null(strstr(probe(h, false), "has 2 hard links"));
	assert_int_equal(unlink("other"), 0);
	h->user.uid++;
	assert_non_null(strstr(probe(h, false), "bad owner for"));
	h->user.uid--;
	big = arena_alloc(&h->arena, FORWARD_MAX + 2);
	memset(big, '#', FORWARD_MAX + 1);
	put(".forward", big, 0600);
	assert_non_null(strstr(probe(h, false), "is larger than 65536 bytes"));
	assert_int_equal(unlink(".forward"), 0);
	assert_int_equal(mkfifo(".forward", 0600), 0);
	assert_non_null(strstr(probe(h, false), "is not a regular file"));
}

/* A link of the user's own to a file of the user's own, as dot file managers make them. */
static void
test_link(void **state)
{
	struct home *h = *state;

	put("other", "fax\n", 0600);
	assert_int_equal(symlink("other", ".forward"), 0);
	assert_string_equal(probe(h, false), "forward [fax]");
	assert_int_equal(unlink("other"), 0);
	assert_string_equal(probe(h, false), "mailbox");
	assert_int_equal(unlink(".forward"), 0);
	assert_int_equal(symlink(".forward", ".forward"), 0);
	assert_non_null(strstr(probe(h, false), "cannot read"));
}

/* Nothing is run or written that does not stand in the user's own file. */
static void
test_asks(void **state)
{
	struct home *h = *state;
	struct fail f = FAIL_INIT;

	put(".forward", "\"|/bin/true x\", /home/x/mbox, fax\n", 0600);
	assert_true(forward_asks(&h->arena, &h->user, TRANSPORT_PIPE, "/bin/true x", &f));
	assert_true(forward_asks(&h->arena, &h->user, TRANSPORT_FILE, "/home/x/mbox", &f));
	assert_false(forward_asks(&h->arena, &h->user, TRANSPORT_PIPE, "/bin/true", &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_false(forward_asks(&h->arena, &h->user, TRANSPORT_PIPE, "/home/x/mbox", &f));
	assert_false(forward_asks(&h->arena, &h->user, TRANSPORT_FILE, "fax", &f));
	assert_int_equal(unlink(".forward"), 0);
	assert_false(forward_asks(&h->arena, &h->user, TRANSPORT_PIPE, "/bin/true x", &f));
}

static const struct {
	const char *command, *words; /* between bars; or the failure */
} commands[] = {
	{ "/bin/true", "/bin/true|" },
	{ "  tee   -a\t/x ", "tee|-a|/x|" },
	{ "a \"b c\" 'd \\e' \"f\\\"g\\\\\"", "a|b c|d \\e|f\"g\\|" },
	{ "a b\"c d", "a|b\"c|d|" },
	{ "a \"\" ''", "a|||" },
	{ "a \"b", "missing quote in the command of a pipe" },
	{ "a 'b", "missing quote in the command of a pipe" },
	{ " ", "nothing in the command of a pipe" },
};

static void
test_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		AUTO_ARENA struct arena a = { NULL };
		AUTO_BUF struct buf out = BUF_INIT(4096);
		struct fail f = FAIL_INIT;
		char **words = pipe_words(&a, commands[i].command, &f);

		if (words != NULL)
			for (; *words != NULL; words++)
				buf_fmt(&out, "%s|", *words);
		else
			buf_str(&out, f.text);
		assert_string_equal(out.p, commands[i].words);
	}
}

static void
test_too_many_words(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf command = BUF_INIT(4096);
	struct fail f = FAIL_INIT;
	(void)state;
	for (int i = 0; i < WORDS_MAX; i++)
		buf_str(&command, "x ");
	assert_non_null(pipe_words(&a, command.p, &f));
	buf_str(&command, "x");
	assert_null(pipe_words(&a, command.p, &f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test_setup_teardown(test_home, make_home, remove_home),
		cmocka_unit_test_setup_teardown(test_no_home, make_home, remove_home),
		cmocka_unit_test_setup_teardown(test_refused, make_home, remove_home),
		cmocka_unit_test_setup_teardown(test_link, make_home, remove_home),
		cmocka_unit_test_setup_teardown(test_asks, make_home, remove_home),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_too_many_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
