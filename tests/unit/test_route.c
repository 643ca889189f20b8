/* test_route.c - where recipients live, by a written aliases file, user list and homes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "route_cases.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct world {
	struct home homes[3];
	struct buf trace;
};

static int
exists(void *ctx, const char *user)
{
	static const char *const users[] = { "root", "alice", "bob", "fax", "daemon", "mail" };

	(void)ctx;
	if (strcmp(user, "unsure") == 0)
		return -1;
	for (size_t i = 0; i < sizeof users / sizeof users[0]; i++)
		if (strcmp(users[i], user) == 0)
			return 1;
	return 0;
}

static bool
look(void *ctx, const char *user, bool skip_forward, struct probe *out, struct fail *f)
{
	struct world *w = ctx;

	*out = (struct probe){ .found = PROBE_MAILBOX };
	assert_string_not_equal(user, "root");
	for (struct home *h = w->homes; h < w->homes + 3 && h->user != NULL; h++) {
		if (strcmp(h->user, user) != 0)
			continue;
		if (h->fails != NULL)
			return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "%s", h->fails);
		if (!skip_forward || h->probe.found != PROBE_FORWARD)
			*out = h->probe;
	}
	return true;
}

static void
note(void *ctx, enum trace_kind kind, struct str line)
{
	struct world *w = ctx;

	buf_fmt(&w->trace, "%s%.*s\n", kind == TRACE_LOG ? "LOG " : "", S_ARG(line));
}

static const char *const outcomes[] = {
	[ROUTE_DELIVER] = "deliver",
	[ROUTE_PARENT] = "parent",
	[ROUTE_DISCARD] = "discard",
	[ROUTE_FAIL] = "fail",
	[ROUTE_DEFER] = "defer",
};

/* "text outcome router transport user=U hosts=H : reason <- parent\n" */
static void
show(struct buf *out, const struct route *r)
{
	buf_fmt(out, "%s %s", r->text, outcomes[r->outcome]);
	if (r->router != NULL)
		buf_fmt(out, " %s", r->router);
	if (r->transport != TRANSPORT_NONE)
		buf_fmt(out, " %s", transport_name(r->transport));
	if (r->user != NULL)
		buf_fmt(out, " user=%s", r->user);
	if (r->hosts != NULL)
		buf_fmt(out, " hosts=%s", r->hosts);
	if (r->outcome == ROUTE_FAIL || r->outcome == ROUTE_DEFER)
		buf_fmt(out, ": %s", fail_of(r->fail)->text);
	if (r->parent != NULL)
		buf_fmt(out, " <- %s", r->parent->text);
	buf_char(out, '\n');
}

static void
set(struct conf *c, const char *settings)
{
	struct str rest = str_of(settings);

	while (rest.n > 0) {
		struct assignment one = { .value = str_cut(&rest, ' '),
			.where = { "test.conf", 1 } };
		struct fail f = FAIL_INIT;

		one.name = str_cut(&one.value, '=');
		if (!conf_set(c, &one, &f))
			fail_msg("%s", f.text);
	}
}

static void
prepare(struct conf *c, struct arena *a, const char *settings)
{
	conf_init(c, a);
	set(c, "primary_hostname=debian qualify_domain=debian smarthost=smtp.isp.example");
	set(c, settings);
}

static void
run(const struct test *t)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf out = BUF_INIT(1 << 20);
	struct world w = { .trace = BUF_INIT(1 << 20) };
	struct trace trace = { note, &w };
	struct routes all = { NULL, 0 };
	struct conf c;
	struct route_env e = { .conf = &c,
		.arena = &a,
		.aliases = { .path = "/etc/aliases",
		    .text = str_of(t->aliases != NULL ? t->aliases : "") },
		.hubbed_hosts = { .path = "/etc/hubs",
		    .text = str_of(t->hubbed != NULL ? t->hubbed : "") },
		.trace = &trace,
		.probe = look,
		.user_exists = exists,
		.ctx = &w };

	memcpy(w.homes, t->homes, sizeof w.homes);
	prepare(&c, &a, t->conf != NULL ? t->conf : "");
	route_address(&e, mailbox_split(t->recipient), !t->qualified, t->recipient, &all);
	for (size_t i = 0; i < all.n; i++) {
		show(&out, all.list[i]);
		assert_string_equal(all.list[i]->original, t->recipient);
	}
	if (!str_eq(buf_get(&out), str_of(t->routes)))
		fail_msg("%s:\n%.*sand not\n%s", t->name, S_ARG(buf_get(&out)), t->routes);
	if (t->trace != NULL && !str_eq(buf_get(&w.trace), str_of(t->trace)))
		fail_msg("%s:\n%.*sand not\n%s", t->name, S_ARG(buf_get(&w.trace)), t->trace);
	buf_free(&w.trace);
}

static void
test_routers(void **state)
{
	(void)state;
	for (size_t i = 0; i < route_ncases; i++)
		run(&route_cases[i]);
}

static void
test_forwards(void **state)
{
	(void)state;
	for (size_t i = 0; i < forward_ncases; i++)
		run(&forward_cases[i]);
}

static struct route_env
with_aliases(struct conf *c, struct arena *a, struct world *w)
{
	return (struct route_env){ .conf = c,
		.arena = a,
		.aliases = { .path = "/etc/aliases" },
		.probe = look,
		.user_exists = exists,
		.ctx = w };
}

/* An alias that doubles at every step: 2^20 addresses, if nobody stopped it. */
static void
test_bomb(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf aliases = BUF_INIT(4096);
	struct routes all = { NULL, 0 };
	struct world w = { .trace = BUF_INIT(1) };
	struct conf c;
	struct route_env e = with_aliases(&c, &a, &w);

	(void)state;
	for (int i = 0; i < 20; i++)
		buf_fmt(&aliases, "b%d: b%d, b%d\n", i, i + 1, i + 1);
	prepare(&c, &a, "recipients_max=1000");
	e.aliases.text = buf_get(&aliases);
	route_address(&e, mailbox_split("b0@debian"), true, "b0@debian", &all);
	assert_true(all.n >= 1000 && all.n <= 2000 + 64);
	assert_int_equal(all.list[all.n - 1]->outcome, ROUTE_FAIL);
	assert_string_equal(fail_of(all.list[all.n - 1]->fail)->text,
	    "b0@debian becomes more than 1000 addresses (recipients_max)");
}

/* An alias may be as many addresses as a message may have recipients; one more is refused whole. */
static void
test_large_alias(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf aliases = BUF_INIT(1 << 22);
	struct routes all = { NULL, 0 };
	struct world w = { .trace = BUF_INIT(1) };
	struct conf c;
	struct route_env e = with_aliases(&c, &a, &w);

	(void)state;
	buf_str(&aliases, "all: x0@far.example");
	for (int i = 1; i < 10001; i++)
		buf_fmt(&aliases, ",\n x%d@far.example", i);
	prepare(&c, &a, "recipients_max=10001");
	e.aliases.text = buf_get(&aliases);
	route_address(&e, mailbox_split("all@debian"), true, "all@debian", &all);
	assert_int_equal(all.n, 10002);
	for (size_t i = 1; i < all.n; i++)
		assert_int_equal(all.list[i]->outcome, ROUTE_DELIVER);
	all = (struct routes){ NULL, 0 };
	c.recipients_max = 10000;
	route_address(&e, mailbox_split("all@debian"), true, "all@debian", &all);
	assert_int_equal(all.n, 1);
	assert_int_equal(all.list[0]->outcome, ROUTE_FAIL);
	assert_string_equal(fail_of(all.list[0]->fail)->text,
	    "error in redirect data: the list has more than 10000 items (/etc/aliases:1)");
	all = (struct routes){ NULL, 0 };
	c.recipients_max = 0;
	route_address(&e, mailbox_split("all@debian"), true, "all@debian", &all);
	assert_int_equal(all.n, 10002);
}

static void
test_unknown_user_is_said_as_such(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct routes all = { NULL, 0 };
	struct world w = { .trace = BUF_INIT(1) };
	struct conf c;
	struct route_env e = {
		.conf = &c, .arena = &a, .probe = look, .user_exists = exists, .ctx = &w
	};

	(void)state;
	prepare(&c, &a, "");
	route_address(&e, mailbox_split("nosuch@debian"), true, "nosuch@debian", &all);
	assert_int_equal(all.n, 1);
	assert_string_equal(fail_of(all.list[0]->fail)->dsn, "5.1.1");
	assert_int_equal(fail_exit_code(all.list[0]->fail), 67);
}

/* loc-dup: one copy for a mailbox and an original domain; Envelope-to names all. */
static void
test_merge(void **state)
{
	static const char *const recipients[] = { "fax@debian", "fax@localhost", "ali@debian",
		"real-fax@debian", "x@far.example", "far@debian", "X@far.example" };
	AUTO_ARENA struct arena a = { NULL };
	struct routes all = { NULL, 0 };
	struct world w = { .trace = BUF_INIT(1) };
	const char *const *to;
	struct conf c;
	struct route_env e = { .conf = &c,
		.arena = &a,
		.aliases = { .path = "/etc/aliases",
		    .text = STR("ali: fax\nfar: x@Far.example\n") },
		.probe = look,
		.user_exists = exists,
		.ctx = &w };
	size_t n, deliveries = 0;

	(void)state;
	prepare(&c, &a, "");
	for (size_t i = 0; i < sizeof recipients / sizeof recipients[0]; i++)
		route_address(&e, mailbox_split(recipients[i]), false, recipients[i], &all);
	route_merge(&all, &a);
	for (size_t i = 0; i < all.n; i++)
		deliveries += all.list[i]->outcome == ROUTE_DELIVER;
	assert_int_equal(deliveries, 4);
	to = route_envelope_to(&all, all.list[0], &a, &n);
	assert_int_equal(n, 3);
	assert_string_equal(to[0], "fax@debian");
	assert_string_equal(to[1], "ali@debian");
	assert_string_equal(to[2], "real-fax@debian");
	to = route_envelope_to(&all, all.list[1], &a, &n);
	assert_int_equal(n, 1);
	assert_string_equal(to[0], "fax@localhost");
	to = route_envelope_to(&all, all.list[5], &a, &n);
	assert_int_equal(n, 2);
	assert_string_equal(to[1], "far@debian");
}

static void
test_open(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct conf c;
	struct route_env e = { .conf = &c, .arena = &a };
	struct fail f = FAIL_INIT;

	(void)state;
	prepare(&c, &a, "aliases=/nonexistent/aliases hubbed_hosts=/nonexistent/hubs");
	assert_true(route_open(&e, &f));
	assert_null(e.aliases.path);
	assert_null(e.hubbed_hosts.path);
	set(&c, "aliases=/dev/zero");
	assert_false(route_open(&e, &f));
	assert_non_null(strstr(f.text, "/dev/zero is not a regular file"));
}

int
main(void)
{
	const struct CMUnitTest all[] = {
		cmocka_unit_test(test_routers),
		cmocka_unit_test(test_forwards),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_large_alias),
		cmocka_unit_test(test_unknown_user_is_said_as_such),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(all, NULL, NULL);
}
