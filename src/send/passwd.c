/* passwd.c - which password goes to which host. */
#include "send/passwd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/file.h"
#include "send/command.h"
#include "send/passwords.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { MATCH_LIMIT = 100000 };

/* One search: the file, and what is known of the credential. */
struct reading {
	struct passwords file;
	struct secret *s;
	struct str login, password; /* in the file's memory, or password_command's text */
	bool none;
};

/* Note time, inode and size of a file that was read for the password, and whether everybody may
 * read it.  The last such file has the password, so its warning counts. */
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

static const char strange[] = "the host is a kind of pattern that is not understood here";

static bool
is_strange(struct str key)
{
	return key.n == 0 || str_find(STR("!+@"), key.p[0]) < 3 || str_find(key, ';') < key.n;
}

static bool
is_for(const struct wanted *w, struct line *l, enum secret_match match)
{
	struct str key = l->e.key;

	if (match == SECRET_CONFIGURED)
		return same_host(key, w->configured);
	if (match == SECRET_CANONICAL)
		return same_host(key, w->canonical);
	if (is_strange(key)) {
		l->why = strange;
		return true;
	}
	return pattern_matches(key, w->configured, &l->why) ||
	    pattern_matches(key, w->canonical, &l->why);
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

struct choice {
	const struct wanted *w;
	enum secret_match match;
	struct arena *a;
	struct line *l;
};

static bool
is_the_line(void *ctx, const struct lsearch_entry *e)
{
	const struct choice *c = ctx;

	*c->l = (struct line){ .e = *e };
	if (!is_for(c->w, c->l, c->match))
		return false;
	c->l->e.key = arena_str(c->a, e->key);
	return true;
}

static bool
is_second(void *ctx, const struct lsearch_entry *e)
{
	unsigned *lines = ctx;

	(void)e;
	return ++*lines > 1;
}

/* The line that is for the host: the first of the best kind of match.  *found: there is one. */
static bool
choose(struct reading *r, struct arena *a, const struct wanted *w, struct line *l, bool *found,
    struct fail *f)
{
	static const enum secret_match kinds[] = { SECRET_CONFIGURED, SECRET_CANONICAL,
		SECRET_PATTERN };
	struct choice c = { .w = w, .a = a, .l = l };
	unsigned lines = 0;
	bool more;

	if (!passwords_walk(&r->file, is_second, &lines, &more, f))
		return false;
	r->s->only = !more;
	r->none = lines == 0;
	*found = false;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && !*found; i++) {
		r->s->match = c.match = kinds[i];
		if (!passwords_walk(&r->file, is_the_line, &c, found, f))
			return false;
	}
	return true;
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
	got = fd < 0 ? -1 : fd_read_full(fd, passwords_room(&r->file), SECRET_MAX);
	if (got < 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno,
		    "%s: cannot read the password in %s as uid %u", r->s->where, path, geteuid());
	note_file(a, r, path, &st);
	rest = str_at(passwords_room(&r->file), (size_t)got);
	if (!file_text(path, 0, &rest, f))
		return false;
	*password = str_rtrim(str_cut(&rest, '\n'));
	return password->n > 0 || fail_conf(f, "%s: %s is empty", r->s->where, path);
}

static bool
from_command(
    const struct conf *c, struct arena *a, struct reading *r, struct str *password, struct fail *f)
{
	struct command run = { str_of(c->password_command), c->home, passwords_room(&r->file),
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
	if (!from_command(c, a, r, &r->password, f))
		return false;
	r->login = login;
	return true;
}

static bool
find(const struct conf *c, struct arena *a, struct reading *r, const struct wanted *w,
    struct fail *f)
{
	struct secret *s = r->s;
	struct line line;
	bool found;

	if (!passwords_open(&r->file, c, a, f))
		return false;
	note_file(a, r, r->file.path, &r->file.st);
	if (!choose(r, a, w, &line, &found, f))
		return false;
	if (!found)
		return without_line(c, a, r, w->configured.p, f);
	split(c, &line, &r->login, &r->password);
	s->where = arena_fmt(a, "%s:%u", r->file.path, line.e.line);
	s->key = arena_strz(a, line.e.key);
	if (line.why != NULL)
		return fail_conf(f, "%s: %s", s->where, line.why);
	if (r->password.n == 0)
		return from_command(c, a, r, &r->password, f);
	return !str_starts(r->password, STR("file:/")) || from_file(a, r, &r->password, f);
}

bool
passwd_find(const struct conf *c, struct arena *a, const char *configured, const char *canonical,
    struct secret *s, struct fail *f)
{
	struct secret found = { .login = { 0 } };
	struct reading r = { .file = PASSWORDS_NONE, .s = &found };
	struct wanted w = { str_of(configured), str_of(canonical != NULL ? canonical : "") };
	bool ok = find(c, a, &r, &w, f);

	if (r.login.n == 0)
		secret_wipe(&found);
	else if (ok)
		ok = secret_copy(&found, r.login, r.password, f);
	passwords_close(&r.file);
	if (ok) {
		*s = found;
		s->none = r.none && c->password_command[0] == '\0';
	}
	return ok;
}

/* --- -bV --- */

struct inspection {
	const struct conf *conf;
	struct arena *a;
	struct reading r;
	void (*tell)(void *ctx, const char *why);
	void *ctx;
	size_t lines;
};

static bool
inspect(void *ctx, const struct lsearch_entry *e)
{
	struct inspection *k = ctx;
	struct line l = { .e = *e };
	struct str login, password;
	struct fail f = FAIL_INIT;

	k->lines++;
	k->r.s->where = arena_fmt(k->a, "%s:%u", k->r.file.path, e->line);
	if (is_strange(e->key))
		l.why = strange;
	else if (e->key.p[0] == '^')
		(void)regex_matches(e->key, STR(""), &l.why);
	split(k->conf, &l, &login, &password);
	if (l.why != NULL)
		k->tell(k->ctx, arena_fmt(k->a, "%s: %s", k->r.s->where, l.why));
	else if (str_starts(password, STR("file:/")) && !from_file(k->a, &k->r, &password, &f))
		k->tell(k->ctx, arena_fmt(k->a, "%s", f.text));
	return false;
}

bool
passwd_check(const struct conf *c, struct arena *a, void (*tell)(void *ctx, const char *why),
    void *ctx, size_t *lines, struct fail *f)
{
	struct secret none = { .login = { 0 } };
	struct inspection k = { .conf = c,
		.a = a,
		.r = { .file = PASSWORDS_NONE, .s = &none },
		.tell = tell,
		.ctx = ctx };
	bool found,
	    ok = passwords_open(&k.r.file, c, a, f) &&
	    passwords_walk(&k.r.file, inspect, &k, &found, f);

	passwords_close(&k.r.file);
	*lines = k.lines;
	return ok;
}
