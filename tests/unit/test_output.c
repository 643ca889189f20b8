/* test_output.c - the wire form, and what becomes of long lines. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/b64.h"
#include "base/file.h"
#include "mail/fold.h"
#include "net/mime.h"
#include "output_fixture.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define COUNT(table) (sizeof(table) / sizeof(table)[0])
#define LONG_X 1200

/* Put the body into a file, as intake does with a large one. */
static void
to_file(struct message *m)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(fd_write_full(fd, m->body.mem, (size_t)m->body.size));
	m->body.mem = NULL;
	m->body.fd = fd;
}

static void
writes_lines(void **state)
{
	static const struct {
		struct str header, body;
		bool stuff;
		const char *wire;
	} rows[] = {
		{ { "", 0 }, { "", 0 }, true, "\r\n" },
		{ { "A: b\n", 5 }, { "", 0 }, true, "A: b\r\n\r\n" },
		{ { "A: b\n c\n", 8 }, { "d\n", 2 }, true, "A: b\r\n c\r\n\r\nd\r\n" },
		{ { "", 0 }, { ".\n..\n.x\nx.\n\n.\n", 14 }, true,
		    "\r\n..\r\n...\r\n..x\r\nx.\r\n\r\n..\r\n" },
		{ { ".a: b\n", 6 }, { ".\n", 2 }, true, "..a: b\r\n\r\n..\r\n" },
		{ { ".a: b\n", 6 }, { ".\n", 2 }, false, ".a: b\r\n\r\n.\r\n" },
		{ { "A: b\n", 5 }, { "no end", 6 }, true, "A: b\r\n\r\nno end\r\n" },
		{ { "", 0 }, { "a\rb\nc\n", 6 }, true, "\r\na\r\nb\r\nc\r\n" },
		/* what intake would not let in does not get out either */
		{ { "A: b\r\n", 6 }, { "a\r\nb\r.\rc\r\r\n.\r", 13 }, true,
		    "A: b\r\n\r\na\r\nb\r\n..\r\nc\r\n\r\n..\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_ARENA struct arena a = { NULL };
		AUTO_BUF struct buf wire = BUF_INIT(65536);
		struct message m = output_message(&a, rows[i].header, rows[i].body);
		struct output_plan plan = output_plan(&m, true);

		output_all(&m, &plan, rows[i].stuff, &wire);
		if (!str_eq(buf_get(&wire), str_of(rows[i].wire)))
			fail_msg("row %zu: \"%s\"", i, wire.p);
	}
}

/* A field cannot end the header section or begin another field, whatever became of its text. */
static void
keeps_fields_in_their_place(void **state)
{
	static const struct {
		const char *text, *wire;
	} rows[] = {
		{ "A: b\nBcc: c\n", "A: b\r\n Bcc: c\r\n" },
		{ "A: b\rBcc: c\n", "A: b\r\n Bcc: c\r\n" },
		{ "A: b\r\nBcc: c\r\n", "A: b\r\n Bcc: c\r\n" },
		{ "A: b\n\nbody\n", "A: b\r\n \r\n body\r\n" },
		{ "A: b\r\r.\r\n", "A: b\r\n \r\n .\r\n" },
		{ "A: b\n.\n", "A: b\r\n .\r\n" },
		{ "\nA: b\n", " \r\n A: b\r\n" },
		{ "A: b", "A: b\r\n" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_ARENA struct arena a = { NULL };
		AUTO_BUF struct buf wire = BUF_INIT(65536), want = BUF_INIT(65536);
		struct message m = output_message(&a, STR(""), STR(""));
		struct output_plan plan;

		message_append(&m, STR("Gone: x\n"));
		m.headers[0].type = H_DELETED;
		message_append(&m, str_of(rows[i].text));
		message_append(&m, STR("To: x\n"));
		plan = output_plan(&m, true);
		output_all(&m, &plan, true, &wire);
		buf_fmt(&want, "%sTo: x\r\n\r\n", rows[i].wire);
		if (!str_eq(buf_get(&wire), buf_get(&want)))
			fail_msg("row %zu: \"%s\"", i, wire.p);
	}
}

/* [sub-eightbit]: 288 octets, 10 lines and 1024. */
static void
gives_exims_size(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct message m = output_message(&a,
	    STR("Received: from alice by debian with local (Exim 4.96)\n"
		"\t(envelope-from <alice@debian>)\n\tid 1wNQEc-0005GW-2d\n\tfor x@far.example;\n"
		"\tTue, 24 Nov 2026 06:42:02 +0000\nSubject: \xc3\xa4\n"
		"Message-Id: <E1wNQEc-0005GW-2d@debian>\nFrom: Alice Liddell <alice@debian>\n"
		"Date: Tue, 24 Nov 2026 06:42:02 +0000\n"),
	    STR("\xc3\xb6\n"));

	(void)state;
	assert_int_equal(message_size(&m), 288);
	assert_int_equal(output_plan(&m, true).size, 1322);
	assert_true(output_plan(&m, true).needs_8bit);
	assert_false(output_plan(&m, false).needs_8bit);
	assert_false(output_plan(&m, false).long_lines);
}

static struct str
repeat(struct arena *a, const char *word, size_t n)
{
	AUTO_BUF struct buf b = BUF_INIT(1 << 24);

	while (n-- > 0)
		buf_str(&b, word);
	assert_true(buf_ok(&b));
	return arena_str(a, buf_get(&b));
}

static void
folds_long_fields_only(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	struct message m = output_message(&a, STR("A: b\n"), STR("c\n"));
	struct output_plan plan;
	struct str fits, too_long;

	(void)state;
	fits = str_of(arena_fmt(&a, "X: %s\n", repeat(&a, "x", LINE_MAX_OCTETS - 3).p));
	too_long = str_of(arena_fmt(&a, "Y: y%s\n", repeat(&a, " word", LINE_MAX_OCTETS).p));
	message_append(&m, fits);
	message_append(&m, too_long);
	for (int i = 0; i < 2; i++) { /* the second host gets the same */
		plan = output_plan(&m, true);
		assert_int_equal(plan.nheaders, 3);
		assert_ptr_equal(plan.headers[1].text.p, fits.p);
		assert_ptr_equal(m.headers[2].text.p, too_long.p);
		assert_false(fold_needed(plan.headers[2].text, LINE_MAX_OCTETS));
		assert_false(plan.long_lines);
	}
}

/* The header section and the body of what goes out; in bodies %s is a line of LONG_X x. */
static const struct {
	const char *header, *body;
	const char *want_header, *want_body; /* LF line ends; want_body NULL: as it is */
	bool long_lines;
} bodies[] = {
	{ "A: b\n", "short\n", "A: b\n", NULL, false },
	{ "A: b\n", "%s=\n",
	    "A: b\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n"
	    "Content-Transfer-Encoding: quoted-printable\n",
	    "Q=3D\n", false },
	{ "MIME-Version: 1.0\nContent-Type: text/html\nContent-transfer-encoding: 8bit\nTo: x\n",
	    "%s\xc3\xa4\n",
	    "MIME-Version: 1.0\nContent-Type: text/html\nTo: x\n"
	    "Content-Transfer-Encoding: quoted-printable\n",
	    "Q=C3=A4\n", false },
	{ "A: b\n", "%s\xc3\xa4\n",
	    "A: b\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
	    "Content-Transfer-Encoding: quoted-printable\n",
	    "Q=C3=A4\n", false },
	{ "A: b\n", "%s\xc3\n\xa4\n",
	    "A: b\nMIME-Version: 1.0\nContent-Type: text/plain; charset=unknown-8bit\n"
	    "Content-Transfer-Encoding: quoted-printable\n",
	    "Q=C3\n=A4\n", false },
	{ "Content-Type: application/json (really)\n", "%s\n",
	    "Content-Type: application/json (really)\nMIME-Version: 1.0\n"
	    "Content-Transfer-Encoding: quoted-printable\n",
	    "Q\n", false },
	/* hands off */
	{ "DKIM-Signature: v=1\n", "%s\n", "DKIM-Signature: v=1\n", NULL, true },
	{ "Content-Type: multipart/signed; boundary=b\n", "--b\n\n%s\n--b--\n",
	    "Content-Type: multipart/signed; boundary=b\n", NULL, true },
	{ "Content-Type: multipart/mixed\n", "--b\n\n%s\n--b--\n",
	    "Content-Type: multipart/mixed\n", NULL, true },
	{ "Content-Type: multipart/mixed; boundary=\"a\\b\"\n", "--ab\n\n%s\n--ab--\n",
	    "Content-Type: multipart/mixed; boundary=\"a\\b\"\n", NULL, true },
	{ "Content-Type: message/rfc822\n", "A: b\n\n%s\n", "Content-Type: message/rfc822\n", NULL,
	    true },
	{ "Content-Transfer-Encoding: quoted-printable\n", "%s\n",
	    "Content-Transfer-Encoding: quoted-printable\n", NULL, true },
	{ "Content-Transfer-Encoding: x-uuencode\n", "%s\n",
	    "Content-Transfer-Encoding: x-uuencode\n", NULL, true },
	{ "Content-Type: multipart/mixed; boundary=b\n", "%s\n--b\n\nx\n--b--\n",
	    "Content-Type: multipart/mixed; boundary=b\n", NULL, true },
	{ "Content-Type: multipart/digest; boundary=b\n", "--b\n\nA: c\n\n%s\n--b--\n",
	    "Content-Type: multipart/digest; boundary=b\n", NULL, true },
	{ "Content-Type: multipart/mixed; boundary=b\n", "--b\nno field\n\n%s\n--b--\n",
	    "Content-Type: multipart/mixed; boundary=b\n", NULL, true },
	{ "Content-Type: multipart/mixed; boundary=b\n", "--b\n\nx\n--b--\n--b\n\n%s\n",
	    "Content-Type: multipart/mixed; boundary=b\n", NULL, true },
	/* base64 in one line */
	{ "Content-Transfer-Encoding: BASE64\n", "%s\nab\n", "Content-Transfer-Encoding: BASE64\n",
	    "W\nab\n", false },
	/* one leaf of several */
	{ "Content-Type: multipart/mixed;\n boundary=\"b b\"; x=y\n",
	    "pre\n--b b\n\nshort\n--b b \nContent-Type: text/html\nContent-Transfer-Encoding: "
	    "7bit\n"
	    "X: y\n\n%s\n--b b-- \npost\n",
	    "Content-Type: multipart/mixed;\n boundary=\"b b\"; x=y\n",
	    "pre\n--b b\n\nshort\n--b b \nContent-Type: text/html\nX: y\n"
	    "Content-Transfer-Encoding: quoted-printable\n\nQ\n--b b-- \npost\n",
	    false },
	{ "Content-Type: Multipart/Mixed; a=\";\\\"\"; BOUNDARY = b\n",
	    "--b\n\n%s \n\n--b\nContent-Type: multipart/alternative; "
	    "boundary=bb\n\n--bb\n\n%s\n--bb\n\n"
	    "--b\nContent-Type: message/rfc822\n\nx\n",
	    "Content-Type: Multipart/Mixed; a=\";\\\"\"; BOUNDARY = b\n",
	    "--b\nContent-Type: text/plain; charset=us-ascii\n"
	    "Content-Transfer-Encoding: quoted-printable\n\nQ=20\n\n--b\nContent-Type: "
	    "multipart/alternative; boundary=bb\n\n--bb\nContent-Type: text/plain; "
	    "charset=us-ascii\n"
	    "Content-Transfer-Encoding: quoted-printable\n\nQ\n--bb\n\n"
	    "--b\nContent-Type: message/rfc822\n\nx\n",
	    false },
	/* without a closing boundary; without an empty line */
	{ "Content-Type: multipart/mixed; boundary=b\n", "--b\n\n%s\n",
	    "Content-Type: multipart/mixed; boundary=b\n",
	    "--b\nContent-Type: text/plain; charset=us-ascii\n"
	    "Content-Transfer-Encoding: quoted-printable\n\nQ\n",
	    false },
	{ "Content-Type: multipart/mixed; boundary=b\n", "--b\n--b\nA: b\n\n%s\n--b-- x\n--b--\n",
	    "Content-Type: multipart/mixed; boundary=b\n",
	    "--b\n--b\nA: b\nContent-Type: text/plain; charset=us-ascii\n"
	    "Content-Transfer-Encoding: quoted-printable\n\nQ\n--b-- x\n--b--\n",
	    false },
	{ "Content-Type: multipart/mixed; boundary=b\n",
	    "--b\n\nx\n--b\nContent-Transfer-Encoding: base64\n\n%s\n--b--\n",
	    "Content-Type: multipart/mixed; boundary=b\n",
	    "--b\n\nx\n--b\nContent-Transfer-Encoding: base64\n\nW\n--b--\n", false },
	{ "Content-Type: multipart/digest; boundary=b\n",
	    "--b\nContent-Type: text/plain\n\n%s\n--b--\n",
	    "Content-Type: multipart/digest; boundary=b\n",
	    "--b\nContent-Type: text/plain\nContent-Transfer-Encoding: "
	    "quoted-printable\n\nQ\n--b--\n",
	    false },
	/* only the part that is not signed */
	{ "Content-Type: multipart/mixed; boundary=b\n",
	    "--b\n\n%s\n--b\nContent-Type: multipart/signed; "
	    "boundary=c\n\n--c\n\n%s\n--c--\n\n--b--\n",
	    "Content-Type: multipart/mixed; boundary=b\n",
	    "--b\nContent-Type: text/plain; charset=us-ascii\n"
	    "Content-Transfer-Encoding: quoted-printable\n\nQ\n--b\n"
	    "Content-Type: multipart/signed; boundary=c\n\n--c\n\n%s\n--c--\n\n--b--\n",
	    true },
};

/* LONG_X x, with sep between each width of them. */
static void
put_x(struct buf *out, size_t width, const char *sep)
{
	for (size_t i = 0; i < LONG_X; i++) {
		if (i > 0 && i % width == 0)
			buf_str(out, sep);
		buf_char(out, 'x');
	}
}

/* s with LONG_X x for %s, and the same encoded or wrapped for a Q or W that begins a line. */
static void
expand(struct buf *out, const char *s, bool letters)
{
	for (bool start = true; *s != '\0'; start = *s++ == '\n') {
		if (s[0] == '%' && s[1] == 's') {
			put_x(out, LONG_X, "");
			s++;
		} else if (letters && start && *s == 'Q') {
			put_x(out, 73, "=\n");
		} else if (letters && start && *s == 'W') {
			put_x(out, 76, "\n");
		} else {
			buf_char(out, *s);
		}
	}
}

static void
to_crlf(struct buf *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			buf_char(out, '\r');
		buf_char(out, s.p[i]);
	}
}

static void
check_body(size_t i, bool file)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf body = BUF_INIT(65536), want = BUF_INIT(65536);
	AUTO_BUF struct buf wire = BUF_INIT(65536), lines = BUF_INIT(65536);
	const char *same = bodies[i].want_body == NULL ? bodies[i].body : bodies[i].want_body;
	struct output_plan plan;
	struct message m;

	expand(&body, bodies[i].body, false);
	buf_fmt(&lines, "%s\n", bodies[i].want_header);
	expand(&lines, same, bodies[i].want_body != NULL);
	to_crlf(&want, buf_get(&lines));
	m = output_message(&a, str_of(bodies[i].header), buf_get(&body));
	if (file)
		to_file(&m);
	(void)output_plan(&m, true); /* for a host that did not answer */
	plan = output_plan(&m, true);
	output_all(&m, &plan, true, &wire);
	body_close(&m.body);
	if (!str_eq(buf_get(&wire), buf_get(&want)))
		fail_msg("row %zu: \"%s\", want \"%s\"", i, wire.p, want.p);
	if (plan.long_lines != bodies[i].long_lines)
		fail_msg("row %zu: long_lines", i);
	if (plan.size < wire.n)
		fail_msg("row %zu: size %zu, said %zu", i, wire.n, (size_t)plan.size);
}

static void
encodes_what_is_too_long(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bodies); i++) {
		check_body(i, false);
		check_body(i, true);
	}
}

/* Mostly 8-bit: base64; the octets come back. */
static void
chooses_base64(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf wire = BUF_INIT(1 << 20), code = BUF_INIT(1 << 20);
	AUTO_BUF struct buf back = BUF_INIT(1 << 20), want = BUF_INIT(1 << 20);
	struct str text = repeat(&a, "\xc3\xa4", 70000), line, rest;
	struct message m = output_message(&a, STR("A: b\n"), text);
	struct output_plan plan = output_plan(&m, false);

	(void)state;
	assert_false(plan.needs_8bit);
	assert_false(plan.long_lines);
	output_all(&m, &plan, true, &wire);
	assert_true(plan.size >= wire.n && plan.size < wire.n + 2048);
	rest = buf_get(&wire);
	while (str_cut(&rest, '\n').n > 1)
		continue;
	while (rest.p != NULL) {
		line = str_trim(str_cut(&rest, '\n'));
		assert_true(line.n <= 76);
		buf_put(&code, line);
	}
	assert_true(b64_decode(&back, buf_get(&code)));
	assert_true(str_eq(buf_get(&back), text));
}

/* Lines of all lengths through a file and several calls. */
static void
writes_large_bodies(void **state)
{
	enum { LINES = 3000 };
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf body = BUF_INIT(1 << 24), want = BUF_INIT(1 << 24);
	AUTO_BUF struct buf wire = BUF_INIT(1 << 24);
	struct fail f = FAIL_INIT;
	struct output_plan plan;
	struct message m;
	struct output o = { .m = &m };
	bool more = true;

	(void)state;
	for (size_t i = 0; i < LINES; i++) {
		buf_put(&body, repeat(&a, i % 3 == 0 ? "." : "y", i % 900));
		buf_char(&body, '\n');
	}
	m = output_message(&a, STR("A: b\n"), buf_get(&body));
	to_file(&m);
	plan = output_plan(&m, true);
	output_all(&m, &plan, false, &wire);
	buf_str(&want, "A: b\r\n\r\n");
	to_crlf(&want, buf_get(&body));
	assert_true(str_eq(buf_get(&wire), buf_get(&want)));
	assert_true(plan.size >= wire.n);

	/* The file is cut behind our back: an error, not a short message. */
	assert_int_equal(ftruncate(m.body.fd, 100000), 0);
	buf_reset(&wire);
	o.plan = plan;
	while (more && output_next(&o, &wire, &more, &f))
		continue;
	assert_true(more);
	assert_int_equal(f.cls, FAIL_TEMP);
	assert_int_equal(f.stage, STAGE_DATA);
	body_close(&m.body);
}

static void
says_when_memory_ends(void **state)
{
	AUTO_ARENA struct arena a = { NULL };
	AUTO_BUF struct buf wire = BUF_INIT(10);
	struct message m = output_message(&a, STR("A: b\n"), STR("123456\n"));
	struct output o = { .m = &m, .plan = output_plan(&m, true) };
	struct fail f = FAIL_INIT;
	bool more = true;

	(void)state;
	assert_false(output_next(&o, &wire, &more, &f));
	assert_int_equal(f.cls, FAIL_TEMP);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_lines),
		cmocka_unit_test(keeps_fields_in_their_place),
		cmocka_unit_test(gives_exims_size),
		cmocka_unit_test(folds_long_fields_only),
		cmocka_unit_test(encodes_what_is_too_long),
		cmocka_unit_test(chooses_base64),
		cmocka_unit_test(writes_large_bodies),
		cmocka_unit_test(says_when_memory_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
