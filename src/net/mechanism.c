/* mechanism.c - one mechanism spoken with the server. */
#include "net/mechanism.h"

#include "base/b64.h"
#include "conf/redact.h"
#include "net/sasl.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum {
	BLOB_MAX = 16384,
	B64_MAX = 2 * BLOB_MAX,
	COMMAND_MAX = 510, /* octets of a command without its end: RFC 5321 4.5.3.1.4, RFC 4954 4 */
};

struct talk {
	struct session *s;
	const struct mechanism *m;
	struct secret *secret;
	struct sasl *x;
	struct buf opening; /* what goes with AUTH */
	struct buf said;    /* the server's challenge */
	bool readable;      /* it was base64 */
	unsigned answers;   /* ours so far, the one that goes with AUTH among them */
	bool done;          /* all is said, and what the server had to prove is proved */
	bool cancelled;
	struct fail *f;
};

/* What answer() wants done. */
enum { SAY, CANCEL, OURS, UNPROVEN };

static bool
is_token(const struct mechanism *m)
{
	return (m->given & GIVE_TOKEN) != 0;
}

/* ------------------------------------------------------------------ what each has to say */

static int
asked_on(struct talk *t)
{
	(void)fail_set(t->f, FAIL_TEMP, STAGE_AUTH, 0, "it asks on after all of %s was said: %.*s",
	    t->m->name, S_ARG(str_rtrim(buf_get(&t->s->text))));
	return CANCEL;
}

static void
build(const struct talk *t, struct buf *out)
{
	const struct secret *secret = t->secret;
	struct str token = str_skip(secret->password, SECRET_TOKEN_MARK.n);

	if (str_eq(str_of(t->m->name), STR("OAUTHBEARER"))) /* RFC 7628 3.1 */
		buf_fmt(out, "n,a=%.*s,\1host=%s\1auth=Bearer %.*s\1\1", S_ARG(secret->login),
		    t->s->host, S_ARG(token));
	else if (is_token(t->m))
		buf_fmt(out, "user=%.*s\1auth=Bearer %.*s\1\1", S_ARG(secret->login), S_ARG(token));
	else if ((t->m->given & GIVE_PASSWORD) == 0)
		buf_put(out, secret->login);
	else { /* RFC 4616 */
		buf_char(out, '\0');
		buf_put(out, secret->login);
		buf_char(out, '\0');
		buf_put(out, secret->password);
	}
}

/* All in one response.  A server that did not look at what came with AUTH gets it again; one that
 * refuses a token explains that in a 334, and refuses when it is acknowledged. */
static int
answer_once(struct talk *t, struct buf *out)
{
	if (t->done)
		return asked_on(t);
	if (is_token(t->m) && t->answers > 0 && t->said.n > 0) {
		buf_put(out, str_eq(str_of(t->m->name), STR("OAUTHBEARER")) ? STR("\1") : STR(""));
		t->done = true;
		return SAY;
	}
	if (t->answers > 1)
		return asked_on(t);
	build(t, out);
	return SAY;
}

/* What the prompts say does not count (draft-murchison-sasl-login). */
static int
answer_login(struct talk *t, struct buf *out)
{
	if (t->answers > 1)
		return asked_on(t);
	buf_put(out, t->answers == 0 ? t->secret->login : t->secret->password);
	return SAY;
}

static int
step(struct talk *t, struct buf *out)
{
	if (sasl_step(t->x, buf_get(&t->said), out, &t->done, t->f))
		return SAY;
	return t->f->cls == FAIL_USER ? OURS : UNPROVEN;
}

static int
answer_cram(struct talk *t, struct buf *out)
{
	if (t->done)
		return asked_on(t);
	if (!t->readable) {
		(void)fail_set(t->f, FAIL_TEMP, STAGE_AUTH, 0, "its challenge is not base64: %.*s",
		    S_ARG(str_rtrim(buf_get(&t->s->text))));
		return CANCEL;
	}
	return step(t, out);
}

static int
unreadable(struct talk *t)
{
	(void)fail_set(t->f, FAIL_TEMP, STAGE_AUTH, 0,
	    "the server's part of the login is wrong: it is not base64");
	return UNPROVEN;
}

/* Once the server has proved itself, an empty response is all that it still wants. */
static int
answer_scram(struct talk *t, struct buf *out)
{
	if (t->answers > 3)
		return asked_on(t);
	if (!t->readable)
		return unreadable(t);
	if (t->done)
		return SAY;
	if (t->opening.n == 0 || (t->said.n > 0 && t->answers > 0))
		return step(t, out);
	buf_put(out, buf_get(&t->opening)); /* it did not look at what came with AUTH */
	return SAY;
}

#define PASSWORD (GIVE_NAME | GIVE_PASSWORD)
#define BOUND (PASSWORD | GIVE_BINDING)
#define TOKEN (GIVE_NAME | GIVE_TOKEN)
enum { ALONE, SCRAM };

const struct mechanism ladder[MECHANISMS] = {
	{ "EXTERNAL", "external", GIVE_CERTIFICATE, ALONE, true, false, 0, answer_once },
	{ "SCRAM-SHA-256-PLUS", "scram_sha_256_plus", BOUND, SCRAM, true, true, 2, answer_scram },
	{ "SCRAM-SHA-256", "scram_sha_256", PASSWORD, SCRAM, true, true, 2, answer_scram },
	{ "SCRAM-SHA-1-PLUS", "scram_sha_1_plus", BOUND, SCRAM, true, true, 2, answer_scram },
	{ "SCRAM-SHA-1", "scram_sha_1", PASSWORD, SCRAM, true, true, 2, answer_scram },
	{ "CRAM-MD5", "cram_md5", PASSWORD, ALONE, false, true, 1, answer_cram },
	{ "PLAIN", "plain", PASSWORD, ALONE, true, false, 1, answer_once },
	{ "LOGIN", "login", PASSWORD, ALONE, false, false, 2, answer_login },
	{ "OAUTHBEARER", "oauthbearer", TOKEN, ALONE, true, false, 1, answer_once },
	{ "XOAUTH2", "xoauth2", TOKEN, ALONE, true, false, 1, answer_once },
};

/* ------------------------------------------------------------------ the talk */

/* Take the text of a 334.  Blanks in it, and padding that is missing, are some servers'. */
static void
take_challenge(struct talk *t)
{
	AUTO_BUF struct buf text = BUF_INIT(REPLY_LINE_MAX);
	struct str raw = str_skip(buf_get(&t->s->line), 4);

	for (size_t i = 0; i < raw.n; i++)
		if (!ascii_space(raw.p[i]) && raw.p[i] != '=')
			buf_char(&text, raw.p[i]);
	while (text.n % 4 != 0)
		buf_char(&text, '=');
	buf_reset(&t->said);
	t->readable = b64_decode(&t->said, buf_get(&text));
}

/* What a computed response shows of the secret: CRAM's digest stands behind a blank, SCRAM's proof
 * behind ",p=".  The others have the secret itself in them, and that stays where it is. */
static void
note_proof(const struct talk *t, struct str raw, struct str b64)
{
	size_t at = raw.n;

	if (!t->m->computed || t->answers < t->m->proof_at || raw.n == 0)
		return;
	secret_left(t->secret, true, b64);
	while (at > 0 && raw.p[at - 1] != ' ' && raw.p[at - 1] != ',')
		at--;
	secret_left(t->secret, false, str_skip(raw, at + (raw.p[at] == 'p' ? 2 : 0)));
}

/* Say "verb b64" (either may be empty) and hear. */
static bool
exchange(struct session *s, const char *verb, struct str b64, struct fail *f)
{
	bool ok;

	session_secret(s, verb, b64);
	ok = session_flush(s, STAGE_AUTH, f) && session_hear(s, STAGE_AUTH, f);
	if (s->out.p != NULL)
		explicit_bzero(s->out.p, s->out.cap);
	return ok;
}

/* AUTH, with the first response where there is one and it has room.  An empty one is "=". */
static int
begin(struct talk *t, bool *heard)
{
	AUTO_BUF struct buf verb = BUF_INIT(64), b64 = BUF_INIT(B64_MAX);
	int what = t->m->first ? t->m->answer(t, &t->opening) : SAY;

	if (what != SAY)
		return what;
	buf_fmt(&verb, "AUTH %s", t->m->name);
	b64_encode(&b64, buf_get(&t->opening));
	if (t->m->first && b64.n == 0)
		buf_char(&b64, '=');
	if (b64.n > 0 && verb.n + 1 + b64.n <= COMMAND_MAX)
		t->answers++;
	else
		buf_wipe(&b64);
	if (b64.n > 0)
		note_proof(t, buf_get(&t->opening), buf_get(&b64));
	*heard = exchange(t->s, verb.p, buf_get(&b64), t->f);
	buf_wipe(&b64);
	return SAY;
}

/* One 334 and its answer. */
static int
go_on(struct talk *t, bool *heard)
{
	AUTO_BUF struct buf raw = BUF_INIT(BLOB_MAX), b64 = BUF_INIT(B64_MAX);
	int what;

	take_challenge(t);
	what = t->m->answer(t, &raw);
	if (what == SAY) {
		b64_encode(&b64, buf_get(&raw));
		t->answers++;
		note_proof(t, buf_get(&raw), buf_get(&b64));
		*heard = exchange(t->s, "", buf_get(&b64), t->f);
	}
	buf_wipe(&raw);
	buf_wipe(&b64);
	return what;
}

static enum outcome
gone(const struct session *s)
{
	return s->lost ? LOGIN_LOST : LOGIN_BROKEN;
}

/* Leave the exchange with "*" (RFC 4954 4); what is said to that is no refusal. */
static enum outcome
cancel(struct talk *t, int what)
{
	struct session *s = t->s;
	struct fail f = FAIL_INIT;

	t->cancelled = true;
	if (what == CANCEL)
		trace_line(s->trace, TRACE_LOG,
		    "%s authenticator cancelled authentication H=%s [%s] %s", t->m->log, s->host,
		    s->ip, t->f->text);
	if (!session_command(s, STAGE_AUTH, &f, "*") || !session_flush(s, STAGE_AUTH, &f) ||
	    !session_hear(s, STAGE_AUTH, &f))
		return gone(s);
	if (s->dead)
		return LOGIN_LOST;
	return what == CANCEL ? LOGIN_REFUSED : LOGIN_LEFT_OUT;
}

/* The last reply that belongs to it, which is no 334. */
static enum outcome
judge(struct talk *t)
{
	AUTO_BUF struct buf words = BUF_INIT(REPLY_WORDS_MAX);
	struct session *s = t->s;
	int code = s->reply.code;

	if (code / 100 == 2)
		return LOGIN_TAKEN;
	(void)session_refused(s, STAGE_AUTH, t->f);
	t->f->cls = FAIL_TEMP;
	if (code == 421)
		return LOGIN_LOST;
	/* 432: this mechanism only after another (RFC 4954 6) */
	if (code < 500 && code != 432)
		return LOGIN_LATER;
	session_words(s, &words);
	trace_line(s->trace, TRACE_LOG, "%s authenticator failed H=%s [%s] %.*s", t->m->log,
	    s->host, s->ip, S_ARG(buf_get(&words)));
	return LOGIN_REFUSED;
}

/* SMTP has no room for a last word of the server beside its 235, but some put it there. */
static bool
proves_itself(struct talk *t)
{
	AUTO_BUF struct buf none = BUF_INIT(BLOB_MAX);
	struct str text = str_skip(buf_get(&t->s->line), 4), word, last = { "", 0 };

	while ((word = str_word(&text)).n > 0)
		last = word;
	buf_reset(&t->said);
	if (!b64_decode(&t->said, last) || !str_starts(buf_get(&t->said), STR("v=")))
		return fail_set(t->f, FAIL_TEMP, STAGE_AUTH, 0,
		    "it took the login before it had shown that it knows the password itself");
	return step(t, &none) == SAY && t->done;
}

static enum outcome
finish(struct talk *t)
{
	enum outcome what = judge(t);

	if (what == LOGIN_TAKEN && t->m->family == SCRAM && !t->done && !proves_itself(t))
		return LOGIN_UNPROVEN;
	return what;
}

static enum outcome
speak(struct talk *t, bool *begun)
{
	int what = begin(t, begun);
	bool heard = *begun;

	if (what != SAY) /* before the server was asked anything */
		return LOGIN_LEFT_OUT;
	while (heard && t->s->reply.code == 334) {
		what = go_on(t, &heard);
		if (what == UNPROVEN)
			return LOGIN_UNPROVEN;
		if (what != SAY)
			return cancel(t, what);
	}
	return heard ? finish(t) : gone(t->s);
}

/* Not when SCRAM has told that the password is right, whatever the server says then. */
static bool
is_refusal(const struct talk *t, enum outcome what)
{
	if (t->m->proof_at == 0 || t->answers < t->m->proof_at ||
	    (t->m->family == SCRAM && t->done))
		return false;
	return what == LOGIN_LOST ||
	    (what == LOGIN_REFUSED && !t->cancelled && t->s->reply.code >= 500);
}

struct spoken
mechanism_speak(struct session *s, const struct mechanism *m, struct secret *secret, struct fail *f)
{
	const struct sasl_login who = { secret->login, secret->password, s->binding_type,
		(m->given & GIVE_BINDING) != 0 ? s->binding : STR("") };
	struct talk t = {
		.s = s,
		.m = m,
		.secret = secret,
		.opening = BUF_INIT(BLOB_MAX),
		.said = BUF_INIT(BLOB_MAX),
		.readable = true,
		.f = f,
	};
	struct spoken r = { .what = LOGIN_LEFT_OUT };

	if (!m->computed || (t.x = sasl_new(m->name, &who, f)) != NULL)
		r.what = speak(&t, &r.begun);
	r.refusal = is_refusal(&t, r.what);
	sasl_free(t.x);
	buf_wipe(&t.opening);
	buf_free(&t.opening);
	buf_free(&t.said);
	s->dead |= r.what == LOGIN_UNPROVEN;
	return r;
}
