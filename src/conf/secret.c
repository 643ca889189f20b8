/* secret.c - which password goes to which host. */
#include "conf/secret.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/mman.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/file.h"
#include "conf/command.h"
#include "conf/lsearch.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { MATCH_LIMIT = 100000 };

/* A passwd.client in locked memory: its text, then two rooms of SECRET_MAX bytes. */
struct reading {
	struct secret *s;
	const char *path;
	struct str text;
};

/* The value of a line that goes on; a password that stands elsewhere. */
enum room { ROOM_JOINED = 2, ROOM_ELSEWHERE = 1 };

static char *
room(const struct reading *r, enum room which)
{
	return (char *)r->s->page + (r->s->page_size - (size_t)which * SECRET_MAX);
}

/* The last file that the password was looked for in is the one that has it. */
static void
note_file(struct arena *a, struct reading *r, const char *path, const struct stat *st)
{
	r->s->stamp = arena_fmt(a, "%s%jd.%09ld.%ju.%jd ", r->s->stamp != NULL ? r->s->stamp : "",
	    (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (uintmax_t)st->st_ino,
	    (intmax_t)st->st_size);
	r->s->warning = (st->st_mode & S_IROTH) == 0 ?
	    NULL :
	    arena_fmt(a, "Warning: everybody may read the password in %s: chmod o-r it", path);
}

struct wanted {
	struct str configured, canonical;
};

struct line {
	struct lsearch_entry e;
	const char *why; /* it cannot be used, or NULL */
};

static bool
page_new(struct secret *s, size_t text, struct fail *f)
{
	size_t size = text + (size_t)2 * SECRET_MAX;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "no memory for a password");
	/* Where the limit on locked memory is too small the page may be swapped; that is all. */
	(void)mlock(p, size);
	(void)madvise(p, size, MADV_DONTDUMP);
	s->page = p;
	s->page_size = size;
	return true;
}

void
secret_wipe(struct secret *s)
{
	if (s->page != NULL) {
		explicit_bzero(s->page, s->page_size);
		(void)munmap(s->page, s->page_size);
	}
	buf_wipe(&s->left);
	buf_free(&s->left);
	*s = (struct secret){ .login = { 0 } };
}

static struct str
copy(char *to, struct str from)
{
	memcpy(to, from.p, from.n);
	return str_at(to, from.n);
}

bool
secret_copy(struct secret *s, struct str login, struct str password, struct fail *f)
{
	char *page;

	if (login.n > SECRET_MAX || password.n > SECRET_MAX)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, 0, "the password is too long");
	if (!page_new(s, 0, f))
		return false;
	page = s->page;
	s->login = copy(page, login);
	s->password = copy(page + SECRET_MAX, password);
	return true;
}

/* User onehop, who delivers for those who may not read it, may not either: what helps. */
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
	if ((file.st_mode & S_IRGRP) != 0 && file.st_gid != 0 && group != NULL)
		fail_prefix(f, "user %s is not in its group (as root: usermod -aG %s %s)",
		    me->pw_name, group->gr_name, me->pw_name);
	else
		fail_prefix(f, "it is not for user %s (as root: chgrp %s %s; chmod 640 %s)",
		    me->pw_name, me->pw_name, path, path);
}

/* Open the first there is: *fd and *st; -1 when there is none, which is no failure. */
static bool
open_file(const struct conf *c, struct arena *a, const char **path, int *fd, struct stat *st,
    struct fail *f)
{
	const char *given =
	    c->credentials != NULL ? arena_fmt(a, "%s/passwd.client", c->credentials) : NULL;
	const char *const *places = conf_places(c, a, c->passwd_client, given, "passwd.client");
	bool named = c->passwd_client[0] != '\0';

	for (*fd = -1; *places != NULL; places++) {
		*path = *places;
		*fd = file_open(AT_FDCWD, *path, 0, st);
		if (*fd >= 0)
			return true;
		if (!named && (errno == ENOENT || errno == ENOTDIR))
			continue;
		/* a user's own setup does not need what is the system's */
		if (!named && c->home != NULL && places[1] == NULL)
			continue;
		if (errno == EINVAL)
			return fail_conf(f, "%s is not a regular file", *path);
		(void)fail_set(f, errno == ENOENT ? FAIL_USER : FAIL_TEMP, STAGE_CONFIG, errno,
		    "cannot read the passwords in %s as uid %u", *path, geteuid());
		if (f->sys == EACCES && c->home == NULL)
			advise(c, *path, f);
		return false;
	}
	return true;
}

static bool
read_file(const struct conf *c, struct arena *a, struct reading *r, struct fail *f)
{
	AUTO_FD int fd = -1;
	struct stat st = { .st_size = 0 };
	ssize_t got = 0;
	size_t size;

	if (!open_file(c, a, &r->path, &fd, &st, f))
		return false;
	if (st.st_size > FILE_MAX)
		return fail_conf(f, "%s is larger than %d bytes", r->path, FILE_MAX);
	size = (size_t)st.st_size;
	if (!page_new(r->s, size, f))
		return false;
	note_file(a, r, r->path, &st);
	if (fd >= 0)
		got = fd_read_full(fd, r->s->page, size);
	if (got < 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "cannot read %s", r->path);
	r->text = str_at(r->s->page, (size_t)got);
	return file_text(r->path, &r->text, f);
}

static struct str
without_brackets(struct str s)
{
	if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		return str_at(s.p + 1, s.n - 2);
	return s;
}

static bool
address(struct str s, unsigned char out[sizeof(struct in6_addr)])
{
	char z[INET6_ADDRSTRLEN];

	if (s.n >= sizeof z)
		return false;
	memcpy(z, s.p, s.n);
	z[s.n] = '\0';
	return inet_pton(AF_INET6, z, out) == 1;
}

static bool
same_host(struct str key, struct str name)
{
	unsigned char one[sizeof(struct in6_addr)], other[sizeof(struct in6_addr)];

	key = without_brackets(key);
	name = without_brackets(name);
	if (name.n == 0)
		return false;
	if (str_ieq(key, name))
		return true;
	return address(key, one) && address(name, other) && memcmp(one, other, sizeof one) == 0;
}

/* Exim's regular expressions: without case, not anchored at the end [auth-regex-partial]. */
static bool
regex_matches(struct str pattern, struct str name, const char **why)
{
	int number, found = PCRE2_ERROR_NOMATCH;
	PCRE2_SIZE offset;
	pcre2_code *code =
	    pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, PCRE2_CASELESS, &number, &offset, NULL);
	pcre2_match_context *limits = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);

	if (code == NULL)
		*why = "the host is not a regular expression";
	else if (limits != NULL && data != NULL) {
		(void)pcre2_set_match_limit(limits, MATCH_LIMIT);
		found = pcre2_match(code, (PCRE2_SPTR)name.p, name.n, 0, 0, data, limits);
		if (found < 0 && found != PCRE2_ERROR_NOMATCH)
			*why = "the regular expression takes too long";
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(limits);
	pcre2_code_free(code);
	return found >= 0 || *why != NULL;
}

static bool
pattern_matches(struct str key, struct str name, const char **why)
{
	if (name.n == 0)
		return false;
	if (key.p[0] == '*')
		return str_iends(name, str_skip(key, 1));
	return key.p[0] == '^' && regex_matches(key, name, why);
}

static bool
is_for(const struct wanted *w, struct line *l, enum secret_match match)
{
	struct str key = l->e.key;

	if (match == SECRET_CONFIGURED)
		return same_host(key, w->configured);
	if (match == SECRET_CANONICAL)
		return same_host(key, w->canonical);
	if (key.n == 0 || str_find(STR("!+@"), key.p[0]) < 3 || str_find(key, ';') < key.n) {
		l->why = "the host is a kind of pattern that is not understood here";
		return true;
	}
	return pattern_matches(key, w->configured, &l->why) ||
	    pattern_matches(key, w->canonical, &l->why);
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

static void
split(const struct conf *c, struct line *l, struct str *login, struct str *password)
{
	struct str value = l->e.value;
	size_t colon = str_find(value, ':');

	*login = str_trim(str_at(value.p, colon));
	*password = str_rtrim(str_skip(value, colon + 1));
	if (l->why != NULL)
		return;
	if (login->n == 0)
		l->why = colon == 0 && value.n > 0 ?
		    "there is nothing between two colons; a line is HOST:LOGIN:PASSWORD, without "
		    "port" :
		    "the login is missing; a line is HOST:LOGIN:PASSWORD";
	else if (password->n == 0 && c->password_command[0] == '\0')
		l->why = "the password is missing; a line is HOST:LOGIN:PASSWORD";
	else if (value.n >= SECRET_MAX)
		l->why = "the line is too long";
}

/* lsearch joined the value of several lines in the arena: move it to locked memory.  What does not
 * fit makes the line too long. */
static void
lock_joined(struct reading *r, struct lsearch_entry *e)
{
	struct str joined = e->value;
	char *bytes;

	if (joined.n == 0 || (joined.p >= r->text.p && joined.p < r->text.p + r->text.n))
		return;
	e->value = str_at(room(r, ROOM_JOINED), joined.n < SECRET_MAX ? joined.n : SECRET_MAX);
	memcpy(room(r, ROOM_JOINED), joined.p, e->value.n);
	memcpy(&bytes, &joined.p, sizeof bytes); /* the arena's, so it may be written to */
	explicit_bzero(bytes, joined.n);
}

/* The next line; its value is good until the next call. */
static bool
next_line(struct reading *r, struct lsearch *t, struct arena *a, struct line *l)
{
	l->why = NULL;
	if (!lsearch_next(t, a, &l->e))
		return false;
	lock_joined(r, &l->e);
	l->e.value = str_ltrim(l->e.value);
	join_brackets(a, &l->e);
	return true;
}

/* The line that is for the host: the first of the best kind of match. */
static bool
choose(struct reading *r, struct arena *a, const struct wanted *w, struct line *l)
{
	static const enum secret_match kinds[] = { SECRET_CONFIGURED, SECRET_CANONICAL,
		SECRET_PATTERN };
	struct lsearch t = lsearch_open(r->text);
	size_t lines = 0;

	while (next_line(r, &t, a, l))
		lines++;
	r->s->only = lines <= 1;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		r->s->match = kinds[i];
		t = lsearch_open(r->text);
		while (next_line(r, &t, a, l))
			if (is_for(w, l, kinds[i]))
				return true;
	}
	return false;
}

/* file:/PATH: the first line of that file. */
static bool
from_file(struct arena *a, struct reading *r, struct str *password, struct fail *f)
{
	char path[SECRET_MAX];
	struct str rest = str_skip(*password, 5);
	struct stat st;
	AUTO_FD int fd = -1;
	ssize_t got;

	(void)snprintf(path, sizeof path, "%.*s", S_ARG(rest));
	fd = file_open(AT_FDCWD, path, 0, &st);
	got = fd < 0 ? -1 : fd_read_full(fd, room(r, ROOM_ELSEWHERE), SECRET_MAX);
	if (got < 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno,
		    "%s: cannot read the password in %s as uid %u", r->s->where, path, geteuid());
	note_file(a, r, path, &st);
	rest = str_at(room(r, ROOM_ELSEWHERE), (size_t)got);
	if (!file_text(path, &rest, f))
		return false;
	*password = str_rtrim(str_cut(&rest, '\n'));
	return password->n > 0 || fail_conf(f, "%s: %s is empty", r->s->where, path);
}

static bool
from_command(
    const struct conf *c, struct arena *a, struct reading *r, struct str *password, struct fail *f)
{
	struct command run = { str_of(c->password_command), c->home, room(r, ROOM_ELSEWHERE),
		SECRET_MAX };

	r->s->warning = NULL;
	(void)command_login(&run.text);
	if (command_first_line(&run, a, password, f))
		return true;
	fail_prefix(f, "password_command (%s)", conf_where(c, CONF_password_command));
	return false;
}

/* No line is for the host; password_command may have a login of its own. */
static bool
without_line(
    const struct conf *c, struct arena *a, struct reading *r, const char *host, struct fail *f)
{
	struct str text = str_of(c->password_command), login = command_login(&text);

	if (text.n == 0)
		return true;
	if (login.n == 0)
		return fail_conf(f,
		    "password_command (%s) is for no login: write LOGIN:COMMAND, or "
		    "%s:LOGIN into passwd.client",
		    conf_where(c, CONF_password_command), host);
	r->s->where = conf_where(c, CONF_password_command);
	r->s->key = arena_strz(a, str_of(host));
	r->s->match = SECRET_CONFIGURED;
	if (!from_command(c, a, r, &r->s->password, f))
		return false;
	r->s->login = login;
	return true;
}

static bool
find(const struct conf *c, struct arena *a, struct reading *r, const struct wanted *w,
    struct fail *f)
{
	struct secret *s = r->s;
	struct str login, password;
	struct line line;

	if (!read_file(c, a, r, f))
		return false;
	if (!choose(r, a, w, &line))
		return without_line(c, a, r, w->configured.p, f);
	split(c, &line, &login, &password);
	s->where = arena_fmt(a, "%s:%u", r->path, line.e.line);
	s->key = arena_strz(a, line.e.key);
	if (line.why != NULL)
		return fail_conf(f, "%s: %s", s->where, line.why);
	if (password.n == 0 && !from_command(c, a, r, &password, f))
		return false;
	if (str_starts(password, STR("file:/")) && !from_file(a, r, &password, f))
		return false;
	s->login = login;
	s->password = password;
	return true;
}

bool
secret_find(const struct conf *c, struct arena *a, const char *configured, const char *canonical,
    struct secret *s, struct fail *f)
{
	struct secret found = { .login = { 0 } };
	struct reading r = { .s = &found, .path = "" };
	struct wanted w = { str_of(configured), str_of(canonical != NULL ? canonical : "") };

	if (!find(c, a, &r, &w, f)) {
		secret_wipe(&found);
		return false;
	}
	if (found.login.n == 0)
		secret_wipe(&found);
	*s = found;
	return true;
}
