"""Who gets the password: names that the administrator wrote vouch for a certificate, names from DNS never do.

dc_smarthost is smtp.isp.example, which DNS makes an alias of another name; the server there has a certificate of the test
CA for some name.  The password may reach it only where a written name is in the certificate."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

ALIAS, CANONICAL, OTHER, EVIL = "smtp.isp.example", "smtp.cdn.21cn.com", "other.example", "mail.evil.example"
MINE, SECOND, ALL = "%s:user:secret", "another.example:you:second\n", "*:user:secret"
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
    "DNS leads to a thief, line by pattern": ("*.example:user:secret", EVIL, "evil", False),
    "line for all, certificate for the written name": (ALL, CANONICAL, "alias", True),
    "DNS leads to another host of mine": (MINE % OTHER, OTHER, "wrongname", True),
    "certificate of nobody we trust": (MINE % ALIAS, CANONICAL, "selfsigned", False),
}


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
@pytest.mark.parametrize("name", CASES)
def test_password(name, implicit):
    passwd, target, cert, allowed = CASES[name]
    profile = {"auth": {"PLAIN": ["235 ok"]}, "ehlo_tls": ["250-hello", "250 AUTH PLAIN"]}
    profile.update({"smtps": cert} if implicit else {"ehlo": ["250-hello", "250-AUTH PLAIN", "250 STARTTLS"], "cert": cert})
    port = 465 if implicit else 587
    observed = sandbox.run_case({
        "config": {"tls": True, "passwd_client": passwd + "\n", "passwd_reader": "alice",
                   "hosts": "127.0.0.1 localhost\n127.0.1.1 debian\n", "dc": {"dc_smarthost": "%s::%d" % (ALIAS, port)}},
        "dns": {ALIAS: {"CNAME": target}, target: {"A": ["192.0.2.25"]}},
        "servers": [{"port": port, "sessions": [profile]}],
        "steps": [{"argv": ["/usr/sbin/sendmail", "x@far.example"], "user": "alice", "stdin": "Subject: s\n\nb\n"}]})
    (step,) = observed["steps"]
    sent = [a["decoded"] for c in observed["smtp"] for a in c["auth"]]
    delivered = [m for c in observed["smtp"] for m in c["messages"]]
    assert "secret" not in step["stderr"]
    assert all(c["tls"] for c in observed["smtp"] if c["auth"])
    if allowed:
        assert step["rc"] == 0, step["stderr"]
        assert sent == [["\\0user\\0secret"]] and len(delivered) == 1
    else:
        assert step["rc"] == 75
        assert sent == [] and delivered == []
        assert "certificate" in step["stderr"]
