/* test_resolve.c - addresses, localhost, and the reading of SRV replies; no network. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "net/lookup.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static unsigned
port_of(const struct endpoint *e)
{
	return ntohs(e->addr.ss_family == AF_INET6 ?
		((const struct sockaddr_in6 *)&e->addr)->sin6_port :
		((const struct sockaddr_in *)&e->addr)->sin_port);
}

static const struct resolve_options at_587 = { .default_port = 587 },
				    at_25 = { .default_port = 25 };

static void
takes_addresses(void **state)
{
	static const struct {
		const char *name, *ip;
		bool loopback, private;
	} cases[] = {
		{ "192.0.2.25", "192.0.2.25", false, false },
		{ "127.0.0.1", "127.0.0.1", true, true },
		{ "127.255.0.9", "127.255.0.9", true, true },
		{ "128.0.0.1", "128.0.0.1", false, false },
		{ "2001:db8:0::1", "2001:db8::1", false, false },
		{ "::1", "::1", true, true },
		{ "::", "::", false, false },
		{ "::ffff:127.0.0.1", "::ffff:127.0.0.1", true, true },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.1", false, false },
		{ "fe80::1%lo", "fe80::1", false, true },
		{ "fe80::1%7", "fe80::1", false, true },
		{ "fe80::1%no-such-link", NULL, false, false },
		{ "192.0.2", NULL, false, false },
		{ "587", NULL, false, false },
		{ "", NULL, false, false },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111", NULL, false, false },
		{ "10.255.0.1", "10.255.0.1", false, true },
		{ "11.0.0.1", "11.0.0.1", false, false },
		{ "172.15.0.1", "172.15.0.1", false, false },
		{ "172.16.0.1", "172.16.0.1", false, true },
		{ "172.31.255.1", "172.31.255.1", false, true },
		{ "172.32.0.1", "172.32.0.1", false, false },
		{ "192.168.1.1", "192.168.1.1", false, true },
		{ "192.169.1.1", "192.169.1.1", false, false },
		{ "169.254.1.1", "169.254.1.1", false, true },
		{ "fd00::1", "fd00::1", false, true },
		{ "fe00::1", "fe00::1", false, false },
		{ "::ffff:10.0.0.1", "::ffff:10.0.0.1", false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct host h = { .kind = HOST_ADDRESS, .name = cases[i].name };
		struct fail f = FAIL_INIT;
		struct resolved r = { .n = 0 };

		if (!resolve_host(&a, &h, &at_587, &r, &f)) {
			assert_null(cases[i].ip);
			assert_int_equal(f.cls, FAIL_TEMP);
			assert_int_equal(f.stage, STAGE_RESOLVE);
			assert_int_equal(r.n, 0);
			continue;
		}
		assert_int_equal(r.n, 1);
		assert_string_equal(r.list[0].ip, cases[i].ip);
		assert_string_equal(r.name, cases[i].name);
		assert_string_equal(r.canonical, cases[i].name);
		assert_int_equal(r.list[0].loopback, cases[i].loopback);
		assert_int_equal(r.list[0].private, cases[i].private);
		assert_int_equal(port_of(&r.list[0]), 587);
		h.port = 2525;
		assert_true(resolve_host(&a, &h, &at_587, &r, &f));
		assert_int_equal(port_of(&r.list[0]), 2525);
	}
}

static void
takes_paths(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct host h = { .kind = HOST_LMTP, .name = "/run/lmtp" };
	struct resolved r;
	struct fail f = FAIL_INIT;
	char path[200];

	(void)state;
	assert_true(resolve_host(&a, &h, &at_25, &r, &f));
	assert_int_equal(r.n, 1);
	assert_true(r.list[0].loopback);
	assert_string_equal(r.list[0].ip, "");
	assert_string_equal(((struct sockaddr_un *)&r.list[0].addr)->sun_path, "/run/lmtp");
	memset(path, 'x', sizeof(path));
	path[199] = '\0';
	h.name = path;
	assert_false(resolve_host(&a, &h, &at_25, &r, &f));
}

/* An address of this machine, with the port asked for. */
static void
is_here(const struct endpoint *e, const char *ip)
{
	assert_string_equal(e->ip, ip);
	assert_true(e->loopback);
	assert_int_equal(port_of(e), 2525);
}

/* RFC 6761 section 6.3: no file and no name server is asked, so there is neither child nor
 * deadline. */
static void
knows_localhost(void **state)
{
	static const struct {
		const char *name;
		unsigned family;
		const char *first, *second;
	} cases[] = {
		{ "localhost", 0, "127.0.0.1", "::1" },
		{ "localhost", 1, "127.0.0.1", NULL },
		{ "localhost", 2, "::1", NULL },
		{ "LOCALHOST", 0, "127.0.0.1", "::1" },
		{ "localhost.", 0, "127.0.0.1", "::1" },
		{ "smtp.localhost", 1, "127.0.0.1", NULL },
		{ "a.b.LocalHost.", 2, "::1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct host h = { .kind = HOST_NAME, .name = cases[i].name, .port = 2525 };
		struct resolve_options o = { 25, cases[i].family, clock_ms() - 1, NULL, NULL };
		struct fail f = FAIL_INIT;
		struct resolved r = { .n = 0 };

		assert_true(resolve_host(&a, &h, &o, &r, &f));
		assert_int_equal(r.n, cases[i].second == NULL ? 1 : 2);
		is_here(&r.list[0], cases[i].first);
		if (cases[i].second != NULL)
			is_here(&r.list[1], cases[i].second);
		assert_string_equal(r.name, cases[i].name);
		assert_string_equal(r.canonical, cases[i].name);
		h.kind = HOST_SRV;
		assert_false(resolve_host(&a, &h, &o, &r, &f));
		assert_non_null(strstr(f.text, "no _submissions"));
	}
}

static void
asks_for_what_only_looks_like_localhost(void **state)
{
	static const char *const names[] = { "localhost.example", "notlocalhost", "localhost.." };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		AUTO_ARENA struct arena a = { 0 };
		struct host h = { .kind = HOST_NAME, .name = names[i], .port = 2525 };
		struct resolve_options o = { 25, 0, clock_ms() - 1, NULL, NULL };
		struct fail f = FAIL_INIT;
		struct resolved r = { .n = 0 };

		assert_false(resolve_host(&a, &h, &o, &r, &f));
		assert_non_null(strstr(f.text, "in time"));
	}
}

static void
asks_a_child(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct host h = { .kind = HOST_NAME, .name = "smtp.example" };
	struct resolved r = { .n = 0 };
	struct fail f = FAIL_INIT;

	(void)state;
	/* The deadline is over: the child is killed, whatever it would have said. */
	assert_false(resolve_host(
	    &a, &h, &(struct resolve_options){ 25, 0, clock_ms() - 1, NULL, NULL }, &r, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(f.stage, STAGE_RESOLVE);
	assert_non_null(strstr(f.text, "smtp.example"));
	assert_int_equal(r.n, 0);
	/* No name at all, so that no name server is asked. */
	h.name = "no..host";
	assert_false(resolve_host(
	    &a, &h, &(struct resolve_options){ 25, 0, clock_ms() + 20000, NULL, NULL }, &r, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(f.stage, STAGE_RESOLVE);
	assert_non_null(strstr(f.text, "no..host"));
	h.kind = HOST_SRV;
	assert_false(resolve_host(
	    &a, &h, &(struct resolve_options){ 25, 0, clock_ms() + 20000, NULL, NULL }, &r, &f));
	assert_non_null(strstr(f.text, "_submission"));
}

/* A reply with a question and these records; each rdata is given as bytes. */
#define HEADER(questions, answers) "\0\0\x81\x80\0" questions "\0" answers "\0\0\0\0"
#define QUESTION "\1s\2ex\0\0\x21\0\1"
#define RR(type, len) "\xc0\x0c\0" type "\0\1\0\0\0\1\0" len

static void
reads_services(void **state)
{
	static const char good[] = HEADER("\1", "\5") QUESTION
	    /* a CNAME is passed over */
	    RR("\x05", "\2") "\xc0\x0c" RR("\x21", "\x0a") "\0\x14\0\0\2\x4b\1c\xc0\x0e" RR(
		"\x21", "\x0a") "\0\x0a\0\1\2\x4b\1a\xc0\x0e" RR("\x21",
		"\x0a") "\0\x0a\0\x09\1\xd1\1b\xc0\x0e"
	    /* "." says that there is none */
	    RR("\x21", "\7") "\0\0\0\0\0\0\0";
	struct target t[8];
	size_t n = 0, len = sizeof(good) - 1;

	(void)state;
	assert_true(lookup_parse_srv((const unsigned char *)good, len, t, COUNT(t), &n));
	assert_int_equal(n, 3);
	assert_string_equal(t[0].name, "b.ex");
	assert_int_equal(t[0].port, 465);
	assert_string_equal(t[1].name, "a.ex");
	assert_int_equal(t[1].port, 587);
	assert_string_equal(t[2].name, "c.ex");
	assert_true(lookup_parse_srv((const unsigned char *)good, len, t, 2, &n));
	assert_int_equal(n, 2);
	/* Cut anywhere it is no reply, and nothing behind the end is read. */
	for (size_t i = 0; i < len; i++) {
		unsigned char *cut = malloc(i > 0 ? i : 1);

		assert_non_null(cut);
		memcpy(cut, good, i);
		n = 99;
		assert_false(lookup_parse_srv(cut, i, t, COUNT(t), &n));
		assert_int_equal(n, 99);
		free(cut);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_addresses),
		cmocka_unit_test(takes_paths),
		cmocka_unit_test(knows_localhost),
		cmocka_unit_test(asks_for_what_only_looks_like_localhost),
		cmocka_unit_test(asks_a_child),
		cmocka_unit_test(reads_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
