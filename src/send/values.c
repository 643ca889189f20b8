/* values.c - can the value of an option work? */
#include "send/values.h"

#include <errno.h>

#include "base/words.h"
#include "conf/names.h"
#include "mail/hostlist.h"
#include "mail/hostmatch.h"
#include "net/mechanism.h"
#include "net/resolve.h"
#include "route/route.h"
#include "send/command.h"

#include "base/banned.h" /* IWYU pragma: keep */

static bool
hosts_work(struct arena *a, const char *v, struct fail *f)
{
	struct host *list;
	size_t n;

	return hostlist_parse(a, v, &list, &n, f);
}

static bool
proxy_works(struct arena *a, const char *v, struct fail *f)
{
	struct host *list;
	size_t n;

	return hostlist_parse(a, v, &list, &n, f) &&
	    (n == 1 || fail_conf(f, "\"%s\" is more than one host", v));
}

static bool
address_works(struct arena *a, const char *v, struct fail *f)
{
	struct endpoint ignored;

	(void)a;
	return endpoint_parse(v, 0, &ignored) || fail_conf(f, "\"%s\" is not an address", v);
}

static bool
domain_works(struct arena *a, const char *v, struct fail *f)
{
	(void)a;
	return domain_is_plain(str_of(v)) || fail_conf(f, "\"%s\" is not a domain", v);
}

/* What stands behind EHLO: a name, or an address in brackets. */
static bool
greeting_works(struct arena *a, const char *v, struct fail *f)
{
	struct str s = str_of(v);

	(void)a;
	if (s.p[0] == '[' && s.p[s.n - 1] == ']')
		return true;
	return domain_is_plain(s) || fail_conf(f, "\"%s\" is not a host name", v);
}

static bool
avoided_work(struct arena *a, const char *v, struct fail *f)
{
	(void)a;
	return hostmatch_check(v, f);
}

static bool
domains_work(struct arena *a, const char *v, struct fail *f)
{
	struct str rest = str_of(v);

	(void)a;
	while (rest.n > 0) {
		size_t end = strcspn(rest.p, ":;");
		struct str item = str_trim(str_at(rest.p, end < rest.n ? end : rest.n));

		rest = str_skip(rest, end + 1);
		if (item.n > 0 && item.p[0] == '!')
			item = str_ltrim(str_skip(item, 1));
		if (str_find(item, ' ') < item.n || str_find(item, ',') < item.n)
			return fail_conf(f, "\"%.*s\" is not one domain: separate domains by \";\"",
			    S_ARG(item));
		if (item.n > 0 &&
		    (item.p[0] == '+' || item.p[0] == '^' || str_find(item, '/') < item.n))
			return fail_conf(f,
			    "\"%.*s\" is a kind of pattern that is not understood here",
			    S_ARG(item));
	}
	return true;
}

static bool
mechanisms_work(struct arena *a, const char *v, struct fail *f)
{
	struct str rest = str_of(v), word;
	const char *names = "";

	while ((word = str_word(&rest)).n > 0) {
		bool known = false;

		for (size_t i = 0; i < MECHANISMS; i++)
			known = known || str_ieq(word, str_of(ladder[i].name));
		for (size_t i = 0; i < MECHANISMS && !known; i++)
			names = arena_fmt(a, "%s %s", names, ladder[i].name);
		if (!known)
			return fail_conf(f, "there is no mechanism \"%.*s\", but there are%s",
			    S_ARG(word), names);
	}
	return true;
}

/* posix_spawnp() looks for it in these. */
static bool
is_program(struct arena *a, const char *name)
{
	struct str path = STR("/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");

	if (strchr(name, '/') != NULL)
		return access(name, X_OK) == 0;
	while (path.p != NULL) {
		struct str directory = str_cut(&path, ':');

		if (access(arena_fmt(a, "%.*s/%s", S_ARG(directory), name), X_OK) == 0)
			return true;
	}
	return false;
}

static bool
command_works(struct arena *a, const char *v, struct fail *f)
{
	struct str text = str_of(v);
	const char *fault;
	char **argv;

	(void)command_login(&text);
	argv = words_split(a, text, &fault);
	if (argv == NULL)
		return fail_conf(f, "%s in the command", fault);
	return is_program(a, argv[0]) || fail_conf(f, "there is no program %s", argv[0]);
}

static bool
delivery_works(struct arena *a, const char *v, struct fail *f)
{
	(void)a;
	return strcmp(v, "none") == 0 || transport_of(v) != TRANSPORT_NONE ||
	    fail_conf(f,
		"\"%s\" is not one of maildir_home, mail_spool, procmail_pipe, maildrop_pipe, "
		"lmtp:/path, none",
		v);
}

static bool
path_works(struct arena *a, const char *v, struct fail *f)
{
	(void)a;
	return v[0] == '/' || fail_conf(f, "\"%s\" is not a path from / on", v);
}

static bool
maildir_works(struct arena *a, const char *v, struct fail *f)
{
	const char *rest = str_starts(str_of(v), STR("$home/")) ? v + 6 : v;

	if (strchr(rest, '$') != NULL)
		return fail_conf(f, "\"%s\" has a \"$\" other than that of $home at the start", v);
	return rest != v || path_works(a, v, f);
}

static bool
log_works(struct arena *a, const char *v, struct fail *f)
{
	return strcmp(v, "-") == 0 || path_works(a, v, f);
}

/* A file that the configuration names must be there.  (A default may be missing.) */
static bool
file_works(struct arena *a, const char *v, struct fail *f)
{
	if (!path_works(a, v, f))
		return false;
	return access(v, F_OK) == 0 || errno == EACCES || fail_conf(f, "there is no file %s", v);
}

#define VALUE(name, works) \
	{ \
		CONF_##name, #name, offsetof(struct conf, name), works \
	}
static const struct {
	enum conf_option option;
	const char *name;
	size_t offset;
	bool (*works)(struct arena *a, const char *v, struct fail *f);
} values[] = {
	VALUE(smarthost, hosts_work),
	VALUE(primary_hostname, domain_works),
	VALUE(qualify_domain, domain_works),
	VALUE(visible_name, domain_works),
	VALUE(mailname_file, file_works),
	VALUE(local_domains, domains_work),
	VALUE(passwd_client, file_works),
	VALUE(password_command, command_works),
	VALUE(email_addresses, file_works),
	VALUE(aliases, file_works),
	VALUE(hubbed_hosts, file_works),
	VALUE(auth_mechanisms, mechanisms_work),
	VALUE(hosts_avoid_tls, avoided_work),
	VALUE(local_delivery, delivery_works),
	VALUE(maildir_directory, maildir_works),
	VALUE(spool_directory, path_works),
	VALUE(log_file, log_works),
	VALUE(socks_proxy, proxy_works),
	VALUE(interface, address_works),
	VALUE(helo_data, greeting_works),
};

void
values_check(
    const struct conf *c, struct arena *a, void (*tell)(void *ctx, const char *why), void *ctx)
{
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		const void *at = (const char *)c + values[i].offset;
		const char *v = *(const char *const *)at;
		struct fail f = FAIL_INIT;

		if (c->origin[values[i].option].file == NULL || v[0] == '\0' ||
		    (values[i].option == CONF_smarthost && c->configtype == TYPE_LOCAL))
			continue;
		if (!values[i].works(a, v, &f))
			tell(ctx,
			    arena_fmt(a, "%s: %s: %s", conf_where(c, values[i].option),
				values[i].name, f.text));
	}
}
