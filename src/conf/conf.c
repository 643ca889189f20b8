/* conf.c - the file in use, what is read with it, and how it is shown. */
#include "conf/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>

#include "base/file.h"
#include "base/num.h"
#include "conf/debian.h"
#include "conf/names.h"
#include "conf/table.h"

#include "base/banned.h" /* IWYU pragma: keep */

bool
conf_open(const char *path, int *fd, struct stat *st, struct fail *f)
{
	*fd = strcmp(path, "/dev/null") == 0 ? -1 : file_open(AT_FDCWD, path, 0, st);
	if (*fd >= 0 || strcmp(path, "/dev/null") == 0 || errno == ENOENT || errno == ENOTDIR)
		return true;
	if (errno == EACCES || errno == EPERM)
		return fail_set(f, FAIL_TEMP, STAGE_CONFIG, errno,
		    "cannot read %s as uid %u; who sends mail must be able to", path, geteuid());
	return file_not_opened(path, f);
}

/* A user's own file is his or root's, and nobody else may write to it: it names programs that are
 * run as him (password_command). */
static bool
is_his(const char *path, const struct stat *st, struct fail *f)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return fail_conf(f, "%s belongs to uid %u: it has to be yours, or root's", path,
		    (unsigned)st->st_uid);
	return (st->st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
	    fail_conf(f, "%s may be written by others than its owner: chmod go-w %s", path, path);
}

static bool
read_file(struct arena *a, const char *path, bool his, struct str *text, struct fail *f)
{
	struct stat st;
	AUTO_FD int fd = -1;

	*text = str_at(NULL, 0);
	if (!conf_open(path, &fd, &st, f))
		return false;
	return fd < 0 || ((!his || is_his(path, &st, f)) && file_read_fd(a, fd, path, text, f));
}

bool
conf_read(struct arena *a, const char *path, struct str *text, struct fail *f)
{
	return read_file(a, path, false, text, f);
}

/* The defaults below /etc, when that is elsewhere. */
static void
move_defaults(struct conf *c)
{
	for (size_t o = 0; o < CONF_COUNT; o++) {
		const char **at = (void *)((char *)c + conf_rows[o].offset);

		if (conf_rows[o].kind == KIND_STR &&
		    str_starts(str_of(conf_rows[o].def), STR("/etc/")))
			*at = arena_fmt(c->arena, "%s%s", c->etc, conf_rows[o].def + 4);
	}
}

static void
move_home(struct conf *c, const struct conf_paths *paths)
{
	c->home = paths->home;
	if (paths->home == NULL || paths->state == NULL)
		return;
	c->spool_directory = arena_strz(c->arena, str_of(paths->state));
	c->log_file = arena_fmt(c->arena, "%s/mainlog", paths->state);
}

/* A home that a service, or its user, cannot look into (ProtectHome=, a home of another, a server
 * that takes root for nobody) has no setup for it.  A file that can be seen is another thing. */
static bool
is_out_of_sight(const char *path)
{
	struct stat st;

	return lstat(path, &st) != 0 &&
	    (errno == EACCES || errno == EPERM || errno == ELOOP || errno == ENAMETOOLONG);
}

/* c->file and its text: the first file there is, or NULL. */
static bool
find_file(struct conf *c, const struct conf_paths *paths, struct str *text, struct fail *f)
{
	const char *const candidates[] = {
		paths->user_file,
		paths->own_file != NULL ? paths->own_file :
					  arena_fmt(c->arena, "%s/onehop/onehop.conf", c->etc),
		arena_fmt(c->arena, "%s/exim4/update-exim4.conf.conf", c->etc),
	};

	c->file = paths->file;
	if (c->file != NULL)
		return file_read(c->arena, c->file, text, f);
	for (size_t i = 0; c->file == NULL && i < sizeof candidates / sizeof candidates[0]; i++) {
		if (candidates[i] == NULL)
			continue;
		if (candidates[i] == paths->user_file && is_out_of_sight(candidates[i]))
			continue;
		if (!read_file(c->arena, candidates[i], candidates[i] == paths->user_file, text, f))
			return false;
		if (text->p != NULL)
			c->file = candidates[i];
	}
	return true;
}

static const char *
directory_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? "." : arena_strz(a, str_at(path, (size_t)(slash - path)));
}

const char *const *
conf_places(
    const struct conf *c, struct arena *a, const char *option, const char *first, const char *name)
{
	const char **places = arena_array(a, 4, sizeof *places);
	size_t n = 0;

	if (option[0] != '\0') {
		places[0] = option;
		return places;
	}
	if (first != NULL)
		places[n++] = first;
	if (c->file != NULL)
		places[n++] = arena_fmt(a, "%s/%s", directory_of(a, c->file), name);
	places[n] = arena_fmt(a, "%s/exim4/%s", c->etc, name);
	return places;
}

/* A name that goes into addresses, EHLO and header lines: no byte that would end them. */
static bool
check_name(const struct conf *c, enum conf_option o, const char *name, struct fail *f)
{
	if (domain_is_plain(str_of(name)))
		return true;
	return fail_conf(
	    f, "%s: %s \"%s\" is not a domain", conf_where(c, o), conf_rows[o].names[0], name);
}

static bool
find_mailname(struct conf *c, struct fail *f)
{
	struct str text, name;

	if (!conf_read(c->arena, c->mailname_file, &text, f))
		return false;
	name = mailname_parse(c->arena, text);
	if (name.n == 0) {
		c->qualify_domain = c->primary_hostname;
		c->origin[CONF_qualify_domain] = c->origin[CONF_primary_hostname];
		return true;
	}
	c->qualify_domain = arena_strz(c->arena, name);
	c->origin[CONF_qualify_domain] = (struct conf_origin){ c->mailname_file, 1 };
	return true;
}

static bool
find_names(struct conf *c, struct fail *f)
{
	if (c->primary_hostname[0] == '\0') {
		c->primary_hostname = hostname_find(c->arena, c->etc);
		c->origin[CONF_primary_hostname].file = "host name";
	}
	if (strcmp(c->qualify_domain, "@") == 0)
		c->qualify_domain = c->primary_hostname;
	if (c->qualify_domain[0] == '\0' && !find_mailname(c, f))
		return false;
	return check_name(c, CONF_primary_hostname, c->primary_hostname, f) &&
	    check_name(c, CONF_qualify_domain, c->qualify_domain, f) &&
	    (c->visible_name[0] == '\0' || check_name(c, CONF_visible_name, c->visible_name, f));
}

bool
conf_load(struct conf *c, struct arena *a, const struct conf_paths *paths, struct fail *f)
{
	struct str text;
	struct stat st;
	bool debian;

	conf_init(c, a);
	if (paths->etc != NULL)
		c->etc = paths->etc;
	c->credentials = paths->credentials;
	move_defaults(c);
	if (!find_file(c, paths, &text, f))
		return false;
	if (c->file == NULL)
		return find_names(c, f);
	if (c->file == paths->file || c->file == paths->user_file)
		move_home(c, paths);
	c->borrowed = c->file == paths->file && paths->home != NULL &&
	    (stat(c->file, &st) != 0 || st.st_uid != 0);
	debian = str_iends(str_of(c->file), STR("update-exim4.conf.conf"));
	return conf_parse(c, text, c->file, debian, f) &&
	    (!debian || debian_load(c, directory_of(a, c->file), f)) && find_names(c, f);
}

bool
conf_trusts(const struct conf *c, unsigned uid, const char *login)
{
	struct str rest = str_of(c->trusted_users);

	if (uid == 0)
		return true;
	while (rest.p != NULL)
		if (str_eq(str_trim(str_cut(&rest, ':')), str_of(login)))
			return true;
	return false;
}

/* As it could stand in a file: in quotes when blanks or a "#" would be lost. */
static void
put_text(struct buf *out, struct str s)
{
	if (s.n == 0 ||
	    (str_trim(s).n == s.n && s.p[0] != '\'' && s.p[0] != '"' && s.p[0] != '#' &&
		s.p[s.n - 1] != '\\' && !memmem(s.p, s.n, " #", 2))) {
		buf_put(out, s);
		return;
	}
	buf_char(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_char(out, '\\');
		buf_char(out, s.p[i]);
	}
	buf_char(out, '"');
}

static void
put_size(struct buf *out, uint64_t v)
{
	static const char letters[] = " KMG";
	size_t i = 0;

	while (v != 0 && v % 1024 == 0 && i < 3) {
		v /= 1024;
		i++;
	}
	buf_fmt(out, i > 0 ? "%" PRIu64 "%c" : "%" PRIu64, v, letters[i]);
}

static void
put_value(const struct conf *c, const struct conf_row *row, struct buf *out)
{
	const void *at = (const char *)c + row->offset;
	struct str words = str_of(row->words), word;
	char seconds[48];

	switch (row->kind) {
	case KIND_STR:
		put_text(out, str_of(*(const char *const *)at));
		break;
	case KIND_BOOL:
		buf_str(out, *(const bool *)at ? "yes" : "no");
		break;
	case KIND_UINT:
		buf_fmt(out, "%" PRIu64, *(const uint64_t *)at);
		break;
	case KIND_SECS:
		buf_str(out, num_format_seconds(*(const uint64_t *)at, seconds));
		break;
	case KIND_SIZE:
		put_size(out, *(const uint64_t *)at);
		break;
	case KIND_WORD:
		word = str_cut(&words, '|');
		for (unsigned i = 0; i < *(const unsigned *)at; i++)
			word = str_cut(&words, '|');
		buf_put(out, word);
		break;
	}
}

static void
put_option(const struct conf *c, enum conf_option o, struct buf *out)
{
	buf_fmt(out, "%s = ", conf_rows[o].names[0]);
	put_value(c, &conf_rows[o], out);
	buf_fmt(out, "\t# %s\n", conf_where(c, o));
}

bool
conf_print(const struct conf *c, struct str name, struct buf *out, struct fail *f)
{
	enum conf_option o = conf_find(name);

	if (o < CONF_COUNT)
		put_option(c, o, out);
	else if (name.n > 0)
		return conf_unknown(name, f);
	else
		for (unsigned i = 0; i < CONF_COUNT; i++)
			put_option(c, (enum conf_option)i, out);
	return true;
}
