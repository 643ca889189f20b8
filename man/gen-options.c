/* gen-options.c - prints the option list of onehop.conf(5) from conf/options.def.
 *
 * Built with CC_FOR_BUILD and libc alone: it runs on the machine that compiles. */
#include <stdio.h>
#include <string.h>

#define OPT(name, dc, macro, type, def, min, max, words, help) \
	{ #name, dc, macro, #type, def, words, help },
static const struct {
	const char *name, *dc, *macro, *type, *def, *words, *help;
} rows[] = {
#include "conf/options.def"
};
#undef OPT

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

int
main(void)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
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
	return fflush(stdout) == 0 ? 0 : 1;
}
