"""Debian's files, and a user's own, as people and tools leave them: what they say is what happens on the wire."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox, world  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

MESSAGE = "Subject: s\n\nbody\n"
SUBMIT = {"argv": ["/usr/sbin/sendmail", "x@far.example"], "stdin": MESSAGE, "limit": 20}


def call(*words, **more):
    return dict({"argv": ["/usr/sbin/sendmail", *words]}, **more)


def play(config, *steps, **case):
    got = sandbox.run_case(dict({"config": config, "servers": [{}], "steps": list(steps or [SUBMIT])}, **case))
    return got, got["steps"][-1]


def own(text):
    """onehop's own file instead of Debian's."""
    return {"dc": False, "files": {"/etc/onehop/onehop.conf": {"content": text}}}


# ---------------------------------------------------------------- TLS on port 465
GUIDE = """MAIN_TLS_ENABLE = 1
REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = *
TLS_ON_CONNECT_PORTS = 465
REQUIRE_PROTOCOL = smtps
IGNORE_SMTP_LINE_LENGTH_LIMIT = true
"""
REQUIRE = "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS = *\n"
PROTOCOL = "REMOTE_SMTP_SMARTHOST_PROTOCOL = %s\n"


def smarthost(value, **more):
    return dict({"dc": {"dc_smarthost": value}}, **more)


@pytest.mark.parametrize("port, config", [
    (465, smarthost("smtp.isp.example::465", localmacros=GUIDE)),
    (465, smarthost("smtp.isp.example::465", localmacros=GUIDE, passwd_client="*.isp.example:me@isp.example:abcd efgh ijkl\n")),
    (465, smarthost("smtp.isp.example:465", localmacros=REQUIRE)),
    (465, smarthost("192.0.2.25::465", localmacros=REQUIRE + "REMOTE_SMTP_SMARTHOST_TLS_VERIFY_HOSTS = :\n")),
    (465, {"dc": {"dc_smarthost": "smtp.isp.example::465", "REMOTE_SMTP_SMARTHOST_HOSTS_REQUIRE_TLS": "*"}}),
    (465, smarthost("smtp.isp.example::465")),
    (465, own("smarthost = smtp.isp.example::465\ntls = starttls\n")),
    (465, own("smarthost = smtp.isp.example::465\n[sender *]\ntls = starttls\n")),
    (465, smarthost("smtp.isp.example", localmacros=PROTOCOL % "submissions")),
    (465, smarthost("smtp.isp.example", localmacros=PROTOCOL % "smtps" + REQUIRE)),
    (2525, smarthost("smtp.isp.example::2525", localmacros=REQUIRE + PROTOCOL % "submissions"))])
def test_tls_from_the_first_byte(port, config):
    server = {"port": port, "session": {"smtps": "good", "ehlo": ["250-smtp.isp.example", "250 AUTH PLAIN"], "auth": {"PLAIN": ["235 ok"]}}}
    got, step = play(dict(config, tls=True), servers=[server])
    assert step["rc"] == 0, step["stderr"]
    assert [s["tls"] and len(s["messages"]) for s in got["smtp"]] == [1], got["mainlog"]
    assert bool(got["smtp"][0]["auth"]) == ("passwd_client" in config)


# ---------------------------------------------------------------- what editors leave in a file
BOM = "\xef\xbb\xbf"
DRESSED = {"BOM": lambda t: BOM + t, "CRLF": lambda t: t.replace("\n", "\r\n"), "both": lambda t: BOM + t.replace("\n", "\r\n"),
           "form feed": lambda t: "\f\n" + t}
DC = "".join("%s='%s'\n" % kv for kv in {**world.DC, "dc_smarthost": "192.0.2.25::2525"}.items())


@pytest.mark.parametrize("how", DRESSED)
def test_first_line_counts(how):
    """Of every file that Exim's package has, and of those that they name."""
    dress = DRESSED[how]
    of_one_line = dress if how != "form feed" else str
    config = {"dc_raw": dress(DC), "passwd_client": dress("192.0.2.25:me:file:/etc/pw\n"), "aliases": dress("team: :include:/etc/list\n"),
              "email_addresses": dress("root: me@isp.example\n"), "mailname": of_one_line("box.example\n"),
              "localmacros": dress("AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n"), "template": dress("begin routers\n"),
              "files": {"/etc/pw": {"content": of_one_line("hidden words\n")}, "/etc/list": {"content": dress("y@far.example\n")},
                        "/etc/exim4/hubbed_hosts": {"content": dress("hub.example: 192.0.2.26::2525\n")},
                        "/home/bob/.forward": {"content": dress("z@far.example\n"), "owner": "bob"}}}
    session = {"ehlo": ["250-smtp.isp.example", "250 AUTH PLAIN"], "auth": {"PLAIN": ["235 ok"]}}
    got, step = play(config, call("x", "a@hub.example", "team", "bob@debian", stdin=MESSAGE),
                     servers=[{"session": session}, {"addr": "192.0.2.26"}])
    assert step["rc"] == 0, step["stderr"]
    seen = {s["server"]: s for s in got["smtp"]}
    assert seen["192.0.2.25:2525"]["auth"][0]["decoded"] == ["\\0me\\0hidden words"]
    mails = [m for s in got["smtp"] for m in s["messages"]]
    assert {m["mail"].split()[0] for m in mails} == {"FROM:<me@isp.example>"}
    assert sorted(r[0][4:-1] for m in mails for r in m["rcpt"]) == ["a@hub.example", "x@box.example", "y@far.example", "z@far.example"]
    assert len(seen["192.0.2.26:2525"]["messages"]) == 1


def test_first_line_of_ones_own():
    got, step = play(own(BOM + "smarthost = 192.0.2.25::2525\r\nqualify_domain = box.example\r\n"))
    assert step["rc"] == 0 and got["smtp"][0]["messages"][0]["mail"].startswith("FROM:<root@box.example>"), step["stderr"]


NO_TEXT = {"UTF-16": ("\xff\xfed\0c\0\n\0", "is UTF-16: save it as UTF-8"), "UTF-16, turned": ("\xfe\xff\0d\0c", "is UTF-16: save it"),
           "UTF-16 without a mark": ("d\0c\0\n\0", ":1: there is a NUL octet"), "a torn write": ("# x\n\0\0\0\0", ":2: there is a NUL octet")}
PLACES = {"email_addresses": "/etc/email-addresses", "aliases": "/etc/aliases", "mailname": "/etc/mailname",
          "localmacros": "/etc/exim4/exim4.conf.localmacros", "dc_raw": "/etc/exim4/update-exim4.conf.conf",
          "passwd_client": "/etc/exim4/passwd.client"}


@pytest.mark.parametrize("kind", NO_TEXT)
@pytest.mark.parametrize("key", PLACES)
def test_what_is_no_text(key, kind):
    """Nothing is sent by half a file: the sentence names it, and the mail is the caller's or waits."""
    text, words = NO_TEXT[kind]
    got, step = play({key: text})
    assert PLACES[key] + words.partition(" ")[0] * words.startswith(":") in step["stderr"] + got["mainlog"]
    assert words in step["stderr"] + got["mainlog"]
    waits = [path for path in got["files"] if path.startswith("/var/spool/onehop/input/")]
    assert step["rc"] == (0 if waits else 78) and not any(s["messages"] for s in got["smtp"])


# ---------------------------------------------------------------- names of hosts as other programs have them
@pytest.mark.parametrize("value", ["[smtp.isp.example]::2525", "[smtp.isp.example]:2525", "smtp.isp.example 2525", "smtp.isp.example:2525",
                                   "[192.0.2.25] : 2525", "[nosuch.example]:2525; [smtp.isp.example]::2525"])
def test_ways_to_write_a_host(value):
    for config in (smarthost(value), own("smarthost = %s\n" % value)):
        got, step = play(config)
        assert step["rc"] == 0 and [len(s["messages"]) for s in got["smtp"]] == [1], got["mainlog"]


@pytest.mark.parametrize("value, form", [
    ("smtps://smtp.isp.example", "write smtp.isp.example::465"), ("smtp://smtp.isp.example:2525", "write smtp.isp.example::2525"),
    ("smtps://smtp.isp.example:2525", "write smtp.isp.example::2525, and tls = implicit"),
    ("smtp.isp.example::submission", "write its number, 587"), ("smtp.isp.example, b.example", "separate hosts by \";\""),
    ("{{ exim4_smarthost }}", "a template that was not filled in")])
def test_the_nearest_right_form(value, form):
    """Where it was set, and how it would be right: in -bt, on the log and in the queue."""
    where = "/etc/exim4/update-exim4.conf.conf:8: smarthost: "
    got, step = play(smarthost(value), SUBMIT, call("-bp"), call("-bt", "x@far.example"))
    assert got["steps"][0]["rc"] == 0 and step["rc"] == 1
    for text in (got["mainlog"], got["steps"][1]["stdout"], step["stdout"]):
        assert where in text and form in text


# ---------------------------------------------------------------- lines of the shell, and hosts that avoid TLS
def lines(form, **changes):
    return "".join(form % kv for kv in {**world.DC, **changes}.items())


SHELL = {"semicolons": lines("%s='%s';\n"), "double quotes": lines('%s="%s"\n'), "no quotes": lines("%s=%s\n", dc_relay_nets="''"),
         "a value over two lines": lines("%s='%s'\n", dc_other_hostnames="debian;\nb.example"),
         "exports": lines("export %s='%s'\n"), "exports behind": lines("%s='%s'\n") + "export dc_smarthost\n",
         "two on a line": lines("%s='%s'; ") + "\n", "comments": lines("%s='%s' # it's \"so\n"),
         "variables": "h=smtp.isp.example\nport='2525';\n" + lines('%s="%s"\n', dc_smarthost="$h::${port}"),
         "continued": lines("%s=\\\n'%s'\n")}


@pytest.mark.parametrize("kind", SHELL)
def test_lines_of_the_shell(kind):
    got, step = play({"dc_raw": SHELL[kind]}, SUBMIT, call("-bV"))
    assert [s["rc"] for s in got["steps"]] == [0, 0] and [len(s["messages"]) for s in got["smtp"]] == [1], got["steps"]
    assert not [line for line in step["stdout"].splitlines() if "Warning" in line and kind != "variables"]


@pytest.mark.parametrize("avoid, encrypted", [
    ("*", False), ("192.0.2.25", False), ("smtp.isp.example", False), ("192.0.2.0/24", False), ("a.example : *.isp.example", False),
    ("192.0.2.26", True), ("! smtp.isp.example : *", True), (":", True)])
def test_hosts_that_avoid_tls(avoid, encrypted):
    server = {"session": {"ehlo": ["250-smtp.isp.example", "250 STARTTLS"], "cert": "good"}}
    macro = "REMOTE_SMTP_SMARTHOST_HOSTS_AVOID_TLS = %s\n" % avoid
    got, step = play({"tls": True, "localmacros": macro}, SUBMIT, call("-bV"), servers=[server])
    assert [bool(s["tls"]) for s in got["smtp"]] == [encrypted] and "Warning" not in step["stdout"]


# ---------------------------------------------------------------- maps without a limit that a real site meets
def many(form, n=40000):
    return "".join(form % (i, i) for i in range(n))


def test_large_maps():
    """Each larger than 1 MiB: its first, a middle and its last line."""
    users = {name: {"uid": uid} for name, uid in (("user0", 2000), ("user20000", 2001), ("user39999", 2002))}
    config = {"users": users, "email_addresses": many("user%d: the-address-of-%d@isp.example\n"),
              "aliases": many("alias%d: somebody-who-has-the-number-%d@far.example\n"),
              "passwd_client": many("host%d.isp.example:somebody-with-a-long-name-%d@isp.example:pw\n") + "smtp.isp.example:me:pw\n",
              "files": {"/etc/exim4/hubbed_hosts": {"content": many("hub%d.example: 192.0.2.26::2525 # in the cellar of house %d\n")}},
              "localmacros": "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n"}
    assert all(len(text) > 1 << 20 for text in (config["email_addresses"], config["aliases"], config["passwd_client"]))
    session = {"ehlo": ["250-smtp.isp.example", "250 AUTH PLAIN"], "auth": {"PLAIN": ["235 ok"]}}
    steps = [{"argv": ["/usr/sbin/sendmail", "-f", "user%d" % n, "alias%d@debian" % n, "x@hub%d.example" % n], "stdin": MESSAGE}
             for n in (0, 20000, 39999)]
    got, step = play(config, *steps, servers=[{"session": session}, {"addr": "192.0.2.26"}])
    assert [(s["rc"], s["stderr"]) for s in got["steps"]] == [(0, "")] * 3, got["mainlog"]
    assert {a["decoded"][0] for s in got["smtp"] for a in s["auth"]} == {"\\0me\\0pw"}
    mails = [m for s in got["smtp"] for m in s["messages"]]
    assert sorted((m["mail"].split()[0], r[0]) for m in mails for r in m["rcpt"]) == sorted(
        ("FROM:<the-address-of-%d@isp.example>" % n, "TO:<%s>" % to) for n in (0, 20000, 39999)
        for to in ("somebody-who-has-the-number-%d@far.example" % n, "x@hub%d.example" % n))


def test_an_alias_of_many():
    """As many addresses as recipients_max says: all get it; one more, and nobody does, at once."""
    aliases = "all: " + ",\n ".join("x%d@far.example" % i for i in range(10000)) + "\nover: one@far.example, :include:/etc/list\n"
    files = {"/etc/list": {"content": many("x%d@far.example, y%d@far.example\n", 5000)}}
    config = {"aliases": aliases, "files": files, "dc": {"recipients_max": "10000"}}
    got, step = play(config, call("all@debian", stdin=MESSAGE, limit=120), call("over@debian", stdin=MESSAGE))
    first, second = got["steps"]
    assert first["rc"] == 0 and first["stderr"] == "", first["stderr"]
    taken = [r[0] for s in got["smtp"] for m in s["messages"] for r in m["rcpt"]]
    assert len(taken) == len(set(taken)) == 10000
    assert second["rc"] == 69 and "has more than 10000 items (/etc/aliases:10001)" in second["stderr"], second["stderr"]
    assert not [path for path in got["files"] if path.endswith("-H")]


def test_a_large_map_that_is_damaged():
    """What is not found may stand behind the damage: nothing is sent under a wrong name, or to a wrong place."""
    for key, rc in (("email_addresses", 78), ("aliases", 0)):
        got, step = play({key: many("user%d: the-address-of-%d@isp.example\n") + "\0\n"}, call("x@far.example", "fax@debian", stdin=MESSAGE))
        assert step["rc"] == rc and ":40001: there is a NUL octet" in step["stderr"] + got["mainlog"]
        assert not [path for path in got["files"] if "/Maildir/new/" in path]


# ---------------------------------------------------------------- -bV looks at what a delivery needs
LOGIN = {"tls": True, "passwd_client": "smtp.isp.example:me:pw\n"}
TLS = {"session": {"ehlo": ["250-smtp.isp.example", "250 STARTTLS"], "cert": "good",
                   "ehlo_tls": ["250-smtp.isp.example", "250 AUTH PLAIN"], "auth": {"PLAIN": ["235 ok"]}}}
VERSION = call("-bV")


def test_who_may_not_read_the_passwords():
    """For him they are not checked; root is told of the line."""
    config = dict(LOGIN, passwd_client="smtp.isp.example:the-login\n")
    got = play(config, VERSION, call("-bV", user="bob"))[0]
    root, bob = got["steps"]
    assert root["rc"] == 78 and "/etc/exim4/passwd.client:1: the password is missing" in root["stderr"]
    assert bob["rc"] == 0 and bob["stderr"] == "" and "Not checked: cannot read the passwords in /etc/exim4/passwd.client as uid 1002" in bob["stdout"]
    assert "the-login" not in str([root["stderr"], bob["stdout"], root["stdout"]])


def test_passwords_that_are_a_credential():
    """The units alone get it; -bV by root's hand does not."""
    files = {"/etc/credstore": {"dir": True, "mode": "0700"}, "/etc/credstore/passwd.client": {"content": "x:the-login\n", "mode": "0600"}}
    step = play({"tls": True, "files": files}, VERSION)[1]
    assert step["rc"] == 0 and "Not checked: the passwords are a credential" in step["stdout"] and step["stderr"] == "", step


@pytest.mark.parametrize("config, gone, rc, words", [
    (LOGIN, None, 0, ""),
    (LOGIN, "/opt/onehop/onehop-tls.so", 78, "onehop-tls.so: cannot open"),
    ({}, "/opt/onehop/onehop-tls.so", 78, "cannot load"),
    ({"dc": {"tls": "off"}}, "/opt/onehop/onehop-tls.so", 0, ""),
    ({"dc": {"dc_eximconfig_configtype": "local"}}, "/opt/onehop/onehop-tls.so", 0, ""),
    (LOGIN, "/opt/onehop/onehop-sasl.so", 0, "Warning: there is no SCRAM and no CRAM-MD5: cannot load /"),
    (LOGIN, "/opt/onehop/onehop-send", 78, "onehop-send"),
    (LOGIN, "/etc/ssl/certs/ca-certificates.crt", 78, "there are no trusted authorities"),
    ({}, "/etc/ssl/certs/ca-certificates.crt", 0, ""),
    ({"dc": {"tls_verify": "yes"}}, "/etc/ssl/certs/ca-certificates.crt", 78, "there are no trusted authorities")])
def test_what_is_missing(config, gone, rc, words):
    steps = [{"argv": ["/bin/rm", gone]}] if gone else []
    step = play(config, *steps, VERSION)[1]
    assert step["rc"] == rc and words in step["stderr"] + step["stdout"], step
    assert bool(step["stderr"]) == (rc != 0)


@pytest.mark.parametrize("option, value, words", [
    ("tls_fingerprint", "12:34", "which is not in tls_fingerprint (%s)"), ("tls_trust_file", "/nonexistent", "%s: tls_trust_file: cannot open"),
    ("tls_priority", "NONSENSE", "%s: GnuTLS does not understand tls_priority"),
    ("tls_certificate", "/nonexistent", "%s: cannot use tls_certificate")])
def test_sending_with_what_cannot_work(option, value, words):
    """It waits, and the reason says which line is to be mended."""
    got, step = play(dict(LOGIN, dc={option: value}), SUBMIT, call("-bp"), VERSION, servers=[TLS])
    where = "/etc/exim4/update-exim4.conf.conf:14"
    assert [s["rc"] for s in got["steps"]] == [0, 0, 78] and not any(s["messages"] for s in got["smtp"])
    assert words % where in got["steps"][1]["stdout"] and where in step["stderr"]


# ---------------------------------------------------------------- a file that Exim would take instead
def test_a_configuration_of_exim_s_beside():
    files = {"/etc/exim4/exim4.conf": {"content": "qualify_domain = x.example\n"}}
    config = {"dc": {"dc_eximconfig_configtype": "local"}, "files": files}
    step = play(config, VERSION)[1]
    assert step["rc"] == 0 and "Warning: Exim would take /etc/exim4/exim4.conf alone" in step["stdout"]
    assert "exim4.conf alone" not in play({}, VERSION)[1]["stdout"]
    assert "exim4.conf alone" not in play(dict(own("smarthost = x\n"), dc={}, files=dict(files, **own("smarthost = x\n")["files"])), VERSION)[1]["stdout"]


# ---------------------------------------------------------------- a user's own map; one sender for all; -bt for a sender
def senders(got):
    """(envelope sender, From) of each message that arrived."""
    return [(m["mail"].split()[0][6:-1], re.search(r"(?m)^From: (.*?)\r?$", m["data"]).group(1)) for s in got["smtp"] for m in s["messages"]]


@pytest.mark.parametrize("mine, system, sender", [
    ("bob: mine@isp.example\n", "bob: system@isp.example\n", "mine@isp.example"), (None, "bob: system@isp.example\n", "system@isp.example"),
    ("other: x@isp.example\n", "bob: system@isp.example\n", "bob@debian"), ("*: mine@isp.example\n", "", "mine@isp.example")])
def test_a_user_s_own_map(mine, system, sender):
    home = "/home/bob/.config/onehop/"
    files = {"/home/bob/.config": {"dir": True, "owner": "bob"}, home: {"dir": True, "owner": "bob"},
             home + "onehop.conf": {"content": "smarthost = 192.0.2.25::2525\n", "owner": "bob"}}
    if mine is not None:
        files[home + "email-addresses"] = {"content": mine, "owner": "bob"}
    got, step = play({"email_addresses": system, "files": files}, dict(SUBMIT, user="bob"))
    assert step["rc"] == 0 and [s for s, _ in senders(got)] == [sender], step["stderr"]


# A container: no passwd entry, a host name of chance.
NOBODY = {"argv": ["/usr/bin/setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "/usr/sbin/sendmail", "-C", "/etc/x.conf", "x@far.example"],
          "stdin": MESSAGE, "env": {"HOME": "/tmp"}}
ONE = ("me@isp.example", "me@isp.example")


@pytest.mark.parametrize("lines, email, seen", [
    ("", "*: me@isp.example\n", ONE), ("", "root: r@isp.example\n*: me@isp.example\n", ONE),
    ("", "*: me@isp.example\n12345: n@isp.example\n", ("n@isp.example", "n@isp.example")),
    ("", "* me@c0ffee\n", ("me@c0ffee", "me@c0ffee")),
    ("return_path = me@isp.example\n", "", ("me@isp.example", "12345@c0ffee")),
    ("headers_rewrite = *@* me@isp.example frs\n", "", ("12345@c0ffee", "me@isp.example")),
    ("headers_rewrite = *@+local_domains $1@isp.example f\nreturn_path = me@isp.example\n", "", ("me@isp.example", "12345@isp.example"))])
def test_one_sender_for_all(lines, email, seen):
    conf = "smarthost = 192.0.2.25::2525\nspool_directory = /tmp/spool\nlog_file = /tmp/log\nprimary_hostname = c0ffee\nqualify_domain = c0ffee\n"
    files = {"/etc/x.conf": {"content": conf + lines}, "/etc/email-addresses": {"content": email}}
    got, step = play({"files": files, "hosts": "127.0.0.1 localhost c0ffee\n"}, NOBODY, hostname="c0ffee")
    assert step["rc"] == 0 and senders(got) == [seen], (step["stderr"], senders(got))


@pytest.mark.parametrize("macros, seen", [
    ("REMOTE_SMTP_RETURN_PATH = me@isp.example\n", ("me@isp.example", "root <root@debian>")),
    ("REMOTE_SMTP_HEADERS_REWRITE = *@* me@isp.example frs\n", ("root@debian", "root <me@isp.example>")),
    ("REMOTE_SMTP_RETURN_PATH = me@isp.example\nREMOTE_SMTP_HEADERS_REWRITE = *@+local_domains $1@isp.example frs\n",
     ("me@isp.example", "root <root@isp.example>"))])
def test_debian_s_macros_for_it(macros, seen):
    """Remote mail alone: what stays here, and the null sender of a bounce, are as they were."""
    got, step = play({"localmacros": macros}, call("x@far.example", "fax", stdin=MESSAGE), call("-f", "", "y@far.example", stdin=MESSAGE))
    assert [s["rc"] for s in got["steps"]] == [0, 0] and senders(got)[0] == seen and senders(got)[1][0] == ""
    local = [f["content"] for path, f in got["files"].items() if "/Maildir/new/" in path and "content" in f]
    assert len(local) == 1 and "Return-path: <root@debian>" in local[0] and "isp.example" not in local[0]


SECTIONS = own("smarthost = 192.0.2.25::2525\n[sender *@work.example]\nsmarthost = 192.0.2.26::2525\n[sender bob@debian]\nsmarthost = 192.0.2.27::2525\n")


@pytest.mark.parametrize("words, user, host", [
    ((), "root", "192.0.2.25"), (("-f", "x@work.example"), "root", "192.0.2.26"), (("-f", "<X@Work.example>"), "root", "192.0.2.26"),
    ((), "bob", "192.0.2.27"), (("-f", "bob"), "root", "192.0.2.27"), (("-f", ""), "bob", "192.0.2.25"), ((), "alice", "192.0.2.26")])
def test_routes_for_a_sender(words, user, host):
    """As mail would go; email-addresses counts, too."""
    config = dict(SECTIONS, email_addresses="alice: a@work.example\n")
    got, step = play(config, call("-bt", *words, "y@far.example", user=user), dict(call(*words, "y@far.example", stdin=MESSAGE), user="root"))
    assert "[%s] port=2525" % host in got["steps"][0]["stdout"], got["steps"][0]
    assert "smarthost = %s::2525" % host in play(config, call(*words, "-bP", "smarthost"))[1]["stdout"] or user != "root"


# ---------------------------------------------------------------- what nobody reads does not fill a disk
FULL = 64 << 20


@pytest.mark.parametrize("size, message, kept", [
    (0, MESSAGE, True), (FULL - 4096, MESSAGE, True), (FULL, MESSAGE, False), (FULL - 4096, "Subject: s\n\n" + "long\n" * 1000, False),
    (FULL + 1, MESSAGE, False)])
def test_a_full_dead_letter(size, message, kept):
    fill = {"argv": ["/usr/bin/truncate", "-s", str(size), "/root/dead.letter"]}
    got, step = play({}, fill, call("nosuch", stdin=message), {"argv": ["/usr/bin/stat", "-c", "%s", "/root/dead.letter"]})
    refused, after = got["steps"][1], int(step["stdout"])
    assert refused["rc"] == 67
    assert ("the message is in /root/dead.letter" in refused["stderr"]) == kept == (after > size)
    full = "there is no copy of the message: /root/dead.letter would become larger than 64 MiB: read it and remove it"
    assert (full in refused["stderr"]) != kept and (kept or after == size)
