/* test_plan.c - what is encoded because the wire cannot carry it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "output_fixture.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* What the wire cannot carry: NUL, and 8-bit text for a server without 8BITMIME. */
static void
encodes_what_the_wire_cannot_carry(void **state)
{
#define QP "Content-Transfer-Encoding: quoted-printable\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\n"
#define SIGNED "Content-Type: multipart/signed; boundary=b\n"
#define RFC822 "Content-Type: message/rfc822\n"
	static const struct {
		struct str header, body;
		bool server_8bit, nul_left, needs_8bit;
		const char *wire; /* what stands in it */
	} rows[] = {
		{ STR("A: b\n"), STR("nine or more octets a\0b\n"), true, false, false,
		    " octets a=00b\r\n" },
		{ STR("A: b\n"), STR("nine or more octets, all of them of ASCII \xc3\xa4\0\n"),
		    true, false, false, " ASCII =C3=A4=00\r\n" },
		{ STR("A: b\n"), STR("nine or more octets \xc3\xa4\n"), true, false, true,
		    " octets \xc3\xa4\r\n" },
		{ STR("A: b\n"), STR("nine or more octets \xc3\xa4\n"), false, false, false,
		    " octets =C3=A4\r\n" },
		{ STR("A: b\nContent-Transfer-Encoding: 8bit\n"),
		    STR("nine or more octets \xc3\xa4\n"), false, false, false,
		    " octets =C3=A4\r\n" },
		{ STR(MIXED),
		    STR("--b\n\nnine or more octets a\0b\n--b\n" RFC822
			"\nA: b\n\n\xc3\xa4\n--b--\n"),
		    false, false, true, " octets a=00b\r\n" },
		/* hands off */
		{ STR(MIXED), STR("--b\n\na\n--b\n" RFC822 "\nA: b\n\nx\0y\n--b--\n"), true, true,
		    false, "" },
		{ STR("DKIM-Signature: v=1\n"), STR("a\0b\n"), true, true, false, "" },
		{ STR("DKIM-Signature: v=1\n"), STR("\xc3\xa4\n"), false, false, true,
		    "\xc3\xa4\r\n" },
		{ STR(SIGNED), STR("--b\n\na\0b\n--b--\n"), true, true, false, "" },
		{ STR(MIXED), STR("\0\n--b\n\na\n--b--\n"), true, true, false, "" },
		{ STR(QP), STR("a\0b\n"), true, true, false, "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_ARENA struct arena a = { NULL };
		AUTO_BUF struct buf wire = BUF_INIT(65536);
		struct message m = output_message(&a, rows[i].header, rows[i].body);
		struct output_plan plan = output_plan(&m, rows[i].server_8bit);

		output_all(&m, &plan, true, &wire);
		if (plan.has_nul != rows[i].nul_left || plan.needs_8bit != rows[i].needs_8bit ||
		    memmem(wire.p, wire.n, rows[i].wire, strlen(rows[i].wire)) == NULL ||
		    (memchr(wire.p, '\0', wire.n) != NULL) != rows[i].nul_left)
			fail_msg("row %zu: \"%.*s\"", i, S_ARG(buf_get(&wire)));
	}
}

/* Without 8BITMIME each part with 8-bit text is encoded.  The LF in front of a boundary is the
 * boundary's. */
static void
encodes_8bit_along(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf body = BUF_INIT(65536), wire = BUF_INIT(65536);
	struct output_plan plan;
	struct message m;

	(void)state;
	buf_str(&body, "--b\n\nx=y\n--b\n\n\xc3\xa4\n--b\n\nx\n--b--\n");
	m = output_message(&a, STR("Content-Type: multipart/mixed; boundary=b\n"), buf_get(&body));
	assert_true(output_plan(&m, true).needs_8bit);
	plan = output_plan(&m, false);
	assert_false(plan.needs_8bit);
	output_all(&m, &plan, false, &wire);
	assert_non_null(strstr(wire.p, "\r\n\r\nx=y\r\n--b\r\n"));
	assert_non_null(strstr(wire.p,
	    "\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: base64\r\n\r\nw6Q=\r\n--b\r\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(encodes_what_the_wire_cannot_carry),
		cmocka_unit_test(encodes_8bit_along),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
