"""onehop -bV as a configuration manager's validate command: 78 for each value that cannot work, with file and line, and 0 for
what can.  The table of values is made from options.def: a new option is in it, or this test says that it is not."""
import os
import re
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
from harness import planted, sandbox  # noqa: E402

ROW = re.compile(r'^OPT\((\w+), "(\w*)", "(\w*)", (\w+), "([^"]*)", (\w+), (\w+), "([^"]*)",', re.M)
with open(TOP + "/src/conf/options.def", encoding="utf-8") as table:
    ROWS = ROW.findall(table.read())
# The machine's own files are no part of a test.
QUIET = "aliases = /dev/null\nemail_addresses = /dev/null\nhubbed_hosts = /dev/null\n"
BASE = "smarthost = smtp.isp.example\n" + QUIET
FORM = "{{ value }}"                                  # of a template that was not filled in
MISSING = ["/nonexistent/file", "relative/file", FORM]

# What is wrong for an option of text; None: any text may be right.
TEXT = {
    "smarthost": [FORM, "${SMARTHOST}", "smtps://smtp.isp.example", "smtp://smtp.isp.example:25", "smtp.isp.example::submission",
                  "smtp.isp.example, b.example", "user@smtp.isp.example", "smtp.isp.example::0", "[smtp.isp.example", "192.0.2.256",
                  "lmtp:relative", "srv:-x"],
    "primary_hostname": [FORM, "a b", "x@y"], "qualify_domain": [FORM, "a b", "x@y"], "visible_name": [FORM, "a b", "@x"],
    "return_path": ["me", "@isp.example", "$1@isp.example", "Me <me@isp.example>", FORM],
    "headers_rewrite": ["*@*", "*@* me", "*@* me@isp.example X", "*@* ${lookup} f", "a b c d", FORM],
    "mailname_file": MISSING, "email_addresses": MISSING, "aliases": MISSING, "hubbed_hosts": MISSING, "passwd_client": MISSING,
    "local_domains": ["a.example b.example", "a.example, b.example", "+relay_domains", "net-lsearch;/etc/hosts", FORM],
    "password_command": ["/nonexistent/program", "no-such-program x", "me:'open", "cat /etc/hostname", FORM],
    "auth_mechanisms": ["PLAIN NTLM", "plain,login", FORM],
    "hosts_avoid_tls": ["192.0.2.0/33", "+relay_hosts", "smtp.isp.example b.example", FORM],
    "tls_trust_file": ["/nonexistent/ca.pem", "/etc/passwd", FORM],
    "tls_fingerprint": ["ab:cd", "aa" * 20, "x" * 64, "aa" * 32 + " bb", FORM],
    "tls_certificate": ["/nonexistent/cert.pem", "/etc/passwd", FORM], "tls_privatekey": ["/nonexistent/key.pem", FORM],
    "tls_priority": ["NONSENSE", "NORMAL:+NONSENSE", FORM],
    "local_delivery": ["maildir", "lmtp:host", "/var/mail", FORM], "maildir_directory": ["Maildir", "$HOME/Maildir", "$home/$x", FORM],
    "spool_directory": ["spool", FORM], "log_file": ["mainlog", FORM],
    "retry": ["soon", "F,2h", "F,2h,15m; X", FORM], "rate_limit": ["many", "100", "100/x", FORM],
    "trusted_users": None,
    "socks_proxy": ["a b c", "a; b", "host:port", FORM], "interface": ["eth0", "192.0.2.256", FORM], "helo_data": ["a b", "x@y", FORM],
}
# What an option needs of others, so that it is looked at alone.
WITH = {"visible_name": "hide_mailname = yes\n"}


def of_type(kind, low, high, words):
    """Values that no option of the type takes."""
    low, high = int(low, 0), int(high, 0)
    return {"BOOL": ["maybe", "2", "yes no", FORM],
            "UINT": ["many", "-1", "1.5", "1k", str(high + 1), FORM],
            "SECS": ["soon", "-1s", "1x", "%ds" % (high + 1), FORM] + (["0"] if low else []),
            "SIZE": ["big", "-1", "1X", "1 MB", FORM],
            "WORD": ["no-such-word", words, FORM]}[kind]


def bad_values():
    for name, _, _, kind, _, low, high, words in ROWS:
        values = (TEXT[name] or []) + ["x" * (int(high) + 1)] if kind == "STR" else of_type(kind, low, high, words)
        for value in values:
            yield name, value


def check(directory, text, *words):
    path = os.path.join(str(directory), "onehop.conf")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path, subprocess.run([sandbox.programs()["onehop"], "-C", path, "-bV", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                encoding="utf-8", check=False, timeout=60)


def test_the_table_has_each_option():
    assert [row[0] for row in ROWS if row[3] == "STR" and row[0] not in TEXT] == []
    assert [name for name in TEXT if name not in [row[0] for row in ROWS if row[3] == "STR"]] == []


@pytest.mark.parametrize("name", [row[0] for row in ROWS])
def test_bad_values(tmp_path, name):
    """Alone, and in a section for some senders; each is named with its line."""
    for value in [v for n, v in bad_values() if n == name]:
        for section in ("", "[sender a@b.example]\n"):
            text = "%s\n%s%s%s = %s\n" % (BASE, WITH.get(name, ""), section, name, value)
            line = text.rstrip("\n").count("\n") + 1
            path, r = check(tmp_path, text)
            assert r.returncode == 78, (value, text, r.stderr)
            assert re.search(r"(?m)^onehop: reading the configuration: %s:%d: .*%s" % (re.escape(path), line, name), r.stderr), \
                (value, r.stderr)


# What -bV said nothing of, each alone.
@pytest.mark.parametrize("text, words", [
    ("smarthost = smtps://h\n", "write h::465"), ("smarthost = smtp://host:25\n", "write host::25"),
    ("smarthost = host::submission\n", "587"), ("smarthost = {{ exim4_smarthost }}\n", "template"), ("", "no smarthost is set"),
    ("configtype = satellite\nsmarthost = h\n", "visible_name"), ("smarthost = h\ntls_fingerprint = 12:34\n", "64 hexadecimal digits"),
    ("smarthost = h\ntls_trust_file = /nonexistent\n", "No such file"), ("smarthost = h\ntls_priority = NONSENSE\n", "NONSENSE"),
    ("smarthost = h\nauth_mechanisms = NTLM\n", "there is no mechanism"), ("smarthost = h\npassword_command = /nonexistent\n", "no program"),
    ("smarthost = h\npassword_command = cat /etc/hostname\n", "for no login"), ("smarthost = h\ninterface = eth0\n", "not an address"),
    ("smarthost = h\nlocal_delivery = maildir\n", "maildir_home"), ("smarthost = h\nhelo_data = my host\n", "not a host name"),
    ("smarthost = h\npasswd_client = /nonexistent\n", "there is no file"), ("smarthost = h\nspool_directory = spool\n", "from / on"),
    ("smarthost = h\ntls_privatekey = /etc/hostname\n", "tls_certificate")])
def test_what_was_not_said(tmp_path, text, words):
    path, r = check(tmp_path, text + QUIET)
    assert r.returncode == 78 and words in r.stderr and path in r.stderr, r.stderr


@pytest.mark.parametrize("line", ["smtp.isp.example", "smtp.isp.example:me", "smtp.isp.example::pw", "smtp.isp.example:::", "!x:me:pw",
                                  "^(:me:pw", "*;x:me:pw", "smtp.isp.example:me:file:/nonexistent"])
def test_lines_of_passwd_client(tmp_path, line):
    """With file and line, and without a word of it."""
    line = line.replace("pw", planted.PASSWORD).replace("me", "the-login")
    (tmp_path / "passwd.client").write_text("# c\na.example:user:%s\n%s\n" % (planted.PASSWORD, line))
    r = check(tmp_path, BASE)[1]
    assert r.returncode == 78 and "%s/passwd.client:3: " % tmp_path in r.stderr, r.stderr
    assert planted.PASSWORD not in r.stdout + r.stderr and "the-login" not in r.stdout + r.stderr


@pytest.mark.parametrize("name, text, line", [
    ("aliases", "root: me@isp.example\nops: |/bin/cat\n", 2), ("aliases", "ops: :include:/nonexistent\n", 1),
    ("aliases", "ops: a@@b\n", 1), ("aliases", "ops: /var/mail/ops\n", 1), ("hubbed_hosts", "a.example: b c\nb.example: smtp://c\n", 2),
    ("email_addresses", "root: me@isp.example # mine\n", 1), ("email_addresses", "x: a@b\nroot: me\n", 2),
    ("email_addresses", "root:\n", 1)])
def test_lines_of_maps(tmp_path, name, text, line):
    """Each stops or changes some mail: -bV is where that is said in time."""
    (tmp_path / "map").write_text(text)
    r = check(tmp_path, BASE + "%s = %s/map\n" % (name, tmp_path))[1]
    assert r.returncode == 78 and "%s/map:%d: " % (tmp_path, line) in r.stderr, r.stderr


# ---------------------------------------------------------------- what can work
def examples():
    """Of the manual pages: (page, lines)."""
    for page in ("onehop.conf.5.in", "onehop-passwd.client.5", "onehop-email-addresses.5"):
        with open(os.path.join(TOP, "man", page), encoding="utf-8") as f:
            text = f.read()
        blocks = re.findall(r"(?ms)^\.Bd -literal[^\n]*\n(.*?)^\.Ed", text)
        after = text[text.index("\n.Sh EXAMPLES"):]
        single = re.findall(r"(?m)^\.Dl (.*)$", after if page != "onehop.conf.5.in" else text)
        yield from ((page, block) for block in blocks + [line + "\n" for line in single if "onehop " not in line and "PATTERN" not in line])


@pytest.mark.parametrize("page, text", examples())
def test_examples_of_the_manual(tmp_path, page, text):
    for name in ("passwd.client", "email-addresses"):
        if name in page:
            (tmp_path / name).write_text(text)
    conf = text + QUIET if page == "onehop.conf.5.in" else BASE
    if "email" in page:
        conf = conf.replace("/dev/null\nhubbed", "%s/email-addresses\nhubbed" % tmp_path)
    head, sections = conf.partition("[")[0], conf[conf.find("["):] if "[" in conf else ""
    r = check(tmp_path, (QUIET + text) if sections else head)[1]
    assert r.returncode == 0 and r.stderr == "", r.stderr


GOOD = {
    "smarthost": ["smtp.isp.example::587; [b.example]:25", "srv:isp.example", "lmtp:/run/lmtp", "127.0.0.1::2525"],
    "return_path": ["me@isp.example"], "headers_rewrite": ["*@* me@isp.example", "*@+local_domains $1@isp.example frs : root@* a@b h"],
    "local_domains": ["a.example : *.b.example; @ ; !c.example"], "auth_mechanisms": ["login PLAIN scram-sha-256"],
    "hosts_avoid_tls": ["*", "192.0.2.0/24 : !b.example", "<; 2001:db8::/32"], "tls_trust_file": ["system", ""],
    "tls_fingerprint": [":".join(["aB"] * 32), "00" * 32 + ", " + "11" * 32], "local_delivery": ["none", "lmtp:/run/x", "procmail_pipe"],
    "maildir_directory": ["$home/Mail", "/srv/mail"], "log_file": ["-"], "socks_proxy": ["127.0.0.1:9050"], "interface": ["192.0.2.1", "::1"],
    "helo_data": ["[192.0.2.1]", "host.example"], "password_command": ["me:cat /etc/hostname"], "aliases": ["/dev/null"]}


@pytest.mark.parametrize("name", GOOD)
def test_good_values(tmp_path, name):
    for value in GOOD[name]:
        r = check(tmp_path, "%s%s = %s\n" % (BASE, name, value))[1]
        assert r.returncode == 0 and r.stderr == "" and "Warning" not in r.stdout, (value, r.stderr, r.stdout)
