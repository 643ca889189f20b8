"""Configuration files in the forms that public repositories have them (tests/servers/conf), read by Debian's update-exim4.conf and
its Exim, and by onehop: the same routes and the same mail, or what differs is named here."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import exim, sandbox, world  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

CONF = os.path.join(os.path.dirname(os.path.abspath(__file__)), "conf")
PACKAGES = [*exim.PACKAGES, "exim4-config"]
DC = "".join("%s='%s'\n" % kv for kv in world.DC.items())
# Debian's script, with the Exim of this test; then what exim4-base's postinst makes.
UPDATE = r"""
mkdir -p /var/lib/exim4 /var/spool/exim4 /var/log/exim4 && chown Debian-exim: /var/lib/exim4 /var/spool/exim4 /var/log/exim4
sed -i 's|exim_path = .*|exim_path = /run/sbin/exim4|' /etc/exim4/exim4.conf.template /etc/exim4/conf.d/main/*
sed 's|/usr/sbin/exim4|/run/sbin/exim4|' /run/sbin/update-exim4.conf >/tmp/update && sh /tmp/update
"""
MAIL = "Subject: s\n\nbody\n"


def place(name):
    """The case's config of the sandbox: where the file goes."""
    with open(os.path.join(CONF, name), encoding="latin-1") as f:
        text = f.read()
    base = {"dc_raw": DC, "passwd_client": "*:me@isp.example:pw\n"}
    if name.startswith("aliases"):
        return dict(base, aliases=text)
    if name.startswith("email-addresses"):
        return dict(base, email_addresses=text)
    if name.startswith("passwd.client"):
        return dict(base, passwd_client=text)
    if name.startswith("localmacros"):
        return dict(base, localmacros=text)
    if name.startswith("conf.d"):
        return dict(base, dc_raw=DC.replace("split_config='false'", "split_config='true'"),
                    files={"/etc/exim4/conf.d/main/99_smarthost": {"content": text}})
    if name == "blog-single-colon-ip":              # of which no certificate of the test's is
        del base["passwd_client"]
    return dict(base, dc_raw=text)


def play(name, who, routes):
    """-bt of each address, and one mail."""
    program = exim.WHO[who][0]
    config = dict(place(name), tls=True)
    if who == "exim":
        config["files"] = {**config.get("files", {}), "/var/spool/exim4": exim.EXIMS}
    plain = {"ehlo": ["250-smtp.isp.example", "250-STARTTLS", "250 AUTH PLAIN"], "cert": "good",
             "ehlo_tls": ["250-smtp.isp.example", "250 AUTH PLAIN"], "auth": {"PLAIN": ["235 ok"]}}
    servers = [{"session": plain}, {"port": 25, "session": plain}, {"port": 465, "session": dict(plain, smtps="good")}]
    steps = ([{"argv": ["/bin/sh", "-c", UPDATE]}] if who == "exim" else []) + [
        *({"argv": [program, "-bt", address]} for address in routes),
        {"argv": [program, "-odf", "-oi", "x@far.example"], "stdin": MAIL, "limit": 30}] + [
        {"argv": [program, "-bV"]} for _ in range(who == "onehop")]
    return sandbox.run_case({"config": config, "servers": servers, "packages": PACKAGES if who == "exim" else [], "steps": steps})


def told(step):
    """What -bt says that is no address of a host: routers, transports, hosts with their ports; a failure's words are each one's own."""
    found = re.findall(r"router = \w+, transport = \w+|host \S+ +\[\S+\](?: port=\d+)?", step["stdout"])
    return [re.sub(r" +", " ", line) for line in found] or ["undeliverable" if "undeliverable" in step["stdout"] else "deferred"]


def sent(got):
    return [(s["server"], bool(s["tls"]), bool(s["auth"]), m["mail"].split()[0], m["rcpt"][0][0],
             re.search(r"(?m)^From: (.*?)\r?$", m["data"]).group(1)) for s in got["smtp"] for m in s["messages"]]


HOST, AT_2525 = "host smtp.isp.example [192.0.2.25] port=2525", ("192.0.2.25:2525", True, True, "FROM:<root@debian>", "TO:<x@far.example>",
                                                                 "root <root@debian>")
SMARTHOST, SPOOL = "router = smarthost, transport = remote_smtp_smarthost", ["router = local_user, transport = mail_spool"]
MAILDIR = ["router = local_user, transport = maildir_home"]
# Where onehop differs: why, what -bt says of the three, what is sent, and what -bV says.
DIFFERS = {
    "aliases-pipe": ("Exim defers a pipe in aliases for ever; here it is refused at once, and -bV says so", [[SMARTHOST, HOST], MAILDIR, ["undeliverable"]],
                     [AT_2525], "/etc/aliases:1: alias root: /bin/cat: programs, files and directories belong into a user's .forward"),
    "blog-single-colon-ip": ("the port is meant; to Exim it is a second host, 0.0.9.221, and the first is asked on port 25",
                             [[SMARTHOST, "host 192.0.2.25 [192.0.2.25] port=2525"], SPOOL, SPOOL],
                             [("192.0.2.25:2525", True, False, *AT_2525[3:])], ""),
    "blog-without-localdelivery": ("maildir_home is the default", [[SMARTHOST, HOST], MAILDIR, MAILDIR], [AT_2525], ""),
    "bom": ("Exim's script stops at the mark, and there is no configuration", [[SMARTHOST, HOST], SPOOL, SPOOL], [AT_2525], "")}


@pytest.mark.parametrize("name", sorted(os.listdir(CONF)))
def test_as_debian_s_exim(name):
    routes = ["x@far.example", "fax", "root"]
    try:
        theirs = play(name, "exim", routes)
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    ours = play(name, "onehop", routes)
    *seen, _, checked = ours["steps"]
    _, routed, arrived, words = DIFFERS.get(name, (None, [told(s) for s in theirs["steps"][1:-1]], sent(theirs), None))
    assert [told(s) for s in seen] == routed and sent(ours) == arrived
    if name in DIFFERS:                  # else this entry is no longer needed
        assert ([told(s) for s in theirs["steps"][1:-1]], sent(theirs)) != (routed, arrived)
        assert words in checked["stderr"] and checked["rc"] == (78 if words else 0)
