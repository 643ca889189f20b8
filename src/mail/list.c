/* list.c - the addresses in a header field or an argument. */
#include "mail/list.h"

#include "mail/phrase.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { FOLD_COLUMN = 40 };

/* The comma that ends the first item of s, or s.n.  Commas of a source route do not, nor those
 * between < and >. */
static size_t
item_end(struct str s)
{
	bool routed = s.n > 0 && s.p[0] == '@';
	int open = routed ? 1 : 0;
	unsigned unclosed;
	size_t at = 0;

	while (at < s.n && (s.p[at] != ',' || open > 0)) {
		char c = s.p[at];

		if (c == '"' || c == '(') {
			at += enclosed_length(str_skip(s, at), &unclosed);
			continue;
		}
		if (c == '<') {
			routed = at + 1 < s.n && s.p[at + 1] == '@';
			open = routed ? 2 : 1;
		} else if (c == '>' || (routed && c == ':')) {
			open--;
		}
		at += c == '\\' && at + 1 < s.n ? 2 : 1;
	}
	return at;
}

/* Past used bytes, the blanks behind them, and the comma when the item is used up. */
static void
advance(struct address_list *l, size_t used)
{
	l->rest = str_skip(l->rest, used);
	l->item -= used;
	while (l->item > 0 && ascii_space(l->rest.p[0])) {
		l->rest = str_skip(l->rest, 1);
		l->item--;
	}
	if (l->item == 0)
		l->rest = str_ltrim(str_skip(l->rest, 1));
}

struct address_list
address_list_open(struct str text)
{
	return (struct address_list){ .rest = str_ltrim(text) };
}

/* Is all of s one author: an unquoted name with commas, and the only address behind it? */
static bool
is_one_author(struct str s)
{
	struct str name = str_at(s.p, str_find(s, '<'));

	return str_find(s, '>') > name.n && str_find(name, '@') == name.n &&
	    str_find(name, '"') == name.n && str_find(name, ':') == name.n &&
	    str_find(str_skip(s, name.n + 1), '<') == str_skip(s, name.n + 1).n;
}

struct address_list
address_list_field(struct str text, bool author)
{
	struct address_list l = address_list_open(text);

	l.field = true;
	l.author = author;
	l.item = author && is_one_author(l.rest) ? l.rest.n : 0;
	return l;
}

bool
address_list_next(struct address_list *l, struct arena *a, struct address *out)
{
	while (l->rest.n > 0) {
		struct str item;
		bool ok;

		if (l->item == 0)
			l->item = item_end(l->rest);
		item = str_at(l->rest.p, l->item);
		ok = extract_address(a, item, &l->in_group, false, out) ||
		    (l->field && !out->empty && !l->in_group && out->used == item.n &&
			extract_loose(a, item, l->author, out));
		advance(l, out->used);
		if (ok || !out->empty)
			return true;
	}
	return false;
}

/* Does the line end before p anyway, but for blanks? */
static bool
line_ends_before(struct str field, const char *p)
{
	while (p > field.p && (p[-1] == ' ' || p[-1] == '\t'))
		p--;
	return p > field.p && p[-1] == '\n';
}

static void
put_address(struct buf *out, const struct address *x)
{
	if (x->name.n > 0) {
		phrase_put(out, x->name);
		buf_str(out, " <");
	}
	buf_put(out, x->box.local);
	if (x->box.domain.n > 0)
		buf_fmt(out, "@%.*s", S_ARG(x->box.domain));
	if (x->name.n > 0)
		buf_char(out, '>');
}

bool
address_list_edit(struct str field, struct arena *a, const struct address_edit *e, struct buf *out)
{
	struct str body = str_skip(field, str_find(field, ':') + 1);
	struct address_list l = address_list_field(body, e->author);
	const char *done = field.p; /* all before it is in out */
	size_t line = out->n;       /* where the line that is being written begins there */
	struct address x;

	while (address_list_next(&l, a, &x)) {
		const char *behind = x.active.p + x.active.n;
		size_t at;

		if (x.bad && e->bad != NULL)
			e->bad(e->ctx, x.reason);
		if (x.bad || (!e->change(e->ctx, &x.box) && x.name.n == 0))
			continue;
		buf_add(out, done, (size_t)(x.active.p - done));
		at = out->n;
		put_address(out, &x);
		at = out->n - at;
		buf_add(out, behind, (size_t)(l.rest.p - behind));
		done = l.rest.p;
		if (at > x.active.n && out->n - line > FOLD_COLUMN &&
		    !line_ends_before(field, done)) {
			line = out->n;
			buf_str(out, "\n\t");
		}
	}
	if (done == field.p)
		return false;
	buf_add(out, done, (size_t)(field.p + field.n - done));
	return true;
}
