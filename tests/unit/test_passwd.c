/* test_secret.c - which credential goes to which host; names in brackets are recorded cases. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/file.h"
#include "kernel.h"
#include "send/passwd.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* login and password NULL: no line is for the host; words: an error instead. */
static const struct {
	const char *name, *text, *configured, *canonical, *login, *password;
	unsigned line;
	enum secret_match match;
	const char *words;
} rows[] = {
	{ "auth-at-login", "h:me@isp.example:pass\n", "h", NULL, "me@isp.example", "pass", 1,
	    SECRET_CONFIGURED, NULL },
	{ "case", "SMTP.isp:u:p\n", "smtp.ISP", NULL, "u", "p", 1, SECRET_CONFIGURED, NULL },
	{ "seed-v-remote", "real:u:p\n", "alias", "real", "u", "p", 1, SECRET_CANONICAL, NULL },
	{ "seed-alias-name-in-passwd", "alias:u:p\n", "alias", "real", "u", "p", 1,
	    SECRET_CONFIGURED, NULL },
	/* Exim takes the canonical name; the name that was written comes first here */
	{ "auth-cname-both", "real:r:p\nalias:a:p\n", "alias", "real", "a", "p", 2,
	    SECRET_CONFIGURED, NULL },
	{ "auth-star", "*:u:p\nh:x:y\n", "h", NULL, "x", "y", 2, SECRET_CONFIGURED, NULL },
	{ "pattern last", "*:u:p\nreal:x:y\n", "h", "real", "x", "y", 2, SECRET_CANONICAL, NULL },
	{ "auth-first-wins", "h:1:p\nh:2:p\n", "h", NULL, "1", "p", 1, SECRET_CONFIGURED, NULL },
	{ "first pattern", "*.x:1:p\n*:2:p\n*.example:3:p\n", "a.example", NULL, "2", "p", 2,
	    SECRET_PATTERN, NULL },
	{ "pattern on the canonical name", "*.cdn:1:p\n", "alias", "real.cdn", "1", "p", 1,
	    SECRET_PATTERN, NULL },
	{ "auth-midstar", "smtp.*.example:user:pass\n", "smtp.isp.example", NULL, NULL, NULL, 0, 0,
	    NULL },
	{ "auth-suffix-nodot", "*isp.example:user:pass\n", "smtp.isp.example", NULL, "user", "pass",
	    1, SECRET_PATTERN, NULL },
	{ "auth-suffix-self", "*.smtp.isp.example:user:pass\n", "smtp.isp.example", NULL, NULL,
	    NULL, 0, 0, NULL },
	{ "auth-regex-partial", "^smtp\\.isp:user:pass\n", "SMTP.isp.example", NULL, "user", "pass",
	    1, SECRET_PATTERN, NULL },
	{ "regex is anchored in front", "^isp:user:pass\n", "smtp.isp.example", NULL, NULL, NULL, 0,
	    0, NULL },
	{ "quoted regex", "\"^smtp\\\\d:?\":user:pass\n", "smtp1", NULL, "user", "pass", 1,
	    SECRET_PATTERN, NULL },
	{ "auth-nomatch", "other:user:pass\n", "h", "c", NULL, NULL, 0, 0, NULL },
	{ "auth-colon-end", "h:user:pass:\n", "h", NULL, "user", "pass:", 1, SECRET_CONFIGURED,
	    NULL },
	{ "auth-colon-in-pass", "h:user:a:b^c^^\n", "h", NULL, "user", "a:b^c^^", 1,
	    SECRET_CONFIGURED, NULL },
	{ "auth-caret-first-login", "h:user:^pass\n", "h", NULL, "user", "^pass", 1,
	    SECRET_CONFIGURED, NULL },
	{ "auth-space-before-pass", "h:user: pass \n", "h", NULL, "user", " pass", 1,
	    SECRET_CONFIGURED, NULL },
	{ "auth-space-colon-space", "h : user:pass\n", "h", NULL, "user", "pass", 1,
	    SECRET_CONFIGURED, NULL },
	{ "auth-space-sep", "h   user:pass\n", "h", NULL, "user", "pass", 1, SECRET_CONFIGURED,
	    NULL },
	{ "auth-continuation", "h:\n  user:pass\n", "h", NULL, "user", "pass", 1, SECRET_CONFIGURED,
	    NULL },
	{ "continuation of another line", "g:\n  user:pass\nh:u:p\ng2:\n x:y\n", "h", NULL, "u",
	    "p", 3, SECRET_CONFIGURED, NULL },
	{ "auth-special-chars", "h:us$er{x}:p$1\\n}{;\"'%#&<>\n", "h", NULL, "us$er{x}",
	    "p$1\\n}{;\"'%#&<>", 1, SECRET_CONFIGURED, NULL },
	{ "auth-utf8", "h:user:p\xc3\xa4ss\n", "h", NULL, "user", "p\xc3\xa4ss", 1,
	    SECRET_CONFIGURED, NULL },
	{ "auth-crlf", "h:user:pass\r\n", "h", NULL, "user", "pass", 1, SECRET_CONFIGURED, NULL },
	{ "auth-no-newline", "h:user:pass\r", "h", NULL, "user", "pass", 1, SECRET_CONFIGURED,
	    NULL },
	{ "auth-comment-blank", "# c\n\n# x:y:z\nh:user:pass\n", "h", NULL, "user", "pass", 4,
	    SECRET_CONFIGURED, NULL },
	{ "auth-quoted-key", "\"smtp.isp.example\":user:pass\n", "smtp.isp.example", NULL, "user",
	    "pass", 1, SECRET_CONFIGURED, NULL },
	{ "auth-ip-key-bracket", "192.0.2.25:user:pass\n", "[192.0.2.25]", NULL, "user", "pass", 1,
	    SECRET_CONFIGURED, NULL },
	{ "brackets in the file", "[192.0.2.25]:user:pass\n", "192.0.2.25", NULL, "user", "pass", 1,
	    SECRET_CONFIGURED, NULL },
	{ "auth-ip6", "\"2001:db8::1\":user:pass\n", "2001:db8::1", NULL, "user", "pass", 1,
	    SECRET_CONFIGURED, NULL },
	{ "IPv6, another spelling", "\"2001:db8:0::1\":user:pass\n", "[2001:DB8::1]", NULL, "user",
	    "pass", 1, SECRET_CONFIGURED, NULL },
	{ "IPv6 in brackets", "[2001:db8::1]:user:pass:x\n", "2001:db8::1", NULL, "user", "pass:x",
	    1, SECRET_CONFIGURED, NULL },
	{ "IPv6 loopback in brackets", "[::1]:user:pass\n", "::1", NULL, "user", "pass", 1,
	    SECRET_CONFIGURED, NULL },
	{ "file password", "h:user:file:/nonexistent\n", "h", NULL, NULL, NULL, 0, 0,
	    "passwd.client:1: cannot read the password in /nonexistent as uid" },

	{ "auth-login-only", "h:user\n", "h", NULL, NULL, NULL, 0, 0,
	    "passwd.client:1: the password is missing" },
	{ "auth-empty-pass", "h:user:\n", "h", NULL, NULL, NULL, 0, 0,
	    "passwd.client:1: the password is missing" },
	{ "auth-empty-login", "h::pass\n", "h", NULL, NULL, NULL, 0, 0,
	    "passwd.client:1: there is nothing between two colons" },
	{ "auth-port-key", "\nh::2525:user:pass\n", "h", NULL, NULL, NULL, 0, 0,
	    "passwd.client:2: there is nothing between two colons" },
	{ "auth-empty-data", "h:\n", "h", NULL, NULL, NULL, 0, 0,
	    "passwd.client:1: the login is missing" },
	{ "another host's bad line", "g:user\nh:u:p\n", "h", NULL, "u", "p", 2, SECRET_CONFIGURED,
	    NULL },
	{ "bad pattern behind a good line", "^(:u:p\nh:u:p\n", "h", NULL, "u", "p", 2,
	    SECRET_CONFIGURED, NULL },
	{ "bad regex", "^(x:u:p\n", "h", NULL, NULL, NULL, 0, 0,
	    "passwd.client:1: the host is not a regular expression" },
	{ "slow regex", "\"^(a+)+$\":u:p\n",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", NULL, NULL, NULL, 0, 0,
	    "takes too long" },
	{ "negation", "!x:u:p\n", "h", NULL, NULL, NULL, 0, 0,
	    "passwd.client:1: the host is a kind of pattern" },
	{ "lookup", "dbm;/x:u:p\n", "h", NULL, NULL, NULL, 0, 0,
	    "passwd.client:1: the host is a kind of pattern" },
	{ "empty file", "", "h", NULL, NULL, NULL, 0, 0, NULL },
	{ "empty canonical name", "h:u:p\n", "x", "", NULL, NULL, 0, 0, NULL },
};

static void
put(const char *path, const char *text, mode_t mode)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(fd_write_full(fd, text, strlen(text)));
	assert_int_equal(fchmod(fd, mode), 0);
}

static struct conf
fresh(struct arena *a, const char *command)
{
	struct conf c;

	conf_init(&c, a);
	c.etc = "/nonexistent";
	c.file = "./onehop.conf";
	c.password_command = command;
	return c;
}

static void
find(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct conf c = fresh(&a, "");
		struct fail f = FAIL_INIT;
		struct secret s = { .page = NULL };
		bool ok;

		put("passwd.client", rows[i].text, 0600);
		ok = passwd_find(&c, &a, rows[i].configured, rows[i].canonical, &s, &f);
		if (rows[i].words != NULL) {
			if (ok || strstr(f.text, rows[i].words) == NULL)
				fail_msg("%s: %s", rows[i].name, ok ? "found" : f.text);
			continue;
		}
		if (rows[i].login == NULL) {
			if (!ok || s.login.n > 0 || s.page != NULL)
				fail_msg("%s: login \"%.*s\"", rows[i].name, S_ARG(s.login));
			continue;
		}
		if (!ok || !str_eq(s.login, str_of(rows[i].login)) ||
		    !str_eq(s.password, str_of(rows[i].password)) || s.match != rows[i].match)
			fail_msg("%s: \"%.*s\" \"%.*s\" %d %s", rows[i].name, S_ARG(s.login),
			    S_ARG(s.password), (int)s.match, f.text);
		assert_string_equal(s.where, arena_fmt(&a, "./passwd.client:%u", rows[i].line));
		secret_wipe(&s);
	}
}

static void
places(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct conf c = fresh(&a, "");
	struct fail f = FAIL_INIT;
	struct secret s;

	(void)state;
	(void)unlink("passwd.client");
	assert_true(passwd_find(&c, &a, "h", NULL, &s, &f)); /* auth-nofile */
	assert_int_equal(s.login.n, 0);

	assert_int_equal(mkdir("exim4", 0700), 0);
	put("exim4/passwd.client", "h:system:p\ng:x:y\n", 0644);
	c.etc = ".";
	assert_true(passwd_find(&c, &a, "h", NULL, &s, &f));
	assert_memory_equal(s.login.p, "system", 6);
	assert_string_equal(s.key, "h");
	assert_false(s.only);
	secret_wipe(&s);
	assert_null(s.page);

	put("passwd.client", "h:beside:p\n", 0600);
	assert_true(passwd_find(&c, &a, "h", NULL, &s, &f));
	assert_memory_equal(s.login.p, "beside", 6);
	assert_true(s.only);
	secret_wipe(&s);

	assert_int_equal(mkdir("cred", 0700), 0);
	put("cred/passwd.client", "h:given:p\n", 0600);
	c.credentials = "cred";
	assert_true(passwd_find(&c, &a, "h", NULL, &s, &f));
	assert_memory_equal(s.login.p, "given", 5);
	secret_wipe(&s);

	c.passwd_client = "nosuch";
	assert_false(passwd_find(&c, &a, "h", NULL, &s, &f));
	assert_int_equal(fail_exit_code(&f), 78);
	c.passwd_client = "exim4";
	assert_false(passwd_find(&c, &a, "h", NULL, &s, &f));
	assert_non_null(strstr(f.text, "exim4 is not a regular file"));
	put("pw", " hidden \nsecond\n", 0600);
	put("passwd.client", arena_fmt(&a, "h:u:file:%s/pw\n", (const char *)*state), 0600);
	c.passwd_client = "passwd.client";
	assert_true(passwd_find(&c, &a, "h", NULL, &s, &f));
	assert_true(str_eq(s.password, STR(" hidden")));
	secret_wipe(&s);
	put("pw", "\n", 0600);
	assert_false(passwd_find(&c, &a, "h", NULL, &s, &f));
	assert_non_null(strstr(f.text, "is empty"));
}

static void
as_editors_leave_it(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct conf c = fresh(&a, "");
	struct fail f = FAIL_INIT;
	struct secret s;

	c.passwd_client = "passwd.client";
	put("pw",
	    "\xef\xbb\xbf"
	    "hidden\r\n",
	    0600);
	put("passwd.client",
	    arena_fmt(&a,
		"\xef\xbb\xbf"
		"h:u:file:%s/pw\r\n",
		(const char *)*state),
	    0600);
	assert_true(passwd_find(&c, &a, "h", NULL, &s, &f));
	assert_true(str_eq(s.password, STR("hidden")));
	secret_wipe(&s);
	put("passwd.client",
	    "\xff\xfe"
	    "h",
	    0600);
	assert_false(passwd_find(&c, &a, "h", NULL, &s, &f));
	assert_string_equal(f.text, "passwd.client is UTF-16: save it as UTF-8");
}

/* auth-unreadable: not sent without a password, but kept, and the sentence says who may not. */
static void
unreadable(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct conf c = fresh(&a, "");
	struct fail f = FAIL_INIT;
	struct secret s;
	bool ok;

	(void)state;
	put("passwd.client", "h:u:p\n", 0);
	if (geteuid() == 0)
		assert_int_equal(chmod(".", 0711), 0);
	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	ok = passwd_find(&c, &a, "h", NULL, &s, &f);
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
	assert_false(ok);
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(f.sys, EACCES);
	assert_non_null(strstr(f.text, "passwd.client as uid"));
}

static void
commands(void **state)
{
	static const struct {
		const char *command, *text, *login, *password, *words;
	} want[] = {
		{ "printf 'a b\\nc\\n'", "h:u\n", "u", "a b", NULL },
		{ "printf \"%s\" 'x y'", "h:u\n", "u", "x y", NULL },
		{ "printf x", "h:u:own\n", "u", "own", NULL },
		{ "me@isp:printf x", "", "me@isp", "x", NULL },
		{ "sh -c 'echo $HOME'", "h:u\n", "u", "/home/of", NULL },
		{ "printf x", "", NULL, NULL, "is for no login" },
		{ "false", "h:u\n", NULL, NULL,
		    "password_command (default): the command ended with status 1" },
		{ "true", "h:u\n", NULL, NULL, "the first line is empty" },
		{ "/nonexistent/x", "h:u\n", NULL, NULL, "cannot run /nonexistent/x" },
		{ "printf 'x", "h:u\n", NULL, NULL, "missing quote in the command" },
		{ "sh -c 'kill -9 $$'", "h:u\n", NULL, NULL, "was ended by signal 9" },
		{ "head -c 100000 /dev/zero", "h:u\n", NULL, NULL, "the first line is too long" },
		{ "sh -c 'sleep 60 & echo x'", "h:u\n", "u", "x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct conf c = fresh(&a, want[i].command);
		struct fail f = FAIL_INIT;
		struct secret s = { .page = NULL };
		bool ok;

		c.home = "/home/of";
		put("passwd.client", want[i].text, 0600);
		ok = passwd_find(&c, &a, "h", NULL, &s, &f);
		if (want[i].words != NULL) {
			if (ok || strstr(f.text, want[i].words) == NULL)
				fail_msg("%s: %s", want[i].command, ok ? "found" : f.text);
			continue;
		}
		if (!ok || !str_eq(s.login, str_of(want[i].login)) ||
		    !str_eq(s.password, str_of(want[i].password)))
			fail_msg("%s: \"%.*s\" %s", want[i].command, S_ARG(s.password), f.text);
		secret_wipe(&s);
	}
}

/* Where the end of a process cannot be waited for, the end of its output is. */
static void
commands_of_an_old_kernel(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct conf c = fresh(&a, "sh -c 'echo x; sleep 0.1'");
	struct fail f = FAIL_INIT;
	struct secret s = { .page = NULL };
	int status;
	pid_t pid;

	(void)state;
	put("passwd.client", "h:u\n", 0600);
	pid = fork();
	if (pid == 0) {
		kernel_lacks(SYS_pidfd_open);
		_exit(
		    passwd_find(&c, &a, "h", NULL, &s, &f) && str_eq(s.password, STR("x")) ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

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
	(void)unlink("passwd.client");
	(void)unlink("pw");
	(void)unlink("exim4/passwd.client");
	(void)unlink("cred/passwd.client");
	(void)rmdir("exim4");
	(void)rmdir("cred");
	(void)!chdir("/");
	(void)rmdir(*state);
	free(*state);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(find),
		cmocka_unit_test(places),
		cmocka_unit_test(as_editors_leave_it),
		cmocka_unit_test(unreadable),
		cmocka_unit_test(commands),
		cmocka_unit_test(commands_of_an_old_kernel),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
