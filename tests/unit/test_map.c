/* test_map.c - table files of any size, by pieces and as a whole. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "conf/map.h"
#include "conf/pieces.h"

#include "base/banned.h" /* IWYU pragma: keep */

static int
make_directory(void **state)
{
	char *path = strdup("/tmp/onehop-test-XXXXXX");

	*state = path;
	return path == NULL || mkdtemp(path) == NULL || chdir(path) != 0;
}

static int
remove_directory(void **state)
{
	(void)unlink("map");
	(void)!chdir("/");
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static void
put(struct str text)
{
	AUTO_FD int fd = open("map", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(fd_write_full(fd, text.p, text.n));
}

/* loc-hubbed: the domain, then "*." and what is left of it while two labels are. */
static void
partial(void **state)
{
	static const char text[] =
	    "hub.example: one\n*.sub.example: two\n*.example: three\n*: four\n";
	static const struct {
		const char *domain, *value;
	} want[] = {
		{ "hub.example", "one" },
		{ "HUB.example", "one" },
		{ "deep.sub.example", "two" },
		{ "very.deep.sub.example", "two" },
		{ "sub.example", "two" },
		{ "other.example", NULL },
		{ "a.other.example", NULL },
		{ "example", "three" },
		{ "", NULL },
	};
	AUTO_ARENA struct arena a = { 0 };
	const struct map map = { .path = "/etc/hubs", .text = STR(text) };

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		struct lsearch_entry e;
		bool found = map_find_partial(&map, str_of(want[i].domain), &a, &e);

		if (found != (want[i].value != NULL) ||
		    (found && !str_eq(e.value, str_of(want[i].value))))
			fail_msg("%s", want[i].domain);
	}
}

/* What lsearch has of the whole text, and what it has piece by piece, whatever the pieces are. */
static void
pieces(void **state)
{
	static const char text[] = "\xef\xbb\xbf"
				   "a: 1\n# c\n  lost\n\nb: 2,\n  3\n\t4\n   \n  lost\n"
				   "c d\r\n\"e f\": a value of some length\n# last\ng";
	AUTO_BUF struct buf want = BUF_INIT(1024);
	AUTO_ARENA struct arena a = { 0 };
	struct lsearch t = lsearch_open(str_skip(STR(text), 3));
	struct lsearch_entry e;

	(void)state;
	while (lsearch_next(&t, &a, &e))
		buf_fmt(&want, "%u[%.*s]=%.*s;", e.line, S_ARG(e.key), S_ARG(e.value));
	put(STR(text));
	for (size_t size = 4; size < sizeof text + 2; size++) {
		AUTO_BUF struct buf got = BUF_INIT(1024);
		AUTO_FD int fd = open("map", O_RDONLY | O_CLOEXEC);
		struct pieces p = { .fd = fd,
			.path = "map",
			.room = arena_alloc(&a, size),
			.size = size,
			.arena = &a };
		struct fail f = FAIL_INIT;
		struct str piece;

		for (int round = 0; round < 2; round++) {
			buf_reset(&got);
			for (;;) {
				assert_true(pieces_next(&p, &piece, &f));
				if (piece.n == 0)
					break;
				t = lsearch_open(piece);
				t.line = p.line;
				while (lsearch_next(&t, &a, &e))
					buf_fmt(&got, "%u[%.*s]=%.*s;", e.line, S_ARG(e.key),
					    S_ARG(e.value));
			}
			if (!str_eq(buf_get(&got), buf_get(&want)))
				fail_msg("%zu: %s", size, got.p);
			assert_true(pieces_rewind(&p, &f));
		}
	}
}

/* The n-th entry of a large map is "user<n>: u<n>@isp.example", every tenth over two lines. */
static void
add_entries(struct buf *text, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_fmt(text,
		    i % 10 == 0 ? "User%u:\n  u%u@isp.example\n" : "user%u: u%u@isp.example\n", i,
		    i);
}

static void
count(void *ctx, const struct lsearch_entry *e)
{
	unsigned *n = ctx;

	assert_true(e->line > *n);
	*n += 1;
}

static void
large(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf text = BUF_INIT(MAP_MAX);
	struct fail f = FAIL_INIT;
	struct lsearch_entry e, same;
	unsigned n = 0;
	struct map m;

	(void)state;
	add_entries(&text, 60000);
	assert_true(text.n > FILE_MAX);
	put(buf_get(&text));
	assert_true(map_open(&m, &a, "map", &f));
	assert_true(m.large && m.text.n == 0);
	for (unsigned i = 0; i < 60000; i += i < 10 ? 1 : 4567) {
		struct str key = str_of(arena_fmt(&a, "USER%u", i));

		assert_true(map_find(&m, key, &a, &e));
		assert_true(lsearch_find(buf_get(&text), key, &a, &same));
		assert_true(e.line == same.line && str_eq(e.value, same.value));
	}
	assert_false(map_find(&m, STR("user60000"), &a, &e));
	assert_true(map_each(&m, count, &n, &f));
	assert_int_equal(n, 60000);
	assert_true(map_intact(&m, &f));
	assert_int_equal(unlink("map"), 0);
	assert_false(map_find(&m, STR("user1"), &a, &e));
	assert_false(map_intact(&m, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_string_equal(f.text, "cannot read map: No such file or directory");
}

/* One entry that no piece holds at first; and what is no text far behind. */
static void
large_entries(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf text = BUF_INIT(MAP_MAX + 2);
	struct fail f = FAIL_INIT;
	struct lsearch_entry e;
	struct map m;

	(void)state;
	buf_str(&text, "all: x");
	for (unsigned i = 0; i < 100000; i++)
		buf_fmt(&text, ",\n user%u@isp.example", i);
	buf_str(&text, "\nlast: y\n");
	put(buf_get(&text));
	assert_true(map_open(&m, &a, "map", &f));
	assert_true(map_find(&m, STR("last"), &a, &e) && e.line == 100002);
	assert_true(map_find(&m, STR("all"), &a, &e) && e.value.n > FILE_MAX);
	buf_char(&text, '\0');
	put(buf_get(&text));
	assert_false(map_find(&m, STR("none"), &a, &e));
	assert_false(map_intact(&m, &f));
	assert_non_null(strstr(f.text, "map:100003: there is a NUL octet"));
	buf_reset(&text);
	while (text.n < PIECE_MAX + 1)
		buf_str(&text, "a long line of one entry ");
	put(buf_get(&text));
	assert_true(map_open(&m, &a, "map", &f));
	assert_false(map_find(&m, STR("none"), &a, &e));
	assert_false(map_intact(&m, &f));
	assert_string_equal(f.text, "map:1: an entry is larger than 8388608 bytes");
	assert_int_equal(truncate("map", MAP_MAX + 1), 0);
	assert_false(map_open(&m, &a, "map", &f));
	assert_string_equal(f.text, "map is larger than 67108864 bytes");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partial),
		cmocka_unit_test_setup_teardown(pieces, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(large, make_directory, remove_directory),
		cmocka_unit_test_setup_teardown(large_entries, make_directory, remove_directory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
