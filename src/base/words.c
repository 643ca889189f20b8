/* words.c - a command cut into words. */
#include "base/words.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* Cut one word off *s.  p == NULL: its quote is not closed. */
static struct str
cut_word(struct arena *a, struct str *s)
{
	char quote = s->p[0] == '"' || s->p[0] == '\'' ? s->p[0] : '\0';
	char *word = arena_alloc(a, s->n + 1);
	size_t n = 0, i = quote != '\0' ? 1 : 0;

	for (; i < s->n; i++) {
		char c = s->p[i];

		if (quote != '\0' ? c == quote : ascii_space(c))
			break;
		if (quote == '"' && c == '\\' && i + 1 < s->n)
			c = s->p[++i];
		word[n++] = c;
	}
	if (quote != '\0' && i == s->n)
		return str_at(NULL, 0);
	*s = str_ltrim(str_skip(*s, i + (quote != '\0')));
	return str_at(word, n);
}

char **
words_split(struct arena *a, struct str command, const char **fault)
{
	char **list = arena_array(a, WORDS_MAX + 1, sizeof *list);
	struct str rest = str_trim(command);

	*fault = rest.n == 0 ? "nothing" : NULL;
	for (size_t n = 0; rest.n > 0 && *fault == NULL; n++) {
		struct str word = cut_word(a, &rest);

		if (word.p == NULL)
			*fault = "missing quote";
		else if (n == WORDS_MAX)
			*fault = "too many words";
		else
			list[n] = arena_strz(a, word);
	}
	return *fault == NULL ? list : NULL;
}
