/* test_conf.c - lines, Debian's keys and macros, which file is in use; names in brackets are
 * recorded cases. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "conf/conf.h"

#include "base/banned.h" /* IWYU pragma: keep */

enum kind { OWN, DEBIAN };

/* "option = value" that must be printed (or "" for a value that is default), or the words of an
 * error, after a text is parsed. */
struct row {
	enum kind kind;
	const char *text, *option, *shown; /* shown NULL: an error */
	const char *words;                 /* in the error, or in the warnings */
};

static const char walkthrough[] =
    "dc_eximconfig_configtype='smarthost'           # smarthost; \xe9\x82\xae\xe4\xbb\xb6\n"
    "dc_other_hostnames=''\n"
    "dc_local_interfaces='127.0.0.1'                # \xe5\x8f\xaa\n"
    "dc_readhost=''\ndc_relay_domains=''\ndc_minimaldns='false'\ndc_relay_nets=''\n"
    "dc_smarthost='smtp.21cn.com'                   # the smarthost\n"
    "CFILEMODE='644'\ndc_use_split_config='false'\ndc_hide_mailname='false'\n"
    "dc_mailname_in_oh='true'\n";

static const struct row rows[] = {
	{ OWN, "", "smarthost", "", NULL },
	{ OWN, "smarthost = a.example\n", "smarthost", "a.example", NULL },
	{ OWN, "smarthost=a", "smarthost", "a", NULL },
	{ OWN, "  smarthost\t=  a b  \n", "smarthost", "a b", NULL },
	{ OWN, "smarthost = a # comment\n", "smarthost", "a", NULL },
	{ OWN, "smarthost = a#b\n", "smarthost", "a#b", NULL },
	{ OWN, "smarthost = 'a # b' # c\n", "smarthost", "\"a # b\"", NULL },
	{ OWN, "smarthost = \"a \\\" \\\\ b\"\n", "smarthost", "a \" \\ b", NULL },
	{ OWN, "smarthost = \" a\"\n", "smarthost", "\" a\"", NULL },
	{ OWN, "smarthost = 'a\n", NULL, NULL, "f:1: the quote is not closed" },
	{ OWN, "smarthost = 'a' b\n", NULL, NULL, "f:1: there is more behind the closing quote" },
	{ OWN, "smarthost = a,\\\n   b \\  \nc\ntls = off\n", "smarthost", "a,b c", NULL },
	{ OWN, "smarthost = \"a\\\nb\"\n", "smarthost", "ab", NULL },
	{ OWN, "# comment \\\nsmarthost = a\n", "smarthost", "a", NULL },
	{ OWN, "smarthost = a # comment \\\ntls = off\n", "tls", "off", NULL },
	{ OWN, "smarthost = a\\\n\ntlss = off\n", NULL, NULL, "f:3: there is no option \"tlss\"" },
	{ OWN, "smarthost = a\r\n\r\ntls = off\r\n", "tls", "off", NULL },
	{ OWN, "smarthost = a \\\r\n b\r\n", "smarthost", "a b", NULL },
	{ OWN, "\fsmarthost = a\n\f\n\f# c\ntls = off\f\n", "tls", "off", NULL },
	{ OWN, "tls_verfy = no\n", NULL, NULL, "the nearest is tls_verify" },
	{ OWN, "zzzzzzzz = no\n", NULL, NULL, "f:1: there is no option \"zzzzzzzz\"" },
	{ OWN, "smarthost\n", NULL, NULL, "f:1: a line is name = value" },
	{ OWN, "smarthost a\n", NULL, NULL, "f:1: a line is name = value" },
	{ OWN, "= a\n", NULL, NULL, "f:1: a line is name = value" },
	{ OWN, "smart-host = a\n", NULL, NULL, "f:1: a line is name = value" },
	{ OWN, "export smarthost = a\n", NULL, NULL, "f:1: a line is name = value" },
	{ OWN, "smarthost = a\001b\n", NULL, NULL, "control character" },
	{ OWN, "split_spool_directory\n", "split_spool_directory", "yes", NULL },
	{ OWN, "no_message_logs # c\n", "message_logs", "no", NULL },
	{ OWN, "no_smarthost\n", NULL, NULL, "f:1: a line is name = value" },
	{ OWN, "tls = ssl\n", NULL, NULL,
	    "f:1: tls is one of auto|starttls|implicit|off, not \"ssl\"" },
	{ OWN, "tls = STARTTLS\n", "tls", "starttls", NULL },
	{ OWN, "tls = off\ntls =\n", "tls", "auto", NULL },
	{ OWN, "return_path = me@isp.example\n", "return_path", "me@isp.example", NULL },
	{ OWN, "return_path = me\n", NULL, NULL, "f:1: return_path: \"me\" is not an address" },
	{ OWN, "return_path = $1@isp.example\n", NULL, NULL, "is not an address" },
	{ OWN, "headers_rewrite = *@+local_domains $1@x.example frs : * y@z h\n", "headers_rewrite",
	    "*@+local_domains $1@x.example frs : * y@z h", NULL },
	{ OWN, "headers_rewrite = *@* me@x.example frsX\n", NULL, NULL,
	    "f:1: headers_rewrite: \"*@* me@x.example frsX\" is not a rule" },
	{ OWN, "headers_rewrite = *@* ${lookup{$1}lsearch{/x}}\n", NULL, NULL, "is not a rule" },
	{ OWN, "headers_rewrite = ^x@y me@x.example\n", "headers_rewrite", "^x@y me@x.example",
	    NULL },
	{ OWN, "headers_rewrite = *@*\n", NULL, NULL, "is not a rule" },
	{ OWN, "force_sender = maybe\n", NULL, NULL, "f:1: force_sender is yes or no" },
	{ OWN, "force_sender = True\n", "force_sender", "yes", NULL },
	{ OWN, "force_sender = 0\n", "force_sender", "no", NULL },
	{ OWN, "connect_timeout = 90\n", "connect_timeout", "1m30s", NULL },
	{ OWN, "connect_timeout = 0\n", NULL, NULL, "from 1s to 3600s" },
	{ OWN, "message_size_limit = 10240K\n", "message_size_limit", "10M", NULL },
	{ OWN, "message_size_limit = 1000\n", "message_size_limit", "1000", NULL },
	{ OWN, "message_size_limit = big\n", NULL, NULL, "is a size like 50M" },
	{ OWN, "recipients_max = 1000001\n", NULL, NULL, "is a number from 0 to 1000000" },
	{ OWN, "configtype = internet\n", NULL, NULL, "never asks for MX" },
	{ OWN, "configtype = none\n", NULL, NULL, "leaves nothing to do" },
	{ OWN, "dc_smarthost = a\n", "smarthost", "a", NULL },
	{ OWN, "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n", "auth_client_allow_notls_passwords",
	    "yes", NULL },
	{ OWN, "[sender a@b]\nsmarthost = s\n", "smarthost", "", NULL },
	{ OWN, "[sender a@b]\nsmarthst = s\n", NULL, NULL, "f:2: there is no option" },
	{ OWN, "[sender a]\n", NULL, NULL, "f:1: a sender pattern is" },
	{ OWN, "[sender a@b\n", NULL, NULL, "f:1: a section is [sender PATTERN]" },
	{ OWN, "[recipient a@b]\n", NULL, NULL, "f:1: a section is [sender PATTERN]" },
	{ OWN, "[sender a@b] x\n", NULL, NULL, "f:1: there is more behind the ]" },

	{ DEBIAN, walkthrough, "smarthost", "smtp.21cn.com", NULL },
	{ DEBIAN, walkthrough, "local_delivery", "maildir_home", NULL },
	{ DEBIAN, "dc_localdelivery=''\n", "local_delivery", "maildir_home", NULL },
	{ DEBIAN, "dc_localdelivery='mail_spool'\n", "local_delivery", "mail_spool", NULL },
	{ DEBIAN, "dc_localdelivery='lmtp:/run/Dovecot'\n", "local_delivery", "lmtp:/run/Dovecot",
	    NULL },
	{ DEBIAN, "dc_smarthost='Smtp.ISP.example::587'\r\n", "smarthost", "smtp.isp.example::587",
	    NULL },
	{ DEBIAN, "dc_other_hostnames=' a.example  ;  B.example '\n", "local_domains",
	    "a.example ; b.example", NULL },
	{ DEBIAN, "dc_hide_mailname='True'\n", "hide_mailname", "yes", NULL }, /* conf-hide-cap */
	{ DEBIAN, "dc_hide_mailname='yes'\n", "hide_mailname", "no", NULL },
	{ DEBIAN, "dc_hide_mailname=''\n", "hide_mailname", "no", NULL },
	{ DEBIAN, "dc_smarthost=a.example # c\n", "smarthost", "a.example", NULL }, /* conf-shell */
	{ DEBIAN, "x=isp.example\nexport dc_smarthost=\"smtp.${x}::587\"\n", "smarthost",
	    "smtp.isp.example::587", "f:1: x has no meaning" },
	{ DEBIAN, "x=y\ndc_smarthost=a.$x.b\n", "smarthost", "a.y.b", "f:1: x has no meaning" },
	{ DEBIAN, "dc_smarthost=\"smtp.$y\"\n", NULL, NULL, "f:1: $y is not set above" },
	{ DEBIAN, "\ndc_other_hostnames=\"$(echo a.example)\"\n", NULL, NULL,
	    "f:2: commands and expansions of the shell" },
	{ DEBIAN, "dc_smarthost=`hostname`\n", NULL, NULL, "f:1: commands and expansions" },
	{ DEBIAN, "dc_smarthost=\"`hostname`\"\n", NULL, NULL, "f:1: commands and expansions" },
	{ DEBIAN, "dc_smarthost=${x:-a}\n", NULL, NULL, "f:1: commands and expansions" },
	{ DEBIAN, "dc_smarthost='a$(b)`c`'\n", "smarthost", "a$(b)`c`", NULL },
	{ DEBIAN, "dc_smarthost='a'\"b\"c\\ d\n", "smarthost", "abc d", NULL },
	{ DEBIAN, "dc_smarthost=\"a\\$b\\`\\\"\\\\\\c\"\n", "smarthost", "a$b`\"\\\\c", NULL },
	{ DEBIAN, "dc_smarthost=a\\\nb\n", "smarthost", "ab", NULL },
	{ DEBIAN, "dc_smarthost='a' # c \\\ndc_readhost='v'\n", "visible_name", "v", NULL },
	{ DEBIAN, "dc_smarthost='a\n", NULL, NULL, "f:1: the quote is not closed" },
	{ DEBIAN, "\n\ndc_smarthost=\"a\n", NULL, NULL, "f:3: the quote is not closed" },
	{ DEBIAN, "dc_smarthost='a';\ndc_readhost='v' ; # c\n", "visible_name", "v", NULL },
	{ DEBIAN, "dc_smarthost=a;\n", "smarthost", "a", NULL },
	{ DEBIAN, "dc_smarthost='a'; dc_readhost='v'\n", "visible_name", "v", NULL },
	{ DEBIAN, "dc_smarthost='a' dc_readhost=\"v\" # c\n", "visible_name", "v", NULL },
	{ DEBIAN, "dc_smarthost=a \\\n  dc_readhost=v\n", "visible_name", "v", NULL },
	{ DEBIAN, "dc_other_hostnames='a.example;\nb.example'\n", "local_domains",
	    "a.example; b.example", NULL },
	{ DEBIAN, "dc_other_hostnames=\"a.example;\r\n  b.example\"\r\ntls='yes'\n", NULL, NULL,
	    "f:3: tls is one of" },
	{ DEBIAN, "dc_smarthost='a\n\n'\n", "smarthost", "a", NULL },
	{ DEBIAN, "dc_smarthost='a\ndc_readhost='v'\n", NULL, NULL,
	    "f:1: the quote is not closed on this line" },
	{ DEBIAN, "dc_smarthost='a\nb\n", NULL, NULL, "f:1: the quote is not closed" },
	{ DEBIAN, "helo_data='a\nb'\n", "helo_data", "",
	    "f:1: helo_data has a control character in its value" },
	{ DEBIAN, "export dc_smarthost='a' dc_readhost='v'\n", "smarthost", "a", NULL },
	{ DEBIAN, "dc_smarthost='a'\nexport dc_smarthost dc_readhost\nreadonly\tdc_readhost=v\n",
	    "visible_name", "v", NULL },
	{ DEBIAN, "dc_smarthost='a'; export dc_smarthost;\n", "smarthost", "a", NULL },
	{ DEBIAN, "dc_smarthost='a'; ;\n", NULL, NULL, "f:1: \";\" outside of quotes" },
	{ DEBIAN, "dc_smarthost='a';; # c\n", NULL, NULL, "f:1: \";\" outside of quotes" },
	{ DEBIAN, "dc_smarthost='a' && true\n", NULL, NULL, "f:1: there is more behind" },
	{ DEBIAN, "dc_smarthost='a'&\n", NULL, NULL, "f:1: \"&\" outside of quotes" },
	{ DEBIAN, "dc_smarthost='it'\\''s'\n", "smarthost", "it's", NULL },
	{ DEBIAN, "dc_smarthost='a'#b\n", "smarthost", "a#b", NULL },
	{ DEBIAN, ". /etc/default/mail\n", NULL, NULL, "f:1: a line is name = value" },
	{ DEBIAN, "export\n", NULL, NULL, "f:1: a line is name = value" },
	{ DEBIAN, "dc_smarthost='a'; rm -rf /\n", NULL, NULL, "f:1: \";\" outside of quotes" },
	{ DEBIAN, "dc_smarthost=a b\n", NULL, NULL, "f:1: there is more behind the value" },
	{ DEBIAN, "if true\n", NULL, NULL, "f:1: a line is name = value" },
	{ DEBIAN, "dc_smarthost = 'a'\n", "smarthost", "a", NULL },
	{ DEBIAN, "dc_smarthost=#c\n", "smarthost", "", NULL },
	{ DEBIAN, "dc_eximconfig_configtype='Satellite'\n", "configtype", "satellite", NULL },
	{ DEBIAN, "dc_eximconfig_configtype='internet'\n", NULL, NULL, "never asks for MX" },
	{ DEBIAN, "dc_eximconfig_configtype='none'\n", NULL, NULL, "leaves nothing to do" },
	{ DEBIAN, "dc_eximconfig_configtype='foo'\n", NULL, NULL,
	    "configtype is one of" }, /* conf-unknown-type */
	{ DEBIAN, "dc_use_split_config='maybe'\n", NULL, NULL,
	    "dc_use_split_config is true or false" }, /* conf-split-bad */
	{ DEBIAN, "dc_smart_host='a'\n", "smarthost", "", "f:1: dc_smart_host has no meaning" },
	{ DEBIAN, "tls='implicit'\n", "tls", "implicit", NULL },
	{ DEBIAN, "tls='yes'\n", NULL, NULL, "f:1: tls is one of" },
	{ DEBIAN, "tls_verifi='yes'\n", NULL, NULL,
	    "f:1: tls_verifi means nothing; is it tls_verify?" },
	{ DEBIAN, "connect_timeout='soon'\n", "connect_timeout", "30s",
	    "f:1: connect_timeout is a time" },
	{ DEBIAN, "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS='1'\n", "auth_client_allow_notls_passwords",
	    "yes", NULL }, /* conf-upper-macro */
	{ DEBIAN, "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n", "auth_client_allow_notls_passwords",
	    "yes", NULL },
	{ DEBIAN, "AUTH_CLIENT_ALLOW_NOTLS_PASSWORD=1\n", NULL, NULL,
	    "is it AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS?" },
	{ DEBIAN, "retry='soon'\n", "retry", "F,2h,15m; G,16h,1h,1.5; F,4d,6h", "f:1: " },
	{ DEBIAN, "REMOTE_SMTP_RETURN_PATH='me@isp.example'\n", "return_path", "me@isp.example",
	    NULL },
	{ DEBIAN, "MAIN_LOG_SELECTOR='+all'\n", "tls", "auto",
	    "f:1: MAIN_LOG_SELECTOR has no meaning" },
	{ DEBIAN, "MESSAGE_SIZE_LIMIT=1\nMESSAGE_SIZE_LIMIT=2\n", "message_size_limit", "1", NULL },
};

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

static void
lines(void **state)
{
	AUTO_ARENA struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *r = &rows[i];
		struct fail f = FAIL_INIT;
		struct conf c = fresh(&a);
		bool ok = conf_parse(&c, str_of(r->text), "f", r->kind == DEBIAN, &f);

		if (r->shown == NULL) {
			if (ok || strstr(f.text, r->words) == NULL || fail_exit_code(&f) != 78)
				fail_msg("\"%s\": %s", r->text, ok ? "taken" : f.text);
			continue;
		}
		if (!ok || !shows(&c, r->option, r->shown))
			fail_msg("\"%s\": not %s, %s", r->text, r->shown, f.text);
		if (r->words != NULL ? !warned(&c, r->words) : c.warnings[0] != NULL)
			fail_msg("\"%s\": warning %s", r->text, c.warnings[0]);
	}
}

static void
sections(void **state)
{
	static const char text[] = "smarthost = all\n[sender a@b.example] # c\nsmarthost = one\n"
				   "tls = off\n[sender *@b.example]\nsmarthost = two\n"
				   "[sender *]\nhelo_data = three\n";
	static const struct {
		const char *sender, *smarthost, *helo;
	} want[] = {
		{ "a@b.example", "two", "three" },
		{ "A@B.example", "two", "three" },
		{ "c@b.example", "two", "three" },
		{ "c@x.example", "all", "three" },
		{ "", "all", "" },
	};
	AUTO_ARENA struct arena a = { 0 };
	struct fail f = FAIL_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		struct conf c = fresh(&a);

		assert_true(conf_parse(&c, STR(text), "f", false, &f));
		assert_string_equal(c.smarthost, "all");
		assert_true(conf_apply_sender(&c, want[i].sender, &f));
		assert_string_equal(c.smarthost, want[i].smarthost);
		assert_string_equal(c.helo_data, want[i].helo);
		if (i == 0)
			assert_string_equal(conf_where(&c, CONF_tls), "f:4");
	}
}

/* Every default is a value that its own row takes, and -bP's text reads back as the same. */
static void
prints(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	AUTO_BUF struct buf out = BUF_INIT(1 << 16), again = BUF_INIT(1 << 16);
	struct fail f = FAIL_INIT;
	struct conf c = fresh(&a), d = fresh(&a);
	const struct assignment good = { STR("dc_smarthost"), STR("x"), { "-O", 0 } };
	const struct assignment bad = { STR("tls"), STR("x"), { "-O", 0 } };
	size_t n = 0;

	(void)state;
	assert_string_equal(c.retry, "F,2h,15m; G,16h,1h,1.5; F,4d,6h");
	assert_int_equal(c.message_size_limit, 50 << 20);
	assert_int_equal(c.total_timeout, 1800);
	assert_true(c.message_logs);
	assert_true(conf_print(&c, STR(""), &out, &f));
	for (size_t i = 0; i < out.n; i++)
		n += out.p[i] == '\n';
	assert_int_equal(n, CONF_COUNT);
	assert_true(conf_parse(&d, buf_get(&out), "f", false, &f));
	assert_true(conf_print(&d, STR(""), &again, &f));
	assert_int_equal(str_find(str_of(conf_where(&c, CONF_tls)), '\0'), 7);
	assert_string_equal(conf_where(&d, CONF_configtype), "f:1");
	assert_false(conf_print(&c, STR("smarthots"), &out, &f));
	assert_non_null(strstr(f.text, "smarthost"));
	assert_true(conf_set(&c, &good, &f));
	assert_string_equal(conf_where(&c, CONF_smarthost), "-O");
	assert_false(conf_set(&c, &bad, &f));
	assert_memory_equal(f.text, "tls is one of", 13);
}

/* A value stays as it was when a new one is refused. */
static void
refused(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct fail f = FAIL_INIT;
	struct conf c = fresh(&a);

	(void)state;
	assert_false(conf_parse(&c, STR("configtype = internet\n"), "f", false, &f));
	assert_int_equal(c.configtype, TYPE_SMARTHOST);
	assert_string_equal(conf_where(&c, CONF_configtype), "default");
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
load(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct conf_paths paths = { .etc = *state };
	struct fail f = FAIL_INIT;
	struct conf c;

	remove_files();
	assert_true(conf_load(&c, &a, &paths, &f)); /* no file at all */
	assert_null(c.file);
	assert_true(c.qualify_domain[0] != '\0');
	assert_string_equal(c.qualify_domain, c.primary_hostname);
	assert_memory_equal(c.aliases, *state, strlen(*state));

	put("exim4/update-exim4.conf.conf",
	    "\xef\xbb\xbf"
	    "dc_smarthost='b'\r\n");
	assert_true(conf_load(&c, &a, &paths, &f));
	assert_string_equal(c.smarthost, "b");
	put("exim4/update-exim4.conf.conf",
	    "\xff\xfe"
	    "d");
	assert_false(conf_load(&c, &a, &paths, &f));
	assert_non_null(strstr(f.text, "update-exim4.conf.conf is UTF-16"));
	put("exim4/update-exim4.conf.conf", walkthrough);
	put("exim4/exim4.conf.localmacros", "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n");
	put("mailname", "Debian extra\n");
	assert_true(conf_load(&c, &a, &paths, &f));
	assert_string_equal(c.smarthost, "smtp.21cn.com");
	assert_true(c.auth_client_allow_notls_passwords);
	assert_string_equal(c.qualify_domain, "debian");
	assert_null(c.warnings[0]);

	put("mailname", "# x\n"); /* conf-mailname-comment */
	assert_false(conf_load(&c, &a, &paths, &f));
	assert_non_null(strstr(f.text, "mailname:1: qualify_domain \"# x\" is not a domain"));
	put("mailname", "\n");
	assert_true(conf_load(&c, &a, &paths, &f));
	assert_string_equal(c.qualify_domain, c.primary_hostname);

	put("onehop/onehop.conf",
	    "smarthost = own\nqualify_domain = @\nprimary_hostname = p.example\n");
	assert_true(conf_load(&c, &a, &paths, &f));
	assert_string_equal(c.smarthost, "own");
	assert_string_equal(c.qualify_domain, "p.example");
	assert_false(c.auth_client_allow_notls_passwords);
	assert_null(c.home);

	put("onehop/onehop.conf", "mailname_file = /dev/null\n");
	assert_true(conf_load(&c, &a, &paths, &f));
	assert_string_equal(c.qualify_domain, c.primary_hostname);
	put("onehop/onehop.conf", "\ntls_dane = yes\n[sender a@b]\nfold_duplicates = no\n");
	assert_true(conf_load(&c, &a, &paths, &f));
	assert_non_null(strstr(c.warnings[0], "onehop.conf:2: tls_dane is no option any more"));
}

static void
load_own(void **state)
{
	AUTO_ARENA struct arena a = { 0 };
	struct conf_paths paths = { .etc = *state,
		.user_file = "user.conf",
		.home = "/home/u",
		.state = "/home/u/.local/state/onehop" };
	struct fail f = FAIL_INIT;
	struct conf c;

	remove_files();
	put("onehop/onehop.conf", "smarthost = system\n");
	assert_true(conf_load(&c, &a, &paths, &f));
	assert_null(c.home);
	assert_string_equal(c.spool_directory, "/var/spool/onehop");
	put("user.conf", "smarthost = mine\n");
	assert_true(conf_load(&c, &a, &paths, &f));
	assert_string_equal(c.smarthost, "mine");
	assert_string_equal(c.home, "/home/u");
	assert_string_equal(c.spool_directory, "/home/u/.local/state/onehop");
	assert_string_equal(c.log_file, "/home/u/.local/state/onehop/mainlog");
	put("user.conf", "spool_directory = /tmp/s\n");
	assert_true(conf_load(&c, &a, &paths, &f));
	assert_string_equal(c.spool_directory, "/tmp/s");
	/* the same file named with -C: nothing to run, nothing to write, unless root owns it */
	paths = (struct conf_paths){
		.etc = *state, .file = "user.conf", .home = "/home/u", .state = "/s"
	};
	if (getuid() == 0) {
		assert_true(conf_load(&c, &a, &paths, &f));
		assert_string_equal(c.spool_directory, "/tmp/s");
		assert_string_equal(c.log_file, "/s/mainlog");
		assert_int_equal(chown("user.conf", 1, 1), 0);
	}
	assert_false(conf_load(&c, &a, &paths, &f));
	assert_non_null(strstr(f.text, "user.conf:1: spool_directory is not taken from a file"));
	put("user.conf", "[sender a@b]\npassword_command = /bin/x\n");
	assert_false(conf_load(&c, &a, &paths, &f));
	paths.file = "nosuch.conf";
	assert_false(conf_load(&c, &a, &paths, &f));
	assert_int_equal(fail_exit_code(&f), 78);
	paths.file = "exim4"; /* a directory */
	assert_false(conf_load(&c, &a, &paths, &f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(sections),
		cmocka_unit_test(prints),
		cmocka_unit_test(refused),
		cmocka_unit_test(load),
		cmocka_unit_test(load_own),
	};

	return cmocka_run_group_tests(tests, make_etc, remove_etc);
}
