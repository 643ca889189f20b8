"""What happens to the mail in bad weather: the cases in which each of the others loses, leaks or misdirects
something (those of the queue come with it).  One row is one message and what must be on the wire."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import planted, sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

LOGIN = {"passwd_client": "smtp.isp.example:user:%s\n" % planted.PASSWORD, "localmacros": "AUTH_CLIENT_ALLOW_NOTLS_PASSWORDS = 1\n"}
PLAIN_ONLY = {"ehlo": ["250-hi", "250 AUTH PLAIN"], "auth": {"PLAIN": ["235 ok"]}}
FALLBACK = {"ehlo": ["250-hi", "250 AUTH PLAIN LOGIN"],
            "auth": {"PLAIN": ["504 Unknown authentication mechanism"], "LOGIN": ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 ok"]}}
WRONG = {"ehlo": ["250-hi", "250 AUTH PLAIN LOGIN"], "auth": {"PLAIN": ["535 5.7.8 wrong"], "LOGIN": ["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "535 5.7.8 wrong"]}}
MESSAGE = "From: alice@debian\nTo: x@far.example\nSubject: s\n\nbody\n"
TO = ["x@far.example"]


def play(stdin=MESSAGE, words=TO, profile=None, config=None, servers=None, user="alice"):
    if "passwd_client" in (config or {}):
        user = "root"                                          # who may read it
    case = {"config": config or {}, "steps": [{"argv": ["/usr/sbin/sendmail", *words], "user": user, "stdin": stdin}],
            "servers": servers if servers is not None else [{"sessions": [profile or {}]}]}
    got = sandbox.run_case(case)
    return got["steps"][0], got["smtp"], [m for c in got["smtp"] for m in c["messages"]], got["files"]


def header(message, name):
    """The fields of this name, unfolded, and how often they are there."""
    head = message["data"].split("\r\n\r\n", 1)[0].replace("\r\n ", " ").replace("\r\n\t", " ")
    return [line.split(":", 1)[1].strip() for line in head.split("\r\n") if line.lower().startswith(name.lower() + ":")]


def test_plain_answered_504_login_works():
    step, smtp, messages, _ = play(profile=FALLBACK, config=LOGIN)
    assert step["rc"] == 0 and len(messages) == 1
    assert [a["mech"] for a in smtp[0]["auth"]] == ["PLAIN", "LOGIN"]


def test_server_offers_plain_only():
    step, smtp, messages, _ = play(profile=PLAIN_ONLY, config=LOGIN)
    assert step["rc"] == 0 and len(messages) == 1
    assert smtp[0]["auth"][0]["decoded"] == ["\\0user\\0" + planted.PASSWORD]


def test_a_wrong_password_is_not_the_mail_s_fault():
    step, smtp, messages, files = play(profile=WRONG, config=LOGIN)
    assert step["rc"] == 0 and messages == []                 # kept
    assert len(smtp) == 1 and len(smtp[0]["auth"]) <= 2       # offered no more often than needed
    assert not any(line[1].upper().startswith("MAIL") for line in smtp[0]["dialogue"])
    assert not any(path.endswith("/dead.letter") for path in files)


@pytest.mark.parametrize("offer", [["250 hi"], ["250-hi", "250 AUTH PLAIN LOGIN"]])
def test_no_clear_text_and_no_mail_without_the_login(offer):
    step, smtp, messages, _ = play(words=["-v", *TO], profile={"ehlo": offer, "auth": PLAIN_ONLY["auth"]}, config={"passwd_client": LOGIN["passwd_client"]})
    assert step["rc"] == 0 and messages == [] and smtp[0]["auth"] == []
    for word in ("auth_client_allow_notls_passwords", "smtp.isp.example", "passwd.client:1"):
        assert word in step["stderr"]


def test_one_bad_recipient_of_three():
    step, _, messages, _ = play(words=["a@far.example", "bad@far.example", "c@far.example"],
                                profile={"rcpt": {"bad@": "550 5.1.1 who", "default": "250 ok"}})
    # alice has no spool from which the third could be told: then nobody gets it
    assert messages == [] and "550 5.1.1 who" in step["stderr"] and "bad@far.example" in step["stderr"]
    assert step["rc"] == 75


@pytest.mark.parametrize("servers", [[], None], ids=["down", "up"])
def test_in_parts_without_a_spool(servers):
    """Should the second part fail, the first would be out and nobody would own the rest (doc/ARCHITECTURE 1): so neither goes."""
    step, _, messages, files = play(words=["alice", "x@far.example"], servers=servers)
    assert step["rc"] == 75 and "cannot be kept until all have it" in step["stderr"]
    assert messages == [] and "/home/alice/dead.letter" in files and not [path for path in files if "Maildir" in path]


def test_a_line_of_5000_octets():
    step, _, messages, _ = play(stdin=MESSAGE + "y" * 5000 + "\n")
    assert step["rc"] == 0
    body = messages[0]["data"].split("\r\n\r\n", 1)[1]
    assert header(messages[0], "Content-Transfer-Encoding") == ["quoted-printable"]
    assert max(map(len, messages[0]["data"].split("\r\n"))) <= 998
    assert body.replace("=\r\n", "") == "body\r\n" + "y" * 5000 + "\r\n"


def test_a_header_line_of_5000_octets():
    step, _, messages, _ = play(stdin="X-Long: %s\n%s" % ("word " * 1000, MESSAGE))
    assert step["rc"] == 0 and max(map(len, messages[0]["data"].split("\r\n"))) <= 998
    assert header(messages[0], "X-Long")[0].split() == ["word"] * 1000


def test_root_goes_where_the_aliases_say():
    step, _, messages, _ = play(words=["root"], config={"aliases": "root: admin@far.example\n"})
    assert step["rc"] == 0
    assert [r[0] for r in messages[0]["rcpt"]] == ["TO:<admin@far.example>"]


@pytest.mark.parametrize("words", [TO, ["-t"]])
@pytest.mark.parametrize("field", ["Bcc", "BCC", "Resent-Bcc"])
def test_bcc_never_leaves(words, field):
    step, _, messages, _ = play(stdin="%s: secret@else.example,\n hidden@else.example\nResent-To: x@far.example\n%s" % (field, MESSAGE)
                                if "Resent" in field else "%s: secret@else.example,\n hidden@else.example\n%s" % (field, MESSAGE), words=words)
    assert step["rc"] == 0
    assert "secret" not in messages[0]["data"] and "hidden" not in messages[0]["data"]
    asked = any("secret" in r[0] for r in messages[0]["rcpt"])
    assert asked == (words == ["-t"])


def test_what_is_missing_is_added():
    step, _, messages, _ = play(stdin="\nbody\n")
    assert step["rc"] == 0
    assert header(messages[0], "From") == ["Alice Liddell <alice@debian>"]
    assert re.fullmatch(r"\w{3}, \d+ \w{3} \d{4} [\d:]{8} [+-]\d{4}", header(messages[0], "Date")[0])
    assert re.fullmatch(r"<E[\w-]+@debian>", header(messages[0], "Message-Id")[0])


def test_bare_addresses_get_a_domain():
    step, _, messages, _ = play(stdin="From: Joe <joe>\nTo: x@far.example\nCc: root, \"R\" <root>\n\nbody\n")
    assert step["rc"] == 0
    assert header(messages[0], "From") == ["Joe <joe@debian>"]
    assert header(messages[0], "Cc") == ["root@debian, \"R\" <root@debian>"]


def test_cron_s_from_line():
    step, _, messages, _ = play(stdin="From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@debian> x\n\nout\n", user="root",
                                config={"email_addresses": "root: me@isp.example\n"})
    assert step["rc"] == 0 and messages[0]["mail"].startswith("FROM:<me@isp.example>")
    assert header(messages[0], "From") == ["me@isp.example (Cron Daemon)"]


def test_the_sender_is_one_identity_everywhere():
    step, _, messages, _ = play(stdin="From: A <alice@debian>\nReply-To: alice\nSender: alice@localhost\n" + MESSAGE.split("\n", 1)[1],
                                config={"email_addresses": "alice: al@isp.example\n"})
    assert step["rc"] == 0 and messages[0]["mail"].startswith("FROM:<al@isp.example>")
    assert header(messages[0], "From") == ["A <al@isp.example>"]
    assert header(messages[0], "Reply-To") == header(messages[0], "Sender") == ["al@isp.example"]


def test_no_new_privileges():
    """What the caller may read itself needs no privilege."""
    step, _, messages, _ = play()
    assert step["rc"] == 0
    got = sandbox.run_case({"config": {}, "servers": [{"sessions": [{}]}], "steps": [
        {"argv": ["/usr/bin/setpriv", "--no-new-privs", "/usr/sbin/sendmail", *TO], "user": "alice", "stdin": MESSAGE}]})
    assert got["steps"][0]["rc"] == 0 and len(got["smtp"][0]["messages"]) == 1


@pytest.mark.parametrize("step_of_the_session, reply, status", [
    ("greeting", "554 no", 75), ("greeting", "421 later", 75), ("ehlo", "DROP", 75), ("mail", "451 later", 75), ("mail", "550 no", 69),
    ("mail", "530 5.7.0 login first", 75), ("rcpt", "450 later", 75), ("rcpt", "550 no", 69), ("data", "451 later", 75),
    ("data", "554 no", 69), ("data", "250 what", 75), ("dot", "451 later", 75), ("dot", "554 no", 69), ("dot", "DROP", 75),
    ("quit", "DROP", 0)])
def test_4xx_is_later_and_5xx_is_never(step_of_the_session, reply, status):
    step, _, _, _ = play(profile={step_of_the_session: reply})
    assert step["rc"] == status, step["stderr"]
    if status and reply != "DROP":
        assert reply in step["stderr"]
    if (step_of_the_session, reply) == ("dot", "DROP"):
        assert "may arrive twice" in step["stderr"]
