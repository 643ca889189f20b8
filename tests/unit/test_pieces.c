/* test_pieces.c - what becomes of recipients (send/decide.h): a row for each case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "send/decide.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Pieces are written as words, one each:
 *   how     s smarthost  o another list  x a list with LMTP  l lmtp  m maildir
 *           p became others  b discarded  f undeliverable  e cannot be routed now
 *   state   W waiting  S sent  T refused for now  R refused for good  K kept
 *   more    d done  h a failure of the hosts  ! a right is missing  r a server's reply  =N the same
 * delivery as piece N */
enum { PIECES = 6 }; /* and one behind the last, which nobody may look at */

struct set {
	struct route route[PIECES];
	struct route *list[PIECES];
	struct rcpt result[PIECES + 1];
	struct fail fail[PIECES + 1];
	bool done[PIECES];
	struct routes routes;
};

static const struct how {
	char letter;
	enum route_outcome outcome;
	enum transport transport;
	const char *hosts;
} hows[] = {
	{ 's', ROUTE_DELIVER, TRANSPORT_SMARTHOST, "isp" },
	{ 'o', ROUTE_DELIVER, TRANSPORT_SMARTHOST, "other" },
	{ 'x', ROUTE_DELIVER, TRANSPORT_SMARTHOST, "lmtp:/run/x" },
	{ 'l', ROUTE_DELIVER, TRANSPORT_LMTP, "lmtp:/run/x" },
	{ 'm', ROUTE_DELIVER, TRANSPORT_MAILDIR, NULL },
	{ 'p', ROUTE_PARENT, TRANSPORT_NONE, NULL },
	{ 'b', ROUTE_DISCARD, TRANSPORT_NONE, NULL },
	{ 'f', ROUTE_FAIL, TRANSPORT_NONE, NULL },
	{ 'e', ROUTE_DEFER, TRANSPORT_NONE, NULL },
};

static enum rcpt_state
state_of(char letter)
{
	static const char letters[] = "WSTRK";

	return (enum rcpt_state)(strchr(letters, letter) - letters);
}

static void
add_more(struct set *s, size_t i, const char *more)
{
	struct rcpt *r = &s->result[i];

	for (; *more != '\0' && *more != ' '; more++) {
		if (*more == 'd')
			s->done[i] = true;
		if (*more == 'h')
			s->fail[i].stage = STAGE_CONNECT;
		if (*more == '!')
			s->fail[i].stage = STAGE_DOOR;
		if (*more == 'r')
			r->host = "h";
		if (*more == '=')
			s->route[i].same_as = &s->route[*++more - '0'];
	}
}

static struct pieces
set(struct set *s, const char *words)
{
	*s = (struct set){ .routes = { .list = s->list } };
	for (const char *w = words; *w != '\0';) {
		size_t i = s->routes.n++;
		const struct how *how = hows;

		while (how->letter != w[0])
			how++;
		s->list[i] = &s->route[i];
		s->route[i].outcome = how->outcome;
		s->route[i].transport = how->transport;
		s->route[i].hosts = s->result[i].hosts = how->hosts;
		s->result[i].state = state_of(w[1]);
		s->result[i].fail = &s->fail[i];
		s->fail[i].stage = STAGE_LOCAL;
		s->fail[i].cls = w[1] == 'T' ? FAIL_TEMP : w[1] == 'R' ? FAIL_PERM : FAIL_NONE;
		add_more(s, i, w + 2);
		w = strchr(w, ' ') != NULL ? strchr(w, ' ') + 1 : "";
	}
	s->result[s->routes.n].state = RCPT_RETRY;
	s->result[s->routes.n].fail = &s->fail[s->routes.n];
	s->fail[s->routes.n].stage = STAGE_DOOR;
	return (struct pieces){ &s->routes, s->result, s->done };
}

/* What is so is in the text: S single  L lacks a right  F has failed  H hopeless  R has reached  O
 * over */
static const struct {
	const char *pieces, *so;
} sets[] = {
	{ "", "SO" },
	{ "sW", "S" },
	{ "sW sW", "S" },
	{ "sW sW sW", "S" },
	{ "sW sW sW sW", "" }, /* the limit of this test is 3 */
	{ "sW sW sW pW", "S" },
	{ "sW sW sW sS", "SR" },
	{ "sW oW", "" },
	{ "oW sW", "" },
	{ "sW xW", "" },
	{ "xW", "S" },
	{ "xW xW", "" },
	{ "lW", "S" },
	{ "lW lW", "" },
	{ "lW sW", "" },
	{ "sW lW", "" },
	{ "mW", "S" },
	{ "mW mW", "" },
	{ "mW sW", "" },
	{ "sW mW", "" },
	{ "pW sW", "S" },
	{ "pW mW", "S" },
	{ "pW sW mW", "" },
	{ "pW", "SO" },
	{ "bS", "SO" },
	{ "bS sW", "S" },
	{ "sS", "SRO" },
	{ "sSd", "SRO" },
	{ "sSd sW", "SR" },
	{ "sS mS", "SRO" },
	{ "mS", "SRO" },
	{ "fR", "FH" },
	{ "fR fR", "FH" },
	{ "pW fR", "FH" },
	{ "fRd", "FHO" },
	{ "fR sW", "F" },
	{ "sW fR", "F" },
	{ "fR bS", "F" },
	{ "fR sS", "FR" },
	{ "eT", "F" },
	{ "eT sW", "F" },
	{ "eTd", "FO" },
	{ "fR eT", "F" },
	{ "sT", "F" },
	{ "sTh", "F" },
	{ "sT sS", "FR" },
	{ "sR", "FH" },
	{ "sR sR", "FH" },
	{ "sR sS", "FR" },
	{ "sRd sS", "FRO" },
	{ "sK", "" },
	{ "mT!", "FL" },
	{ "mR!", "FH" },
	{ "mW!", "S" },
	{ "sW mT!", "FL" },
	{ "mT! sW", "FL" },
	{ "pW mT!", "FL" },
	{ "mT", "F" },
};

static void
of_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		struct set s;
		const struct pieces p = set(&s, sets[i].pieces);
		char so[8];

		(void)snprintf(so, sizeof so, "%s%s%s%s%s%s", decide_is_single(&p, 3) ? "S" : "",
		    decide_has_failed(&p) ? "F" : "", decide_lacks_right(&p) ? "L" : "",
		    decide_is_hopeless(&p) ? "H" : "", decide_has_reached(&p) ? "R" : "",
		    decide_is_over(&p) ? "O" : "");
		if (strcmp(so, sets[i].so) != 0)
			fail_msg("'%s' is '%s', not '%s'", sets[i].pieces, so, sets[i].so);
	}
}

/* A letter for each piece for which it is so, else a dot. */
static void
of_each(void **state)
{
	static const struct {
		const char *pieces, *wanted, *remote, *local, *with, *waits; /* with the first */
	} rows[] = {
		{ "sW", "w", "r", ".", "g", "t" },
		{ "mW", "w", ".", "l", ".", "t" },
		{ "sW mW", "ww", "r.", ".l", "g.", "tt" },
		{ "sW oW", "ww", "rr", "..", "g.", "tt" },
		{ "oW sW oW", "www", "rrr", "...", "g.g", "ttt" },
		{ "xW lW", "ww", "rr", "..", "g.", "tt" },
		{ "lW lW", "ww", "rr", "..", "gg", "tt" },
		{ "sW sWd", "ww", "r.", "..", "g.", "t." },
		{ "sW sT", "ww", "r.", "..", "g.", "tt" },
		{ "sW sR", "ww", "r.", "..", "g.", "t." },
		{ "sW sS", "w.", "r.", "..", "g.", "t." },
		{ "sW sK", "ww", "r.", "..", "g.", "t." },
		{ "sTd", "w", ".", ".", ".", "." },
		{ "mWd", "w", ".", ".", ".", "." },
		{ "mT mS mR", "w.w", "...", "...", "...", "t.." },
		{ "pW pT", "..", "..", "..", "..", ".." },
		{ "bS fR eT", ".ww", "...", "...", "...", "..t" },
		{ "bW", "w", ".", ".", ".", "t" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct set s;
		const struct pieces p = set(&s, rows[i].pieces);

		for (size_t k = 0; k < s.routes.n; k++) {
			if (decide_is_wanted(&p, k) != (rows[i].wanted[k] == 'w') ||
			    decide_is_ours(&p, k, false) != (rows[i].remote[k] == 'r') ||
			    decide_is_ours(&p, k, true) != (rows[i].local[k] == 'l') ||
			    (s.route[0].hosts != NULL &&
				decide_goes_with(&p, 0, k) != (rows[i].with[k] == 'g')) ||
			    decide_waits(&p, k) != (rows[i].waits[k] == 't'))
				fail_msg("'%s', piece %zu", rows[i].pieces, k);
		}
	}
}

enum { NO = -1 };

static int
place(const struct set *s, const struct rcpt *r)
{
	return r != NULL ? (int)(r - s->result) : NO;
}

static const struct {
	const char *pieces;
	size_t first, end;
	char state;
	int by, via;
} becomes[] = {
	{ "sS", 0, 0, 'S', NO, NO }, /* nothing became of it */
	{ "sSr", 0, 1, 'S', NO, 0 },
	{ "mS", 0, 1, 'S', NO, NO },
	{ "mS sSr", 0, 2, 'S', NO, 1 },
	{ "sSr sSr", 0, 2, 'S', NO, 0 },
	{ "sSr sSr", 1, 2, 'S', NO, 1 },
	{ "sW", 0, 1, 'W', 0, NO },
	{ "sT", 0, 1, 'T', 0, NO },
	{ "sTr", 0, 1, 'T', 0, 0 },
	{ "sR", 0, 1, 'R', 0, NO },
	{ "sK", 0, 1, 'K', 0, NO },
	{ "sS sT", 0, 2, 'T', 1, NO },
	{ "sT sS", 0, 2, 'T', 0, NO },
	{ "sT sSr", 0, 2, 'T', 0, NO },
	{ "sSr sT", 0, 2, 'T', 1, 0 },
	{ "sS sR", 0, 2, 'R', 1, NO },
	{ "sR sS", 0, 2, 'R', 0, NO },
	{ "sS sW", 0, 2, 'W', 1, NO },
	{ "sW sS", 0, 2, 'W', 0, NO },
	{ "sW sR", 0, 2, 'R', 1, NO },
	{ "sR sW", 0, 2, 'R', 0, NO },
	{ "sW sT", 0, 2, 'T', 1, NO },
	{ "sT sW", 0, 2, 'T', 0, NO },
	{ "sR sT", 0, 2, 'T', 1, NO },
	{ "sT sR", 0, 2, 'T', 0, NO },
	{ "sT sK", 0, 2, 'T', 0, NO },
	{ "sK sT", 0, 2, 'K', 0, NO },
	{ "sT sT", 0, 2, 'T', 0, NO },
	{ "sR sR", 0, 2, 'R', 0, NO },
	{ "pW sS", 0, 2, 'S', NO, NO },
	{ "pT sS", 0, 2, 'S', NO, NO },
	{ "pR sSr", 0, 2, 'S', NO, 1 },
	{ "pW", 0, 1, 'S', NO, NO },
	{ "sT sS", 1, 2, 'S', NO, NO },
	{ "sS sT", 0, 1, 'S', NO, NO },
	{ "sT pW=0", 1, 2, 'T', 0, NO }, /* one delivery for two recipients */
	{ "sSr pW=0", 1, 2, 'S', NO, 0 },
	{ "sR pS=0", 1, 2, 'R', 0, NO },
	{ "sS sT pW=1", 2, 3, 'T', 1, NO },
	{ "sT sS pW=1", 2, 3, 'S', NO, NO },
	{ "bS", 0, 1, 'S', NO, NO },
	{ "fR", 0, 1, 'R', 0, NO },
	{ "eT", 0, 1, 'T', 0, NO },
};

static void
fates(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof becomes / sizeof becomes[0]; i++) {
		struct set s;
		const struct pieces p = set(&s, becomes[i].pieces);
		const struct fate f = decide_fate(&p, becomes[i].first, becomes[i].end);

		if (f.state != state_of(becomes[i].state) || place(&s, f.by) != becomes[i].by ||
		    place(&s, f.via) != becomes[i].via)
			fail_msg("'%s' from %zu: state %d by %d via %d", becomes[i].pieces,
			    becomes[i].first, (int)f.state, place(&s, f.by), place(&s, f.via));
	}
}

static void
blames(void **state)
{
	static const struct {
		const char *pieces;
		int own, hosts;
	} rows[] = {
		{ "", NO, NO },
		{ "sS", NO, NO },
		{ "sW", 0, NO },
		{ "sT", 0, NO },
		{ "sTh", NO, 0 },
		{ "sTh sTh", NO, 1 },
		{ "sT sT", 1, NO },
		{ "sTh sT", 1, 0 },
		{ "sT sTh", 0, 1 },
		{ "sTh oTh", NO, 1 },
		{ "mT", 0, NO },
		{ "mTh", 0, NO }, /* it has no host list */
		{ "eT", 0, NO },
		{ "eTh", 0, NO },
		{ "sR", NO, NO },
		{ "sRh", NO, NO },
		{ "sTd", NO, NO },
		{ "sThd sT", 1, NO },
		{ "pT", NO, NO },
		{ "pT sTh", NO, 1 },
		{ "sW sTh", 0, 1 },
		{ "sK", NO, NO },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct set s;
		const struct pieces p = set(&s, rows[i].pieces);
		const struct blame b = decide_blame(&p);

		if ((int)b.own != rows[i].own || (int)b.hosts != rows[i].hosts)
			fail_msg("'%s': %d, %d", rows[i].pieces, (int)b.own, (int)b.hosts);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_each),
		cmocka_unit_test(of_all),
		cmocka_unit_test(fates),
		cmocka_unit_test(blames),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
