/* fuzz_queued.c - a -H file of any bytes whose checksum is right: what is read can be written, and
 * is the same when it is read again; one whose checksum is wrong is refused.  As Exim's own file
 * any bytes are read or refused. */
#include <stdlib.h>

#include "spool/option.h"
#include "spool/queued.h"
#include "spool/spool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* Where the options end: behind four lines and those that begin with "-". */
static size_t
options_end(struct str s)
{
	struct str rest = s;

	for (size_t i = 0; i < 4 || str_starts(rest, STR("-")); i++) {
		size_t n = str_find(rest, '\n');

		if (n == rest.n)
			return s.n;
		rest = str_skip(rest, n + 1);
	}
	return s.n - rest.n;
}

static void
write_again(const struct queued *q, const struct queued_body *body, struct buf *out)
{
	struct fail f = FAIL_INIT;

	must(queued_write(q, body, out, &f));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf text = BUF_INIT(SPOOL_HEADER_MAX), first = text, second = text;
	struct str s = str_at((const char *)data, size), before = str_at(s.p, options_end(s));
	struct queued q = { .arena = &a }, p = q;
	struct queued_body body;
	struct fail f = FAIL_INIT;
	char sum[65];

	must(queued_read_exim(s, &q, &f) || (f.cls == FAIL_PERM && f.stage == STAGE_SPOOL));
	q = p;
	must(!queued_read(s, &q, &body, &f) || memmem(data, size, SUM_OPTION, 15) != NULL);
	must(option_sum(before, str_skip(s, before.n), sum, &f));
	buf_put(&text, before);
	buf_fmt(&text, SUM_OPTION "%s\n", sum);
	buf_put(&text, str_skip(s, before.n));
	if (!queued_read(buf_get(&text), &q, &body, &f)) {
		must(f.cls == FAIL_PERM && f.stage == STAGE_SPOOL);
		return 0;
	}
	write_again(&q, &body, &first);
	must(queued_read(buf_get(&first), &p, &body, &f));
	write_again(&p, &body, &second);
	must(str_eq(buf_get(&first), buf_get(&second)));
	return 0;
}
