/* command.c - one command line of an SMTP client. */
#include "front/command.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/num.h"
#include "net/parameters.h"
#include "wire/envelope.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const struct {
	struct str name;
	enum verb verb;
} verbs[] = {
	{ STR("EHLO"), VERB_EHLO },
	{ STR("HELO"), VERB_HELO },
	{ STR("MAIL"), VERB_MAIL },
	{ STR("RCPT"), VERB_RCPT },
	{ STR("DATA"), VERB_DATA },
	{ STR("BDAT"), VERB_BDAT },
	{ STR("RSET"), VERB_RSET },
	{ STR("NOOP"), VERB_NOOP },
	{ STR("VRFY"), VERB_VRFY },
	{ STR("EXPN"), VERB_EXPN },
	{ STR("HELP"), VERB_HELP },
	{ STR("QUIT"), VERB_QUIT },
	{ STR("STARTTLS"), VERB_ABSENT },
	{ STR("AUTH"), VERB_ABSENT },
	{ STR("ETRN"), VERB_ABSENT },
	{ STR("TURN"), VERB_ABSENT },
	{ STR("ATRN"), VERB_ABSENT },
	{ STR("SEND"), VERB_ABSENT },
	{ STR("SOML"), VERB_ABSENT },
	{ STR("SAML"), VERB_ABSENT },
	{ STR("GET"), VERB_FOREIGN },
	{ STR("HEAD"), VERB_FOREIGN },
	{ STR("POST"), VERB_FOREIGN },
	{ STR("PUT"), VERB_FOREIGN },
	{ STR("OPTIONS"), VERB_FOREIGN },
	{ STR("CONNECT"), VERB_FOREIGN },
};

enum parameter {
	P_SIZE = 1,
	P_BODY = 2,
	P_SMTPUTF8 = 4,
	P_RET = 8,
	P_ENVID = 16,
	P_NOTIFY = 32,
	P_ORCPT = 64,
};

static const struct {
	struct str name;
	enum parameter parameter;
} parameters[] = {
	{ STR("SIZE"), P_SIZE },
	{ STR("BODY"), P_BODY },
	{ STR("SMTPUTF8"), P_SMTPUTF8 },
	{ STR("RET"), P_RET },
	{ STR("ENVID"), P_ENVID },
	{ STR("NOTIFY"), P_NOTIFY },
	{ STR("ORCPT"), P_ORCPT },
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

bool
command_refuse(struct fail *f, int code, const char *dsn, const char *fmt, ...)
{
	char text[FAIL_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)fail_set(f, code < 500 ? FAIL_TEMP : FAIL_PERM, STAGE_INPUT, 0, "%s", text);
	f->smtp = code;
	(void)snprintf(f->dsn, sizeof f->dsn, "%s", dsn);
	return false;
}

enum verb
command_verb(struct str line, struct str *argument)
{
	struct str rest = line;
	struct str word = str_word(&rest);

	*argument = str_trim(rest);
	for (size_t i = 0; i < line.n; i++)
		if (ascii_control(line.p[i]) && line.p[i] != '\t')
			return VERB_UNKNOWN;
	for (size_t i = 0; i < COUNT(verbs); i++)
		if (str_ieq(word, verbs[i].name))
			return verbs[i].verb;
	return VERB_UNKNOWN;
}

bool
command_helo_ok(struct str name)
{
	bool literal = name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']';

	if (name.n == 0 || name.n > DOMAIN_MAX)
		return false;
	if (literal)
		name = str_at(name.p + 1, name.n - 2);
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_alnum(name.p[i]) && strchr("-._", name.p[i]) == NULL &&
		    !(literal && name.p[i] == ':'))
			return false;
	return true;
}

/* ------------------------------------------------------------------ the path */

/* Length of the path at the front of s: "<...>", or what stands before the first blank; quoted
 * strings are stepped over.  0: there is none. */
static size_t
path_length(struct str s)
{
	bool bracket = s.n > 0 && s.p[0] == '<';
	bool quoted = false;

	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '\\' && i + 1 < s.n)
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && bracket && c == '>')
			return i + 1 == s.n || ascii_space(s.p[i + 1]) ? i + 1 : 0;
		else if (!quoted && !bracket && ascii_space(c))
			return i;
	}
	return bracket || quoted ? 0 : s.n;
}

/* Take "word:" and a path off the front of *rest. */
static bool
take_path(struct arena *a, struct str *rest, struct str word, struct mailbox *out, struct fail *f)
{
	struct str s = str_ltrim(str_skip(*rest, word.n));
	bool sender = word.p[0] == 'F';
	struct fail why = FAIL_INIT;
	size_t n;

	if (!str_istarts(*rest, word) || s.n == 0 || s.p[0] != ':')
		return command_refuse(f, 501, "5.5.4", "syntax: %s %.*s:<address>",
		    sender ? "MAIL" : "RCPT", S_ARG(word));
	s = str_ltrim(str_skip(s, 1));
	n = path_length(s);
	if (n == 0)
		return command_refuse(f, 501, sender ? "5.1.7" : "5.1.3",
		    "bad address \"%.*s\": it does not end, or it is followed by what is no "
		    "parameter",
		    S_ARG(s));
	if (!mailbox_parse(a, str_at(s.p, n), sender, out, &why))
		return command_refuse(f, 501, sender ? "5.1.7" : "5.1.3", "%s", why.text);
	*rest = str_skip(s, n);
	return true;
}

static bool
ascii_or_utf8(struct mailbox m, bool utf8, struct fail *f)
{
	return utf8 || (!str_8bit(m.local) && !str_8bit(m.domain)) ||
	    command_refuse(f, 553, "5.6.7",
		"an address that is not ASCII needs the parameter SMTPUTF8 of MAIL");
}

/* ------------------------------------------------------------------ parameters */

static bool
take_envid(struct arena *a, struct str value, const char **out)
{
	struct str s;

	if (value.n == 0 || value.n > COMMAND_ENVID_MAX || !parameters_xtext_read(a, value, &s))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (ascii_control(s.p[i]) || ascii_8bit(s.p[i]))
			return false;
	*out = s.p;
	return true;
}

static bool
take_orcpt(struct arena *a, struct str value, const char **out)
{
	struct str address = value, decoded;
	struct str type = str_cut(&address, ';');

	if (value.n > COMMAND_ORCPT_MAX || type.n == 0 || address.n == 0)
		return false;
	for (size_t i = 0; i < type.n; i++)
		if (!ascii_alnum(type.p[i]) && type.p[i] != '-')
			return false;
	if (!parameters_xtext_read(a, address, &decoded))
		return false;
	*out = arena_strz(a, value);
	return true;
}

static bool
take_notify(struct str value, unsigned *out)
{
	*out = 0;
	while (value.p != NULL) {
		unsigned bit = parameters_notify(str_cut(&value, ','));

		if (bit == 0)
			return false;
		*out |= bit;
	}
	return *out != 0 && ((*out & NOTIFY_NEVER) == 0 || *out == NOTIFY_NEVER); /* alone */
}

static bool
take_word(struct str value, struct str one, struct str two, const unsigned values[2], unsigned *out)
{
	if (!str_ieq(value, one) && !str_ieq(value, two))
		return false;
	*out = values[str_ieq(value, two)];
	return true;
}

/* Where the values go: of MAIL, or of RCPT. */
struct values {
	struct arena *arena;
	struct mail_command *mail;
	struct rcpt_command *rcpt;
};

static bool
take_value(const struct values *v, enum parameter p, struct str value)
{
	switch (p) {
	case P_SIZE:
		return num_parse(value, UINT64_MAX, &v->mail->size);
	case P_BODY:
		return take_word(value, STR("7BIT"), STR("8BITMIME"), (const unsigned[]){ 7, 8 },
		    &v->mail->body);
	case P_SMTPUTF8:
		v->mail->utf8 = true;
		return value.p == NULL;
	case P_RET:
		return take_word(value, STR("FULL"), STR("HDRS"),
		    (const unsigned[]){ RET_FULL, RET_HDRS }, &v->mail->ret);
	case P_ENVID:
		return take_envid(v->arena, value, &v->mail->envid);
	case P_NOTIFY:
		return take_notify(value, &v->rcpt->notify);
	case P_ORCPT:
		return take_orcpt(v->arena, value, &v->rcpt->orcpt);
	}
	return false;
}

/* All words of s; known: those that this command has. */
static bool
take_parameters(const struct values *v, struct str s, unsigned known, struct fail *f)
{
	unsigned seen = 0;

	for (struct str word = str_word(&s); word.n > 0; word = str_word(&s)) {
		struct str value = word;
		struct str name = str_cut(&value, '=');
		size_t i = 0;

		while (i < COUNT(parameters) && !str_ieq(name, parameters[i].name))
			i++;
		if (i == COUNT(parameters) || (parameters[i].parameter & known) == 0)
			return command_refuse(
			    f, 555, "5.5.4", "unknown parameter \"%.*s\"", S_ARG(name));
		if (seen & parameters[i].parameter)
			return command_refuse(
			    f, 501, "5.5.4", "parameter %.*s is given twice", S_ARG(name));
		seen |= parameters[i].parameter;
		if (!take_value(v, parameters[i].parameter, value))
			return command_refuse(
			    f, 501, "5.5.4", "bad value in \"%.*s\"", S_ARG(word));
	}
	return true;
}

/* ------------------------------------------------------------------ commands */

bool
command_mail(struct arena *a, struct str argument, struct mail_command *out, struct fail *f)
{
	struct mail_command m = { .ret = RET_UNSET };
	struct values v = { .arena = a, .mail = &m };

	if (!take_path(a, &argument, STR("FROM"), &m.sender, f) ||
	    !take_parameters(&v, argument, P_SIZE | P_BODY | P_SMTPUTF8 | P_RET | P_ENVID, f) ||
	    !ascii_or_utf8(m.sender, m.utf8, f))
		return false;
	*out = m;
	return true;
}

bool
command_rcpt(
    struct arena *a, struct str argument, bool utf8, struct rcpt_command *out, struct fail *f)
{
	struct rcpt_command r = { .notify = 0 };
	struct values v = { .arena = a, .rcpt = &r };

	if (!take_path(a, &argument, STR("TO"), &r.rcpt, f) ||
	    !take_parameters(&v, argument, P_NOTIFY | P_ORCPT, f) ||
	    !ascii_or_utf8(r.rcpt, utf8, f))
		return false;
	*out = r;
	return true;
}

bool
command_bdat(struct str argument, uint64_t *n, bool *last, struct fail *f)
{
	struct str size = str_word(&argument);
	struct str word = str_word(&argument);
	uint64_t v;

	if (!num_parse(size, UINT64_MAX, &v) || (word.n > 0 && !str_ieq(word, STR("LAST"))) ||
	    str_trim(argument).n > 0)
		return command_refuse(f, 501, "5.5.4", "syntax: BDAT size [LAST]");
	*n = v;
	*last = word.n > 0;
	return true;
}
