/* gen-page.c - makes a manual page from its .in: lists from the tables that the program is made of.
 *
 * usage: gen-page < page.in > page
 * A line @OPTIONS@, @FLAGS@, @IGNORED@ or @MODES@ becomes that list.
 * Built with CC_FOR_BUILD and libc alone: it runs on the machine that compiles. */
#include <stdio.h>
#include <string.h>

#define OPT(name, dc, macro, type, def, min, max, words, who, help) \
	{ #name, dc, macro, #type, def, words, help },
static const struct {
	const char *name, *dc, *macro, *type, *def, *words, *help;
} rows[] = {
#include "conf/options.def"
};
#undef OPT

#define FLAG(name, argument, action, value, help) { name, #action, value, help },
static const struct {
	const char *name, *action, *value, *help;
} flags[] = {
#include "front/flags.def"
};
#undef FLAG

#define MODE(value, symbol, help) { value, help },
static const struct {
	const char *value, *help;
} modes[] = {
#include "front/modes.def"
};
#undef MODE

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *
kind(const char *type)
{
	static const struct {
		const char *type, *kind;
	} kinds[] = { { "STR", "text" }, { "BOOL", "yes|no" }, { "UINT", "number" },
		{ "SECS", "time" }, { "SIZE", "size" } };

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].type, type) == 0)
			return kinds[i].kind;
	return type;
}

/* Text that roff takes as it stands. */
static void
escaped(const char *s)
{
	if (*s == '.' || *s == '\'')
		(void)fputs("\\&", stdout);
	for (; *s != '\0'; s++)
		(void)fputs(*s == '\\' ? "\\e" :
			*s == '"'      ? "\\(dq" :
					 (char[]){ *s, '\0' },
		    stdout);
}

/* One sentence a line, as mdoc(7) asks for. */
static void
sentences(const char *s)
{
	for (const char *end; (end = strstr(s, ". ")) != NULL; s = end + 2) {
		char line[1024];

		(void)snprintf(line, sizeof line, "%.*s", (int)(end - s) + 1, s);
		escaped(line);
		(void)putchar('\n');
	}
	escaped(s);
	(void)putchar('\n');
}

/* "configtype = smarthost | satellite": the words of a WORD option, or what is written there. */
static void
item(const char *name, const char *type, const char *words)
{
	(void)printf(".It Ic %s No = Ar ", name);
	for (const char *w = words[0] != '\0' ? words : kind(type); *w != '\0'; w++)
		(void)fputs(*w == '|' ? " | " : (char[]){ *w, '\0' }, stdout);
	(void)putchar('\n');
}

static void
options(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		item(rows[i].name, rows[i].type, rows[i].words);
		sentences(rows[i].help);
		if (rows[i].def[0] != '\0') {
			(void)fputs("The default is\n.Ql \"", stdout);
			escaped(rows[i].def);
			(void)fputs("\" .\n", stdout);
		}
		if (rows[i].dc[0] != '\0')
			(void)printf("Debian's key is\n.Ic %s .\n", rows[i].dc);
		if (rows[i].macro[0] != '\0')
			(void)printf("Debian's macro is\n.Ic %s .\n", rows[i].macro);
	}
}

static int
is_ignored(size_t i)
{
	return strcmp(flags[i].action, "IGNORE") == 0 || strcmp(flags[i].action, "SHORT") == 0;
}

static void
flag_list(void)
{
	for (size_t i = 0; i < COUNT(flags); i++) {
		if (is_ignored(i))
			continue;
		(void)printf(".It Fl %s", flags[i].name);
		(void)printf(flags[i].value[0] != '\0' ? " Ar %s\n" : "\n", flags[i].value);
		sentences(flags[i].help);
	}
}

static void
ignored(void)
{
	size_t left = 0;

	for (size_t i = 0; i < COUNT(flags); i++)
		left += (size_t)is_ignored(i);
	for (size_t i = 0; i < COUNT(flags); i++)
		if (is_ignored(i))
			(void)printf(".Fl %s %c\n", flags[i].name, --left > 0 ? ',' : '.');
}

static void
mode_list(void)
{
	for (size_t i = 0; i < COUNT(modes); i++) {
		(void)printf(".It Fl b%s\n", modes[i].value);
		sentences(modes[i].help);
	}
}

static const struct {
	const char *line;
	void (*print)(void);
} lists[] = { { "@OPTIONS@\n", options }, { "@FLAGS@\n", flag_list }, { "@IGNORED@\n", ignored },
	{ "@MODES@\n", mode_list } };

static void
copy(const char *line)
{
	for (size_t i = 0; i < COUNT(lists); i++)
		if (strcmp(line, lists[i].line) == 0) {
			lists[i].print();
			return;
		}
	(void)fputs(line, stdout);
}

int
main(void)
{
	char line[4096];

	while (fgets(line, sizeof line, stdin) != NULL)
		copy(line);
	return fflush(stdout) == 0 && !ferror(stdin) ? 0 : 1;
}
