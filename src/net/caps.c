/* caps.c - what a server offers in its reply to EHLO or LHLO. */
#include "net/caps.h"

#include "base/num.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { MECHANISM_MAX = 20 }; /* RFC 4422 3.1 */

static const struct {
	struct str word;
	enum cap cap;
} words[] = {
	{ { "PIPELINING", 10 }, CAP_PIPELINING },
	{ { "SIZE", 4 }, CAP_SIZE },
	{ { "8BITMIME", 8 }, CAP_8BITMIME },
	{ { "SMTPUTF8", 8 }, CAP_SMTPUTF8 },
	{ { "DSN", 3 }, CAP_DSN },
	{ { "STARTTLS", 8 }, CAP_STARTTLS },
	{ { "AUTH", 4 }, CAP_AUTH },
	{ { "CHUNKING", 8 }, CAP_CHUNKING },
	{ { "LIMITS", 6 }, CAP_LIMITS },
};

/* The next word of *s (parted by blanks), or one of length 0 at the end. */
static struct str
next_word(struct str *s)
{
	struct str word;

	*s = str_ltrim(*s);
	for (word = str_at(s->p, 0); word.n < s->n && !ascii_space(s->p[word.n]); word.n++)
		;
	*s = str_skip(*s, word.n);
	return word;
}

static bool
mechanism_ok(struct str name)
{
	if (name.n == 0 || name.n > MECHANISM_MAX)
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (!ascii_alnum(name.p[i]) && name.p[i] != '-' && name.p[i] != '_')
			return false;
	return true;
}

bool
caps_offers(const struct caps *c, struct str mechanism)
{
	struct str rest = str_of(c->mechanisms);

	while (rest.n > 0)
		if (str_ieq(next_word(&rest), mechanism))
			return true;
	return false;
}

static void
add_mechanism(struct caps *c, struct str name)
{
	size_t n = strlen(c->mechanisms);

	if (!mechanism_ok(name) || caps_offers(c, name) || n + 1 + name.n >= sizeof c->mechanisms)
		return;
	if (n > 0)
		c->mechanisms[n++] = ' ';
	for (size_t i = 0; i < name.n; i++)
		c->mechanisms[n++] = ascii_upper(name.p[i]);
	c->mechanisms[n] = '\0';
}

/* RFC 9422: NAME=VALUE pairs. */
static void
feed_limits(struct caps *c, struct str rest)
{
	struct str word;

	while ((word = next_word(&rest)).n > 0) {
		struct str name = str_cut(&word, '=');
		uint64_t n;

		if (word.p == NULL || !num_parse(word, UINT32_MAX, &n))
			continue;
		if (str_ieq(name, STR("RCPTMAX")))
			c->limit_rcpt = n;
		else if (str_ieq(name, STR("MAILMAX")))
			c->limit_mail = n;
	}
}

static void
feed_word(struct caps *c, enum cap cap, struct str rest)
{
	struct str word;

	c->have |= cap;
	if (cap == CAP_AUTH)
		while ((word = next_word(&rest)).n > 0)
			add_mechanism(c, word);
	else if (cap == CAP_LIMITS)
		feed_limits(c, rest);
	else if (cap == CAP_SIZE && !num_parse(str_trim(rest), UINT64_MAX, &c->size_max))
		c->size_max = 0;
}

void
caps_feed(struct caps *c, struct str line)
{
	struct str rest = line, word;

	/* Servers of the nineties write "AUTH=LOGIN PLAIN". */
	if (str_istarts(line, STR("AUTH="))) {
		feed_word(c, CAP_AUTH, str_skip(line, 5));
		return;
	}
	word = next_word(&rest);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (str_ieq(word, words[i].word))
			feed_word(c, words[i].cap, rest);
}
