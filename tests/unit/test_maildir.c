/* test_maildir.c - into a Maildir, byte for byte, and nothing half. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "local/maildir.h"
#include "mailbox_fixture.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define MESSAGE "Subject: s\n\nFrom here\n.\n>From x\nend\n"

static bool
deliver(struct fixture *x, struct fail *f)
{
	return maildir_deliver(
	    &x->letter, &x->arena, arena_fmt(&x->arena, "%s/Maildir", x->user.home), f);
}

static int
occurrences(const char *in, const char *what)
{
	int n = 0;

	for (; (in = strstr(in, what)) != NULL; in++)
		n++;
	return n;
}

static void
check_mode(const char *path, mode_t mode)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
}

static void
test_delivery(void **state)
{
	struct fixture *x = *state;
	const char *name = "1457047594.I1abcde-000001-2fH0bb54ddc93d8b069_0.debian";
	const char *path = arena_fmt(&x->arena, "Maildir/new/%s", name);
	struct fail f = FAIL_INIT;

	fixture_message(x, MESSAGE, strlen(MESSAGE));
	assert_true(deliver(x, &f));
	assert_string_equal(fixture_list(x, "Maildir"), "cur new tmp");
	assert_string_equal(fixture_list(x, "Maildir/tmp"), "");
	assert_string_equal(fixture_list(x, "Maildir/new"), name);
	assert_string_equal(fixture_read(x, path), HEAD MESSAGE);
	check_mode("Maildir", 0700);
	check_mode("Maildir/new", 0700);
	check_mode(path, 0600);
}

/* A delivery that is made again, because nobody heard that it was done, leaves one file; a message
 * that is not the same one is another; and so is the same for another recipient, or by another way.
 */
static void
test_again(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;
	const char *first;

	x->rq.host = "a/b:c";
	x->rq.sender = "";
	for (int i = 0; i < 2; i++) {
		fixture_message(x, "\n", 1);
		assert_true(deliver(x, &f));
	}
	first = fixture_list(x, "Maildir/new");
	assert_non_null(strstr(first, "_0.a\\057b\\072c"));
	assert_null(strchr(first, ' '));
	fixture_message(x, "\nx\n", 3);
	assert_true(deliver(x, &f));
	assert_non_null(strstr(fixture_list(x, "Maildir/new"), "_1.a\\057b\\072c"));
	x->rq.recipient = "other@debian";
	fixture_message(x, "\n", 1);
	assert_true(deliver(x, &f));
	assert_non_null(strstr(fixture_list(x, "Maildir/new"), first));
	x->rq.path = "/home/x/";
	fixture_message(x, "\n", 1);
	assert_true(deliver(x, &f));
	assert_int_equal(occurrences(fixture_list(x, "Maildir/new"), "_0."), 3);
}

/* Of the same id and size, and another message: each is there. */
static void
test_not_the_same(void **state)
{
	enum { LONG = 10000 };
	struct fixture *x = *state;
	char *text = arena_alloc(&x->arena, LONG);
	const char *name;
	struct fail f = FAIL_INIT;

	memset(text, 'x', LONG);
	text[0] = text[LONG - 1] = '\n';
	for (int i = 0; i < 2; i++) {
		fixture_message(x, text, LONG);
		assert_true(deliver(x, &f));
	}
	name = fixture_list(x, "Maildir/new");
	assert_int_equal(occurrences(name, "_0."), 1);
	assert_int_equal(occurrences(name, "_1."), 0);
	for (size_t at = 1; at < LONG - 1; at += LONG - 3) { /* the first and the last */
		text[at] = 'y';
		fixture_message(x, text, LONG);
		assert_true(deliver(x, &f));
	}
	x->rq.sender = "cecil@debian"; /* as long as the other */
	fixture_message(x, text, LONG);
	assert_true(deliver(x, &f));
	x->rq.now++; /* a later try of the last one */
	fixture_message(x, text, LONG);
	assert_true(deliver(x, &f));
	for (int i = 0; i < 4; i++)
		assert_int_equal(
		    occurrences(fixture_list(x, "Maildir/new"), arena_fmt(&x->arena, "_%d.", i)),
		    1);
	assert_null(strstr(fixture_list(x, "Maildir/new"), "_4."));
}

/* A link under the name, to a file with what is delivered: it is not the message. */
static void
test_link_under_the_name(void **state)
{
	struct fixture *x = *state;
	const char *name;
	struct fail f = FAIL_INIT;

	fixture_message(x, MESSAGE, strlen(MESSAGE));
	assert_true(deliver(x, &f));
	name = fixture_list(x, "Maildir/new");
	assert_int_equal(rename(arena_fmt(&x->arena, "Maildir/new/%s", name), "elsewhere"), 0);
	assert_int_equal(
	    symlink("../../elsewhere", arena_fmt(&x->arena, "Maildir/new/%s", name)), 0);
	fixture_message(x, MESSAGE, strlen(MESSAGE));
	assert_true(deliver(x, &f));
	assert_non_null(strstr(fixture_list(x, "Maildir/new"), "_1."));
}

/* What is not a mailbox's file is left alone, whatever its name. */
static void
test_id_of_a_stranger(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;

	x->rq.id = "../../x";
	fixture_message(x, MESSAGE, strlen(MESSAGE));
	assert_true(deliver(x, &f));
	assert_non_null(strstr(fixture_list(x, "Maildir/new"), "0.I..\\057..\\057xH"));
}

static void
test_existing(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;

	assert_int_equal(mkdir("Maildir", 0755), 0);
	assert_int_equal(chmod("Maildir", 0755), 0);
	fixture_message(x, MESSAGE, strlen(MESSAGE));
	assert_true(deliver(x, &f));
	check_mode("Maildir", 0755);
}

static void
test_deep(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;

	fixture_message(x, MESSAGE, strlen(MESSAGE));
	assert_true(maildir_deliver(
	    &x->letter, &x->arena, arena_fmt(&x->arena, "%s/mail/in/box", x->user.home), &f));
	assert_string_not_equal(fixture_list(x, "mail/in/box/new"), "");
	check_mode("mail/in", 0700);
}

static void
test_not_a_directory(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;

	assert_int_equal(symlink("/dev/null", "Maildir"), 0);
	fixture_message(x, MESSAGE, strlen(MESSAGE));
	assert_false(deliver(x, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(f.sys, ENOTDIR);
	assert_int_equal(unlink("Maildir"), 0);
	assert_int_equal(mkdir("Maildir", 0700), 0);
	assert_int_equal(symlink("/dev/null", "Maildir/new"), 0);
	assert_false(deliver(x, &f));
	assert_non_null(strstr(f.text, "Maildir/new"));
}

static void
test_ends_early(void **state)
{
	struct fixture *x = *state;
	struct fail f = FAIL_INIT;

	fixture_message(x, MESSAGE, strlen(MESSAGE) + 1);
	assert_false(deliver(x, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_non_null(strstr(f.text, "the message ended early"));
	assert_string_equal(fixture_list(x, "Maildir/new"), "");
	assert_string_equal(fixture_list(x, "Maildir/tmp"), "");
}

/* No room: a limit on file size stands for a full disk and for a quota. */
static void
test_no_room(void **state)
{
	struct fixture *x = *state;
	struct rlimit old, small = { 100, 100 };
	struct fail f = FAIL_INIT;
	bool done;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	fixture_message(x, MESSAGE, strlen(MESSAGE));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	done = deliver(x, &f);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_false(done);
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(f.sys, EFBIG);
	assert_string_equal(fixture_list(x, "Maildir/new"), "");
	assert_string_equal(fixture_list(x, "Maildir/tmp"), "");
}

static void
test_path(void **state)
{
	struct fixture *x = *state;
	struct arena *a = &x->arena;

	assert_string_equal(maildir_path(a, "$home/Maildir", "/home/fax"), "/home/fax/Maildir");
	assert_string_equal(maildir_path(a, "${home}/M", "/home/fax"), "/home/fax/M");
	assert_string_equal(maildir_path(a, "/var/x", "/home/fax"), "/var/x");
	assert_null(maildir_path(a, "Maildir", "/home/fax"));
	assert_null(maildir_path(a, "$home/x", "home"));
}

#define IN_HOME(test) cmocka_unit_test_setup_teardown(test, fixture_make, fixture_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_HOME(test_delivery),
		IN_HOME(test_again),
		IN_HOME(test_not_the_same),
		IN_HOME(test_link_under_the_name),
		IN_HOME(test_id_of_a_stranger),
		IN_HOME(test_existing),
		IN_HOME(test_deep),
		IN_HOME(test_not_a_directory),
		IN_HOME(test_ends_early),
		IN_HOME(test_no_room),
		IN_HOME(test_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
