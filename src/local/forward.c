/* forward.c - what a user has set up at home. */
#include "local/forward.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "route/alias.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* "# Exim filter", "# Sieve filter": a program of another kind. */
static bool
is_filter(struct str text)
{
	if (text.n == 0 || text.p[0] != '#')
		return false;
	text = str_ltrim(str_skip(text, 1));
	return str_istarts(text, STR("exim filter")) || str_istarts(text, STR("sieve filter"));
}

static void
add(struct arena *a, struct probe *p, enum transport t, struct str text)
{
	p->items = arena_grow(a, p->items, p->nitems, sizeof *p->items);
	p->items[p->nitems++] = (struct probe_item){ t, arena_strz(a, text) };
}

/* What is wrong goes into a log: it has to be printable; and of an included file it has to be its
 * place alone. */
static void
skip(struct arena *a, struct probe *p, const struct alias_item *it, const struct fail *why)
{
	if (p->skipped == NULL)
		p->skipped = it->included != NULL ? arena_fmt(a, "%s is no address", it->included) :
						    arena_fmt(a, "%s", why->text);
}

static void
add_address(struct arena *a, struct probe *p, const struct alias_item *it)
{
	struct str text = it->text;
	bool bare = text.n > 0 && text.p[0] == '\\';
	struct fail why = FAIL_INIT;
	struct mailbox m;

	if (mailbox_parse(a, bare ? str_skip(text, 1) : text, false, &m, &why))
		add(a, p, TRANSPORT_NONE, text);
	else
		skip(a, p, it, &why);
}

static void
add_item(struct arena *a, struct probe *p, const struct alias_item *it)
{
	static const enum transport transports[] = {
		[ALIAS_PIPE] = TRANSPORT_PIPE,
		[ALIAS_FILE] = TRANSPORT_FILE,
		[ALIAS_DIRECTORY] = TRANSPORT_DIRECTORY,
		[ALIAS_DEVNULL] = TRANSPORT_BYPASSED,
		[ALIAS_BAD] = TRANSPORT_NONE,
	};
	struct fail why = FAIL_INIT;

	if (it->kind == ALIAS_ADDRESS) {
		add_address(a, p, it);
	} else if (it->kind == ALIAS_BLACKHOLE) {
		p->discard = true;
	} else if (it->kind == ALIAS_BAD) {
		(void)fail_set(
		    &why, FAIL_TEMP, STAGE_LOCAL, 0, "%s in \"%.*s\"", it->reason, S_ARG(it->text));
		skip(a, p, it, &why);
	} else if (transports[it->kind] != TRANSPORT_NONE) {
		add(a, p, transports[it->kind], it->text);
	}
}

bool
forward_parse(struct arena *a, struct str text, const char *name, struct probe *out, struct fail *f)
{
	struct probe p = { .found = PROBE_FORWARD };
	struct alias_items items;

	if (is_filter(text))
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "%s is an Exim or Sieve filter; filters are not supported, write addresses "
		    "or \"|/usr/bin/procmail\" there",
		    name);
	if (!alias_expand(a, text, ALIAS_ITEMS_MAX, &items, f)) {
		fail_prefix(f, "error in redirect file %s", name);
		f->cls = FAIL_TEMP; /* his to mend */
		return false;
	}
	for (size_t i = 0; i < items.n; i++) {
		const struct alias_item *it = &items.list[i];

		if (it->kind == ALIAS_FAIL || it->kind == ALIAS_DEFER)
			return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
			    "error in redirect file: \"%s %.*s\" is not permitted (%s)",
			    it->kind == ALIAS_FAIL ? ":fail:" : ":defer:", S_ARG(it->text), name);
		add_item(a, &p, it);
	}
	if (p.nitems == 0 && !p.discard)
		p.found = PROBE_MAILBOX;
	*out = p;
	return true;
}

static bool
check_file(const struct stat *st, const struct user *u, const char *name, struct fail *f)
{
	if (st->st_uid != u->uid)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "bad owner for %s: it belongs to uid %u and not to %s", name, st->st_uid,
		    u->name);
	if ((st->st_mode & 022) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "bad mode (0%o) for %s: 0%o bit(s) unexpected; chmod go-w it", st->st_mode,
		    name, st->st_mode & 022);
	if (st->st_nlink != 1)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0,
		    "%s has %lu hard links; it must have one", name, (unsigned long)st->st_nlink);
	if (st->st_size > FORWARD_MAX)
		return fail_set(
		    f, FAIL_TEMP, STAGE_LOCAL, 0, "%s is larger than %d bytes", name, FORWARD_MAX);
	return true;
}

/* True with *text left alone: there is none. */
static bool
read_forward(struct arena *a, int home, const struct user *u, const char *name, struct str *text,
    struct fail *f)
{
	struct stat st;
	AUTO_FD int fd = file_open(home, ".forward", 0, &st);

	if (fd < 0 && errno == ENOENT)
		return true;
	if (fd < 0 && errno == EINVAL)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, 0, "%s is not a regular file", name);
	if (fd < 0)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot read %s", name);
	if (check_file(&st, u, name, f) && file_read_fd(a, fd, name, text, f))
		return true;
	f->cls = FAIL_TEMP; /* his to mend, and his mail's to wait for */
	f->stage = STAGE_LOCAL;
	return false;
}

static bool
exists(int dir, const char *path)
{
	struct stat st;

	return fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool
find_forward(struct arena *a, int home, const struct user *u, struct probe *out, struct fail *f)
{
	const char *name = arena_fmt(a, "%s/.forward", u->home);
	struct str text = { NULL, 0 };

	return read_forward(a, home, u, name, &text, f) &&
	    (text.p == NULL || forward_parse(a, text, name, out, f));
}

static void
find_filter(int home, struct probe *p)
{
	if (access(PROCMAIL, X_OK) == 0 &&
	    (exists(AT_FDCWD, PROCMAILRC) || exists(home, ".procmailrc")))
		p->found = PROBE_PROCMAIL;
	else if (access(MAILDROP, X_OK) == 0 && exists(home, ".mailfilter"))
		p->found = PROBE_MAILDROP;
}

bool
forward_probe(
    struct arena *a, const struct user *u, bool skip_forward, struct probe *out, struct fail *f)
{
	AUTO_FD int home = open(u->home, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct probe p = { .found = PROBE_MAILBOX };

	if (home < 0 && errno != ENOENT && errno != ENOTDIR)
		return fail_set(f, FAIL_TEMP, STAGE_LOCAL, errno, "cannot look into %s", u->home);
	if (home >= 0 && !skip_forward && !find_forward(a, home, u, &p, f))
		return false;
	if (home >= 0 && p.found == PROBE_MAILBOX)
		find_filter(home, &p);
	*out = p;
	return true;
}

bool
forward_asks(
    struct arena *a, const struct user *u, enum transport t, const char *text, struct fail *f)
{
	struct probe p = { .found = PROBE_NO_USER };

	if (!forward_probe(a, u, false, &p, f))
		return false;
	if (p.found == PROBE_FORWARD)
		for (size_t i = 0; i < p.nitems; i++)
			if (p.items[i].transport == t && strcmp(p.items[i].text, text) == 0)
				return true;
	return fail_set(
	    f, FAIL_TEMP, STAGE_LOCAL, 0, "%s is not, or no longer, in %s/.forward", text, u->home);
}
