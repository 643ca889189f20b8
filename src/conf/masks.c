/* masks.c - headers_rewrite. */
#include "conf/masks.h"

#include "conf/names.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* "local@domain" in two; false: it is not that. */
static bool
split(struct str s, struct str *local, struct str *domain)
{
	size_t at = s.n;

	while (at > 0 && s.p[at - 1] != '@')
		at--;
	*local = str_at(s.p, at > 0 ? at - 1 : 0);
	*domain = str_skip(s, at);
	return local->n > 0 && domain->n > 0;
}

static bool
is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '$' || s.p[i] == '@' || s.p[i] == '"' || ascii_space(s.p[i]))
			return false;
	return s.n > 0;
}

static bool
pattern(struct str s, struct mask *m)
{
	const struct str any = STR("*");

	if (str_eq(s, any)) {
		m->local = m->domain = any;
		return true;
	}
	if (!split(s, &m->local, &m->domain) || !is_plain(m->local))
		return false;
	return str_eq(m->domain, STR("+local_domains")) ||
	    domain_is_plain(str_skip(m->domain, m->domain.p[0] == '*' ? 1 : 0)) ||
	    str_eq(m->domain, any);
}

static bool
address(struct str s, struct mask *m)
{
	if (!split(s, &m->to_local, &m->to_domain) || !domain_is_plain(m->to_domain) ||
	    str_find(m->to_domain, '$') < m->to_domain.n)
		return false;
	if (str_eq(m->to_local, STR("$1")) || str_eq(m->to_local, STR("${1}"))) {
		m->to_local.n = 0;
		return true;
	}
	return is_plain(m->to_local);
}

static bool
flags(struct str s, struct mask *m)
{
	static const struct {
		char letter;
		unsigned fields;
	} known[] = { { 'f', MASK_FROM }, { 'r', MASK_REPLY_TO }, { 's', MASK_SENDER },
		{ 't', MASK_TO }, { 'c', MASK_CC }, { 'b', MASK_BCC }, { 'h', MASK_ALL },
		/* of the envelope, which a transport's rules do not see */
		{ 'E', 0 }, { 'F', 0 }, { 'T', 0 } };

	m->fields = s.n > 0 ? 0 : MASK_ALL;
	for (size_t i = 0; i < s.n; i++) {
		size_t k = 0;

		while (k < sizeof known / sizeof known[0] && known[k].letter != s.p[i])
			k++;
		if (k == sizeof known / sizeof known[0])
			return false;
		m->fields |= known[k].fields;
	}
	return true;
}

bool
masks_parse(struct arena *a, struct str text, struct mask **list, size_t *n, struct fail *f)
{
	struct str rest = text;
	struct mask *all = NULL;
	size_t count = 0;

	while (rest.n > 0) {
		struct str rule = str_trim(str_cut(&rest, ':')), words = rule;
		struct str from = str_word(&words), to = str_word(&words),
			   letters = str_word(&words);
		struct mask m;

		if (rule.n == 0)
			continue;
		if (!pattern(from, &m) || !address(to, &m) || !flags(letters, &m) ||
		    str_trim(words).n > 0)
			return fail_conf(f,
			    "headers_rewrite: \"%.*s\" is not a rule that is understood here, "
			    "which is "
			    "as \"*@* me@isp.example frs\"",
			    S_ARG(rule));
		all = arena_grow(a, all, count, sizeof *all);
		all[count++] = m;
	}
	*list = all;
	*n = count;
	return true;
}

bool
masks_is_address(struct str text, struct fail *f)
{
	struct mask m;

	return (address(text, &m) && m.to_local.n > 0) ||
	    fail_conf(f, "return_path: \"%.*s\" is not an address with a domain", S_ARG(text));
}
