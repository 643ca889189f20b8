/* names.c - who we are: host name, mail name, local domains. */
#include "conf/names.h"

#include <netdb.h>
#include <sys/utsname.h>

#include "base/file.h"

#include "base/banned.h" /* IWYU pragma: keep */

static bool
is_name_byte(char c)
{
	return ascii_alnum(c) || ascii_8bit(c) || c == '-' || c == '@' || c == '.';
}

struct str
mailname_parse(struct arena *a, struct str text)
{
	struct str line = str_trim(str_cut(&text, '\n'));
	char *name = arena_alloc(a, line.n + 1);
	size_t n = 0, i = 0;

	while (i < line.n && !is_name_byte(line.p[i])) {
		if (!ascii_space(line.p[i]) || !ascii_space(line.p[i - 1]))
			name[n++] = line.p[i];
		i++;
	}
	while (i < line.n && is_name_byte(line.p[i]))
		name[n++] = ascii_lower(line.p[i++]);
	return str_at(name, n);
}

/* Is node one of the names in a line "address name alias..."?  *dotted: the first with a dot. */
static bool
line_names(struct str line, struct str node, struct str *dotted)
{
	struct str name;
	bool found = false;

	dotted->n = 0;
	line.n = str_find(line, '#');
	(void)str_word(&line);
	while ((name = str_word(&line)).n > 0) {
		found = found || str_ieq(name, node);
		if (dotted->n == 0 && str_find(name, '.') < name.n)
			*dotted = name;
	}
	return found;
}

bool
hostname_from(struct str hosts, struct str node, struct str *out)
{
	while (hosts.p != NULL) {
		struct str dotted;

		if (!line_names(str_cut(&hosts, '\n'), node, &dotted))
			continue;
		*out = dotted.n > 0 ? dotted : node;
		return true;
	}
	return false;
}

static const char *
ask_resolver(struct arena *a, const char *node)
{
	struct addrinfo hints = { .ai_flags = AI_CANONNAME, .ai_socktype = SOCK_STREAM }, *list;
	const char *name = node;

	if (getaddrinfo(node, NULL, &hints, &list) != 0)
		return node;
	if (list->ai_canonname != NULL && strchr(list->ai_canonname, '.') != NULL)
		name = arena_strz(a, str_of(list->ai_canonname));
	freeaddrinfo(list);
	return name;
}

const char *
hostname_find(struct arena *a, const char *etc)
{
	struct fail ignored = FAIL_INIT;
	struct utsname u;
	struct str text, name;
	const char *node;

	if (uname(&u) != 0 || !domain_is_plain(str_of(u.nodename)))
		return "localhost";
	node = arena_strz(a, str_of(u.nodename));
	if (strchr(node, '.') != NULL)
		return node;
	/* The resolver would read the same file, but loading its modules costs more than all
	 * the rest of a start. */
	if (file_read(a, arena_fmt(a, "%s/hosts", etc), &text, &ignored) &&
	    hostname_from(text, str_of(node), &name) && domain_is_plain(name))
		return arena_strz(a, name);
	return ask_resolver(a, node);
}

bool
domain_is_plain(struct str domain)
{
	for (size_t i = 0; i < domain.n; i++)
		if (ascii_control(domain.p[i]) || strchr(" @<>()[],;:\\\"", domain.p[i]) != NULL)
			return false;
	return domain.n > 0;
}

static bool
item_matches(const struct conf *c, struct str item, struct str domain)
{
	if (str_eq(item, STR("@")))
		return str_ieq(domain, str_of(c->primary_hostname));
	if (item.n > 0 && item.p[0] == '*')
		return str_iends(domain, str_skip(item, 1));
	return str_ieq(domain, item);
}

bool
domain_is_local(const struct conf *c, struct str domain)
{
	struct str rest = str_of(c->local_domains);

	if (domain.n == 0)
		return false;
	if (str_ieq(domain, STR("localhost")) || str_ieq(domain, str_of(c->primary_hostname)))
		return true;
	while (rest.n > 0) {
		size_t colon = str_find(rest, ':'), semicolon = str_find(rest, ';');
		size_t end = colon < semicolon ? colon : semicolon;
		struct str item = str_trim(str_at(rest.p, end));
		bool negated = item.n > 0 && item.p[0] == '!';

		rest = str_skip(rest, end + 1);
		if (negated)
			item = str_ltrim(str_skip(item, 1));
		if (item.n > 0 && item_matches(c, item, domain))
			return !negated;
	}
	return false;
}

bool
domain_is_mailname(const struct conf *c, struct str domain)
{
	return str_ieq(domain, str_of(c->qualify_domain));
}
