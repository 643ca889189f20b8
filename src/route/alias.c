/* alias.c - the right-hand side of an alias or a .forward. */
#include "route/alias.h"

#include "base/file.h"
#include "base/named.h"

#include "base/banned.h" /* IWYU pragma: keep */

struct alias_list
alias_list_open(struct str text)
{
	return (struct alias_list){ .rest = text };
}

bool
alias_is_verdict(enum alias_kind kind)
{
	return kind == ALIAS_FAIL || kind == ALIAS_DEFER || kind == ALIAS_BLACKHOLE ||
	    kind == ALIAS_UNKNOWN;
}

/* The octets of a character that may be escaped: a backslash takes the next one along. */
static size_t
one(struct str s, size_t at)
{
	return s.p[at] == '\\' && at + 1 < s.n ? 2 : 1;
}

/* Index behind the quoted string that starts at s[at]; a newline ends it too. */
static size_t
skip_quoted(struct str s, size_t at)
{
	for (at++; at < s.n && s.p[at] != '\n'; at += one(s, at))
		if (s.p[at] == '"')
			return at + 1;
	return at;
}

static size_t
skip_comment(struct str s, size_t at)
{
	size_t depth = 0;

	for (; at < s.n && s.p[at] != '\n'; at += one(s, at)) {
		if (s.p[at] == '(')
			depth++;
		if (s.p[at] == ')' && --depth == 0)
			return at + 1;
	}
	return at;
}

/* Length of the item at the start of s.  A comma inside <> or in a source route does not end it. */
static size_t
item_length(struct str s)
{
	bool route = s.n > 0 && s.p[0] == '@', angle = false;
	size_t at = 0;

	while (at < s.n && s.p[at] != '\n' && (s.p[at] != ',' || route || angle)) {
		if (s.p[at] == '"') {
			at = skip_quoted(s, at);
			continue;
		}
		if (s.p[at] == '(') {
			at = skip_comment(s, at);
			continue;
		}
		if (s.p[at] == '<')
			angle = true;
		else if (s.p[at] == '>')
			angle = false;
		else if (s.p[at] == ':')
			route = false;
		at += one(s, at);
	}
	return at;
}

/* Step over separators and comments to the next item. */
static struct str
next_start(struct str s)
{
	while (s.n > 0) {
		if (s.p[0] == '#')
			s = str_skip(s, str_find(s, '\n'));
		else if (s.p[0] == ',' || ascii_space(s.p[0]))
			s = str_skip(s, 1);
		else
			break;
	}
	return s;
}

static struct alias_item
bad(struct str text, const char *reason)
{
	return (struct alias_item){ .kind = ALIAS_BAD, .text = text, .reason = reason };
}

/* ":fail:" and its kin: the text is the rest of the line, and nothing behind it counts. */
static bool
take_verdict(struct str s, struct alias_item *out)
{
	static const struct {
		struct str word;
		enum alias_kind kind;
	} words[] = {
		{ { ":fail:", 6 }, ALIAS_FAIL },
		{ { ":defer:", 7 }, ALIAS_DEFER },
		{ { ":blackhole:", 11 }, ALIAS_BLACKHOLE },
		{ { ":unknown:", 9 }, ALIAS_UNKNOWN },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!str_starts(s, words[i].word))
			continue;
		s = str_skip(s, words[i].word.n);
		out->kind = words[i].kind;
		out->text = str_trim(str_at(s.p, str_find(s, '\n')));
		return true;
	}
	return false;
}

/* Quoted as a whole?  Then the quotes are the list's and not the address's. */
static bool
strip_quotes(struct str *s)
{
	if (s->n < 2 || s->p[0] != '"' || skip_quoted(*s, 0) != s->n || s->p[s->n - 1] != '"')
		return false;
	*s = str_at(s->p + 1, s->n - 2);
	return true;
}

static struct str
unescape(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t n = 0;

	for (size_t at = 0; at < s.n;) {
		size_t step = one(s, at);

		p[n++] = s.p[at + step - 1];
		at += step;
	}
	return str_at(p, n);
}

static bool
has_control(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (ascii_control(s.p[i]) && s.p[i] != '\t')
			return true;
	return false;
}

/* "/x@y.example" is an address with an odd local part, "/x" and "|x y@z" are not. */
static bool
is_path_or_pipe(struct arena *a, struct str s)
{
	struct fail f = FAIL_INIT;
	struct mailbox box;

	if (s.n == 0 || (s.p[0] != '|' && s.p[0] != '/'))
		return false;
	return str_find(s, '@') == s.n || !mailbox_parse(a, s, false, &box, &f) ||
	    box.domain.n == 0;
}

static struct alias_item
path_or_pipe(struct str s)
{
	struct alias_item it = { .kind = ALIAS_FILE, .text = s };

	if (s.p[0] == '|') {
		it.text = str_trim(str_skip(s, 1));
		it.kind = ALIAS_PIPE;
		return it.text.n > 0 ? it : bad(s, "missing command after |");
	}
	if (str_eq(s, STR("/dev/null")))
		it.kind = ALIAS_DEVNULL;
	else if (s.p[s.n - 1] == '/')
		it.kind = ALIAS_DIRECTORY;
	return it;
}

static struct alias_item
include(struct str s)
{
	struct str path = str_trim(str_skip(s, sizeof ":include:" - 1));

	if (path.n == 0 || path.p[0] != '/')
		return bad(s, "the path of an included file must be absolute");
	return (struct alias_item){ .kind = ALIAS_INCLUDE, .text = path };
}

/* False: nothing is in the quotes. */
static bool
classify(struct arena *a, struct str s, struct alias_item *out)
{
	bool quoted = strip_quotes(&s);

	s = str_trim(s);
	if (has_control(s))
		*out = bad(s, "control character");
	else if (str_starts(s, STR(":include:")))
		*out = include(s);
	else if (is_path_or_pipe(a, s))
		*out = path_or_pipe(quoted ? unescape(a, s) : s);
	else
		*out = (struct alias_item){ .kind = ALIAS_ADDRESS, .text = s };
	return s.n > 0;
}

/* People write comments in parentheses where an address could stand. */
static bool
only_comments(struct str s)
{
	while (s.n > 0 && s.p[0] == '(')
		s = str_ltrim(str_skip(s, skip_comment(s, 0)));
	return s.n == 0;
}

bool
alias_list_next(struct alias_list *l, struct arena *a, struct alias_item *out)
{
	for (;;) {
		struct str s = next_start(l->rest);
		size_t n;

		*out = (struct alias_item){ .kind = ALIAS_ADDRESS };
		l->rest = str_at(s.p, 0);
		if (s.n == 0)
			return false;
		if (take_verdict(s, out))
			return true;
		n = item_length(s);
		l->rest = str_skip(s, n);
		s = str_rtrim(str_at(s.p, n));
		if (!only_comments(s) && classify(a, s, out))
			return true;
	}
}

const char *
alias_fault(struct arena *a, const struct alias_item *item)
{
	struct mailbox m;
	struct fail f = FAIL_INIT;

	switch (item->kind) {
	case ALIAS_BAD:
		return item->reason;
	case ALIAS_PIPE:
	case ALIAS_FILE:
	case ALIAS_DIRECTORY:
		return "programs, files and directories belong into a user's .forward";
	case ALIAS_ADDRESS:
		if (mailbox_parse(a, item->text, false, &m, &f))
			return NULL;
		return item->included != NULL ? "no address" : arena_fmt(a, "%s", f.text);
	case ALIAS_DEVNULL:
	case ALIAS_INCLUDE:
	case ALIAS_FAIL:
	case ALIAS_DEFER:
	case ALIAS_BLACKHOLE:
	case ALIAS_UNKNOWN:
		break;
	}
	return NULL;
}

/* One of the lists that are being read. */
struct open_list {
	struct alias_list l;
	struct str text;
	const char *path; /* of an included file, or NULL */
	bool trusted;     /* it may include others */
};

/* The file of an :include: item as the next list to read. */
static bool
open_include(struct arena *a, const struct alias_item *it, const struct open_list *from,
    struct open_list *to, struct fail *f)
{
	const char *path = arena_strz(a, it->text), *reason = NULL;
	struct fail why = FAIL_INIT;
	struct open_list list = { .path = path };
	AUTO_FD int fd = -1;
	struct stat st;

	if (!from->trusted)
		return fail_set(f, FAIL_TEMP, STAGE_ROUTE, 0,
		    "included file: %s is not root's alone, and may include no other", from->path);
	fd = named_open(path, &st, &list.trusted, &reason);
	if (reason != NULL)
		return fail_set(f, FAIL_TEMP, STAGE_ROUTE, 0, "included file: %s %s", path, reason);
	if (fd < 0 ? !file_not_opened(path, &why) : !file_read_fd(a, fd, path, &list.text, &why))
		return fail_set(f, FAIL_TEMP, STAGE_ROUTE, 0, "included file: %s", why.text);
	list.l = alias_list_open(list.text);
	*to = list;
	return true;
}

/* What is wrong in somebody's file is told by its place: the words could be anybody's. */
static const char *
place_of(struct arena *a, const struct open_list *list)
{
	unsigned line = 1;

	if (list->path == NULL)
		return NULL;
	for (const char *p = list->text.p; p < list->l.rest.p; p++)
		line += *p == '\n';
	return arena_fmt(a, "%s:%u", list->path, line);
}

bool
alias_expand(struct arena *a, struct str text, size_t max, struct alias_items *out, struct fail *f)
{
	struct open_list stack[ALIAS_DEPTH_MAX + 1] = { { alias_list_open(text), text, NULL,
	    true } };
	struct alias_items all = { NULL, 0 };
	size_t depth = 1;

	while (depth > 0) {
		struct alias_item it;

		if (!alias_list_next(&stack[depth - 1].l, a, &it)) {
			depth--;
			continue;
		}
		if (all.n >= max)
			return fail_set(
			    f, FAIL_PERM, STAGE_ROUTE, 0, "the list has more than %zu items", max);
		if (it.kind == ALIAS_INCLUDE && depth > ALIAS_DEPTH_MAX)
			return fail_set(f, FAIL_TEMP, STAGE_ROUTE, 0,
			    "the list has more than %d nested :include: files", ALIAS_DEPTH_MAX);
		if (it.kind == ALIAS_INCLUDE) {
			if (!open_include(a, &it, &stack[depth - 1], &stack[depth], f))
				return false;
			depth++;
			continue;
		}
		it.included = place_of(a, &stack[depth - 1]);
		if (alias_is_verdict(it.kind))
			depth = 0;
		if (alias_is_verdict(it.kind) && it.kind != ALIAS_FAIL)
			all.n = 0;
		all.list = arena_grow(a, all.list, all.n, sizeof *all.list);
		all.list[all.n++] = it;
	}
	*out = all;
	return true;
}
