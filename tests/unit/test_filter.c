/* test_filter.c - the network process's filter, for every architecture, run on calls as the kernel
 * would run it. */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "guard/filter.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { PID = 4711, ALLOW = 0, KILL = -1, UNKNOWN = -2, NO_FAMILY = -3, EPERM_EVERYWHERE = 1 };

/* As the machine's kernel lays it out. */
static uint32_t
word(const struct filter_machine *m, const struct seccomp_data *d, uint32_t at)
{
	unsigned argument = (at - (uint32_t)offsetof(struct seccomp_data, args)) / 8;

	if (at == offsetof(struct seccomp_data, nr))
		return (uint32_t)d->nr;
	if (at == offsetof(struct seccomp_data, arch))
		return d->arch;
	assert_true(argument < 6 && at % 4 == 0);
	return (
	    uint32_t)((at % 8 == 0) != m->big_endian ? d->args[argument] : d->args[argument] >> 32);
}

static bool
holds(uint16_t test, uint32_t have, uint32_t k)
{
	switch (BPF_OP(test)) {
	case BPF_JEQ:
		return have == k;
	case BPF_JGT:
		return have > k;
	case BPF_JGE:
		return have >= k;
	case BPF_JSET:
		return (have & k) != 0;
	default:
		fail_msg("an instruction that is not known: %x", test);
	}
	return false;
}

static uint32_t
run(const struct filter_machine *m, const struct filter_program *p, const struct seccomp_data *d)
{
	uint32_t have = 0;

	for (size_t at = 0; at < p->n; at++) {
		const struct sock_filter *i = &p->code[at];

		if (BPF_CLASS(i->code) == BPF_RET)
			return i->k;
		if (BPF_CLASS(i->code) == BPF_LD)
			have = word(m, d, i->k);
		else
			at += holds(i->code, have, i->k) ? i->jt : i->jf;
	}
	fail_msg("%s: it has no end", m->name);
	return 0;
}

static uint32_t
answer(const struct filter_machine *m, int expect)
{
	bool mips = m->numbers == NR_MIPS64;

	switch (expect) {
	case ALLOW:
		return SECCOMP_RET_ALLOW;
	case KILL:
		return SECCOMP_RET_KILL_PROCESS;
	case UNKNOWN:
		return SECCOMP_RET_ERRNO | (mips ? 89 : 38);
	case NO_FAMILY:
		return SECCOMP_RET_ERRNO | (mips ? 124 : 97);
	default:
		return SECCOMP_RET_ERRNO | (uint32_t)expect;
	}
}

static int
number(const struct filter_machine *m, const char *name)
{
	size_t n;
	const struct filter_call *c = filter_calls(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(c[i].name, name) == 0)
			return c[i].numbers[m->numbers];
	fail_msg("%s is not in calls.def", name);
	return -1;
}

static void
expect(const struct filter_machine *m, bool local, int nr, const uint64_t args[3], int expect)
{
	struct filter_program p;
	struct seccomp_data d = { .nr = nr, .arch = m->audit };
	uint32_t got;

	memcpy(d.args, args, 3 * sizeof *args);
	filter_make(m, PID, local, &p);
	assert_true(p.n < FILTER_CODE_MAX);
	got = run(m, &p, &d);
	if (got != answer(m, expect))
		fail_msg("%s: call %d: %#x, not %#x", m->name, nr, got, answer(m, expect));
}

static void
expect_call(const struct filter_machine *m, int nr, const uint64_t args[3], int expect_it)
{
	expect(m, false, nr, args, expect_it);
}

/* A call of every sort.  The upper half of an argument that the kernel does not look at changes
 * nothing. */
static const struct {
	const char *name;
	uint64_t args[3];
	int expect;
} rows[] = {
	{ "openat", { 0, 0, 0 }, ALLOW },
	{ "openat", { 0, 0, 02000000 }, ALLOW },
	{ "openat", { 0, 0, 1 }, EPERM_EVERYWHERE },
	{ "openat", { 0, 0, 2 }, EPERM_EVERYWHERE },
	{ "openat", { 0, 0, 01000 }, EPERM_EVERYWHERE },
	{ "openat", { 0, 0, 020200000 }, EPERM_EVERYWHERE },
	{ "openat", { 0, 0, UINT64_C(1) << 32 | 2 }, EPERM_EVERYWHERE },
	{ "open", { 0, 0, 0 }, ALLOW },
	{ "open", { 0, 1, 0 }, EPERM_EVERYWHERE },
	{ "socket", { AF_INET, 0, 0 }, ALLOW },
	{ "socket", { AF_INET6, 0, 0 }, ALLOW },
	{ "socket", { AF_PACKET, 0, 0 }, NO_FAMILY },
	{ "socket", { AF_UNIX, 0, 0 }, NO_FAMILY },
	{ "socketpair", { AF_UNIX, 0, 0 }, EPERM_EVERYWHERE },
	{ "socketcall", { 1, 0, 0 }, ALLOW },
	{ "socketcall", { 8, 0, 0 }, EPERM_EVERYWHERE },
	{ "socketcall", { 3, 0, 0 }, ALLOW },
	{ "socketcall", { 4, 0, 0 }, EPERM_EVERYWHERE },
	{ "socketcall", { 5, 0, 0 }, EPERM_EVERYWHERE },
	{ "socketcall", { 18, 0, 0 }, EPERM_EVERYWHERE },
	{ "tgkill", { PID, 0, 0 }, ALLOW },
	{ "tgkill", { PID + 1, 0, 0 }, EPERM_EVERYWHERE },
	{ "clone", { 0, 0, 0 }, ALLOW },
};

static void
answers_as_the_rules_say(void **state)
{
	size_t n, ncalls;
	const struct filter_machine *m = filter_machines(&n);
	const struct filter_call *calls = filter_calls(&ncalls);
	const uint64_t none[3] = { 0 };

	(void)state;
	for (; n > 0; n--, m++) {
		for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
			if (number(m, rows[i].name) >= 0)
				expect_call(
				    m, number(m, rows[i].name), rows[i].args, rows[i].expect);
		for (size_t i = 0; i < ncalls; i++) {
			static const int what[] = { [FILTER_KILL] = KILL,
				[FILTER_REFUSE] = EPERM_EVERYWHERE,
				[FILTER_UNKNOWN] = UNKNOWN };

			if (calls[i].what != FILTER_LOOK && calls[i].numbers[m->numbers] >= 0)
				expect_call(
				    m, calls[i].numbers[m->numbers], none, what[calls[i].what]);
		}
	}
}

/* Who looks names up asks others, through unix sockets. */
static void
has_unix_sockets_where_they_are_needed(void **state)
{
	size_t n;
	const struct filter_machine *m = filter_machines(&n);
	const uint64_t local[3] = { AF_UNIX, 0, 0 }, pair[3] = { 8, 0, 0 },
		       raw[3] = { AF_PACKET, 0, 0 };

	(void)state;
	for (; n > 0; n--, m++) {
		expect(m, true, number(m, "socket"), local, ALLOW);
		expect(m, true, number(m, "socket"), raw, NO_FAMILY);
		expect(m, true, number(m, "socketpair"), local, ALLOW);
		if (number(m, "socketcall") >= 0)
			expect(m, true, number(m, "socketcall"), pair, ALLOW);
	}
}

/* Where a number or a flag is another one, and what is no call of the machine's. */
static void
knows_the_machines(void **state)
{
	size_t n;
	const struct filter_machine *m = filter_machines(&n);
	const uint64_t none[3] = { 0 };

	(void)state;
	assert_true(n >= 9);
	for (; n > 0; n--, m++) {
		bool mips = m->numbers == NR_MIPS64, s390x = m->numbers == NR_S390X;
		const uint64_t makes[3] = { 0, 0, mips ? 0x100 : 0100 };
		const uint64_t namespace[3] = { s390x ? 0 : CLONE_NEWUSER,
			s390x ? CLONE_NEWUSER : 0, 0 };
		struct filter_program p;
		struct seccomp_data foreign = { .arch = m->audit ^ 0x80000000U };

		assert_int_equal(m->big_endian, s390x);
		expect_call(m, number(m, "openat"), makes, EPERM_EVERYWHERE);
		expect_call(m, number(m, "clone"), namespace, EPERM_EVERYWHERE);
		expect_call(m, mips ? 5450 : 450, none, UNKNOWN);
		expect_call(m, mips ? 5449 : 449, none, ALLOW);
		expect_call(m, 0x40000000 | number(m, "execve"), none, UNKNOWN); /* x32 */
		expect_call(m, 0x0f0005, none, m->numbers == NR_ARM ? ALLOW : UNKNOWN);
		expect_call(m, 0x0f0010, none, UNKNOWN);
		filter_make(m, PID, false, &p);
		assert_int_equal(run(m, &p, &foreign), SECCOMP_RET_KILL_PROCESS);
	}
}

#if FILTER_POSSIBLE
/* The table's numbers are this machine's own. */
static void
has_this_machines_numbers(void **state)
{
	const struct filter_machine *m = filter_here();

	(void)state;
	if (m == NULL)
		skip();
	assert_int_equal(number(m, "execve"), SYS_execve);
	assert_int_equal(number(m, "openat"), SYS_openat);
	assert_int_equal(number(m, "clone"), SYS_clone);
	assert_int_equal(number(m, "socket"), SYS_socket);
	assert_int_equal(number(m, "socketpair"), SYS_socketpair);
	assert_int_equal(number(m, "tgkill"), SYS_tgkill);
	assert_int_equal(number(m, "ptrace"), SYS_ptrace);
	assert_int_equal(number(m, "setresuid"), SYS_setresuid);
	assert_int_equal(number(m, "ftruncate"), SYS_ftruncate);
	assert_int_equal(number(m, "bpf"), SYS_bpf);
	assert_int_equal(number(m, "openat2"), SYS_openat2);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_as_the_rules_say),
		cmocka_unit_test(has_unix_sockets_where_they_are_needed),
		cmocka_unit_test(knows_the_machines),
#if FILTER_POSSIBLE
		cmocka_unit_test(has_this_machines_numbers),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
