"""Who gets the password: names that the administrator wrote vouch for a certificate, names from DNS never do.

dc_smarthost is smtp.isp.example, which DNS makes an alias of another name; the server there has a certificate of the test
CA for some name.  The password may reach it only where a written name is in the certificate."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import planted, sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

ALIAS, CANONICAL, OTHER, EVIL = "smtp.isp.example", "smtp.cdn.21cn.com", "other.example", "mail.evil.example"
SECRET = planted.PASSWORD
MINE, SECOND, ALL = "%%s:user:%s" % SECRET, "another.example:you:second,word\n", "*:user:" + SECRET
# (passwd.client, what DNS says smtp.isp.example is, certificate, is the password sent)
CASES = {
    "written name, its certificate": (MINE % ALIAS, CANONICAL, "alias", True),
    "written name, certificate for the name from DNS": (MINE % ALIAS, CANONICAL, "canonical", False),
    "canonical name written, its certificate": (MINE % CANONICAL, CANONICAL, "canonical", True),
    "canonical name written, certificate for the alias": (MINE % CANONICAL, CANONICAL, "alias", True),
    "the same with a second password in the file": (SECOND + MINE % CANONICAL, CANONICAL, "alias", False),
    "canonical name and second password, its certificate": (SECOND + MINE % CANONICAL, CANONICAL, "canonical", True),
    "DNS leads to a thief": (MINE % ALIAS, EVIL, "evil", False),
    "DNS leads to a thief, line for all": (ALL, EVIL, "evil", False),
    "DNS leads to a thief, line by pattern": ("*.example:user:" + SECRET, EVIL, "evil", False),
    "line for all, certificate for the written name": (ALL, CANONICAL, "alias", True),
    "DNS leads to another host of mine": (MINE % OTHER, OTHER, "wrongname", True),
    "certificate of nobody we trust": (MINE % ALIAS, CANONICAL, "selfsigned", False),
    "DNS leads to another host of mine, which proves to be the first": (SECOND + MINE % OTHER, OTHER, "alias", False),
    "the same where the first has a line, too": (MINE % OTHER + "\n%s:me:own,passw0rd" % ALIAS, OTHER, "alias", "own,passw0rd"),
    "line by regular expression": (r"^smtp\..*:user:" + SECRET, CANONICAL, "alias", True),
    "line by regular expression, a thief": (r"^(smtp|mail)\..*:user:" + SECRET, EVIL, "evil", False),
    "line by regular expression for the name from DNS alone": (SECOND + r"^mail\.evil:user:" + SECRET, EVIL, "alias", False),
    "line by the end of the name from DNS alone": (SECOND + "*.evil.example:user:" + SECRET, EVIL, "alias", False),
    "the same, with the thief's certificate": ("*.evil.example:user:" + SECRET, EVIL, "evil", False),
    "exact line before a pattern": ("*:me:an0ther,one\n" + MINE % ALIAS, EVIL, "alias", True),
    "line for all, certificate for the name from DNS": (ALL, CANONICAL, "canonical", False),
    "line for another host only": ("another.example:you:second,word", EVIL, "evil", None),
}




def send(passwd, zone, servers, port=587, macros=None):
    """(the step, [(server, what AUTH said)], messages); no password but to `servers` and, where there is TLS, over it."""
    observed = sandbox.run_case({
        "config": {"tls": True, "passwd_client": passwd + "\n", "passwd_reader": "alice", "localmacros": macros,
                   "hosts": "127.0.0.1 localhost\n127.0.1.1 debian\n", "dc": {"dc_smarthost": "%s::%d" % (ALIAS, port)}},
        "dns": zone, "servers": servers,
        "steps": [{"argv": ["/usr/sbin/sendmail", "x@far.example"], "user": "alice", "stdin": "Subject: s\n\nb\n"}]})
    (step,) = observed["steps"]
    assert macros or all(c["tls"] for c in observed["smtp"] if c["auth"])
    return step, [(c["server"], a["decoded"]) for c in observed["smtp"] for a in c["auth"]], [m for c in observed["smtp"] for m in c["messages"]]


def profile_of(cert, implicit=False):
    profile = {"auth": {"PLAIN": ["235 ok"]}, "ehlo_tls": ["250-hello", "250 AUTH PLAIN"]}
    profile.update({"smtps": cert} if implicit else {"ehlo": ["250-hello", "250-AUTH PLAIN", "250 STARTTLS"], "cert": cert})
    return profile


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
@pytest.mark.parametrize("name", CASES)
def test_password(name, implicit):
    """True: it is sent; a text: this one is; False: nothing is; None: the mail goes without."""
    passwd, target, cert, allowed = CASES[name]
    port = 465 if implicit else 587
    step, sent, delivered = send(passwd, {ALIAS: {"CNAME": target}, target: {"A": ["192.0.2.25"]}},
                                 [{"port": port, "sessions": [profile_of(cert, implicit)]}], port)
    if allowed:
        login = "user" if allowed is True else "me"
        assert step["rc"] == 0, step["stderr"]
        assert [s[1] for s in sent] == [["\\0%s\\0%s" % (login, SECRET if allowed is True else allowed)]] and len(delivered) == 1
    elif allowed is None:
        assert step["rc"] == 0 and sent == [] and len(delivered) == 1, step
    else:
        assert step["rc"] == 75
        assert sent == [] and delivered == []
        assert "certificate" in step["stderr"]


def chain(names, last):
    return {**{one: {"CNAME": other} for one, other in zip([ALIAS, *names], [*names, last])}, last: {"A": ["192.0.2.25"]}}


NAMES = ["n%d.cdn.example" % n for n in range(20)]
# (DNS, certificate, is the password sent): the line is for the alias, or (at the end of a chain) for the canonical name
CHAINS = {
    "four names": (MINE % CANONICAL, chain(NAMES[:3], CANONICAL), "canonical", True),
    "four names to a thief": (MINE % ALIAS, chain(NAMES[:3], EVIL), "evil", False),
    "a name in the middle is mine": (MINE % NAMES[1], chain(NAMES[:3], EVIL), "evil", None),
    "twenty names to a thief": (ALL, chain(NAMES, EVIL), "evil", False),
    "itself": (MINE % ALIAS, {ALIAS: {"CNAME": ALIAS}}, "alias", False),
    "a loop": (MINE % ALIAS, {ALIAS: {"CNAME": NAMES[0]}, NAMES[0]: {"CNAME": ALIAS}}, "alias", False),
    "a loop farther on": (ALL, {ALIAS: {"CNAME": NAMES[0]}, NAMES[0]: {"CNAME": NAMES[1]}, NAMES[1]: {"CNAME": NAMES[0]}}, "alias", False),
    "a name that is none": (ALL, chain([], "mail.evil example"), "evil", False),
}


@pytest.mark.parametrize("name", CHAINS)
def test_chain(name):
    passwd, zone, cert, allowed = CHAINS[name]
    step, sent, delivered = send(passwd, zone, [{"port": 587, "sessions": [profile_of(cert)]}])
    assert (step["rc"] == 0) == (allowed is not False) and len(sent) == (allowed is True) and len(delivered) == (allowed is not False), (step, sent)
    assert step["secs"] < 20


OPEN = "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = yes\n"
# Without TLS: (passwd.client, what DNS says, macros, is the password sent)
CLEAR = {
    "written name": (MINE % ALIAS, CANONICAL, OPEN, True),
    "canonical name written: the walkthrough": (MINE % CANONICAL, CANONICAL, OPEN, True),
    "written name, nothing opted for": (MINE % ALIAS, CANONICAL, None, False),
    "line by the end of the name from DNS alone": ("*.evil.example:user:" + SECRET, EVIL, OPEN, False),
    "line by regular expression for the name from DNS alone": (r"^mail\.:user:" + SECRET, EVIL, OPEN, False),
    "line for all, nothing opted for": (ALL, EVIL, None, False),
    "nothing opted for with a false value": (MINE % ALIAS, CANONICAL, "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = no\n", False),
}


@pytest.mark.parametrize("name", CLEAR)
def test_without_tls(name):
    passwd, target, macros, allowed = CLEAR[name]
    profile = {"auth": {"PLAIN": ["235 ok"]}, "ehlo": ["250-hello", "250 AUTH PLAIN"]}
    step, sent, delivered = send(passwd, {ALIAS: {"CNAME": target}, target: {"A": ["192.0.2.25"]}}, [{"port": 587, "sessions": [profile]}], 587, macros)
    assert (step["rc"], len(sent), len(delivered)) == ((0, 1, 1) if allowed else (75, 0, 0)), (step, sent)


def test_clear_text_after_tls():
    """Who strips STARTTLS from a host that had it does not get the password, whatever may go out in clear; until the file is removed."""
    clear = {"auth": {"PLAIN": ["235 ok"]}, "ehlo": ["250-hello", "250 AUTH PLAIN"]}
    send = {"argv": ["/usr/sbin/sendmail", "x@far.example"], "stdin": "Subject: s\n\nb\n"}
    forget = {"argv": ["/bin/rm", "/var/spool/onehop/db/seen." + ALIAS], "user": "root"}
    observed = sandbox.run_case({
        "config": {"tls": True, "passwd_client": MINE % ALIAS + "\n", "localmacros": OPEN, "dc": {"dc_smarthost": ALIAS + "::587"}},
        "dns": {ALIAS: {"A": ["192.0.2.25"]}},
        "servers": [{"port": 587, "sessions": [clear, profile_of("alias"), clear, clear, profile_of("alias")]}],
        "steps": [send, send, send, forget, send, send]})
    assert [s["rc"] for s in observed["steps"]] == [0, 0, 0, 0, 0, 0], observed["steps"]
    assert [(bool(c["tls"]), len(c["auth"]), len(c["messages"])) for c in observed["smtp"]] == [
        (False, 1, 1), (True, 1, 1), (False, 0, 0), (False, 1, 2), (True, 1, 1)], observed["smtp"]


@pytest.mark.parametrize("passwd", [MINE % ALIAS, ALL, SECOND + ALL, r"^mail\.evil:user:" + SECRET], ids=["exact", "all", "all and another", "pattern"])
def test_an_alias_for_one_kind_of_address_only(passwd):
    """AAAA leads to a thief with a certificate of his own, A to the smarthost: only that one gets the password."""
    zone = {ALIAS: {"A": ["192.0.2.25"], "AAAA-CNAME": EVIL}, EVIL: {"AAAA": ["2001:db8::25"]}}
    servers = [{"addr": addr, "port": 587, "sessions": [profile_of(cert)]} for addr, cert in (("192.0.2.25", "alias"), ("2001:db8::25", "evil"))]
    _, sent, delivered = send(passwd, zone, servers)
    assert {server for server, _ in sent} <= {"192.0.2.25:587"} and len(delivered) <= 1, (sent, delivered)
