/* test_debian.c - macros of Exim's files, and the split configuration; names in brackets are
 * recorded cases. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "conf/debian.h"

#include "base/banned.h" /* IWYU pragma: keep */

static struct conf
fresh(struct arena *a)
{
	struct conf c;

	conf_init(&c, a);
	c.file = "f";
	return c;
}

static bool
shows(const struct conf *c, const char *option, const char *value)
{
	AUTO_BUF struct buf out = BUF_INIT(4096);
	struct fail f = FAIL_INIT;
	struct str line;

	assert_true(conf_print(c, str_of(option), &out, &f));
	line = buf_get(&out);
	line = str_skip(line, strlen(option) + 3);
	return str_starts(line, str_of(value)) && line.p[strlen(value)] == '\t';
}

static bool
warned(const struct conf *c, const char *words)
{
	for (size_t i = 0; c->warnings[i] != NULL; i++)
		if (strstr(c->warnings[i], words) != NULL)
			return true;
	return false;
}

/* Macros of localmacros (ours) after update-exim4.conf.conf, then of a template. */
static const struct {
	const char *conf, *localmacros, *template, *option, *shown, *words;
} macro_rows[] = {
	{ "", "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n", "", "auth_client_allow_notls_passwords",
	    "yes", NULL },
	{ "", "\fAUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\f\r\n", "",
	    "auth_client_allow_notls_passwords", "yes", NULL },
	{ "", "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = false\n", "",
	    "auth_client_allow_notls_passwords", "no", NULL },
	{ "", "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = no # not yet\n", "",
	    "auth_client_allow_notls_passwords", "no", NULL },
	{ "", "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS =\n", "", "auth_client_allow_notls_passwords",
	    "no", NULL },
	{ "", "# AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n", "", "auth_client_allow_notls_passwords",
	    "no", NULL },
	{ "", "  AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS=yes", "", "auth_client_allow_notls_passwords",
	    "yes", NULL },
	{ "", "", "begin authenticators\nAUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n",
	    "auth_client_allow_notls_passwords", "yes", NULL },
	{ "", "x = a \\\nAUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n", "",
	    "auth_client_allow_notls_passwords", "no", NULL },
	{ "", "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS \\\n # c\n  = 1\n", "",
	    "auth_client_allow_notls_passwords", "yes", NULL },
	{ "dc_smarthost='a'\n", "DCsmarthost = other.example::26\n", "", "smarthost",
	    "other.example::26", NULL }, /* conf-localmacros */
	{ "dc_smarthost='a'\n", "", "DCsmarthost = b\n", "smarthost", "a", NULL },
	{ "dc_smarthost='a'\n", "", "DCsmarthost == b\n", "smarthost", "b", NULL },
	{ "MESSAGE_SIZE_LIMIT=1M\n", "MESSAGE_SIZE_LIMIT = 2M\n", "MESSAGE_SIZE_LIMIT=3M\n",
	    "message_size_limit", "2M", NULL },
	{ "", "MESSAGE_SIZE_LIMIT = 1M\nMESSAGE_SIZE_LIMIT = 2M\n", "", "message_size_limit", "1M",
	    "m:2: MESSAGE_SIZE_LIMIT was set before at m:1" },
	{ "", "MESSAGE_SIZE_LIMIT = 1M\nMESSAGE_SIZE_LIMIT == 2M\n", "", "message_size_limit", "2M",
	    NULL },
	{ "", "", ".ifndef SPOOLDIR\nSPOOLDIR = /var/spool/exim4\n.endif\n", "spool_directory",
	    "/var/spool/onehop", NULL },
	{ "", "", ".ifndef SPOOLDIR\nSPOOLDIR = /srv/spool\n.endif\n", "spool_directory",
	    "/srv/spool", NULL },
	{ "", "SPOOLDIR = /srv/a\n", ".ifndef SPOOLDIR\nSPOOLDIR = /srv/b\n.endif\n",
	    "spool_directory", "/srv/a", NULL },
	{ "", "A = 1\n", ".ifdef A\nSPOOLDIR=/a\n.else\nSPOOLDIR=/b\n.endif\n", "spool_directory",
	    "/a", "A has no meaning" },
	{ "", "", ".ifdef A\nSPOOLDIR=/a\n.else\nSPOOLDIR=/b\n.endif\n", "spool_directory", "/b",
	    NULL },
	{ "", "",
	    ".ifdef A\n.ifndef B\nSPOOLDIR=/a\n.endif\n.elifdef "
	    "DCsmarthost\nSPOOLDIR=/b\n.else\nSPOOLDIR=/c\n.endif\n",
	    "spool_directory", "/b", NULL },
	{ "", "", ".ifdef A\n.elifndef B\nSPOOLDIR=/b\n.elifdef DCsmarthost\nSPOOLDIR=/c\n.endif\n",
	    "spool_directory", "/b", NULL },
	{ "", "", ".ifdef X DCconfig_satellite DCconfig_smarthost\nSPOOLDIR=/b\n.endif\n",
	    "spool_directory", "/b", NULL },
	{ "", "", ".ifdef _HAVE_TLS\nSPOOLDIR=/b\n.endif\n", "spool_directory", "/b", NULL },
	{ "", "", ".endif\n.else\nSPOOLDIR=/b\n", "spool_directory", "/b", NULL },
	{ "", "", ".ifdef DCsmarthost\n.include /x\nSPOOLDIR=/b\n.endif\n", "spool_directory", "/b",
	    NULL },
	{ "", "", ".ifdef A\n.ifdef DCsmarthost\n.else\nSPOOLDIR=/b\n.endif\n.endif\n",
	    "spool_directory", "/var/spool/onehop", NULL },
	{ "", "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = *\n", "", "tls", "starttls", NULL },
	{ "", "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = :\n", "", "tls", "auto", NULL },
	{ "",
	    "REMOTE_SMTP_SMARTHOST_PROTOCOL = smtps\nREMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = *\n",
	    "", "tls", "implicit", NULL },
	{ "",
	    "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = *\nREMOTE_SMTP_SMARTHOST_PROTOCOL = smtps\n",
	    "", "tls", "implicit", NULL },
	{ "", "REMOTE_SMTP_SMARTHOST_PROTOCOL = submissions\n", "", "tls", "implicit", NULL },
	{ "REMOTE_SMTP_SMARTHOST_PROTOCOL='Submissions'\n", "", "", "tls", "implicit", NULL },
	{ "", "REMOTE_SMTP_SMARTHOST_PROTOCOL = smtp\n", "", "tls", "auto", NULL },
	{ "", "REMOTE_SMTP_SMARTHOST_PROTOCOL = lmtp\n", "", "tls", "auto",
	    "m:1: REMOTE_SMTP_SMARTHOST_PROTOCOL = lmtp is not \"smtps|submissions\"" },
	{ "", "REMOTE_SMTP_SMARTHOST_HOSTS_AVOID_TLS = *\n", "", "hosts_avoid_tls", "*", NULL },
	{ "", "REMOTE_SMTP_SMARTHOST_HOSTS_AVOID_TLS = 192.0.2.25 : a.example\n", "",
	    "hosts_avoid_tls", "192.0.2.25 : a.example", NULL },
	{ "REMOTE_SMTP_SMARTHOST_HOSTS_AVOID_TLS='*'\n",
	    "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = *\n", "", "tls", "starttls", NULL },
	{ "", "REMOTE_SMTP_SMARTHOST_HOSTS_AVOID_TLS = ${lookup\n", "", "hosts_avoid_tls", "",
	    "uses Exim's string expansion" },
	{ "", "REMOTE_SMTP_SMARTHOST_TLS_VERIFY_HOSTS = :\n", "", "tls_verify", "no",
	    NULL }, /* auth-starttls-noverify */
	{ "", "REMOTE_SMTP_SMARTHOST_TLS_VERIFY_HOSTS =\n", "", "tls_verify", "no", NULL },
	{ "", "REMOTE_SMTP_SMARTHOST_TLS_VERIFY_HOSTS = *\n", "", "tls_verify", "auto", NULL },
	{ "", "REMOTE_SMTP_SMARTHOST_TLS_CERTIFICATE = CONFDIR/Me.crt\n", "", "tls_certificate",
	    "/etc/exim4/Me.crt", NULL },
	{ "", "REMOTE_SMTP_SMARTHOST_TLS_CERTIFICATE = ${if exists{/a}{/a}}\n", "", NULL, NULL,
	    "m:1: REMOTE_SMTP_SMARTHOST_TLS_CERTIFICATE uses Exim's string expansion" },
	{ "", "REMOTE_SMTP_HELO_DATA = ${lookup dnsdb}\n", "", "helo_data", "",
	    "m:1: REMOTE_SMTP_HELO_DATA uses Exim's string expansion" },
	{ "", "MAILDIR_HOME_MAILDIR_LOCATION = $home/Mail\n", "", "maildir_directory", "$home/Mail",
	    NULL },
	{ "", "REMOTE_SMTP_SMARTHOST_HOST_REQUIRE_TLS = *\n", "", "tls", "auto", "has no meaning" },
	{ "", "REMOTE_SMTP_RETURN_PATH = me@isp.example\n", "", "return_path", "me@isp.example",
	    NULL },
	{ "", "REMOTE_SMTP_RETURN_PATH = ${sender_address_local_part}@isp.example\n", "",
	    "return_path", "", "uses Exim's string expansion" },
	{ "", "REMOTE_SMTP_HEADERS_REWRITE = *@* me@isp.example frs\n", "", "headers_rewrite",
	    "*@* me@isp.example frs", NULL },
	{ "", "REMOTE_SMTP_HEADERS_REWRITE = *@+local_domains $1@isp.example frs\n", "",
	    "headers_rewrite", "*@+local_domains $1@isp.example frs", NULL },
	{ "", "REMOTE_SMTP_HEADERS_REWRITE = *@* ${lookup} frs\n", "", "headers_rewrite", "",
	    "m:1: headers_rewrite: \"*@* ${lookup} frs\" is not a rule" },
	/* what Debian's template makes of dc_hide_mailname */
	{ "", "",
	    "REMOTE_SMTP_HEADERS_REWRITE=*@+local_domains $1@DCreadhost frs\n"
	    "REMOTE_SMTP_RETURN_PATH=${if match_domain{$sender_address_domain}}\n",
	    "headers_rewrite", "", NULL },
	{ "", "", "REMOTE_SMTP_RETURN_PATH=me@isp.example\n", "return_path", "me@isp.example",
	    NULL },
	{ "", "MAIN_PRIMARY_HOSTNAME_AS_QUALIFY_DOMAIN = 1\n", "", "qualify_domain", "@", NULL },
	{ "", "ETC_MAILNAME = x.example\n", "", "qualify_domain", "x.example", NULL },
	{ "", "", "acl_check:\n  accept hosts = : \\\n  MESSAGE_SIZE_LIMIT=1\nFoo: bar\nBAR\n",
	    "message_size_limit", "50M", NULL },
};

static void
macros(void **state)
{
	AUTO_ARENA struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof macro_rows / sizeof macro_rows[0]; i++) {
		struct fail f = FAIL_INIT;
		struct conf c = fresh(&a);
		bool ok = conf_parse(&c, str_of(macro_rows[i].conf), c.file, true, &f) &&
		    debian_macros(&c, str_of(macro_rows[i].localmacros), "m", true, &f) &&
		    debian_macros(&c, str_of(macro_rows[i].template), "t", false, &f);

		if (macro_rows[i].shown == NULL) {
			if (ok || strstr(f.text, macro_rows[i].words) == NULL)
				fail_msg("row %zu: %s", i, ok ? "taken" : f.text);
			continue;
		}
		if (!ok || !shows(&c, macro_rows[i].option, macro_rows[i].shown))
			fail_msg("row %zu: not %s, %s", i, macro_rows[i].shown, f.text);
		if (macro_rows[i].words != NULL ? !warned(&c, macro_rows[i].words) :
						  c.warnings[0] != NULL)
			fail_msg("row %zu: warning %s", i, c.warnings[0]);
	}
}

static void
deep(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf text = BUF_INIT(4096);
	struct fail f = FAIL_INIT;
	struct conf c = fresh(&a);

	(void)state;
	for (int i = 0; i < 33; i++)
		buf_str(&text, ".ifdef A\n");
	assert_false(debian_macros(&c, buf_get(&text), "t", false, &f));
	assert_non_null(strstr(f.text, "t:33: .ifdef is nested too deeply"));
}

static int
make_etc(void **state)
{
	char *path = strdup("/tmp/onehop-test-XXXXXX");

	*state = path;
	return path == NULL || mkdtemp(path) == NULL || chdir(path) != 0 ||
	    mkdir("onehop", 0700) != 0 || mkdir("exim4", 0700) != 0 ||
	    mkdir("exim4/conf.d", 0700) != 0 || mkdir("exim4/conf.d/main", 0700) != 0;
}

static const char *const files[] = { "onehop/onehop.conf", "exim4/update-exim4.conf.conf",
	"exim4/exim4.conf.localmacros", "exim4/exim4.conf.template", "exim4/conf.d/main/000_local",
	"exim4/conf.d/main/02_exim4-config_options",
	"exim4/conf.d/main/02_exim4-config_options.rul", "exim4/conf.d/main/x.dpkg-old", "mailname",
	"hosts", "user.conf" };

static void
remove_files(void)
{
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		(void)unlink(files[i]);
}

static int
remove_etc(void **state)
{
	remove_files();
	(void)rmdir("onehop");
	(void)rmdir("exim4/conf.d/main");
	(void)rmdir("exim4/conf.d");
	(void)rmdir("exim4");
	(void)!chdir("/");
	(void)rmdir(*state);
	free(*state);
	return 0;
}

static void
put(const char *path, const char *text)
{
	AUTO_FD int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_true(fd_write_full(fd, text, strlen(text)));
}

static void
load_split(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct conf_paths paths = { .etc = *state };
	struct fail f = FAIL_INIT;
	struct conf c;

	remove_files();
	put("exim4/update-exim4.conf.conf", "dc_use_split_config='true'\n");
	put("exim4/exim4.conf.localmacros", "MESSAGE_SIZE_LIMIT = 1M\n"); /* not of this scheme */
	put("exim4/conf.d/main/000_local", "SPOOLDIR = /srv/spool\nFOO = 1\n");
	put("exim4/conf.d/main/02_exim4-config_options",
	    ".ifndef SPOOLDIR\nSPOOLDIR = /x\n.endif\nBAR = 1\nMAIN_FORCE_SENDER = 1\n");
	put("exim4/conf.d/main/x.dpkg-old", "MESSAGE_SIZE_LIMIT = 2M\n");
	assert_true(conf_load(&c, &a, &paths, &f));
	assert_string_equal(c.spool_directory, "/srv/spool");
	assert_int_equal(c.message_size_limit, 50 << 20);
	assert_true(c.force_sender);
	assert_true(warned(&c, "FOO has no meaning"));
	assert_false(warned(&c, "BAR"));
	put("exim4/conf.d/main/02_exim4-config_options.rul", "BAR = 1\n");
	assert_true(conf_load(&c, &a, &paths, &f));
	assert_false(c.force_sender);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macros),
		cmocka_unit_test(deep),
		cmocka_unit_test(load_split),
	};

	return cmocka_run_group_tests(tests, make_etc, remove_etc);
}
