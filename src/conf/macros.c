/* macros.c - the macros in Exim's configuration files: assignments and .ifdef, nothing else. */
#include <dirent.h>
#include <errno.h>

#include "conf/debian.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { DEPTH_MAX = 32, JOINED_MAX = 65536 };

/* The lines of an .ifdef's branch are read (LIVE); or one of the next branches may be (OPEN), or
 * none, because one was or because all this is inside of lines that are not read (OVER). */
enum level { LIVE, OPEN, OVER };

struct scanner {
	struct conf *c;
	struct str rest;
	const char *file;
	bool ours;
	unsigned line, start; /* of the next line; of the logical line */
	enum level levels[DEPTH_MAX];
	size_t depth;
};

/* What Debian's template sets where the administrator did not.  onehop has its own defaults. */
static const struct {
	const char *macro, *value;
} stock[] = {
	{ "LOCAL_DELIVERY", "mail_spool" },
	{ "SPOOLDIR", "/var/spool/exim4" },
	{ "MAIN_TRUSTED_USERS", "uucp" },
	{ "MAIN_IGNORE_BOUNCE_ERRORS_AFTER", "2d" },
	{ "MAIN_TIMEOUT_FROZEN_AFTER", "7d" },
};

static bool
is_stock(struct str name, struct str value)
{
	for (size_t i = 0; i < sizeof stock / sizeof stock[0]; i++)
		if (str_eq(name, str_of(stock[i].macro)) && str_eq(value, str_of(stock[i].value)))
			return true;
	return false;
}

/* Without calls where it can: each start of the program reads the 2,000 lines of the template. */
static struct str
physical_line(struct scanner *s)
{
	struct str line = str_at(s->rest.p, str_find(s->rest, '\n'));

	s->rest = line.n < s->rest.n ? str_at(line.p + line.n + 1, s->rest.n - line.n - 1) :
				       str_at("", 0);
	s->line++;
	while (line.n > 0 && line.p[0] <= ' ' && ascii_space(line.p[0]))
		line = str_at(line.p + 1, line.n - 1);
	while (line.n > 0 && line.p[line.n - 1] <= ' ' && ascii_space(line.p[line.n - 1]))
		line.n--;
	return line;
}

static bool
goes_on(struct str line)
{
	return line.n > 0 && line.p[line.n - 1] == '\\' && line.p[0] != '#';
}

/* line with its continuations; comments between them are left out. */
static struct str
join(struct scanner *s, struct str line)
{
	AUTO_BUF struct buf joined = BUF_INIT(JOINED_MAX);

	while (goes_on(line) && s->rest.n > 0) {
		buf_put(&joined, str_at(line.p, line.n - 1));
		do
			line = physical_line(s);
		while (line.n > 0 && line.p[0] == '#' && s->rest.n > 0);
	}
	buf_put(&joined, line);
	return arena_str(s->c->arena, buf_get(&joined));
}

static struct str
logical_line(struct scanner *s)
{
	struct str line = physical_line(s);

	s->start = s->line;
	return goes_on(line) ? join(s, line) : line;
}

/* True when any of the names is a macro.  Those with "_" in front say what Exim was built with. */
static bool
any_defined(const struct scanner *s, struct str names)
{
	struct str name;

	while ((name = str_word(&names)).n > 0)
		if (name.p[0] == '_' || assignments_find(&s->c->macros->macros, name) != NULL)
			return true;
	return false;
}

static bool
is_live(const struct scanner *s)
{
	return s->depth == 0 || s->levels[s->depth - 1] == LIVE;
}

static bool
condition(struct scanner *s, struct str line, struct fail *f)
{
	struct str word = str_word(&line);
	enum level *top = s->depth > 0 ? &s->levels[s->depth - 1] : NULL;
	bool is =
	    any_defined(s, line) != str_iends(word, STR("ndef")) || str_eq(word, STR(".else"));

	if (str_eq(word, STR(".ifdef")) || str_eq(word, STR(".ifndef"))) {
		if (s->depth == DEPTH_MAX)
			return fail_conf(f, ".ifdef is nested too deeply");
		s->levels[s->depth] = !is_live(s) ? OVER : is ? LIVE : OPEN;
		s->depth++;
	} else if (top == NULL) {
		return true; /* Exim's to complain about */
	} else if (str_eq(word, STR(".endif"))) {
		s->depth--;
	} else if (str_starts(word, STR(".el")) && *top != OVER) {
		*top = *top == LIVE ? OVER : is ? LIVE : OPEN;
	}
	return true;
}

/* Exim stops at a second "=" for one macro; here the first counts, but localmacros go before
 * the capital lines of update-exim4.conf.conf, around which Debian writes ".ifndef". */
static bool
define(struct scanner *s, const struct assignment *one, bool again, struct fail *f)
{
	const struct assignment *old = assignments_find(&s->c->macros->macros, one->name);

	if (old != NULL && !again && !(s->ours && old->where.file == s->c->file)) {
		if (s->ours)
			conf_warn(s->c, &one->where, "%.*s was set before at %s:%u, which counts",
			    S_ARG(one->name), old->where.file, old->where.line);
		return true;
	}
	(void)assignments_add(s->c->arena, &s->c->macros->macros, one);
	if (!s->ours && is_stock(one->name, one->value))
		return true;
	return debian_apply(s->c, one, s->ours, f);
}

static bool
macro_line(struct scanner *s, struct str line, struct fail *f)
{
	struct assignment one = { .name = conf_name(line), .where = { s->file, s->start } };
	bool again;

	line = str_ltrim(str_skip(line, one.name.n));
	if (line.n == 0 || line.p[0] != '=')
		return true;
	again = line.n > 1 && line.p[1] == '=';
	one.value = str_trim(str_skip(line, again ? 2 : 1));
	return define(s, &one, again, f);
}

/* The macros that update-exim4.conf puts in front of the template. */
static void
seed(struct conf *c)
{
	static const char *const types[] = { [TYPE_SMARTHOST] = "DCconfig_smarthost",
		[TYPE_SATELLITE] = "DCconfig_satellite",
		[TYPE_LOCAL] = "DCconfig_local" };
	const char *const names[] = { types[c->configtype], "DCsmarthost", "DCreadhost",
		"ETC_MAILNAME", "LOCAL_DELIVERY", "MAIN_LOCAL_DOMAINS" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct assignment one = { .name = str_of(names[i]), .where = { c->file, 0 } };

		(void)assignments_add(c->arena, &c->macros->macros, &one);
	}
	c->macros->seeded = true;
}

bool
debian_macros(struct conf *c, struct str text, const char *file, bool ours, struct fail *f)
{
	struct scanner s = { .c = c, .rest = text, .file = file, .ours = ours };

	if (!ours && !c->macros->seeded)
		seed(c);
	while (s.rest.n > 0) {
		struct str line = logical_line(&s);
		bool ok = true;

		if (line.n > 0 && line.p[0] == '.')
			ok = condition(&s, line, f);
		else if (line.n > 0 && ascii_lower(line.p[0]) != line.p[0] && is_live(&s))
			ok = macro_line(&s, line, f);
		if (!ok) {
			fail_prefix(f, "%s:%u", file, s.start);
			return false;
		}
	}
	return true;
}

static bool
load_one(struct conf *c, const char *path, bool ours, struct fail *f)
{
	struct str text;

	return conf_read(c->arena, path, &text, f) &&
	    (text.p == NULL || debian_macros(c, text, path, ours, f));
}

/* The names that run-parts would take: letters, digits, "_" and "-". */
static int
is_part(const struct dirent *d)
{
	for (const char *p = d->d_name; *p != '\0'; p++)
		if (!ascii_alnum(*p) && *p != '_' && *p != '-')
			return 0;
	return 1;
}

static bool
load_dir(struct conf *c, const char *dir, struct fail *f)
{
	struct dirent **list = NULL;
	int n = scandir(dir, &list, is_part, alphasort);
	bool ok = true;

	if (n < 0)
		return errno == ENOENT ||
		    fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "cannot read %s", dir);
	for (int i = 0; i < n; i++) {
		bool ours = strstr(list[i]->d_name, "exim4-config_") == NULL;
		const char *path = arena_fmt(c->arena, "%s/%s", dir, list[i]->d_name);
		const char *instead = arena_fmt(c->arena, "%s.rul", path);

		if (access(instead, F_OK) == 0)
			path = instead;
		ok = ok && load_one(c, path, ours, f);
		free(list[i]);
	}
	free(list);
	return ok;
}

bool
debian_load(struct conf *c, const char *dir, struct fail *f)
{
	static const char *const parts[] = { "main", "acl", "router", "transport", "retry",
		"rewrite", "auth" };

	if (!c->macros->split)
		return load_one(
			   c, arena_fmt(c->arena, "%s/exim4.conf.localmacros", dir), true, f) &&
		    load_one(c, arena_fmt(c->arena, "%s/exim4.conf.template", dir), false, f);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
		if (!load_dir(c, arena_fmt(c->arena, "%s/conf.d/%s", dir, parts[i]), f))
			return false;
	return true;
}
