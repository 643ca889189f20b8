"""[sender PATTERN] sections: each sender's mail goes to its own smarthost with its own login."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

HOME, WORK = "192.0.2.25", "192.0.2.26"
CONF = """qualify_domain = debian
smarthost = smtp.isp.example::2525
auth_client_allow_notls_passwords = yes
[sender *@work.example]
smarthost = mail.work.example::2525
helo_data = laptop.work.example
[sender boss@work.example]
helo_data = desk.work.example
"""
AUTH = {"ehlo": ["250-hi", "250 AUTH PLAIN"], "auth": {"PLAIN": ["235 ok"]}}


@pytest.mark.parametrize("words, address, login, helo", [
    (["-f", "me@isp.example"], HOME, "\\0me\\0isp", "debian"),
    (["-f", "me@work.example"], WORK, "\\0me\\0work", "laptop.work.example"),
    (["-f", "Boss@WORK.example"], WORK, "\\0me\\0work", "desk.work.example"),
    (["-f", "<>"], HOME, "\\0me\\0isp", "debian"),
    ([], WORK, "\\0me\\0work", "laptop.work.example")])      # alice is mapped to work
def test_the_sender_chooses(words, address, login, helo):
    got = sandbox.run_case({
        "config": {"hosts": "127.0.0.1 localhost\n%s smtp.isp.example\n%s mail.work.example\n" % (HOME, WORK),
                   "email_addresses": "alice: alice@work.example\n",
                   "files": {"/etc/onehop/onehop.conf": {"content": CONF},
                             "/etc/onehop/passwd.client": {"content": "smtp.isp.example:me:isp\nmail.work.example:me:work\n"}}},
        "servers": [{"addr": HOME, "sessions": [AUTH]}, {"addr": WORK, "sessions": [AUTH]}],
        "steps": [{"argv": ["/usr/sbin/sendmail", "-C", "/etc/onehop/onehop.conf", *words, "x@far.example"], "user": "alice", "stdin": "Subject: s\n\nb\n"}]})
    assert got["steps"][0]["rc"] == 0, got["steps"][0]["stderr"]
    (session,) = got["smtp"]
    assert session["server"].startswith(address)
    assert session["auth"][0]["decoded"] == [login]
    assert ["C", "EHLO " + helo] in session["dialogue"]


@pytest.mark.parametrize("more, warned", [("", True), ("force_sender = yes\n", False)])
def test_whose_a_sections_login_is(more, warned):
    """-bV of the system's configuration says that each user has it, and what would change that."""
    got = sandbox.run_case({"config": {"files": {"/etc/onehop/onehop.conf": {"content": more + CONF}}}, "servers": [],
                            "steps": [{"argv": ["/usr/sbin/sendmail", "-bV"]}]})
    assert ("every user may send as a sender of a section" in got["steps"][0]["stdout"]) == warned, got["steps"][0]
