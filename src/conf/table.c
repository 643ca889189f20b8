/* table.c - the option table: names, values from text and back to text. */
#include "conf/table.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/num.h"
#include "conf/debian.h"
#include "conf/masks.h"
#include "conf/rate.h"
#include "conf/retry.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { NAME_LONGEST = 64, WARNINGS_MAX = 100 };

const struct conf_row conf_rows[CONF_COUNT] = {
#define OPT(name, dc, macro, type, def, min, max, words, who, help) \
	[CONF_##name] = { { #name, dc, macro }, \
		{ sizeof #name - 1, sizeof dc - 1, sizeof macro - 1 }, def, words, KIND_##type, \
		WHO_##who, min, max, offsetof(struct conf, name) },
#include "conf/options.def"
#undef OPT
};

struct str
conf_name(struct str s)
{
	size_t n = 0;

	while (n < s.n && (ascii_alnum(s.p[n]) || s.p[n] == '_'))
		n++;
	return str_at(s.p, n);
}

enum conf_option
conf_find(struct str name)
{
	for (unsigned o = 0; o < CONF_COUNT; o++)
		for (size_t k = 0; k < CONF_NAMES; k++)
			if (name.n == conf_rows[o].lengths[k] && name.n > 0 &&
			    memcmp(name.p, conf_rows[o].names[k], name.n) == 0)
				return (enum conf_option)o;
	return CONF_COUNT;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance. */
static size_t
distance(struct str a, struct str b)
{
	size_t row[NAME_LONGEST + 1];

	if (a.n > NAME_LONGEST || b.n > NAME_LONGEST)
		return NAME_LONGEST;
	for (size_t j = 0; j <= b.n; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			bool same = ascii_lower(a.p[i - 1]) == ascii_lower(b.p[j - 1]);
			size_t best = least(least(row[j], row[j - 1]) + 1, diagonal + !same);

			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b.n];
}

const char *
conf_nearest(struct str name, enum conf_option *o, size_t *edits)
{
	const char *best = "";

	*edits = SIZE_MAX;
	for (size_t i = 0; i < (size_t)CONF_COUNT * CONF_NAMES; i++) {
		const char *other = conf_rows[i / CONF_NAMES].names[i % CONF_NAMES];
		size_t d = distance(name, str_of(other));

		if (other[0] == '\0' || d > *edits ||
		    (d == *edits && (name.n == 0 || other[0] != name.p[0])))
			continue;
		*edits = d;
		best = other;
		*o = (enum conf_option)(i / CONF_NAMES);
	}
	return best;
}

bool
conf_unknown(struct str name, struct fail *f)
{
	enum conf_option o;
	size_t edits;
	const char *near = conf_nearest(name, &o, &edits);

	return edits <= name.n / 2 + 1 ?
	    fail_conf(f, "there is no option \"%.*s\"; the nearest is %s", S_ARG(name), near) :
	    fail_conf(f, "there is no option \"%.*s\"", S_ARG(name));
}

bool
conf_is_security(enum conf_option o)
{
	return (conf_rows[o].who & WHO_GUARD) != 0;
}

void
conf_warn(struct conf *c, const struct conf_origin *where, const char *fmt, ...)
{
	char text[FAIL_TEXT];
	size_t n = 0;
	va_list ap;

	while (c->warnings[n] != NULL)
		n++;
	if (n == WARNINGS_MAX)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	c->warnings = arena_grow(c->arena, c->warnings, n + 1, sizeof *c->warnings);
	c->warnings[n] = arena_fmt(c->arena, "%s:%u: %s", where->file, where->line, text);
	c->warnings[n + 1] = NULL;
}

bool
assignments_add(struct arena *a, struct assignments *to, const struct assignment *one)
{
	if (to->n == ASSIGNMENTS_MAX)
		return false;
	to->list = arena_grow(a, to->list, to->n, sizeof *to->list);
	to->list[to->n++] =
	    (struct assignment){ arena_str(a, one->name), arena_str(a, one->value), one->where };
	return true;
}

const struct assignment *
assignments_find(const struct assignments *in, struct str name)
{
	for (size_t n = in->n; n > 0; n--)
		if (str_eq(in->list[n - 1].name, name))
			return &in->list[n - 1];
	return NULL;
}

/* *out: which of the words (parted by "|") the value is.  False: none. */
static bool
word_index(const char *words, struct str value, unsigned *out)
{
	struct str rest = str_of(words);

	for (unsigned i = 0; rest.p != NULL; i++) {
		if (str_ieq(str_cut(&rest, '|'), value)) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool
boolean(struct str value, bool *out)
{
	unsigned i;

	if (!word_index("no|yes|false|true|0|1|off|on", value, &i))
		return false;
	*out = i % 2 == 1;
	return true;
}

static bool
number(const struct conf_row *row, struct str value, uint64_t *out)
{
	uint64_t v;
	bool ok;

	if (row->kind == KIND_SECS)
		ok = num_parse_seconds(value, &v);
	else if (row->kind == KIND_SIZE)
		ok = num_parse_size(value, &v);
	else
		ok = num_parse(value, UINT64_MAX, &v);
	if (!ok || v < row->min || v > row->max)
		return false;
	*out = v;
	return true;
}

static bool
text(struct conf *c, const struct conf_row *row, struct str value, const char **out, struct fail *f)
{
	for (size_t i = 0; i < value.n; i++)
		if (ascii_control(value.p[i]) && value.p[i] != '\t')
			return fail_conf(
			    f, "%s has a control character in its value", row->names[0]);
	if (value.n > row->max)
		return fail_conf(f, "%s is longer than %" PRIu64 " bytes", row->names[0], row->max);
	*out = arena_strz(c->arena, value);
	return true;
}

static const char *
meant(enum conf_kind kind)
{
	switch (kind) {
	case KIND_STR:
		break;
	case KIND_BOOL:
		return "yes or no";
	case KIND_UINT:
		return "a number";
	case KIND_SECS:
		return "a time like 30s, 15m or 4d,";
	case KIND_SIZE:
		return "a size like 50M";
	case KIND_WORD:
		return "one of ";
	}
	return "a text";
}

static bool
refuse(const struct conf_row *row, struct str value, struct fail *f)
{
	const char *unit = row->kind == KIND_SECS ? "s" : "";
	char range[64] = "";

	if (row->kind == KIND_SECS || row->kind == KIND_UINT)
		(void)snprintf(range, sizeof range, " from %" PRIu64 "%s to %" PRIu64 "%s",
		    row->min, unit, row->max, unit);
	return fail_conf(f, "%s is %s%s%s, not \"%.*s\"", row->names[0], meant(row->kind),
	    row->words, range, S_ARG(value));
}

/* An empty value is the default. */
static bool
store(struct conf *c, const struct conf_row *row, struct str value, struct fail *f)
{
	void *at = (char *)c + row->offset;
	bool ok;

	if (value.n == 0)
		value = str_of(row->def);
	if (row->kind == KIND_STR)
		return text(c, row, value, at, f);
	if (row->kind == KIND_BOOL)
		ok = boolean(value, at);
	else if (row->kind == KIND_WORD)
		ok = word_index(row->words, value, at);
	else
		ok = number(row, value, at);
	return ok || refuse(row, value, f);
}

/* Debian's switches: dc_hide_mailname is on by "true" alone; a macro is on by being there,
 * but who writes "no" means no. */
static struct str
debian_switch(struct str name, struct str value)
{
	struct str rest = value, word = str_word(&rest);
	bool on = word.n > 0;

	if (str_starts(name, STR("dc_")))
		on = str_ieq(value, STR("true"));
	else
		(void)!boolean(word, &on);
	return on ? STR("yes") : STR("no");
}

/* Debian's other types of a configuration. */
static bool
refuse_type(struct str type, struct fail *f)
{
	if (str_ieq(type, STR("none")))
		return fail_conf(f,
		    "configtype none leaves nothing to do: "
		    "write smarthost, satellite or local");
	if (str_ieq(type, STR("internet")))
		return fail_conf(f,
		    "configtype internet is not for onehop: it hands all mail to one "
		    "smarthost and never asks for MX; write smarthost, satellite or local");
	return true;
}

/* PHP's mail() hands the fifth argument of a web form's script on as flags: -C with an uploaded
 * file must not start a program or write where the web server reads. */
static bool
check_borrowed(const struct conf *c, enum conf_option o, struct fail *f)
{
	if (c->borrowed && (conf_rows[o].who & WHO_OWNER) != 0)
		return fail_conf(f,
		    "%s is not taken from a file named with -C, unless root owns it; "
		    "~/.config/onehop/onehop.conf may have it",
		    conf_rows[o].names[0]);
	return true;
}

/* Options with a language of their own are parsed while file and line are known.  An empty value is
 * the default. */
static bool
check_language(struct arena *a, enum conf_option o, struct str value, struct fail *f)
{
	struct retry rule;
	struct rate limit;
	struct mask *rules;
	size_t n;

	if (value.n == 0)
		return true;
	if (o == CONF_rate_limit)
		return rate_parse(&limit, value, f);
	if (o == CONF_headers_rewrite)
		return masks_parse(a, value, &rules, &n, f);
	if (o == CONF_return_path)
		return masks_is_address(value, f);
	return o != CONF_retry || retry_parse(&rule, value, f);
}

/* What earlier versions had: no reason to keep mail. */
static bool
is_retired(struct str name)
{
	return str_eq(name, STR("fold_duplicates")) || str_eq(name, STR("tls_dane"));
}

bool
conf_set(struct conf *c, const struct assignment *one, struct fail *f)
{
	enum conf_option o = conf_find(one->name);
	struct str value = one->value;

	if (o == CONF_COUNT && is_retired(one->name)) {
		conf_warn(c, &one->where, "%.*s is no option any more: take the line out",
		    S_ARG(one->name));
		return true;
	}
	if (o == CONF_COUNT)
		return conf_unknown(one->name, f);
	if (conf_rows[o].kind == KIND_BOOL && !str_eq(one->name, str_of(conf_rows[o].names[0])))
		value = debian_switch(one->name, value);
	if (!check_borrowed(c, o, f) || (o == CONF_configtype && !refuse_type(value, f)))
		return false;
	if (!check_language(c->arena, o, value, f) || !store(c, &conf_rows[o], value, f))
		return false;
	c->origin[o] = one->where;
	return true;
}

void
conf_init(struct conf *c, struct arena *a)
{
	struct fail f = FAIL_INIT;

	*c = (struct conf){ .etc = "/etc", .arena = a };
	c->warnings = arena_grow(a, NULL, 0, sizeof *c->warnings);
	c->macros = arena_alloc(a, sizeof *c->macros);
	for (unsigned o = 0; o < CONF_COUNT; o++)
		(void)store(c, &conf_rows[o], STR(""), &f); /* tests/unit/test_conf.c: none fails */
}
