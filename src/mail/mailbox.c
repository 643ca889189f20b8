/* mailbox.c - one mail address: parsing it, and the one decision whether it may enter. */
#include "mail/mailbox.h"

#include "mail/extract.h"

#include "base/banned.h" /* IWYU pragma: keep */

static const char *
text_fault(struct str s)
{
	while (s.n > 0) {
		size_t n = str_utf8(s);
		unsigned c = str_code(s);

		if (n == 0)
			return "invalid UTF-8 byte sequence";
		if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			return "control character in address";
		s = str_skip(s, n);
	}
	return NULL;
}

/* Is local words and dots, so that nothing in it can end the <address> on the wire?  Pairs with
 * a backslash are kept where Exim takes them, but not for what a server may read as the end. */
static bool
local_part_ok(struct str local)
{
	bool quoted = false;

	for (size_t i = 0; i < local.n; i++) {
		char c = local.p[i];
		bool at_edge = quoted ? i + 1 == local.n || local.p[i + 1] == '.' :
					i == 0 || local.p[i - 1] == '.';

		if (c == '\\') {
			if (++i == local.n || (!quoted && strchr(" <>\"", local.p[i]) != NULL))
				return false;
		} else if (c == '"') {
			if (!at_edge)
				return false;
			quoted = !quoted;
		} else if (!quoted && strchr(" ()<>@,;:[]", c) != NULL) {
			return false;
		}
	}
	return !quoted;
}

static bool
literal_ok(struct str s)
{
	if (s.n < 3 || s.p[s.n - 1] != ']')
		return false;
	s = str_at(s.p + 1, s.n - 2);
	if (str_istarts(s, STR("IPv6:")) || str_istarts(s, STR("IPv4:")))
		s = str_skip(s, 5);
	for (size_t i = 0; i < s.n; i++)
		if (strchr("0123456789abcdefABCDEF.:", s.p[i]) == NULL)
			return false;
	return s.n > 0;
}

static bool
domain_ok(struct str domain)
{
	struct str rest = domain;

	while (rest.p != NULL) {
		struct str label = str_cut(&rest, '.');

		if (label.n == 0 || label.p[0] == '-')
			return false;
		for (size_t i = 0; i < label.n; i++) {
			char c = label.p[i];

			if (!ascii_alnum(c) && !ascii_8bit(c) && c != '-' && c != '_')
				return false;
		}
	}
	return true;
}

const char *
mailbox_fault(struct mailbox m)
{
	const char *fault;

	if (m.local.n == 0)
		return "missing or malformed local part";
	if (m.local.n > LOCAL_PART_MAX || m.domain.n > DOMAIN_MAX ||
	    m.local.n + m.domain.n + 1 > ADDRESS_MAX)
		return "address is ridiculously long";
	if ((fault = text_fault(m.local)) != NULL || (fault = text_fault(m.domain)) != NULL)
		return fault;
	if (!local_part_ok(m.local))
		return "missing or malformed local part";
	if (m.domain.n > 0 && m.domain.p[0] == '[')
		return literal_ok(m.domain) ? NULL : "malformed domain literal";
	return m.domain.n == 0 || domain_ok(m.domain) ? NULL : "domain missing or malformed";
}

bool
mailbox_ok(struct mailbox m, struct fail *f)
{
	const char *fault = mailbox_fault(m);

	if (fault == NULL)
		return true;
	return fail_set(f, FAIL_USER, STAGE_ADDRESS, 0, "bad address \"%.*s%s%.*s\": %s",
	    S_ARG(m.local), m.domain.n > 0 ? "@" : "", S_ARG(m.domain), fault);
}

bool
mailbox_parse(struct arena *a, struct str s, bool empty_ok, struct mailbox *out, struct fail *f)
{
	struct address x;

	if (empty_ok && str_trim(s).n == 0) {
		*out = (struct mailbox){ 0 };
		return true;
	}
	if (!extract_address(a, s, NULL, empty_ok, &x))
		return fail_set(
		    f, FAIL_USER, STAGE_ADDRESS, 0, "bad address \"%.*s\": %s", S_ARG(s), x.reason);
	*out = x.box;
	return true;
}

char *
mailbox_text(struct arena *a, struct mailbox m)
{
	return arena_fmt(
	    a, "%.*s%s%.*s", S_ARG(m.local), m.domain.n > 0 ? "@" : "", S_ARG(m.domain));
}

struct mailbox
mailbox_split(const char *text)
{
	struct str s = str_of(text);

	for (size_t i = s.n; i > 0 && s.p[i - 1] != '"'; i--) {
		size_t pairs = 0;

		if (s.p[i - 1] != '@')
			continue;
		while (pairs + 1 < i && s.p[i - 2 - pairs] == '\\')
			pairs++;
		if (pairs % 2 == 0)
			return (struct mailbox){ str_at(text, i - 1), str_skip(s, i) };
	}
	return (struct mailbox){ .local = s };
}

bool
mailbox_eq(struct mailbox x, struct mailbox y)
{
	return str_eq(x.local, y.local) && str_ieq(x.domain, y.domain);
}
