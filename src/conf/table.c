/* table.c - the option table: names, values from text and back to text. */
#include "conf/table.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/num.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { NAME_LONGEST = 64, WARNINGS_MAX = 100 };

const struct conf_row conf_rows[CONF_COUNT] = {
#define OPT(name, dc, macro, type, def, min, max, words, help) \
	[CONF_##name] = { #name, dc, macro, def, words, KIND_##type, min, max, \
		offsetof(struct conf, name) },
#include "conf/options.def"
#undef OPT
};

enum alias { ALIAS_NONE, ALIAS_DC, ALIAS_MACRO };

/* The first letter decides nearly always, and each start of the program asks often. */
static bool
is_called(struct str name, const char *alias)
{
	return name.n > 0 && name.p[0] == alias[0] && str_eq(name, str_of(alias));
}

static enum conf_option
find(struct str name, enum alias *alias)
{
	for (unsigned o = 0; o < CONF_COUNT; o++) {
		const struct conf_row *row = &conf_rows[o];

		*alias = ALIAS_NONE;
		if (is_called(name, row->name))
			return (enum conf_option)o;
		*alias = ALIAS_DC;
		if (is_called(name, row->dc))
			return (enum conf_option)o;
		*alias = ALIAS_MACRO;
		if (is_called(name, row->macro))
			return (enum conf_option)o;
	}
	return CONF_COUNT;
}

enum conf_option
conf_find(struct str name)
{
	enum alias alias;

	return find(name, &alias);
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
	for (unsigned i = 0; i < CONF_COUNT; i++) {
		const char *names[] = { conf_rows[i].name, conf_rows[i].dc, conf_rows[i].macro };

		for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
			size_t d = distance(name, str_of(names[k]));

			if (names[k][0] == '\0' || d > *edits ||
			    (d == *edits && (name.n == 0 || names[k][0] != name.p[0])))
				continue;
			*edits = d;
			best = names[k];
			*o = (enum conf_option)i;
		}
	}
	return best;
}

bool
conf_is_security(enum conf_option o)
{
	struct str name = str_of(conf_rows[o].name);

	return str_starts(name, STR("tls")) || str_starts(name, STR("auth_")) ||
	    str_starts(name, STR("passw")) || o == CONF_force_sender || o == CONF_trusted_users;
}

void
conf_warn(struct conf *c, const char *fmt, ...)
{
	const char **list;
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
	list = arena_array(c->arena, n + 2, sizeof *list);
	for (size_t i = 0; i < n; i++)
		list[i] = c->warnings[i];
	list[n] = arena_strz(c->arena, str_of(text));
	c->warnings = list;
}

/* The words of a WORD row, one after the other. */
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
is_yes(struct str s)
{
	unsigned i;

	return word_index("yes|true|1|on", s, &i);
}

static bool
is_no(struct str s)
{
	unsigned i;

	return word_index("no|false|0|off", s, &i);
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
			return fail_conf(f, "%s has a control character in its value", row->name);
	if (value.n > row->max)
		return fail_conf(f, "%s is longer than %" PRIu64 " bytes", row->name, row->max);
	*out = arena_strz(c->arena, value);
	return true;
}

static bool
refuse(const struct conf_row *row, struct str value, struct fail *f)
{
	switch (row->kind) {
	case KIND_BOOL:
		return fail_conf(f, "%s is yes or no, not \"%.*s\"", row->name, S_ARG(value));
	case KIND_SECS:
		return fail_conf(f,
		    "%s is a time like 30s, 15m or 4d, from %" PRIu64 "s to %" PRIu64
		    "s, not \"%.*s\"",
		    row->name, row->min, row->max, S_ARG(value));
	case KIND_SIZE:
		return fail_conf(f, "%s is a size like 50M, not \"%.*s\"", row->name, S_ARG(value));
	case KIND_WORD:
		return fail_conf(
		    f, "%s is one of %s, not \"%.*s\"", row->name, row->words, S_ARG(value));
	case KIND_UINT:
	case KIND_STR:
		break;
	}
	return fail_conf(f, "%s is a number from %" PRIu64 " to %" PRIu64 ", not \"%.*s\"",
	    row->name, row->min, row->max, S_ARG(value));
}

static bool
store(struct conf *c, const struct conf_row *row, struct str value, struct fail *f)
{
	void *at = (char *)c + row->offset;

	if (value.n == 0)
		value = str_of(row->def);
	switch (row->kind) {
	case KIND_STR:
		return text(c, row, value, at, f);
	case KIND_BOOL:
		if (!is_yes(value) && !is_no(value))
			return refuse(row, value, f);
		*(bool *)at = is_yes(value);
		return true;
	case KIND_WORD:
		return word_index(row->words, value, at) || refuse(row, value, f);
	case KIND_UINT:
	case KIND_SECS:
	case KIND_SIZE:
		break;
	}
	return number(row, value, at) || refuse(row, value, f);
}

/* Debian's switches: dc_hide_mailname is on by "true" alone; a macro is on by being there,
 * but who writes "no" means no. */
static struct str
debian_switch(enum alias alias, struct str value)
{
	struct str word = value;

	if (alias == ALIAS_DC)
		return str_ieq(value, STR("true")) ? STR("yes") : STR("no");
	for (word.n = 0; word.n < value.n && !ascii_space(value.p[word.n]);)
		word.n++;
	return word.n > 0 && !is_no(word) ? STR("yes") : STR("no");
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

static bool
refuse_type(const struct conf *c, struct fail *f)
{
	if (c->configtype == TYPE_NONE)
		return fail_conf(f,
		    "configtype none leaves nothing to do: "
		    "write smarthost, satellite or local");
	if (c->configtype == TYPE_INTERNET)
		return fail_conf(f,
		    "configtype internet is not for onehop: it hands all mail to one "
		    "smarthost and never asks for MX; write smarthost, satellite or local");
	return true;
}

static bool
set(struct conf *c, struct str name, struct str value, struct conf_origin where, struct fail *f)
{
	enum alias alias;
	enum conf_option o = find(name, &alias);
	const struct conf_row *row;
	unsigned type = c->configtype;

	if (o == CONF_COUNT)
		return conf_unknown(name, f);
	row = &conf_rows[o];
	if (row->kind == KIND_BOOL && alias != ALIAS_NONE)
		value = debian_switch(alias, value);
	if (!store(c, row, value, f))
		return false;
	if (!refuse_type(c, f)) {
		c->configtype = type;
		return false;
	}
	c->origin[o] = where;
	return true;
}

bool
conf_set(
    struct conf *c, struct str name, struct str value, struct conf_origin where, struct fail *f)
{
	if (set(c, name, value, where, f))
		return true;
	if (where.line > 0)
		fail_prefix(f, "%s:%u", where.file, where.line);
	else if (where.file != NULL)
		fail_prefix(f, "%s", where.file);
	return false;
}

void
conf_init(struct conf *c, struct arena *a)
{
	static const char *const none[] = { NULL };
	struct fail f = FAIL_INIT;

	*c = (struct conf){ .etc = "/etc", .warnings = none, .arena = a };
	for (unsigned o = 0; o < CONF_COUNT; o++)
		(void)store(c, &conf_rows[o], STR(""), &f); /* tests/unit/test_conf.c: none fails */
}
