/* fuzz_command.c - any client: an address that is taken may be used, and where a message ends does
 * not depend on how its octets arrive, nor is it anywhere but behind a lone dot. */
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "front/command.h"
#include "front/dots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool ok)
{
	if (!ok)
		abort();
}

static void
one_command(struct str line)
{
	AUTO_ARENA struct arena a = { NULL };
	struct fail f = FAIL_INIT;
	struct str argument;
	struct mail_command m;
	struct rcpt_command r;
	uint64_t n;
	bool last;

	(void)command_verb(line, &argument);
	(void)command_helo_ok(argument);
	(void)!command_bdat(argument, &n, &last, &f);
	if (command_mail(&a, argument, &m, &f))
		check(m.sender.local.n == 0 || mailbox_fault(m.sender) == NULL);
	else
		check(f.smtp >= 500 && f.text[0] != '\0');
	if (command_rcpt(&a, argument, false, &r, &f))
		check(mailbox_fault(r.rcpt) == NULL && !str_8bit(r.rcpt.local));
}

/* The text of in, in pieces of at most step octets; returns how many octets belong to it. */
static size_t
undot(struct str in, bool bare_lf, size_t step, struct buf *out)
{
	struct dots d = { .bare_lf = bare_lf };
	size_t used = 0;

	while (used < in.n && !d.ended) {
		struct str part = str_at(in.p + used, in.n - used < step ? in.n - used : step);
		size_t n = part.n;

		while (part.n > 0 && !d.ended)
			buf_put(out, dots_next(&d, &part));
		used += n - part.n;
	}
	return d.ended ? used : SIZE_MAX;
}

static void
one_text(struct str in, bool bare_lf)
{
	AUTO_BUF struct buf whole = BUF_INIT(1 << 24);
	AUTO_BUF struct buf bytes = BUF_INIT(1 << 24);
	size_t used = undot(in, bare_lf, SIZE_MAX, &whole);
	struct str end = bare_lf ? STR(".\n") : STR("\r\n.\r\n");

	check(used == undot(in, bare_lf, 1, &bytes));
	check(used == SIZE_MAX || str_eq(buf_get(&whole), buf_get(&bytes)));
	if (used == SIZE_MAX || (!bare_lf && used == 3))
		return;
	if (bare_lf && used >= 3 && in.p != NULL && in.p[used - 2] == '\r')
		end = STR(".\r\n");
	check(used >= end.n && str_eq(str_at(in.p + used - end.n, end.n), end));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str all = str_at((const char *)data, size);
	struct str rest = all;

	while (rest.p != NULL)
		one_command(str_cut(&rest, '\n'));
	one_text(all, false);
	one_text(all, true);
	return 0;
}
