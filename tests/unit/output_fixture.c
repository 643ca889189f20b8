/* output_fixture.c - a message, and what of it is on the wire. */
#include "output_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/mime.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct message
output_message(struct arena *a, struct str header, struct str body)
{
	struct message m = { .arena = a, .body = { .mem = body.p, .fd = -1 } };
	uint64_t column = 0;

	assert_true(mime_fields(&m, header));
	body_count(&m.body, body, &column);
	return m;
}

void
output_all(const struct message *m, const struct output_plan *plan, bool stuff, struct buf *wire)
{
	struct output o = { .m = m, .plan = *plan, .stuff_dots = stuff };
	struct fail f = FAIL_INIT;
	bool more = true;

	while (more) {
		size_t before = wire->n;

		assert_true(output_next(&o, wire, &more, &f));
		assert_true(wire->n - before <= 65536);
	}
	assert_true(buf_ok(wire));
}
