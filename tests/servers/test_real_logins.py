"""Logins at real servers, of the release that the tests run on: Postfix with Dovecot's SASL (SCRAM-SHA-256, SCRAM-SHA-1, CRAM-MD5,
PLAIN, LOGIN), and Dovecot's own submission server with -PLUS; 587 and 465."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402
from servers.test_real import ADDR, DOVECOT, POSTFIX, SYSTEM, TEXT, smarthost  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

ALL = "plain login scram-sha-1 scram-sha-256 cram-md5"
FROM_ROOT = ["/usr/sbin/sendmail", "-v", "-i", "-f", "alice@debian", "bob@far.example"]


def offering(mechanisms):
    assert "auth_mechanisms = plain login\n" in DOVECOT["setup"]
    # Dovecot answers a wrong password late, the later the more there were: Postfix does not wait that long on a slow machine, and says 454
    quick = "auth_failure_delay = 0\nservice anvil {\n  unix_listener anvil-auth-penalty {\n    mode = 0\n  }\n}\n"
    return {**DOVECOT, "setup": DOVECOT["setup"].replace("auth_mechanisms = plain login\n", "auth_mechanisms = %s\n%s" % (mechanisms, quick))}


def has_plus():
    """Of the Dovecot that is there; None: there is none."""
    try:
        (where,) = sandbox.packages("dovecot-core")
    except sandbox.Unavailable:
        return None
    with open(where + "/usr/lib/dovecot/auth", "rb") as f:
        return b"SCRAM-SHA-256-PLUS" in f.read()


def submission(mechanisms):
    """Dovecot's own submission server, which ends the TLS itself and so has -PLUS (since 2.4); Postfix is behind it."""
    more = """
sed -i 's/^protocols = lmtp/protocols = submission lmtp/; s/^ssl = no/ssl = yes/' /etc/dovecot/dovecot.conf
cat >> /etc/dovecot/dovecot.conf <<'.'
listen = 192.0.2.25
hostname = smtp.isp.example
ssl_server_cert_file = /run/certs/good.crt
ssl_server_key_file = /run/certs/good.key
submission_relay_host = 192.0.2.25
submission_relay_port = 25
.
"""
    dovecot = offering(mechanisms)
    relay = "192.0.2.25:25 inet n - n - - smtpd -o smtpd_recipient_restrictions=permit_auth_destination,reject -o smtpd_tls_security_level=none\n"
    postfix = POSTFIX["setup"].replace("192.0.2.25:587 inet n - n - - smtpd\n", relay).replace("192.0.2.25:465 inet n - n - - smtpd -o smtpd_tls_wrappermode=yes\n", "")
    return [{**POSTFIX, "setup": postfix, "listens": [[ADDR, 25]]}, {**dovecot, "setup": dovecot["setup"] + more, "listens": [[ADDR, 587], [ADDR, 465]]}]


def play(mechanisms, port, *steps, password="pass", await_mail=True, login="user", daemons=None, packages=()):
    case = {"packages": ["postfix", "dovecot-core", "dovecot-lmtpd", *packages], "daemons": daemons or [offering(mechanisms), POSTFIX], "srv_addrs": [ADDR],
            "config": {"users": SYSTEM, "tls": True, "passwd_client": "smtp.isp.example:%s:%s\n" % (login, password), "passwd_reader": "root", **smarthost(port)},
            "steps": [{"argv": argv, "user": "root", "stdin": TEXT} for argv in steps]}
    if await_mail:
        case["steps"].append({"await": "/home/bob/Maildir/new/*"})
    try:
        observed = sandbox.run_case(case)
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    mails = [path for path in observed["files"] if path.startswith("/home/bob/Maildir/new/") and path[-1] != "/"]
    return observed, mails


def asked(said):
    return re.findall(r"SMTP>> AUTH (\S+)", said)


@pytest.mark.parametrize("port", [587, 465])
@pytest.mark.parametrize("offers, taken", [*((name, name) for name in ALL.split()), (ALL, "scram-sha-256")])
def test_it_logs_in(offers, taken, port):
    """235 at each when it is the only one, and at the strongest when all are there."""
    observed, mails = play(offers, port, FROM_ROOT)
    said = observed["steps"][0]["stderr"]
    assert observed["steps"][0]["rc"] == 0 and len(mails) == 1, said + observed["daemons"]
    assert asked(said) == [taken.upper()] and "SMTP<< 235 2.7.0 Authentication successful" in said, said
    assert " A=%s " % taken.replace("-", "_") in observed["mainlog"]


@pytest.mark.parametrize("port", [587, 465])
def test_a_wrong_password(port):
    """Three refusals in the order of strength, then it rests, whoever sends; the mail waits, and code and known words say why."""
    observed, mails = play(ALL, port, FROM_ROOT, FROM_ROOT, ["/usr/sbin/sendmail", "-v", "-qf"], ["/usr/sbin/mailq"], password="wrong", await_mail=False)
    first, second, run, listed = observed["steps"]
    assert [s["rc"] for s in observed["steps"]] == [0] * 4 and mails == [], first["stderr"] + observed["daemons"]
    assert asked(first["stderr"]) == ["SCRAM-SHA-256", "CRAM-MD5", "PLAIN"], first["stderr"]
    assert asked(second["stderr"] + run["stderr"]) == [] and "Connecting to" not in second["stderr"] + run["stderr"]
    assert "the login of /etc/exim4/passwd.client:1 at smtp.isp.example rests until " in second["stderr"]
    assert listed["stdout"].count("with SCRAM-SHA-256, CRAM-MD5, PLAIN: ") == 2, listed["stdout"]
    assert re.search(r"535 5\.7\.8 Error: authentication failed: ", listed["stdout"]) and "auth_mechanisms" in listed["stdout"]


@pytest.mark.parametrize("port", [587, 465])
@pytest.mark.parametrize("offers", ["scram-sha-256-plus", "scram-sha-1-plus", ALL + " scram-sha-1-plus scram-sha-256-plus"])
def test_with_channel_binding(offers, port):
    """-PLUS at a server that ends the TLS itself."""
    if has_plus() is False:
        pytest.skip("Dovecot has -PLUS since 2.4")
    observed, mails = play(offers, port, FROM_ROOT, login="bob", daemons=submission(offers), packages=["dovecot-submissiond"])
    said = observed["steps"][0]["stderr"]
    assert len(mails) == 1, said + observed["daemons"]
    assert asked(said) == [offers.split()[-1].upper()] and "SMTP<< 235" in said
