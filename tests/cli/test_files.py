"""Debian's files, and a user's own, as people and tools leave them: what they say is what happens on the wire (FIELD, section 4)."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

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


# ---------------------------------------------------------------- F1, F2: TLS on port 465
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
