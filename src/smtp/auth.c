/* auth.c - logging in: the ladder of mechanisms. */
#include "smtp/auth.h"

#include "base/b64.h"
#include "smtp/sasl.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { BLOB_MAX = 16384, B64_MAX = 2 * BLOB_MAX, STEPS_MAX = 8 };

enum kind { EXTERNAL, SCRAM, CRAM, PLAIN, LOGIN, OAUTHBEARER, XOAUTH2 };

/* What a mechanism is given: what it needs and, but for the certificate, all that it gets to see.
 * A binding that a SCRAM without -PLUS does not need would make libgsasl say "y" or fail. */
enum { NAME = 1, PASSWORD = 2, TOKEN = 4, BINDING = 8, CERTIFICATE = 16 };

static const struct mechanism {
	const char *name, *log; /* log: as Exim names its authenticators */
	enum kind kind;
	unsigned given;
} ladder[] = {
	{ "EXTERNAL", "external", EXTERNAL, CERTIFICATE },
	{ "SCRAM-SHA-256-PLUS", "scram_sha_256_plus", SCRAM, NAME | PASSWORD | BINDING },
	{ "SCRAM-SHA-256", "scram_sha_256", SCRAM, NAME | PASSWORD },
	{ "SCRAM-SHA-1-PLUS", "scram_sha_1_plus", SCRAM, NAME | PASSWORD | BINDING },
	{ "SCRAM-SHA-1", "scram_sha_1", SCRAM, NAME | PASSWORD },
	{ "CRAM-MD5", "cram_md5", CRAM, NAME | PASSWORD },
	{ "PLAIN", "plain", PLAIN, NAME | PASSWORD },
	{ "LOGIN", "login", LOGIN, NAME | PASSWORD },
	{ "OAUTHBEARER", "oauthbearer", OAUTHBEARER, NAME | TOKEN },
	{ "XOAUTH2", "xoauth2", XOAUTH2, NAME | TOKEN },
};
enum { LADDER = sizeof ladder / sizeof ladder[0] };

enum verdict {
	TAKEN, /* logged in */
	NEXT,  /* refused for good: the next mechanism, on the same connection */
	STOP,  /* *f says why: this host is given up for now */
};

static const struct str token_mark = { "oauth:", 6 };

static bool
is_token(const struct secret *secret)
{
	return str_starts(secret->password, token_mark);
}

bool
auth_external(const struct session *s, const struct conf *c)
{
	return s->tls && c->tls_certificate[0] != '\0' && caps_offers(&s->caps, STR("EXTERNAL"));
}

/* What there is to be given on this link; what would show a secret only where that is allowed. */
static unsigned
at_hand(const struct session *s, const struct conf *c, const struct secret *secret, bool clear_ok)
{
	bool login = clear_ok && secret->login.n > 0, token = is_token(secret);

	return (auth_external(s, c) ? CERTIFICATE : 0U) | (login ? NAME : 0U) |
	    (login && !token ? PASSWORD : 0U) | (login && token ? TOKEN : 0U) |
	    (s->binding.n > 0 ? BINDING : 0U);
}

static bool
usable(const struct session *s, unsigned have, const struct mechanism *m)
{
	return (m->given & ~have) == 0 && caps_offers(&s->caps, str_of(m->name));
}

/* Say "verb base64(raw)" (verb may be "", raw with p == NULL is no response at all) and hear. */
static bool
exchange(struct session *s, const char *verb, struct str raw, struct fail *f)
{
	AUTO_BUF struct buf b64 = BUF_INIT(B64_MAX);
	bool ok;

	if (raw.p != NULL && raw.n == 0 && verb[0] != '\0')
		buf_char(&b64, '='); /* an empty initial response: RFC 4954 4 */
	else if (raw.p != NULL)
		b64_encode(&b64, raw);
	session_secret(s, verb, buf_get(&b64));
	buf_wipe(&b64);
	ok = session_flush(s, STAGE_AUTH, f) && session_hear(s, STAGE_AUTH, f);
	if (s->out.p != NULL)
		explicit_bzero(s->out.p, s->out.cap);
	return ok;
}

static enum verdict
stop(struct session *s, struct fail *f)
{
	(void)session_refused(s, STAGE_AUTH, f);
	f->cls = FAIL_TEMP;
	return STOP;
}

/* After a reply that is not 334. */
static enum verdict
judge(struct session *s, const struct mechanism *m, struct fail *f)
{
	AUTO_BUF struct buf words = BUF_INIT(REPLY_WORDS_MAX);

	if (s->reply.code / 100 == 2)
		return TAKEN;
	(void)stop(s, f);
	if (s->reply.code < 500)
		return STOP;
	session_words(s, &words);
	trace_line(s->trace, TRACE_LOG, "%s authenticator failed H=%s [%s] %.*s", m->log, s->host,
	    s->ip, S_ARG(buf_get(&words)));
	return NEXT;
}

/* The text of a 334, decoded.  False: it is not base64. */
static bool
challenge(const struct session *s, struct buf *out)
{
	return b64_decode(out, str_trim(str_skip(buf_get(&s->line), 4)));
}

/* Leave the exchange with "*" (RFC 4954 4); the next mechanism may do. */
static enum verdict
cancel(struct session *s, const struct mechanism *m, struct fail *f)
{
	trace_line(s->trace, TRACE_LOG,
	    "%s authenticator cancelled authentication H=%s [%s] Invalid base64 string in server "
	    "response \"%.*s\"",
	    m->log, s->host, s->ip, S_ARG(str_rtrim(buf_get(&s->text))));
	if (!session_command(s, STAGE_AUTH, f, "*") || !session_flush(s, STAGE_AUTH, f) ||
	    !session_hear(s, STAGE_AUTH, f))
		return STOP;
	(void)stop(s, f);
	return s->dead ? STOP : NEXT;
}

/* The server asks on when all has been said: nonsense is cancelled, as Exim does, and a real
 * question ends the session. */
static enum verdict
asked_on(struct session *s, const struct mechanism *m, struct fail *f)
{
	AUTO_BUF struct buf said = BUF_INIT(BLOB_MAX);

	if (!challenge(s, &said) || said.n == 0)
		return cancel(s, m, f);
	(void)stop(s, f);
	f->smtp = s->reply.code;
	return STOP;
}

/* The one thing that the client says in these mechanisms. */
static void
build(const struct session *s, const struct mechanism *m, const struct secret *secret,
    struct buf *out)
{
	struct str token = str_skip(secret->password, token_mark.n);

	switch (m->kind) {
	case EXTERNAL:
		buf_put(out, secret->login);
		break;
	case OAUTHBEARER: /* RFC 7628 3.1 */
		buf_fmt(out, "n,a=%.*s,\1host=%s\1auth=Bearer %.*s\1\1", S_ARG(secret->login),
		    s->host, S_ARG(token));
		break;
	case XOAUTH2:
		buf_fmt(out, "user=%.*s\1auth=Bearer %.*s\1\1", S_ARG(secret->login), S_ARG(token));
		break;
	case PLAIN: /* RFC 4616 */
	case SCRAM:
	case CRAM:
	case LOGIN:
		buf_char(out, '\0');
		buf_put(out, secret->login);
		buf_char(out, '\0');
		buf_put(out, secret->password);
		break;
	}
}

static enum verdict
say_once(struct session *s, const struct mechanism *m, const struct secret *secret, struct fail *f)
{
	AUTO_BUF struct buf blob = BUF_INIT(BLOB_MAX), verb = BUF_INIT(64);
	bool heard, token = m->kind == OAUTHBEARER || m->kind == XOAUTH2;

	build(s, m, secret, &blob);
	buf_fmt(&verb, "AUTH %s", m->name);
	heard = exchange(s, verb.p, buf_get(&blob), f);
	buf_wipe(&blob);
	/* A refused token is explained in a 334; the refusal comes when that is acknowledged. */
	if (heard && token && s->reply.code == 334)
		heard = exchange(s, "", m->kind == OAUTHBEARER ? STR("\1") : STR(""), f);
	if (!heard)
		return STOP;
	return s->reply.code == 334 ? asked_on(s, m, f) : judge(s, m, f);
}

static enum verdict
say_login(struct session *s, const struct mechanism *m, const struct secret *secret, struct fail *f)
{
	const struct str parts[] = { secret->login, secret->password };

	if (!exchange(s, "AUTH LOGIN", (struct str){ NULL, 0 }, f))
		return STOP;
	for (int i = 0; i < 2 && s->reply.code == 334; i++) {
		AUTO_BUF struct buf prompt = BUF_INIT(BLOB_MAX);

		if (!challenge(s, &prompt) || prompt.n == 0)
			return cancel(s, m, f);
		if (!exchange(s, "", parts[i], f))
			return STOP;
	}
	return s->reply.code == 334 ? asked_on(s, m, f) : judge(s, m, f);
}

/* One round after the first: their challenge, our answer. */
static enum verdict
answer(struct session *s, struct sasl *x, bool *done, struct fail *f)
{
	AUTO_BUF struct buf said = BUF_INIT(BLOB_MAX), reply = BUF_INIT(BLOB_MAX);
	bool ok;

	if (!challenge(s, &said))
		return stop(s, f);
	if (!*done && !sasl_step(x, buf_get(&said), &reply, done, f)) {
		s->dead = true;
		return STOP;
	}
	ok = exchange(s, "", buf_get(&reply), f);
	buf_wipe(&reply);
	return ok ? NEXT : STOP;
}

static enum verdict
converse(struct session *s, const struct mechanism *m, struct sasl *x, struct fail *f)
{
	AUTO_BUF struct buf first = BUF_INIT(BLOB_MAX), verb = BUF_INIT(64);
	struct str none = { NULL, 0 };
	bool done = false;

	buf_fmt(&verb, "AUTH %s", m->name);
	if (m->kind == SCRAM && !sasl_step(x, STR(""), &first, &done, f))
		return STOP;
	if (!exchange(s, verb.p, m->kind == SCRAM ? buf_get(&first) : none, f))
		return STOP;
	for (int i = 0; i < STEPS_MAX && s->reply.code == 334; i++)
		if (answer(s, x, &done, f) == STOP)
			return STOP;
	if (s->reply.code == 334)
		return stop(s, f);
	if (s->reply.code / 100 != 2 || done || m->kind != SCRAM)
		return judge(s, m, f);
	(void)fail_set(f, FAIL_TEMP, STAGE_AUTH, 0,
	    "%s took the login before it had shown that it knows the password itself", s->host);
	return STOP;
}

static enum verdict
attempt(struct session *s, const struct mechanism *m, const struct secret *secret, struct fail *f)
{
	const struct sasl_login who = { secret->login, secret->password, s->binding_type,
		(m->given & BINDING) != 0 ? s->binding : STR("") };
	enum verdict v;
	struct sasl *x;

	if (m->kind == LOGIN)
		return say_login(s, m, secret, f);
	if (m->kind != SCRAM && m->kind != CRAM)
		return say_once(s, m, secret, f);
	if ((x = sasl_new(m->name, &who, f)) == NULL) {
		trace_line(s->trace, TRACE_LOG, "%s is left out: %s", m->name, f->text);
		return NEXT;
	}
	v = converse(s, m, x, f);
	sasl_free(x);
	return v;
}

/* The mechanisms in the order in which they are tried. */
static size_t
order(const struct conf *c, const struct mechanism *list[LADDER])
{
	struct str rest = str_of(c->auth_mechanisms);
	size_t n = 0;

	if (str_trim(rest).n == 0)
		for (; n < LADDER; n++)
			list[n] = &ladder[n];
	while (rest.p != NULL && n < LADDER) {
		struct str word = str_trim(str_cut(&rest, ' '));

		for (size_t i = 0; i < LADDER && n < LADDER; i++)
			if (str_ieq(word, str_of(ladder[i].name)))
				list[n++] = &ladder[i];
	}
	return n;
}

static bool
no_mechanism(const struct session *s, const struct conf *c, const char *where, struct fail *f)
{
	if (s->caps.mechanisms[0] == '\0')
		return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0,
		    "%s does not offer AUTH, and mail is not sent to it without the login of %s",
		    s->host, where);
	return fail_set(f, FAIL_TEMP, STAGE_AUTH, 0,
	    "%s offers the logins %s; none of them can be used with %s (auth_mechanisms is %s)",
	    s->host, s->caps.mechanisms, where,
	    c->auth_mechanisms[0] != '\0' ? c->auth_mechanisms : "automatic");
}

bool
auth_login(struct session *s, const struct conf *c, const struct secret *secret, bool secure,
    struct fail *f)
{
	const char *where = secret->login.n > 0 ? secret->where : "tls_certificate";
	bool clear_ok = secure || c->auth_client_allow_notls_passwords, scram_wrong = false;
	const struct mechanism *list[LADDER];
	unsigned have = at_hand(s, c, secret, clear_ok);
	size_t n = order(c, list), tried = 0, wrong = 0;
	struct fail why = FAIL_INIT;

	s->secret = secret;
	for (size_t i = 0; i < n && wrong < AUTH_WRONG_MAX; i++) {
		enum verdict v;

		if (!usable(s, have, list[i]) || (list[i]->kind == SCRAM && scram_wrong))
			continue;
		s->reply = (struct reply){ 0 };
		v = attempt(s, list[i], secret, &why);
		if (v == STOP) {
			*f = why;
			return false;
		}
		if (v == TAKEN) {
			s->auth = list[i]->log;
			return true;
		}
		tried += s->reply.code != 0; /* 0: the library does not have it */
		wrong += s->reply.code == 535;
		scram_wrong |= list[i]->kind == SCRAM && s->reply.code == 535;
	}
	if (tried == 0)
		return no_mechanism(s, c, where, f);
	*f = why;
	fail_prefix(f, "%s refused the login of %s", s->host, where);
	return false;
}
