/* route_cases.c - recipients and where they live. */
#include "route_cases.h"

#include "base/banned.h" /* IWYU pragma: keep */

#define WS "mailer-daemon: postmaster\npostmaster: root\nroot: alice\n"

const struct test route_cases[] = {
	{ .name = "bt-local, seed",
	    .recipient = "fax@debian",
	    .routes = "fax@debian deliver local_user maildir_home user=fax\n",
	    .trace = "R: system_aliases for fax@debian\nR: userforward for fax@debian\n"
		     "R: procmail for fax@debian\nR: maildrop for fax@debian\n"
		     "R: local_user for fax@debian\n" },
	{ .name = "bt-remote",
	    .recipient = "x@far.example",
	    .qualified = true,
	    .routes = "x@far.example deliver smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example\n",
	    .trace = "R: smarthost for x@far.example\n" },
	{ .name = "bt-alias",
	    .aliases = WS "ali: fax, x@far.example, nosuch\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian parent system_aliases\n"
		      "fax@debian deliver local_user maildir_home user=fax <- ali@debian\n"
		      "x@far.example deliver smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example <- ali@debian\n"
		      "nosuch@debian fail: Unrouteable address <- ali@debian\n",
	    .trace = "R: system_aliases for ali@debian\nR: system_aliases for fax@debian\n"
		     "R: userforward for fax@debian\nR: procmail for fax@debian\n"
		     "R: maildrop for fax@debian\nR: local_user for fax@debian\n"
		     "R: smarthost for x@far.example\nR: system_aliases for nosuch@debian\n" },
	{ .name = "loc-case: the local part is lower-cased, what it was is kept",
	    .recipient = "FAX@Debian",
	    .routes = "fax@Debian deliver local_user maildir_home user=fax\n" },
	{ .name = "loc-alias-case",
	    .aliases = WS "Ali: X.Y@Far.Example\n",
	    .recipient = "ALI@debian",
	    .routes = "ali@debian parent system_aliases\n"
		      "X.Y@Far.Example deliver smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example <- ali@debian\n" },
	{ .name = "loc-alias-backslash",
	    .aliases = WS "ali: \\fax\nfax: bob\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian parent system_aliases\n"
		      "fax@debian parent system_aliases <- ali@debian\n"
		      "bob@debian deliver local_user maildir_home user=bob <- fax@debian\n" },
	{ .name = "loc-alias-blackhole",
	    .aliases = WS "ali: :blackhole:\n",
	    .recipient = "ali@debian",
	    .routes = ":blackhole: discard system_aliases\n" },
	{ .name = "loc-alias-chain",
	    .aliases = WS "a1: a2\na2 a3\n\"a3\": fax\n",
	    .recipient = "a1@debian",
	    .routes = "a1@debian parent system_aliases\n"
		      "a2@debian parent system_aliases <- a1@debian\n"
		      "a3@debian parent system_aliases <- a2@debian\n"
		      "fax@debian deliver local_user maildir_home user=fax <- a3@debian\n" },
	{ .name = "loc-alias-empty",
	    .aliases = WS "ali:\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian fail: Unrouteable address\n" },
	{ .name = "loc-alias-unknown: as if there were no alias",
	    .aliases = WS "fax: :unknown:\n",
	    .recipient = "fax@debian",
	    .routes = "fax@debian deliver local_user maildir_home user=fax\n" },
	{ .name = "loc-alias-fail",
	    .aliases = WS "ali: :fail: no longer here\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian fail system_aliases: no longer here\n" },
	{ .name = ":fail: without a reason",
	    .aliases = WS "ali: :fail:\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian fail system_aliases: the alias ali says :fail:\n" },
	{ .name = "loc-alias-defer",
	    .aliases = WS "ali: :defer: moving house\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian defer system_aliases: moving house\n" },
	{ .name = ":defer: without a reason",
	    .aliases = WS "ali: :defer:\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian defer system_aliases: the alias ali in /etc/aliases:4 says "
		      ":defer:\n" },
	{ .name = "loc-alias-devnull: works",
	    .aliases = WS "ali: /dev/null\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian parent system_aliases\n"
		      "/dev/null discard system_aliases **bypassed** <- ali@debian\n" },
	{ .name = "loc-alias-file, -pipe: refused at once",
	    .aliases = WS "ali: /var/x, /var/d/, \"|/bin/x y\", fax\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian parent system_aliases\n"
		      "/var/x fail system_aliases: the alias ali in /etc/aliases:4 asks for a "
		      "file; onehop delivers aliases to addresses only <- ali@debian\n"
		      "/var/d/ fail system_aliases: the alias ali in /etc/aliases:4 asks for a "
		      "directory; onehop delivers aliases to addresses only <- ali@debian\n"
		      "|/bin/x y fail system_aliases: the alias ali in /etc/aliases:4 asks for "
		      "a pipe; onehop delivers aliases to addresses only <- ali@debian\n"
		      "fax@debian deliver local_user maildir_home user=fax <- ali@debian\n" },
	{ .name = "loc-alias-star",
	    .aliases = WS "*: fax\n",
	    .recipient = "whoever@debian",
	    .routes = "whoever@debian fail: Unrouteable address\n" },
	{ .name = "loc-alias-syntax",
	    .aliases = WS "ali: fax, bad@@x\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian defer system_aliases: error in redirect data: bad address "
		      "\"bad@@x\": domain missing or malformed (/etc/aliases:4)\n" },
	{ .name = "control character in an alias",
	    .aliases = WS "ali: fax\001\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian defer system_aliases: error in redirect data: control "
		      "character in \"fax?\" (/etc/aliases:4)\n" },
	{ .name = "loc-alias-include-missing",
	    .aliases = WS "ali: :include:/nonexistent/list\n",
	    .recipient = "ali@debian",
	    .routes = "ali@debian defer system_aliases: error in redirect data: included file: "
		      "cannot open /nonexistent/list: No such file or directory "
		      "(/etc/aliases:4)\n" },
	{ .name = "loc-alias-self: the same address goes on to the later routers",
	    .aliases = WS "fax: fax, bob\n",
	    .recipient = "fax@debian",
	    .routes = "fax@debian parent system_aliases\n"
		      "fax@debian deliver local_user maildir_home user=fax <- fax@debian\n"
		      "bob@debian deliver local_user maildir_home user=bob <- fax@debian\n" },
	{ .name = "loc-alias-loop",
	    .aliases = WS "a1: a2\na2: a1\n",
	    .recipient = "a1@debian",
	    .routes = "a1@debian parent system_aliases\n"
		      "a2@debian parent system_aliases <- a1@debian\n"
		      "a1@debian fail: Unrouteable address <- a2@debian\n" },
	{ .name = "loc-alias-unqualified-mailname: results get the mail name",
	    .conf = "qualify_domain=isp.example",
	    .aliases = WS "ali: fax, \\fax\n",
	    .recipient = "ali@debian",
	    .qualified = true,
	    .routes = "ali@debian parent system_aliases\n"
		      "fax@isp.example deliver smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example <- ali@debian\n"
		      "fax@debian deliver local_user maildir_home user=fax <- ali@debian\n" },
	{ .name = "loc-mailname-notlocal",
	    .conf = "qualify_domain=isp.example",
	    .recipient = "fax@isp.example",
	    .routes = "fax@isp.example deliver smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example\n" },
	{ .name = "a recipient without a domain is looked up in the aliases first",
	    .conf = "qualify_domain=isp.example",
	    .aliases = WS "alice: al@far.example\n",
	    .recipient = "postmaster@isp.example",
	    .routes = "postmaster@isp.example parent system_aliases\n"
		      "root@isp.example parent system_aliases <- postmaster@isp.example\n"
		      "alice@isp.example parent system_aliases <- root@isp.example\n"
		      "al@far.example deliver smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example <- alice@isp.example\n" },
	{ .name = "the same with its domain is not",
	    .conf = "qualify_domain=isp.example",
	    .recipient = "root@isp.example",
	    .aliases = WS,
	    .qualified = true,
	    .routes = "root@isp.example deliver smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example\n" },
	{ .name = "an alias of itself under a foreign mail name ends at the smarthost",
	    .conf = "qualify_domain=isp.example",
	    .aliases = "root: root\n",
	    .recipient = "root@isp.example",
	    .routes = "root@isp.example parent system_aliases\n"
		      "root@isp.example deliver smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example <- root@isp.example\n" },
	{ .name = "loc-caps-account",
	    .recipient = "Carol@debian",
	    .routes = "carol@debian fail: Unrouteable address\n" },
	{ .name = "loc-plus",
	    .recipient = "fax+tag@debian",
	    .routes = "fax+tag@debian fail: Unrouteable address\n",
	    .trace = "R: system_aliases for fax+tag@debian\n" },
	{ .name = "loc-configtype-local",
	    .conf = "configtype=local",
	    .recipient = "x@far.example",
	    .routes = "x@far.example fail nonlocal: Mailing to remote domains not supported\n",
	    .trace = "R: nonlocal for x@far.example\n" },
	{ .name = "no smarthost",
	    .conf = "smarthost=",
	    .recipient = "x@far.example",
	    .routes = "x@far.example defer smarthost: no smarthost is set: write smarthost "
		      "(dc_smarthost) into /etc/onehop/onehop.conf\n" },
	{ .name = "loc-localdomain-other",
	    .conf = "local_domains=other.example",
	    .recipient = "fax@other.example",
	    .routes = "fax@other.example deliver local_user maildir_home user=fax\n" },
	{ .name = "loc-hubbed",
	    .hubbed = "hub.example: smtp.hub.example byname\n*.sub.example: \"a : b\" x\n",
	    .recipient = "x@hub.example",
	    .routes = "x@hub.example deliver hubbed_hosts remote_smtp hosts=smtp.hub.example\n",
	    .trace = "R: hubbed_hosts for hub.example\n" },
	{ .name = "loc-hubbed, partial",
	    .hubbed = "hub.example: smtp.hub.example byname\n*.sub.example: \"a : b\" x\n",
	    .recipient = "y@deep.sub.example",
	    .routes = "y@deep.sub.example deliver hubbed_hosts remote_smtp hosts=a : b\n" },
	{ .name = "loc-literal",
	    .recipient = "fax@[127.0.0.1]",
	    .routes = "fax@[127.0.0.1] deliver smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example\n" },
	{ .name = "loc-postmaster-noalias",
	    .recipient = "postmaster@debian",
	    .routes = "postmaster@debian fail: Unrouteable address\n" },
	{ .name = "loc-real",
	    .aliases = WS "bob: fax\n",
	    .recipient = "real-bob@debian",
	    .routes = "real-bob@debian deliver real_local maildir_home user=bob\n",
	    .trace = "R: real_local for bob@debian\n" },
	{ .name = "real- in front of nobody",
	    .recipient = "real-nosuch@debian",
	    .routes = "real-nosuch@debian fail: Unrouteable address\n",
	    .trace = "R: system_aliases for real-nosuch@debian\n" },
	{ .name = "loc-root-noalias",
	    .recipient = "root@debian",
	    .routes = "root@debian parent mail4root\n"
		      "/var/mail/mail deliver mail4root address_file user=mail <- root@debian\n",
	    .trace = "R: system_aliases for root@debian\nR: userforward for root@debian\n"
		     "R: procmail for root@debian\nR: maildrop for root@debian\n"
		     "R: mail4root for root@debian\n" },
	{ .name = "loc-spool",
	    .conf = "local_delivery=mail_spool",
	    .recipient = "fax@debian",
	    .routes = "fax@debian deliver local_user mail_spool user=fax\n" },
	{ .name = "procmail_pipe and maildrop_pipe are transports",
	    .conf = "local_delivery=procmail_pipe",
	    .recipient = "fax@debian",
	    .routes = "fax@debian deliver local_user procmail_pipe user=fax\n" },
	{ .name = "LMTP",
	    .conf = "local_delivery=lmtp:/run/dovecot/lmtp",
	    .recipient = "fax@debian",
	    .routes =
		"fax@debian deliver local_user lmtp user=fax hosts=lmtp:/run/dovecot/lmtp\n" },
	{ .name = "no local delivery",
	    .conf = "local_delivery=none",
	    .recipient = "fax@debian",
	    .routes = "fax@debian fail local_user user=fax: local delivery is switched off: "
		      "local_delivery = none (test.conf:1)\n" },
	{ .name = "rw-satellite",
	    .conf = "configtype=satellite visible_name=isp.example",
	    .aliases = WS,
	    .recipient = "postmaster@debian",
	    .routes = "postmaster@debian parent system_aliases\n"
		      "root@debian parent system_aliases <- postmaster@debian\n"
		      "alice@debian parent hub_user <- root@debian\n"
		      "alice@isp.example deliver smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example <- alice@debian\n" },
	{ .name = "satellite whose hub is one of our own domains",
	    .conf = "configtype=satellite visible_name=localhost",
	    .recipient = "fax@debian",
	    .routes = "fax@debian parent hub_user\n"
		      "fax@localhost parent hub_user <- fax@debian\n"
		      "fax@localhost deliver hub_user_smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example <- fax@localhost\n" },
	{ .name = "satellite without a hub",
	    .conf = "configtype=satellite",
	    .recipient = "fax@debian",
	    .routes = "fax@debian defer hub_user: configtype = satellite (test.conf:1) needs "
		      "visible_name (dc_readhost), the domain where local users have their "
		      "mail\n" },
	{ .name = "the user database does not answer",
	    .recipient = "unsure@debian",
	    .routes = "unsure@debian defer userforward: cannot say now whether unsure is a user: "
		      "the user database does not answer\n" },
	{ .name = "quoted local parts are the same user",
	    .recipient = "\"f\\ax\"@debian",
	    .routes = "\"f\\ax\"@debian deliver local_user maildir_home user=fax\n" },
};

#define TO(t, x) \
	{ \
		t, x \
	}
#define ADDRESS(x) TO(TRANSPORT_NONE, x)
#define FORWARD(n, ...) \
	{ \
		.found = PROBE_FORWARD, .items = (struct probe_item[]){ __VA_ARGS__ }, \
		.nitems = (n) \
	}

const struct test forward_cases[] = {
	{ .name = "loc-fwd-self",
	    .homes = { { .user = "bob",
		.probe = FORWARD(2, ADDRESS("\\bob"), ADDRESS("x@far.example")) } },
	    .recipient = "bob@debian",
	    .routes = "bob@debian parent userforward\n"
		      "bob@debian deliver local_user maildir_home user=bob <- bob@debian\n"
		      "x@far.example deliver smarthost remote_smtp_smarthost "
		      "hosts=smtp.isp.example <- bob@debian\n",
	    .trace = "R: system_aliases for bob@debian\nR: userforward for bob@debian\n"
		     "R: system_aliases for bob@debian\nR: procmail for bob@debian\n"
		     "R: maildrop for bob@debian\nR: local_user for bob@debian\n"
		     "R: smarthost for x@far.example\n" },
	{ .name = "loc-fwd-self-plain",
	    .homes = { { .user = "bob", .probe = FORWARD(2, ADDRESS("bob"), ADDRESS("fax")) } },
	    .recipient = "bob@debian",
	    .routes = "bob@debian parent userforward\n"
		      "bob@debian deliver local_user maildir_home user=bob <- bob@debian\n"
		      "fax@debian deliver local_user maildir_home user=fax <- bob@debian\n" },
	{ .name = "loc-forward-loop: two users forward to each other",
	    .homes = { { .user = "bob", .probe = FORWARD(1, ADDRESS("fax")) },
		{ .user = "fax", .probe = FORWARD(1, ADDRESS("bob")) } },
	    .recipient = "bob@debian",
	    .routes = "bob@debian parent userforward\n"
		      "fax@debian parent userforward <- bob@debian\n"
		      "fax@debian deliver local_user maildir_home user=fax <- fax@debian\n" },
	{ .name = "loc-fwd-ancestor: an alias of bob leads to fax, who forwards to bob",
	    .aliases = WS "bob: fax\n",
	    .homes = { { .user = "fax", .probe = FORWARD(1, ADDRESS("bob")) } },
	    .recipient = "bob@debian",
	    .routes = "bob@debian parent system_aliases\n"
		      "fax@debian parent userforward <- bob@debian\n"
		      "fax@debian deliver local_user maildir_home user=fax <- fax@debian\n" },
	{ .name = "loc-fwd-pipe, -file, -devnull",
	    .homes = { { .user = "bob",
		.probe = FORWARD(4, TO(TRANSPORT_PIPE, "/usr/bin/tee -a /home/bob/out"),
		    TO(TRANSPORT_FILE, "/home/bob/mbox"), TO(TRANSPORT_DIRECTORY, "/home/bob/M/"),
		    TO(TRANSPORT_BYPASSED, "/dev/null")) } },
	    .recipient = "bob@debian",
	    .routes = "bob@debian parent userforward\n"
		      "|/usr/bin/tee -a /home/bob/out deliver userforward address_pipe user=bob "
		      "<- bob@debian\n"
		      "/home/bob/mbox deliver userforward address_file user=bob <- bob@debian\n"
		      "/home/bob/M/ deliver userforward address_directory user=bob <- bob@debian\n"
		      "/dev/null discard userforward **bypassed** user=bob <- bob@debian\n" },
	{ .name = "loc-fwd-blackhole",
	    .homes = { { .user = "bob", .probe = { .found = PROBE_FORWARD, .discard = true } } },
	    .recipient = "bob@debian",
	    .routes = ":blackhole: discard userforward\n" },
	{ .name = "loc-fwd-groupwritable and its kin",
	    .homes = { { "bob", { 0 }, "bad mode" } },
	    .recipient = "bob@debian",
	    .routes = "bob@debian defer userforward: bad mode\n" },
	{ .name = "an address that cannot be used is skipped, and the mailbox is left",
	    .homes = { { .user = "bob", .probe = FORWARD(1, ADDRESS("a b c@")) } },
	    .recipient = "bob@debian",
	    .routes = "bob@debian deliver local_user maildir_home user=bob\n" },
	{ .name = "loc-fwd-syntax is told to the log",
	    .homes = { { .user = "bob",
		.probe = { .found = PROBE_FORWARD,
		    .items = (struct probe_item[]){ ADDRESS("fax") },
		    .nitems = 1,
		    .skipped = "domain missing in \"x@\"" } } },
	    .recipient = "bob@debian",
	    .routes = "bob@debian parent userforward\n"
		      "fax@debian deliver local_user maildir_home user=fax <- bob@debian\n",
	    .trace = "R: system_aliases for bob@debian\nR: userforward for bob@debian\n"
		     "LOG bob@debian: skipped an item of the .forward of bob: domain missing in "
		     "\"x@\"\n"
		     "R: system_aliases for fax@debian\nR: userforward for fax@debian\n"
		     "R: procmail for fax@debian\nR: maildrop for fax@debian\n"
		     "R: local_user for fax@debian\n" },
	{ .name = "procmail",
	    .homes = { { .user = "bob", .probe = { .found = PROBE_PROCMAIL } } },
	    .recipient = "bob@debian",
	    .routes = "bob@debian deliver procmail procmail_pipe user=bob\n",
	    .trace = "R: system_aliases for bob@debian\nR: userforward for bob@debian\n"
		     "R: procmail for bob@debian\n" },
	{ .name = "maildrop",
	    .homes = { { .user = "bob", .probe = { .found = PROBE_MAILDROP } } },
	    .recipient = "bob@debian",
	    .routes = "bob@debian deliver maildrop maildrop_pipe user=bob\n" },
	{ .name = "loc-real skips .forward",
	    .homes = { { .user = "bob", .probe = FORWARD(1, ADDRESS("fax")) } },
	    .recipient = "real-bob@debian",
	    .routes = "real-bob@debian deliver real_local maildir_home user=bob\n" },
};

const size_t route_ncases = sizeof route_cases / sizeof route_cases[0];
const size_t forward_ncases = sizeof forward_cases / sizeof forward_cases[0];
