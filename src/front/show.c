/* show.c - the faces that only show. */
#include "front/show.h"

#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/child.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/program.h"
#include "conf/credstore.h"
#include "front/door.h"
#include "front/transcript.h"
#include "local/user.h"
#include "mail/list.h"
#include "mail/rewrite.h"

#include "base/banned.h" /* IWYU pragma: keep */

/* What goes to stdout in one write; its failure is the exit status (a full disk, a closed pipe). */
static int
say(struct buf *out, int status)
{
	bool ok = buf_ok(out) && fd_write_full(STDOUT_FILENO, buf_get(out).p, out->n);

	buf_free(out);
	return ok ? status : EX_IOERR;
}

int
show_help(void)
{
	struct buf out = BUF_INIT(65536);

	cmdline_help(&out);
	return say(&out, EX_OK);
}

/* The file of passwords, or NULL. */
static const char *
find_passwords(const struct session_start *s)
{
	const char *const *places =
	    conf_places(&s->conf, s->arena, s->conf.passwd_client, NULL, "passwd.client");
	struct stat st;

	while (*places != NULL && stat(*places, &st) != 0)
		places++;
	return *places;
}

/* onehop itself never reads it: who may, and who put it there, is seen from outside. */
static void
judge_passwords(const struct session_start *s, struct buf *out)
{
	const struct conf *c = &s->conf;
	const char *path = find_passwords(s);
	struct stat st;

	if (path == NULL || stat(path, &st) != 0 || !S_ISREG(st.st_mode))
		return;
	if ((st.st_mode & S_IROTH) != 0)
		buf_fmt(
		    out, "Warning: everybody may read the passwords in %s: chmod 640 it\n", path);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		buf_fmt(
		    out, "Warning: others than its owner may write to %s: chmod go-w it\n", path);
	if (st.st_uid != 0 && st.st_uid != (c->home != NULL ? getuid() : 0))
		buf_fmt(out, "Warning: %s belongs to uid %u: chown it to %s\n", path, st.st_uid,
		    c->home != NULL ? "yourself" : "root");
}

/* The user who serves behind the doors, and the groups that he is in. */
struct server {
	struct user user;
	gid_t groups[64];
	int ngroups;
};

static bool
server_find(struct arena *a, struct server *s)
{
	struct fail none = FAIL_INIT;

	s->ngroups = sizeof s->groups / sizeof s->groups[0];
	if (user_find(a, "onehop", &s->user, &none) <= 0)
		return false;
	if (getgrouplist(s->user.name, s->user.gid, s->groups, &s->ngroups) < 0)
		s->ngroups = sizeof s->groups / sizeof s->groups[0];
	return true;
}

/* want: S_IROTH, S_IWOTH. */
static bool
server_may(const struct server *s, const struct stat *st, mode_t want)
{
	if (st->st_uid == s->user.uid)
		return (st->st_mode & (want << 6)) != 0;
	for (int i = 0; i < s->ngroups; i++)
		if (s->groups[i] == st->st_gid)
			return (st->st_mode & (want << 3)) != 0;
	return (st->st_mode & want) != 0;
}

/* What would let root's mail go, and nobody else's.  Seen from outside; what the caller may not see
 * is passed over. */
static void
judge_server(const struct session_start *s, struct buf *out)
{
	const struct conf *c = &s->conf;
	const char *passwords = credstore_not_given(c, s->arena) == NULL ? find_passwords(s) : NULL;
	const struct {
		const char *path;
		mode_t want;
		const char *verb, *cure;
	} needs[] = {
		{ c->file, S_IROTH, "read", "chmod a+r" },
		{ passwords, S_IROTH, "read", "chmod 640 it and chgrp onehop" },
		{ c->log_file, S_IWOTH, "write to", "chown onehop" },
		{ c->spool_directory, S_IWOTH, "write to", "chown -R onehop" },
		{ arena_fmt(s->arena, "%s/input", c->spool_directory), S_IWOTH, "write to",
		    "chown -R onehop" },
		{ arena_fmt(s->arena, "%s/db", c->spool_directory), S_IWOTH, "write to",
		    "chown -R onehop" },
	};
	struct server server;
	struct stat st;

	if (c->home != NULL || s->cmd->config != NULL || !server_find(s->arena, &server))
		return;
	for (size_t i = 0; i < sizeof needs / sizeof needs[0]; i++)
		if (needs[i].path != NULL && stat(needs[i].path, &st) == 0 &&
		    !server_may(&server, &st, needs[i].want))
			buf_fmt(out,
			    "Warning: user onehop, who sends for other users, may not %s %s: %s "
			    "it\n",
			    needs[i].verb, needs[i].path, needs[i].cure);
}

/* What onehop-send finds when it reads and loads what a delivery would.  Its complaints are on our
 * standard error.  Returns the exit status. */
static int
ask_sender(struct session_start *s, struct buf *out)
{
	char *const argv[] = { arena_fmt(s->arena, "onehop-send"), arena_fmt(s->arena, "-bV"),
		s->cmd->config != NULL ? arena_fmt(s->arena, "-C") : NULL,
		s->cmd->config != NULL ? arena_fmt(s->arena, "%s", s->cmd->config) : NULL, NULL };
	const struct child_program send = { .path = program_path(s->arena, "onehop-send"),
		.argv = argv };
	struct child child;
	struct fail f = FAIL_INIT;
	char piece[4096];
	ssize_t n;
	int status;

	if (!child_start(&child, &send, STAGE_CONFIG, &f)) {
		f.cls = FAIL_USER;
		return cli_complain(&f);
	}
	while ((n = fd_read(child.out, piece, sizeof piece)) > 0)
		buf_add(out, piece, (size_t)n);
	status = child_wait(&child);
	if (WIFEXITED(status) && (WEXITSTATUS(status) == EX_OK || WEXITSTATUS(status) == EX_CONFIG))
		return WEXITSTATUS(status);
	(void)fail_conf(
	    &f, "%s, which sends the mail, cannot be started (wait status %d)", send.path, status);
	return cli_complain(&f);
}

/* Exim takes exim4.conf alone where there is one. */
static void
judge_other_files(const struct session_start *s, struct buf *out)
{
	const struct conf *c = &s->conf;
	const char *other = arena_fmt(s->arena, "%s/exim4/exim4.conf", c->etc);

	if (c->file != NULL && str_iends(str_of(c->file), STR("/update-exim4.conf.conf")) &&
	    access(other, F_OK) == 0)
		buf_fmt(out,
		    "Warning: Exim would take %s alone, where there is one; onehop does not read "
		    "it, "
		    "and goes by %s: write what it says into /etc/onehop/onehop.conf\n",
		    other, c->file);
}

int
show_version(struct session_start *s)
{
	struct buf out = BUF_INIT(1 << 20);
	struct fail f = FAIL_INIT;
	int status;
	bool valid = cli_start(s, &f);

	buf_str(&out,
	    "onehop version " PACKAGE_VERSION "\n"
	    "Support for: IPv6 GnuTLS DSN SMTPUTF8 IDN\n"
	    "Lookups (built-in): lsearch nwildlsearch partial-lsearch passwd\n"
	    "Authenticators: scram_sha_256_plus scram_sha_256 scram_sha_1_plus scram_sha_1 "
	    "cram_md5 plain login external oauthbearer xoauth2\n"
	    "Routers: hubbed_hosts smarthost real_local system_aliases hub_user userforward "
	    "procmail maildrop local_user mail4root\n"
	    "Transports: remote_smtp_smarthost remote_smtp lmtp maildir_home mail_spool "
	    "address_file address_directory address_pipe procmail_pipe maildrop_pipe\n"
	    "Configuration file search path is " SYSCONFDIR
	    "/onehop/onehop.conf:/etc/exim4/update-exim4.conf.conf\n");
	if (!valid) {
		(void)!say(&out, EX_OK);
		return cli_complain(&f);
	}
	buf_fmt(&out, "Configuration file is %s\n",
	    s->conf.file != NULL ? s->conf.file : "none: the defaults");
	for (const char *const *w = s->conf.warnings; w != NULL && *w != NULL; w++)
		buf_fmt(&out, "Warning: %s\n", *w);
	judge_other_files(s, &out);
	judge_passwords(s, &out);
	judge_server(s, &out);
	status = ask_sender(s, &out);
	return say(&out, status);
}

bool
show_as_sender(struct session_start *s, struct fail *f)
{
	const struct trace quiet = { NULL, NULL };
	struct mailbox sender = { str_of(s->caller.login), STR("") };
	struct rewrite map;

	if (!conf_depends_on_sender(&s->conf))
		return true;
	if (s->cmd->sender != NULL &&
	    !mailbox_parse(s->arena, str_of(s->cmd->sender), true, &sender, f)) {
		fail_prefix(f, "-f");
		return false;
	}
	if (sender.local.n > 0 && sender.domain.n == 0)
		sender.domain = str_of(s->conf.qualify_domain);
	if (!rewrite_open(&map, &s->conf, s->arena, &quiet, f))
		return false;
	sender = rewrite_address(&map, sender);
	return conf_apply_sender(
	    &s->conf, sender.local.n > 0 ? mailbox_text(s->arena, sender) : "", f);
}

int
show_options(struct session_start *s)
{
	struct buf out = BUF_INIT(1 << 20);
	struct fail f = FAIL_INIT;
	int status = EX_OK;

	if (s->cmd->sender != NULL && !show_as_sender(s, &f))
		return cli_complain(&f);
	if (s->cmd->narguments == 0)
		(void)!conf_print(&s->conf, str_at("", 0), &out, &f);
	for (size_t i = 0; i < s->cmd->narguments; i++)
		if (!conf_print(&s->conf, str_of(s->cmd->arguments[i]), &out, &f))
			status = cli_complain(&f);
	return say(&out, status);
}

/* -brw: what an address becomes in each place (doc/EXIM 20). */
static void
rewrite_one(const struct rewrite *r, struct mailbox m, struct buf *out)
{
	static const struct {
		const char *place;
		bool mapped;
	} places[] = { { "  sender", true }, { "    from", true }, { "      to", false },
		{ "      cc", false }, { "     bcc", false }, { "reply-to", true },
		{ "env-from", true }, { "  env-to", false } };

	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		buf_fmt(out, "%s: %s\n", places[i].place,
		    mailbox_text(r->arena, places[i].mapped ? rewrite_address(r, m) : m));
}

int
show_rewriting(struct session_start *s)
{
	struct transcript t = { .fd = STDERR_FILENO, .verbose = true };
	struct trace trace = transcript_trace(&t);
	struct buf out = BUF_INIT(1 << 20);
	struct fail f = FAIL_INIT;
	struct rewrite r;

	if (!rewrite_open(&r, &s->conf, s->arena, &trace, &f))
		return cli_complain(&f);
	for (size_t i = 0; i < s->cmd->narguments; i++) {
		struct mailbox m;

		if (!mailbox_parse(s->arena, str_of(s->cmd->arguments[i]), false, &m, &f)) {
			buf_free(&out);
			return cli_complain(&f);
		}
		if (m.domain.n == 0)
			m.domain = str_of(s->conf.qualify_domain);
		rewrite_one(&r, m, &out);
	}
	return say(&out, EX_OK);
}
