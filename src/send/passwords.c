/* passwords.c - the lines of passwd.client, in locked memory. */
#include "send/passwords.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>

#include "base/file.h"
#include "conf/credstore.h"
#include "conf/map.h"
#include "conf/secret.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { WINDOW_MAX = 64 * 1024 };

/* Two rooms behind the window on the file: for a password from another file, and for a value joined
 * from several lines. */
enum room { ROOM_ELSEWHERE = 1, ROOM_JOINED = 2 };

static char *
room(const struct passwords *p, enum room which)
{
	return (char *)p->page + (p->page_size - (size_t)which * SECRET_MAX);
}

char *
passwords_room(const struct passwords *p)
{
	return room(p, ROOM_ELSEWHERE);
}

static bool
is_member(const struct group *g, const struct passwd *who)
{
	if (g->gr_gid == who->pw_gid)
		return true;
	for (char *const *name = g->gr_mem; *name != NULL; name++)
		if (strcmp(*name, who->pw_name) == 0)
			return true;
	return false;
}

/* User onehop, who delivers for those who may not read it, may not either: what helps.  onehop-post
 * and some superservers start without the groups that he is in. */
static void
advise(const struct conf *c, const char *path, struct fail *f)
{
	struct stat spool, file;
	const struct passwd *me = getpwuid(geteuid());
	const struct group *group;

	if (me == NULL || me->pw_uid == 0 || stat(c->spool_directory, &spool) != 0 ||
	    spool.st_uid != me->pw_uid || stat(path, &file) != 0)
		return;
	group = getgrgid(file.st_gid);
	if ((file.st_mode & S_IRGRP) != 0 && group != NULL && is_member(group, me))
		fail_prefix(f,
		    "this door has not the groups of user %s (as root: chgrp %s %s; chmod 640 %s)",
		    me->pw_name, me->pw_name, path, path);
	else if ((file.st_mode & S_IRGRP) != 0 && file.st_gid != 0 && group != NULL)
		fail_prefix(f, "user %s is not in its group (as root: usermod -aG %s %s)",
		    me->pw_name, group->gr_name, me->pw_name);
	else
		fail_prefix(f, "it is not for user %s (as root: chgrp %s %s; chmod 640 %s)",
		    me->pw_name, me->pw_name, path, path);
}

/* Open the first there is: p->fd and p->st; -1 when there is none, which is no failure. */
static bool
open_file(struct passwords *p, const struct conf *c, struct arena *a, struct fail *f)
{
	const char *given =
	    c->credentials != NULL ? arena_fmt(a, "%s/passwd.client", c->credentials) : NULL;
	const char *const *places = conf_places(c, a, c->passwd_client, given, "passwd.client");
	bool named = c->passwd_client[0] != '\0';

	for (; *places != NULL; places++) {
		p->path = *places;
		p->fd = file_open(AT_FDCWD, p->path, 0, &p->st);
		if (p->fd >= 0)
			return true;
		if (!named && (errno == ENOENT || errno == ENOTDIR))
			continue;
		/* a user's own setup goes without the last place, which is the system's */
		if (!named && c->home != NULL && places[1] == NULL)
			continue;
		if (errno == EINVAL)
			return fail_conf(f, "%s is not a regular file", p->path);
		(void)fail_set(f, errno == ENOENT ? FAIL_USER : FAIL_TEMP, STAGE_CONFIG, errno,
		    "cannot read the passwords in %s as uid %u", p->path, geteuid());
		if (f->sys == EACCES && c->home == NULL)
			advise(c, p->path, f);
		return false;
	}
	p->path = "";
	return true;
}

/* False: the password is a credential that only systemd's units get: the mail waits for one of
 * them, and does not go without a login. */
static bool
is_not_kept_back(const struct conf *c, struct arena *a, struct fail *f)
{
	const char *kept = credstore_not_given(c, a);

	return kept == NULL ||
	    fail_set(f, FAIL_TEMP, STAGE_CONFIG, 0,
		"the passwords are a credential, %s, which onehop's units get and this process did "
		"not: as root, systemctl enable --now onehop-submit.socket onehop-queue.timer",
		kept);
}

bool
passwords_open(struct passwords *p, const struct conf *c, struct arena *a, struct fail *f)
{
	size_t window;

	if (!is_not_kept_back(c, a, f) || !open_file(p, c, a, f))
		return false;
	if (p->st.st_size > MAP_MAX)
		return fail_conf(f, "%s is larger than %d bytes", p->path, MAP_MAX);
	window = p->st.st_size < WINDOW_MAX ? (size_t)p->st.st_size + 1 : WINDOW_MAX;
	p->page_size = window + (size_t)2 * SECRET_MAX;
	p->page = secret_lock(p->page_size, f);
	p->pieces = (struct pieces){
		.fd = p->fd, .path = p->path, .room = p->page, .size = window, .ended = p->fd < 0
	};
	return p->page != NULL;
}

void
passwords_close(struct passwords *p)
{
	secret_unlock(p->page, p->page_size);
	if (p->fd >= 0)
		(void)close(p->fd);
}

/* lsearch joined the value of several lines in the arena: move it to locked memory.  What does not
 * fit makes the line too long. */
static void
lock_joined(const struct passwords *p, struct lsearch_entry *e)
{
	const char *page = p->page;
	struct str joined = e->value;
	char *bytes;

	if (joined.n == 0 || (joined.p >= page && joined.p < page + p->page_size))
		return;
	e->value = str_at(room(p, ROOM_JOINED), joined.n < SECRET_MAX ? joined.n : SECRET_MAX);
	memcpy(room(p, ROOM_JOINED), joined.p, e->value.n);
	memcpy(&bytes, &joined.p, sizeof bytes); /* the arena's, so it may be written to */
	explicit_bzero(bytes, joined.n);
}

/* An IPv6 address in brackets needs no quotes: "[2001:db8::1]:login:password". */
static void
join_brackets(struct arena *a, struct lsearch_entry *e)
{
	size_t end = str_find(e->value, ']');

	if (e->key.n == 0 || e->key.p[0] != '[' || str_find(e->key, ']') < e->key.n ||
	    end == e->value.n)
		return;
	e->key = str_of(arena_fmt(a, "%.*s:%.*s]", S_ARG(e->key), (int)end, e->value.p));
	e->value = str_ltrim(str_skip(e->value, end + 1));
	if (e->value.n > 0 && e->value.p[0] == ':')
		e->value = str_skip(e->value, 1);
}

bool
passwords_walk(struct passwords *p, bool (*visit)(void *ctx, const struct lsearch_entry *e),
    void *ctx, bool *found, struct fail *f)
{
	struct str text;

	*found = false;
	if (p->fd < 0)
		return true;
	if (!pieces_rewind(&p->pieces, f))
		return false;
	do {
		AUTO_ARENA struct arena own = { NULL };
		struct lsearch t;
		struct lsearch_entry e;

		if (!pieces_next(&p->pieces, &text, f))
			return false;
		t = lsearch_open(text);
		t.line = p->pieces.line;
		while (!*found && lsearch_next(&t, &own, &e)) {
			lock_joined(p, &e);
			e.value = str_ltrim(e.value);
			join_brackets(&own, &e);
			*found = visit(ctx, &e);
		}
	} while (text.n > 0 && !*found);
	return true;
}
