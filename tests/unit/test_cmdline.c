/* test_cmdline.c - sendmail's command line: the meaning of each flag, alone and in company. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "front/cmdline.h"

/* What a command line came to, in one line: only what differs from the default is said. */
static void
describe(const struct cmdline *c, struct buf *out)
{
	static const char *const names[] = { "submit", "list", "count", "json", "status", "smtp",
		"batch", "test", "verify", "version", "options", "aliases", "rewrite", "daemon",
		"queue", "message", "help" };

	buf_str(out, names[c->mode]);
	if (c->extract)
		buf_str(out, " t");
	if (c->dot_is_text)
		buf_str(out, " i");
	if (c->bare)
		buf_str(out, " bare");
	if (c->verbose)
		buf_str(out, " v");
	if (c->debug)
		buf_str(out, " d");
	if (c->sender != NULL)
		buf_fmt(out, " f=%s", c->sender);
	if (c->name != NULL)
		buf_fmt(out, " F=%s", c->name);
	if (c->config != NULL)
		buf_fmt(out, " C=%s", c->config);
	if (c->envid != NULL)
		buf_fmt(out, " V=%s", c->envid);
	if (c->notify != 0)
		buf_fmt(out, " N=%u", c->notify);
	if (c->ret != 0)
		buf_fmt(out, " R=%u", c->ret);
	if (c->body_declared != 0)
		buf_fmt(out, " B=%u", c->body_declared);
	if (c->delivery >= 0)
		buf_fmt(out, " od=%d", c->delivery);
	for (size_t i = 0; i < c->narguments; i++)
		buf_fmt(out, " <%s>", c->arguments[i]);
	if (c->warnings.n > 0)
		buf_str(out, " !");
}

/* Words are separated by one blank; ~ is an empty word. */
static const struct {
	const char *line, *want;
} rows[] = {
	{ "sendmail x@y", "submit <x@y>" },
	{ "/usr/sbin/sendmail x@y z", "submit <x@y> <z>" },
	{ "sendmail -t", "submit t" },
	{ "sendmail -ti", "submit t i" },
	{ "sendmail -it", "submit t i" },
	{ "sendmail -toi", "submit t i" },
	{ "sendmail -i -t -oem -oi", "submit t i" },
	{ "sendmail -oi x", "submit i <x>" },
	{ "sendmail -oitrue x", "submit i <x>" },
	{ "sendmail -o i x", "submit i <x>" },
	{ "sendmail -FCronDaemon -i -B8BITMIME -oem root", "submit i F=CronDaemon B=8 <root>" },
	{ "sendmail -f a@b x", "submit f=a@b <x>" },
	{ "sendmail -fa@b x", "submit f=a@b <x>" },
	{ "sendmail -f <> x", "submit f=<> <x>" },
	{ "sendmail -f ~ x", "submit f= <x>" },
	{ "sendmail -r a@b x", "submit f=a@b <x>" },
	{ "sendmail -tf a@b", "submit t f=a@b" },
	{ "sendmail -F Me x", "submit F=Me <x>" },
	{ "sendmail x -i -f a@b y", "submit i f=a@b <x> <y>" },
	{ "sendmail -- -i -f", "submit <-i> <-f>" },
	{ "sendmail -N never x", "submit N=1 <x>" },
	{ "sendmail -oDSN N=never x", "submit N=1 <x>" },
	{ "sendmail -oDSN n=never -oDSNR=hdrs -oDSN V=e1 x", "submit V=e1 N=1 R=2 <x>" },
	{ "sendmail -oDSN Q=1 x", "submit <x> !" },
	{ "sendmail -ov -z text x", "submit v <x>" },
	{ "sendmail -bpi", "list" },
	{ "sendmail -bpri", "list" },
	{ "sendmail -N success,delay x", "submit N=10 <x>" },
	{ "sendmail -Nfailure x", "submit N=4 <x>" },
	{ "sendmail -N never,failure x", "submit N=1 <x>" },
	{ "sendmail -N sometimes x", "submit <x> !" },
	{ "sendmail -R hdrs -V id x", "submit V=id R=2 <x>" },
	{ "sendmail -Rfull -Vid x", "submit V=id R=1 <x>" },
	{ "sendmail -R some x", "submit <x> !" },
	{ "sendmail -B 7BIT x", "submit B=7 <x>" },
	{ "sendmail -B 9BIT x", "submit <x> !" },
	{ "sendmail -v x", "submit v <x>" },
	{ "sendmail -d x", "submit d <x>" },
	{ "sendmail -d0.1 x", "submit d <x>" },
	{ "sendmail -C /f x", "submit C=/f <x>" },
	{ "sendmail -odi x", "submit od=0 <x>" },
	{ "sendmail -odf x", "submit od=0 <x>" },
	{ "sendmail -odb x", "submit od=1 <x>" },
	{ "sendmail -odq x", "submit od=2 <x>" },
	{ "sendmail -odqs x", "submit od=2 <x>" },
	{ "sendmail -odz x", "submit <x> !" },
	{ "sendmail -O DeliveryMode=q x", "submit od=2 <x>" },
	{ "sendmail -OQueueDirectory=/tmp x", "submit <x>" },
	{ "sendmail -em x", "submit <x>" },
	{ "sendmail -ep -oee -oeq -oew x", "submit <x>" },
	{ "sendmail -m -om -n -o7 -o8 -oo -U -G -I x", "submit <x>" },
	{ "sendmail -h 3 x", "submit <x>" },
	{ "sendmail -h3 x", "submit <x>" },
	{ "sendmail -oMr smtp x", "submit <x>" },
	{ "sendmail -oMrsmtp x", "submit <x>" },
	{ "sendmail -oMa 1.2.3.4 -oMai id -oMs host x", "submit <x>" },
	{ "sendmail -L tag -p smtp:host -X /etc/passwd -D /x -Ac -Am x", "submit <x>" },
	{ "sendmail -Z x", "submit <x> !" },
	{ "sendmail -iZt x", "submit i <x> !" },
	{ "sendmail --strange x", "submit <x> !" },
	{ "sendmail - x", "submit <x> !" },
	{ "sendmail -bm x", "submit <x>" },
	{ "sendmail -b m x", "submit <x>" },
	{ "sendmail -bp", "list" },
	{ "sendmail -bpu", "list" },
	{ "sendmail -bpc", "count" },
	{ "sendmail -bpj", "json" },
	{ "sendmail -bs", "smtp" },
	{ "sendmail -bS", "batch" },
	{ "sendmail -bnq -bS", "batch bare" },
	{ "sendmail -bnqt x", "submit t bare <x>" },
	{ "sendmail -bt fax -v", "test v <fax>" },
	{ "sendmail -bv fax", "verify <fax>" },
	{ "sendmail -bvs fax", "verify <fax>" },
	{ "sendmail -bV", "version" },
	{ "sendmail --version", "version" },
	{ "sendmail --help", "help" },
	{ "sendmail -bP tls", "options <tls>" },
	{ "sendmail -bi", "aliases" },
	{ "sendmail -brw fax", "rewrite <fax>" },
	{ "sendmail -bd", "daemon" },
	{ "sendmail -q", "queue" },
	{ "sendmail -qff", "queue" },
	{ "sendmail -q30m", "queue" },
	{ "sendmail -Mrm 1abcde-000001-00", "message <1abcde-000001-00>" },
	{ "/usr/bin/mailq", "list" },
	{ "newaliases", "aliases" },
	{ "runq", "queue" },
	{ "/usr/sbin/rsmtp -odq", "batch od=2" },
	{ "rmail x", "submit i <x>" },
	/* refused: to go on could send what was not to be sent, or lose a value */
	{ "sendmail -bz x", "error" },
	{ "sendmail -be ${run{/bin/id}}", "error" },
	{ "sendmail -bh 1.2.3.4", "error" },
	{ "sendmail x -f", "error" },
	{ "sendmail x -N", "error" },
};

static char **
split(struct arena *a, const char *line, int *argc)
{
	struct str rest = str_of(line);
	char **argv = arena_array(a, 32, sizeof *argv);

	*argc = 0;
	while (rest.p != NULL) {
		struct str word = str_cut(&rest, ' ');

		argv[(*argc)++] = arena_strz(a, str_eq(word, STR("~")) ? STR("") : word);
	}
	return argv;
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		AUTO_ARENA struct arena a = { NULL };
		AUTO_BUF struct buf got = BUF_INIT(4096);
		struct cmdline c;
		struct fail f = FAIL_INIT;
		int argc;
		char **argv = split(&a, rows[i].line, &argc);

		if (cmdline_parse(&c, &a, argc, argv, &f)) {
			describe(&c, &got);
		} else {
			assert_int_equal(fail_exit_code(&f), 64);
			buf_str(&got, "error");
		}
		if (strcmp(got.p, rows[i].want) != 0)
			fail_msg("%s: got \"%s\", want \"%s\"", rows[i].line, got.p, rows[i].want);
		cmdline_free(&c);
	}
}

static void
test_no_argv(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	char *argv[] = { NULL };
	struct cmdline c;
	struct fail f = FAIL_INIT;

	(void)state;
	assert_true(cmdline_parse(&c, &a, 0, argv, &f));
	assert_int_equal(c.mode, MODE_SUBMIT);
	cmdline_free(&c);
}

static void
test_help(void **state)
{
	AUTO_BUF struct buf out = BUF_INIT(65536);

	(void)state;
	cmdline_help(&out);
	assert_non_null(strstr(out.p, "  -f addr\t"));
	assert_non_null(strstr(out.p, "  -bV\t"));
	assert_null(strstr(out.p, "-oMr"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_argv),
		cmocka_unit_test(test_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
