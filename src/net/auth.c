/* auth.c - logging in: the ladder of mechanisms. */
#include "net/auth.h"

#include "conf/redact.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { NAMES_MAX = 256 };

bool
auth_external(const struct session *s, const struct conf *c)
{
	return s->tls && c->tls_certificate[0] != '\0' && caps_offers(&s->caps, STR("EXTERNAL"));
}

/* What there is to be given on this link; what would show a secret only where that is allowed. */
static unsigned
at_hand(const struct session *s, const struct login *a)
{
	const struct secret *secret = a->secret;
	bool clear_ok = a->secure || a->conf->auth_client_allow_notls_passwords;
	bool login = clear_ok && secret->login.n > 0;
	bool token = str_starts(secret->password, SECRET_TOKEN_MARK);

	return (auth_external(s, a->conf) ? GIVE_CERTIFICATE : 0U) | (login ? GIVE_NAME : 0U) |
	    (login && !token ? GIVE_PASSWORD : 0U) | (login && token ? GIVE_TOKEN : 0U) |
	    (s->binding.n > 0 ? GIVE_BINDING : 0U);
}

/* The mechanisms in the order in which they are tried. */
static size_t
order(const struct conf *c, unsigned list[MECHANISMS])
{
	struct str rest = str_of(c->auth_mechanisms);
	size_t n = 0;

	if (str_trim(rest).n == 0)
		for (; n < MECHANISMS; n++)
			list[n] = (unsigned)n;
	while (rest.p != NULL && n < MECHANISMS) {
		struct str word = str_trim(str_cut(&rest, ' '));

		for (unsigned i = 0; i < MECHANISMS && n < MECHANISMS; i++)
			if (str_ieq(word, str_of(ladder[i].name)))
				list[n++] = i;
	}
	return n;
}

/* Those that could be tried here: bits. */
static unsigned
usable(const struct session *s, const struct login *a)
{
	unsigned have = at_hand(s, a), bits = 0, list[MECHANISMS];
	size_t n = order(a->conf, list);

	for (size_t i = 0; i < n; i++)
		if ((ladder[list[i]].given & ~have) == 0 &&
		    caps_offers(&s->caps, str_of(ladder[list[i]].name)))
			bits |= 1U << list[i];
	return bits;
}

static bool
next(const struct session *s, const struct login *a, unsigned *which)
{
	unsigned open = usable(s, a) & ~a->over, list[MECHANISMS];
	size_t n = order(a->conf, list);

	for (size_t i = 0; i < n; i++)
		if (open & 1U << list[i]) {
			*which = list[i];
			return a->refusals < AUTH_REFUSALS_MAX;
		}
	return false;
}

static bool
has_word(struct str list, const char *word)
{
	struct str one;

	while ((one = str_word(&list)).n > 0)
		if (str_eq(one, str_of(word)))
			return true;
	return false;
}

/* The mechanisms that fail together with this one when the password is wrong, which are not tried
 * then.  Where auth_mechanisms names mechanisms each of them is tried. */
static unsigned
family(const struct login *a, unsigned which)
{
	unsigned bits = 1U << which;
	bool alone = ladder[which].family == 0 || a->conf->auth_mechanisms[0] != '\0';

	for (unsigned i = 0; i < MECHANISMS && !alone; i++)
		if (ladder[i].family == ladder[which].family)
			bits |= 1U << i;
	return bits;
}

/* ------------------------------------------------------------------ the sentence */

static const char *
names(unsigned bits, const char *between, char out[NAMES_MAX])
{
	int n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < MECHANISMS && n < NAMES_MAX; i++)
		if (bits & 1U << i)
			n += snprintf(out + n, (size_t)(NAMES_MAX - n), "%s%s",
			    n > 0 ? between : "", ladder[i].name);
	return out;
}

static const char *
where(const struct login *a)
{
	return a->secret->login.n > 0 ? a->secret->where : "tls_certificate";
}

static bool
no_mechanism(const struct session *s, const struct login *a, struct fail *f)
{
	if (s->caps.mechanisms[0] == '\0')
		return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0,
		    "%s does not offer AUTH, and mail is not sent to it without the login of %s",
		    s->host, where(a));
	return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0,
	    "%s offers the logins %s; none of them can be used with %s (auth_mechanisms is %s)",
	    s->host, s->caps.mechanisms, where(a),
	    a->conf->auth_mechanisms[0] != '\0' ? a->conf->auth_mechanisms : "automatic");
}

bool
auth_explain(const struct session *s, const struct login *a, struct fail *f)
{
	unsigned rest = usable(s, a) & ~(a->tried | a->left_out);
	char list[NAMES_MAX];
	size_t n;

	*f = a->why;
	f->cls = FAIL_TEMP;
	if (a->tried == 0)
		fail_prefix(f, "the login of %s cannot be used with %s", where(a),
		    names(a->left_out, ", ", list));
	else
		fail_prefix(f, "%s refused the login of %s with %s", s->host, where(a),
		    names(a->tried, ", ", list));
	n = strlen(f->text);
	if (rest != 0)
		(void)snprintf(f->text + n, sizeof f->text - n,
		    "; auth_mechanisms = %s would try that alone", names(rest, " ", list));
	else
		(void)snprintf(f->text + n, sizeof f->text - n,
		    "; check the password, or set auth_mechanisms");
	return false;
}

/* ------------------------------------------------------------------ the ladder */

static bool
tell(struct login *a, enum login_news what, unsigned bit, const char *words)
{
	char name[NAMES_MAX];
	const struct login_told t = { what, a->secret, names(bit, " ", name), words };
	struct fail ignored = FAIL_INIT; /* what the server says is what counts */
	AUTO_BUF struct buf none = BUF_INIT(1);

	return a->tell == NULL || a->secret->login.n == 0 || a->tell(a->ctx, &t, &none, &ignored);
}

/* What cost a connection of late is left out where there is something else. */
static bool
begin(const struct session *s, struct login *a, struct fail *f)
{
	const struct login_told t = { .what = LOGIN_BEGINS, .secret = a->secret };
	AUTO_BUF struct buf left_out = BUF_INIT(LOGIN_NAMES_MAX);
	unsigned bits = 0;

	if (a->begun || a->tell == NULL || a->secret->login.n == 0)
		return true;
	if (!a->tell(a->ctx, &t, &left_out, f))
		return false;
	a->begun = true;
	for (unsigned i = 0; i < MECHANISMS; i++)
		if (has_word(buf_get(&left_out), ladder[i].name))
			bits |= 1U << i;
	if ((usable(s, a) & ~bits) != 0)
		a->over |= bits;
	return true;
}

void
auth_over(struct login *a)
{
	if (a->begun)
		(void)tell(a, LOGIN_OVER, 0, NULL);
	a->begun = false;
}

static void
hang_up(struct login *a, unsigned bit)
{
	a->hung_up |= bit;
	(void)tell(a, LOGIN_HUNG_UP, bit, NULL);
}

/* What became of it.  A connection that ends before the server has heard of this mechanism was
 * ended over the one before. */
static void
note(struct login *a, unsigned which, const struct spoken *r, const struct fail *why)
{
	unsigned bit = 1U << which;

	if (r->what == LOGIN_LOST && !r->begun && a->last != 0) {
		hang_up(a, a->last);
		return;
	}
	a->over |= r->refusal ? family(a, which) : bit;
	if (r->what == LOGIN_LEFT_OUT) {
		a->left_out |= bit;
		return;
	}
	a->tried |= bit;
	a->last = bit;
	if (r->what == LOGIN_LOST)
		hang_up(a, bit);
	a->refusals += r->refusal;
	if (r->refusal && !tell(a, LOGIN_NO, bit, why->text))
		a->refusals = AUTH_REFUSALS_MAX;
}

/* Of several reasons keep one: the server's words before its hanging up, and that before what our
 * own side cannot do. */
static void
keep_words(struct login *a, const struct fail *why)
{
	if (a->why.cls == FAIL_NONE || why->smtp != 0 ||
	    (a->why.smtp == 0 && (why->cls == FAIL_TEMP || a->why.cls == FAIL_USER)))
		a->why = *why;
}

static bool
unproven(const struct session *s, const struct login *a, unsigned which, struct fail *f)
{
	fail_prefix(f, "%s does not prove that it knows the password of %s (%s)", s->host, where(a),
	    ladder[which].name);
	(void)snprintf(f->text + strlen(f->text), sizeof f->text - strlen(f->text),
	    "; it gets no other mechanism, unless auth_mechanisms names one");
	return false;
}

static enum outcome
attempt(struct session *s, struct login *a, unsigned which, struct fail *f)
{
	struct spoken r;
	unsigned other;

	s->reply = (struct reply){ 0 };
	r = mechanism_speak(s, &ladder[which], a->secret, f);
	if (r.what == LOGIN_TAKEN) {
		s->auth = ladder[which].log;
		(void)tell(a, LOGIN_YES, 0, NULL);
		return r.what;
	}
	note(a, which, &r, f);
	if (r.what == LOGIN_LATER && next(s, a, &other) && !session_goodbye(s)) {
		r.what = LOGIN_LOST;
		hang_up(a, 1U << which);
	}
	if (r.what == LOGIN_LEFT_OUT)
		trace_line(s->trace, TRACE_LOG, "%s is left out: %s", ladder[which].name, f->text);
	if (r.what == LOGIN_UNPROVEN)
		(void)unproven(s, a, which, f);
	else
		keep_words(a, f);
	return r.what;
}

static bool
climb(struct session *s, struct login *a, struct fail *f)
{
	unsigned which;

	a->again = false;
	a->last = 0;
	if (!begin(s, a, f))
		return false;
	while (!s->dead && next(s, a, &which)) {
		struct fail why = FAIL_INIT;
		enum outcome what = attempt(s, a, which, &why);

		if (what == LOGIN_TAKEN)
			return true;
		/* others were refused before: that is said, too */
		if (what == LOGIN_LATER && (a->tried & (a->tried - 1)) != 0)
			return auth_explain(s, a, f);
		if (what == LOGIN_LATER || what == LOGIN_UNPROVEN || what == LOGIN_BROKEN) {
			*f = why;
			return false;
		}
	}
	if (a->why.cls == FAIL_NONE)
		return no_mechanism(s, a, f);
	a->again = s->dead && next(s, a, &which);
	if (!a->again)
		return auth_explain(s, a, f);
	*f = a->why;
	f->cls = FAIL_TEMP;
	return false;
}

bool
auth_login(struct session *s, struct login *a, struct fail *f)
{
	bool ok;

	s->secret = a->secret;
	s->show = secret_show;
	s->login = true;
	ok = climb(s, a, f);
	s->login = false;
	return ok;
}
