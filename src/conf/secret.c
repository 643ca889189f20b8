/* secret.c - which password goes to which host. */
#include "conf/secret.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/b64.h"
#include "base/file.h"
#include "conf/command.h"
#include "conf/lsearch.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum { MATCH_LIMIT = 100000 };

/* A passwd.client in locked memory: its text, then room for one credential. */
struct reading {
	struct secret *s;
	const char *path; /* NULL: there is no file */
	struct str text;
};

struct wanted {
	struct str configured, canonical;
};

/* What one line turns out to be. */
struct candidate {
	struct lsearch_entry e;
	enum secret_match match;
	const char *why; /* it cannot be used, or NULL */
};

static bool
page_new(struct secret *s, size_t text, struct fail *f)
{
	size_t size = text + SECRET_MAX;
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
	*s = (struct secret){ .login = { 0 } };
}

static const char *
beside(const struct conf *c, struct arena *a)
{
	const char *slash = c->file != NULL ? strrchr(c->file, '/') : NULL;

	if (slash == NULL)
		return c->file != NULL ? "passwd.client" : NULL;
	return arena_fmt(a, "%.*s/passwd.client", (int)(slash - c->file), c->file);
}

/* Open the first there is; -1 with *path NULL: none, which is no failure. */
static bool
open_file(const struct conf *c, struct arena *a, const char **path, int *fd, struct fail *f)
{
	const char *system = arena_fmt(a, "%s/exim4/passwd.client", c->etc);
	const char *const places[] = {
		c->credentials != NULL ? arena_fmt(a, "%s/passwd.client", c->credentials) : NULL,
		beside(c, a),
		system,
	};
	bool named = c->passwd_client[0] != '\0';
	struct stat st;

	*fd = -1;
	for (size_t i = 0; i < (named ? 1 : sizeof places / sizeof places[0]); i++) {
		*path = named ? c->passwd_client : places[i];
		if (*path == NULL)
			continue;
		*fd = file_open(AT_FDCWD, *path, 0, &st);
		if (*fd >= 0)
			return true;
		if (!named && (errno == ENOENT || errno == ENOTDIR))
			continue;
		/* a user's own setup does not need what is the system's */
		if (c->home != NULL && *path == system)
			continue;
		if (errno == EINVAL)
			return fail_conf(f, "%s is not a regular file", *path);
		return fail_set(f, errno == ENOENT ? FAIL_USER : FAIL_TEMP, STAGE_CONFIG, errno,
		    "cannot read the passwords in %s as uid %u", *path, geteuid());
	}
	*path = NULL;
	return true;
}

static bool
read_file(const struct conf *c, struct arena *a, struct reading *r, struct fail *f)
{
	struct stat st = { .st_size = 0 };
	AUTO_FD int fd = -1;
	ssize_t got = 0;

	if (!open_file(c, a, &r->path, &fd, f))
		return false;
	if (fd >= 0 && fstat(fd, &st) != 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "cannot read %s", r->path);
	if (st.st_size > FILE_MAX)
		return fail_conf(f, "%s is larger than %d bytes", r->path, FILE_MAX);
	if (!page_new(r->s, (size_t)st.st_size, f))
		return false;
	if (fd >= 0)
		got = fd_read_full(fd, r->s->page, (size_t)st.st_size);
	if (got < 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno, "cannot read %s", r->path);
	r->text = str_at(r->s->page, (size_t)got);
	r->s->world_readable = (st.st_mode & S_IROTH) != 0;
	return true;
}

static char *
room(const struct reading *r)
{
	return (char *)r->s->page + (r->s->page_size - SECRET_MAX);
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

/* Which kind of match the line is; false: it is for another host. */
static bool
is_for(const struct wanted *w, struct candidate *k)
{
	struct str key = k->e.key;

	if (same_host(key, w->configured)) {
		k->match = SECRET_CONFIGURED;
		return true;
	}
	if (same_host(key, w->canonical)) {
		k->match = SECRET_CANONICAL;
		return true;
	}
	k->match = SECRET_PATTERN;
	if (key.n == 0 || str_find(STR("!+@"), key.p[0]) < 3 || str_find(key, ';') < key.n) {
		k->why = "the host is a kind of pattern that is not understood here";
		return true;
	}
	return pattern_matches(key, w->configured, &k->why) ||
	    pattern_matches(key, w->canonical, &k->why);
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
split(const struct conf *c, struct candidate *k, struct str *login, struct str *password)
{
	struct str value = k->e.value;
	size_t colon = str_find(value, ':');

	*login = str_trim(str_at(value.p, colon));
	*password = str_rtrim(str_skip(value, colon + 1));
	if (k->why != NULL)
		return;
	if (login->n == 0)
		k->why = colon == 0 && value.n > 0 ?
		    "there is nothing between two colons; a line is HOST:LOGIN:PASSWORD, without "
		    "port" :
		    "the login is missing; a line is HOST:LOGIN:PASSWORD";
	else if (password->n == 0 && c->password_command[0] == '\0')
		k->why = "the password is missing; a line is HOST:LOGIN:PASSWORD";
	else if (value.n >= SECRET_MAX / 2)
		k->why = "the line is too long";
}

static bool
in_page(const struct secret *s, const char *p)
{
	const char *page = s->page;

	return p >= page && p < page + s->page_size;
}

/* The next line.  A value that lsearch joined from several lines lies in the arena; it is moved
 * into the locked room, so it is good until the next call. */
static bool
next_line(struct reading *r, struct lsearch *t, struct arena *a, struct candidate *k)
{
	struct str joined;
	char *bytes;

	if (!lsearch_next(t, a, &k->e))
		return false;
	k->why = NULL;
	joined = k->e.value;
	if (joined.n > 0 && !in_page(r->s, joined.p)) {
		k->e.value = str_at(room(r), joined.n < SECRET_MAX / 2 ? joined.n : SECRET_MAX / 2);
		memcpy(room(r), joined.p, k->e.value.n);
		memcpy(&bytes, &joined.p, sizeof bytes); /* the arena's, so it may be written to */
		explicit_bzero(bytes, joined.n);
	}
	k->e.value = str_ltrim(k->e.value);
	join_brackets(a, &k->e);
	return true;
}

/* Keep the best line of all; its value goes into the second half of the room. */
static bool
choose(struct reading *r, struct arena *a, const struct wanted *w, struct candidate *best)
{
	struct lsearch t = lsearch_open(r->text);
	char *keep = room(r) + SECRET_MAX / 2;
	struct candidate k = { .why = NULL };
	bool found = false;
	size_t lines = 0;

	while (next_line(r, &t, a, &k)) {
		lines++;
		if (!is_for(w, &k) || (found && k.match >= best->match))
			continue;
		found = true;
		*best = k;
		if (k.e.value.n > SECRET_MAX / 2)
			best->e.value.n = SECRET_MAX / 2;
		if (best->e.value.n > 0)
			memcpy(keep, k.e.value.p, best->e.value.n);
		best->e.value.p = keep;
	}
	r->s->only = lines <= 1;
	return found;
}

/* file:/PATH: the first line of that file, into the room. */
static bool
from_file(struct reading *r, struct str *password, struct fail *f)
{
	char path[SECRET_MAX / 2];
	struct str rest = str_skip(*password, 5);
	struct stat st;
	AUTO_FD int fd = -1;
	ssize_t got;

	(void)snprintf(path, sizeof path, "%.*s", S_ARG(rest));
	fd = file_open(AT_FDCWD, path, 0, &st);
	got = fd < 0 ? -1 : fd_read_full(fd, room(r), SECRET_MAX / 2);
	if (got < 0)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno,
		    "%s: cannot read the password in %s as uid %u", r->s->where, path, geteuid());
	rest = str_at(room(r), (size_t)got);
	*password = str_rtrim(str_cut(&rest, '\n'));
	return password->n > 0 || fail_conf(f, "%s: %s is empty", r->s->where, path);
}

static bool
from_command(
    const struct conf *c, struct arena *a, struct reading *r, struct str *password, struct fail *f)
{
	struct command run = { str_of(c->password_command), c->home, room(r), SECRET_MAX / 2 };
	struct str login;

	(void)command_login(&run.text, &login);
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
	struct str text = str_of(c->password_command), login;

	if (text.n == 0)
		return true;
	if (!command_login(&text, &login))
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
	struct candidate best = { .why = NULL };
	struct str login, password;

	if (!read_file(c, a, r, f))
		return false;
	if (!choose(r, a, w, &best))
		return without_line(c, a, r, w->configured.p, f);
	split(c, &best, &login, &password);
	r->s->where = arena_fmt(a, "%s:%u", r->path, best.e.line);
	r->s->key = arena_strz(a, best.e.key);
	r->s->match = best.match;
	if (best.why != NULL)
		return fail_conf(f, "%s: %s", r->s->where, best.why);
	if (password.n == 0 && !from_command(c, a, r, &password, f))
		return false;
	if (str_starts(password, STR("file:/")) && !from_file(r, &password, f))
		return false;
	r->s->login = login;
	r->s->password = password;
	return true;
}

bool
secret_find(const struct conf *c, struct arena *a, const char *configured, const char *canonical,
    struct secret *s, struct fail *f)
{
	struct secret found = { .login = { 0 } };
	struct reading r = { .s = &found };
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

bool
secret_problems(const struct conf *c, struct arena *a, const char *const **list, struct fail *f)
{
	struct secret s = { .login = { 0 } };
	struct reading r = { .s = &s };
	struct candidate k = { .why = NULL };
	struct wanted nobody = { STR("-"), STR("") };
	struct str login, password;
	const char **found = NULL;
	struct lsearch t;
	size_t n = 0;

	if (!read_file(c, a, &r, f)) {
		secret_wipe(&s);
		return false;
	}
	t = lsearch_open(r.text);
	while (next_line(&r, &t, a, &k)) {
		(void)is_for(&nobody, &k);
		split(c, &k, &login, &password);
		if (k.why == NULL)
			continue;
		found = arena_grow(a, found, n, sizeof *found);
		found[n++] = arena_fmt(a, "%s:%u: %s", r.path, k.e.line, k.why);
	}
	found = arena_grow(a, found, n, sizeof *found);
	found[n] = NULL;
	*list = found;
	secret_wipe(&s);
	return true;
}

static void
star(struct buf *line, struct str what)
{
	char *at = line->p;

	while (what.n > 0 && line->n > 0 &&
	    (at = memmem(at, line->n - (size_t)(at - line->p), what.p, what.n)) != NULL)
		memset(at, '*', what.n);
}

/* In base64, without the padding: the server may have cut it off. */
static void
star_base64(struct buf *line, struct str what)
{
	AUTO_BUF struct buf text = BUF_INIT((size_t)4 * SECRET_MAX);
	struct str s;

	b64_encode(&text, what);
	s = buf_get(&text);
	while (s.n > 0 && s.p[s.n - 1] == '=')
		s.n--;
	star(line, s);
	buf_wipe(&text);
}

void
secret_redact(const struct secret *s, struct buf *line)
{
	AUTO_BUF struct buf plain = BUF_INIT((size_t)2 * SECRET_MAX);

	if (s->password.n == 0)
		return;
	buf_char(&plain, '\0');
	buf_put(&plain, s->login);
	buf_char(&plain, '\0');
	buf_put(&plain, s->password);
	star_base64(line, buf_get(&plain));
	star_base64(line, s->password);
	star(line, s->password);
	buf_wipe(&plain);
}
