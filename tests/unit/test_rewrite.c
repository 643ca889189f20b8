/* test_rewrite.c - email-addresses and masquerade: fields before and after, as Exim 4.96 was
 * recorded doing it (the rw- cases of tests/oracle; the names are theirs). */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "conf/masks.h"
#include "mail/rewrite.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define STANDARD \
	"# comment\nroot: root@isp.example\nalice:alice.l@isp.example\n" \
	"bob: Bob Builder <bob.b@isp.example>\n"

static const struct {
	const char *name, *map, *mailname, *before;
	const char *after; /* NULL: unchanged */
	const char *log;   /* NULL: nothing */
} senders[] = {
	{ "angle-nodomain", STANDARD, "debian", "From: Alice Liddell <alice>\n",
	    "From: Alice Liddell <alice.l@isp.example>\n", NULL },
	{ "broken", STANDARD, "debian", "From: alice@@debian\n", NULL,
	    "rewrite: domain missing or malformed\n" },
	{ "case", STANDARD, "debian", "From: ALICE@DEBIAN\n", "From: alice.l@isp.example\n", NULL },
	{ "chain-localhost", "alice: bob@localhost\nbob: bob@isp.example\n", "debian",
	    "From: alice@debian\n", "From: bob@localhost\n", NULL },
	{ "chain", "alice: bob@debian\nbob: bob@isp.example\n", "debian", "From: alice@debian\n",
	    "From: bob@isp.example\n", NULL },
	{ "comment-inside", STANDARD, "debian", "From: (a) alice (b) @ (c) debian (d)\n",
	    "From: (a) alice.l@isp.example (d)\n", NULL },
	{ "cont-line-plain", "other: o@isp.example\nfax:\n   f@isp.example\n", "debian",
	    "From: fax@debian\n", "From: f@isp.example\n", NULL },
	{ "cont-line", "other: o@isp.example\nfax:\n# c\n   f@isp.example\n", "debian",
	    "From: fax@debian\n", NULL,
	    "Rewrite of fax@debian yielded unparseable address: empty address in address  "
	    "(/map:2)\n" },
	{ "crlf-file", "fax: f@isp.example\r\n", "debian", "From: fax@debian\n",
	    "From: f@isp.example\n", NULL },
	{ "empty-from", STANDARD, "debian", "From:\n", NULL, NULL },
	{ "folded", STANDARD, "debian", "From: Alice\n Pleasance\n\tLiddell\n  <alice@debian>\n",
	    "From: Alice\n Pleasance\n\tLiddell\n  <alice.l@isp.example>\n", NULL },
	{ "group", STANDARD, "debian", "From: friends: alice@debian, Bob <bob@debian>;\n",
	    "From: friends: alice.l@isp.example, Bob <bob.b@isp.example>;\n", NULL },
	{ "group (Reply-To)", STANDARD, "debian", "Reply-To: undisclosed:;\n", NULL, NULL },
	{ "not-in-map", STANDARD, "debian", "From: fax@debian\n", NULL, NULL },
	{ "plus", STANDARD, "debian", "From: alice+tag@debian\n", NULL, NULL },
	{ "quoted-local-space", "\"al ice\": spaced@isp.example\n", "debian",
	    "From: \"al ice\"@debian\n", NULL, NULL },
	{ "quoted-local", STANDARD, "debian", "From: \"alice\"@debian\n", NULL, NULL },
	{ "quoted-name", STANDARD, "debian", "From: \"Liddell, Alice\" <alice@debian>\n",
	    "From: \"Liddell, Alice\" <alice.l@isp.example>\n", NULL },
	{ "source-route", STANDARD, "debian", "From: <@a.example,@b.example:alice@debian>\n",
	    "From: <alice.l@isp.example>\n", NULL },
	{ "trailing-comment", "fax: f@isp.example # my address\n", "debian", "From: fax@debian\n",
	    NULL,
	    "Rewrite of fax@debian yielded unparseable address: malformed address: # my address "
	    "may not follow f@isp.example  in address f@isp.example # my address (/map:1)\n" },
	{ "unquoted-dot-name", STANDARD, "debian", "From: Alice P. Liddell <alice@debian>\n",
	    "From: Alice P. Liddell <alice.l@isp.example>\n", NULL },
	{ "unquoted-dot-name (Reply-To)", STANDARD, "debian",
	    "Reply-To: R\xc3\xa9n\xc3\xa9 <bob@debian>\n",
	    "Reply-To: R\xc3\xa9n\xc3\xa9 <bob.b@isp.example>\n", NULL },
	{ "value-empty", "fax:\nbob: b@isp.example\n", "debian", "From: fax@debian\n", NULL,
	    "Rewrite of fax@debian yielded unparseable address: empty address in address  "
	    "(/map:1)\n" },
	{ "value-has-name-bare", STANDARD, "debian", "From: bob@debian\n",
	    "From: bob.b@isp.example\n", NULL },
	{ "value-has-name", STANDARD, "debian", "From: Robert <bob@debian>\n",
	    "From: Robert <bob.b@isp.example>\n", NULL },
	{ "value-two", "fax: a@isp.example, b@isp.example\n", "debian", "From: fax@debian\n", NULL,
	    "Rewrite of fax@debian yielded unparseable address: malformed address: , "
	    "b@isp.example may not follow a@isp.example in address a@isp.example, b@isp.example "
	    "(/map:1)\n" },
	{ "value-unqualified", "fax: other\n", "debian", "From: fax@debian\n", NULL,
	    "Rewrite of fax@debian yielded unqualified address \"other\" (/map:1)\n" },
	{ "value-unqualified, no domain", "fax: other\n", "debian", "From: fax\n",
	    "From: fax@debian\n",
	    "Rewrite of fax@debian yielded unqualified address \"other\" (/map:1)\n" },
	/* literal in Exim; here it is for all that have no key of their own */
	{ "wild-key", "*: all@isp.example\nfa*: f@isp.example\n", "debian", "From: fax@debian\n",
	    "From: all@isp.example\n", NULL },
	{ "wild-key first", "*: all@isp.example\nFax: f@isp.example\n", "debian",
	    "From: fax@debian, bob@debian, x@y.example\n",
	    "From: f@isp.example, all@isp.example, x@y.example\n", NULL },
	{ "wild-key unusable", "*: all\n", "debian", "From: fax@debian\n", NULL,
	    "Rewrite of fax@debian yielded unqualified address \"all\" (/map:1)\n" },
	{ "foreign", STANDARD, "debian", "From: alice@else.example\n", NULL, NULL },
	{ "mailname that is not local", STANDARD, "mail.name.example",
	    "From: alice, bob@debian, root@mail.name.example\n",
	    "From: alice.l@isp.example, bob.b@isp.example, \n\troot@isp.example\n", NULL },
	{ "chain over the mailname", "alice: bob@mail.name.example\nbob: bob@isp.example\n",
	    "mail.name.example", "From: alice@debian\n", "From: bob@isp.example\n", NULL },
	{ "no map", "", "debian", "From: alice@debian, root\n", "From: alice@debian, root@debian\n",
	    NULL },
	{ "evil value", "fax: \"a\rb\"@isp.example\n", "debian", "From: fax@debian\n", NULL,
	    "Rewrite of fax@debian yielded unparseable address: control character in address in "
	    "address \"a\rb\"@isp.example (/map:1)\n" },
};

static void
collect(void *ctx, enum trace_kind kind, struct str line)
{
	bool warns = str_starts(line, STR("Rewrite of "));

	assert_int_equal(kind, warns ? TRACE_WARNING : TRACE_LOG);
	buf_put(ctx, line);
	buf_char(ctx, '\n');
}

static void
configure(struct conf *c, struct arena *a, const char *mailname)
{
	conf_init(c, a);
	c->primary_hostname = "debian";
	c->qualify_domain = mailname;
}

static void
maps_senders(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof senders / sizeof *senders; i++) {
		AUTO_ARENA struct arena a = { 0 };
		AUTO_BUF struct buf out = BUF_INIT(4096);
		AUTO_BUF struct buf log = BUF_INIT(4096);
		const struct trace t = { .emit = collect, .ctx = &log };
		struct conf c;
		const struct rewrite r = { &c, &a,
			{ .path = "/map", .text = str_of(senders[i].map) }, &t, false };
		bool changed;

		configure(&c, &a, senders[i].mailname);
		changed = rewrite_field(&r, str_of(senders[i].before), true, &out);
		if (changed != (senders[i].after != NULL))
			fail_msg("%s: changed: %d", senders[i].name, changed);
		assert_string_equal(arena_strz(&a, buf_get(&out)), changed ? senders[i].after : "");
		assert_string_equal(
		    arena_strz(&a, buf_get(&log)), senders[i].log != NULL ? senders[i].log : "");
	}
}

/* To, Cc: only qualified [mailname-fqdn, to-cc]. */
static void
qualifies_others(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf out = BUF_INIT(4096);
	struct conf c;
	const struct rewrite r = { &c, &a, { .path = "/map", .text = STR(STANDARD) }, NULL, false };

	(void)state;
	configure(&c, &a, "mail.name.example");
	assert_true(rewrite_field(&r, STR("To: x@far.example, root, alice@debian\n"), false, &out));
	assert_string_equal(out.p, "To: x@far.example, root@mail.name.example, \n\talice@debian\n");
	buf_reset(&out);
	assert_false(rewrite_field(&r, STR("Cc: alice@debian\n"), false, &out));
	c.qualify_domain = "";
	assert_false(rewrite_field(&r, STR("Cc: alice\n"), false, &out));
	assert_int_equal(out.n, 0);
}

static void
maps_envelope(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct conf c;
	const struct rewrite r = { &c, &a, { .path = "/map", .text = STR(STANDARD) }, NULL, false };

	(void)state;
	configure(&c, &a, "debian");
	assert_string_equal(mailbox_text(&a, rewrite_address(&r, mailbox_split("bob@debian"))),
	    "bob.b@isp.example");
	assert_string_equal(
	    mailbox_text(&a, rewrite_address(&r, mailbox_split("bob@else.example"))),
	    "bob@else.example");
	assert_int_equal(rewrite_address(&r, (struct mailbox){ 0 }).local.n, 0);
}

static const struct {
	const char *before, *after;
} hidden[] = {
	{ "From: fax@debian\n", "From: fax@isp.example\n" },
	{ "From: \"F A X\" <fax@LOCALHOST> (debian)\n",
	    "From: \"F A X\" <fax@isp.example> (debian)\n" },
	{ "Sender: fax@mail.name.example\n", "Sender: fax@isp.example\n" },
	{ "From: someone@elsewhere.example\n", NULL },
	{ "From: fax\n", NULL },
	{ "From: fax@@debian\n", NULL },
};

static void
masquerades(void **state)
{
	struct conf c;
	AUTO_ARENA struct arena a = { 0 };

	(void)state;
	configure(&c, &a, "mail.name.example");
	assert_false(hide_active(&c));
	c.hide_mailname = true;
	assert_false(hide_active(&c)); /* hide-noreadhost */
	c.visible_name = "isp.example";
	assert_true(hide_active(&c));
	c.configtype = TYPE_SATELLITE;
	assert_true(hide_active(&c));
	c.configtype = TYPE_LOCAL;
	assert_false(hide_active(&c));
	for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++) {
		AUTO_BUF struct buf out = BUF_INIT(4096);
		bool changed = hide_field(&c, &a, MASK_FROM, str_of(hidden[i].before), &out);

		assert_int_equal(changed, hidden[i].after != NULL);
		assert_string_equal(arena_strz(&a, buf_get(&out)), changed ? hidden[i].after : "");
	}
	assert_string_equal(
	    mailbox_text(&a, hide_address(&c, mailbox_split("fax@debian"))), "fax@isp.example");
	assert_string_equal(mailbox_text(&a, hide_address(&c, mailbox_split("fax@else.example"))),
	    "fax@else.example");
	assert_int_equal(hide_address(&c, (struct mailbox){ 0 }).domain.n, 0);
}

/* headers_rewrite, and what of the fields each rule sees. */
static void
masks(void **state)
{
	static const struct {
		const char *rules, *before, *after; /* NULL: nothing changes */
		unsigned field;
	} what[] = {
		{ "*@* me@isp.example frs", "From: root@c0ffee\n", "From: me@isp.example\n",
		    MASK_FROM },
		{ "*@* me@isp.example frs", "From: Root <root@c0ffee>\n",
		    "From: Root <me@isp.example>\n", MASK_FROM },
		{ "*@* me@isp.example frs", "To: root@c0ffee\n", NULL, MASK_TO },
		{ "* me@isp.example", "To: root@c0ffee\n", "To: me@isp.example\n", MASK_TO },
		{ "*@* me@isp.example h", "Cc: a@b, c@d\n", "Cc: me@isp.example, me@isp.example\n",
		    MASK_CC },
		{ "*@+local_domains $1@isp.example frs", "From: fax@debian, x@y.example\n",
		    "From: fax@isp.example, x@y.example\n", MASK_FROM },
		{ "*@debian ${1}@isp.example f : fax@isp.example f@far.example f",
		    "From: FAX@Debian\n", "From: f@far.example\n", MASK_FROM },
		{ "root@* me@isp.example s", "Sender: root@x.example\n", "Sender: me@isp.example\n",
		    MASK_SENDER },
		{ "root@* me@isp.example s", "Sender: fax@x.example\n", NULL, MASK_SENDER },
		{ "*@*.internal me@isp.example", "Reply-To: a@b.internal\n",
		    "Reply-To: me@isp.example\n", MASK_REPLY_TO },
		{ "*@*.internal me@isp.example", "Reply-To: a@internal.b\n", NULL, MASK_REPLY_TO },
	};
	AUTO_ARENA struct arena a = { 0 };
	struct conf c;

	(void)state;
	for (size_t i = 0; i < sizeof what / sizeof *what; i++) {
		AUTO_BUF struct buf out = BUF_INIT(4096);
		bool changed;

		configure(&c, &a, "debian");
		c.headers_rewrite = what[i].rules;
		assert_true(hide_active(&c));
		changed = hide_field(&c, &a, what[i].field, str_of(what[i].before), &out);
		if (changed != (what[i].after != NULL) ||
		    (changed && !str_eq(buf_get(&out), str_of(what[i].after))))
			fail_msg("row %zu: %.*s", i, S_ARG(buf_get(&out)));
	}
	c.return_path = "me@isp.example";
	assert_string_equal(
	    mailbox_text(&a, hide_address(&c, mailbox_split("fax@debian"))), "me@isp.example");
	assert_int_equal(hide_address(&c, (struct mailbox){ 0 }).local.n, 0);
}

static int
enter_directory(void **state)
{
	char *path = strdup("/tmp/onehop-test-XXXXXX");

	*state = path;
	return path == NULL || mkdtemp(path) == NULL || chdir(path) != 0;
}

static int
leave_directory(void **state)
{
	(void)unlink("email-addresses");
	(void)rmdir("named");
	(void)!chdir("/");
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static void
finds_the_map(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf log = BUF_INIT(4096);
	AUTO_FD int fd = open("email-addresses", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
	const struct trace t = { .emit = collect, .ctx = &log };
	struct fail f = FAIL_INIT;
	struct rewrite r;
	struct conf c;

	configure(&c, &a, "debian");
	assert_int_equal(write(fd, "a: b@c\n", 7), 7);
	if (access("/etc/email-addresses", F_OK) != 0) { /* it would come first */
		c.file = arena_fmt(&a, "%s/onehop.conf", (const char *)*state);
		assert_true(rewrite_open(&r, &c, &a, &t, &f));
		assert_string_equal(
		    r.map.path, arena_fmt(&a, "%s/email-addresses", (char *)*state));
	}
	c.email_addresses = "email-addresses";
	assert_true(rewrite_open(&r, &c, &a, &t, &f));
	assert_string_equal(arena_strz(&a, r.map.text), "a: b@c\n");
	assert_string_equal(r.map.path, "email-addresses");
	assert_int_equal(log.n, 0);

	c.email_addresses = "named/missing";
	assert_true(rewrite_open(&r, &c, &a, &t, &f));
	assert_null(r.map.path);
	assert_non_null(strstr(log.p, "there is no file named/missing"));

	assert_int_equal(mkdir("named", 0755), 0);
	c.email_addresses = "named";
	assert_false(rewrite_open(&r, &c, &a, &t, &f));
	assert_int_equal(f.stage, STAGE_CONFIG);
	assert_non_null(strstr(f.text, "named"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_senders),
		cmocka_unit_test(qualifies_others),
		cmocka_unit_test(maps_envelope),
		cmocka_unit_test(masquerades),
		cmocka_unit_test(masks),
		cmocka_unit_test_setup_teardown(finds_the_map, enter_directory, leave_directory),
	};

	return cmocka_run_group_tests_name("rewrite", tests, NULL, NULL);
}
