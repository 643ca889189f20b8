"""Bounces as a mail program reads them: three parts, whatever was in the message."""
import email
import email.policy
import os

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")
THREAD = "References: <1@x> <2@x>\nMessage-Id: <own@x>\n"


@pytest.fixture(name="post")
def picky(post):
    post.rules["rcpt"] = lambda line: "550 5.1.1 who is that?" if "bad" in line else "250 ok"
    return post


def bounce(post, stdin, *words):
    """One of two recipients is refused; the report, and its parts."""
    got = post.sendmail("-f", "me@here.example", *words, "a@far.example", "bad@far.example", stdin=stdin)
    assert (got.returncode, got.stderr) == (0, b"")
    post.until(lambda: len(post.mails) == 2 and post.input() == [])
    sender, to, text = post.mails[1]
    assert (sender, to) == ("", ["me@here.example"])
    report = email.message_from_bytes(text.encode("latin-1"), policy=email.policy.default)
    assert report.get_content_type() == "multipart/report" and report.get_param("report-type") == "delivery-status"
    assert all(not part.defects for part in report.walk())
    parts = report.get_payload()
    assert len(parts) == 3
    return report, parts


MESSAGES = {
    "plain": "Subject: s\n\nbody\n",
    "8 bit": "Subject: \u00e4\n\n\u00f6\n",
    "nothing": "\n",
    "looks like ours": "Subject: s\n\n--x-onehopdsn\n\n--x-onehopdsn--\n\n.\n--\n",
    "parts of its own": 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n\none\n--b\n\ntwo\n--b--\n',
}


@pytest.mark.parametrize("name", MESSAGES)
def test_three_parts(post, name):
    report, (text, status, original) = bounce(post, THREAD + MESSAGES[name])
    assert [p.get_content_type() for p in (text, status, original)] == [
        "text/plain", "message/delivery-status", "message/rfc822"]
    assert report["Auto-Submitted"] == "auto-replied" and report["X-Failed-Recipients"] == "bad@far.example"
    assert report["From"].addresses[0].addr_spec == "Mailer-Daemon@host.example"
    assert report["References"].split() == ["<1@x>", "<2@x>", "<own@x>"]
    assert report["Content-Transfer-Encoding"] == ("8bit" if name == "8 bit" else None)
    assert "550 5.1.1 who is that?" in text.get_content()
    message, rcpt = status.get_payload()
    assert message["Reporting-MTA"] == "dns; host.example" and message["Arrival-Date"]
    assert (rcpt["Final-Recipient"], rcpt["Action"], rcpt["Status"]) == ("rfc822;bad@far.example", "failed", "5.1.1")
    assert rcpt["Diagnostic-Code"] == "smtp; 550 5.1.1 who is that?" and rcpt["Remote-MTA"].startswith("dns; ")
    (back,) = original.get_payload()
    assert back["Return-path"] == "<me@here.example>" and back["Message-Id"] == "<own@x>"
    sent = email.message_from_bytes(post.mails[0][2].encode("latin-1"), policy=email.policy.default)
    assert back.as_bytes().split(b"\n\n", 1)[1].rstrip(b"\n") == sent.as_bytes().split(b"\n\n", 1)[1].rstrip(b"\n")


@pytest.mark.parametrize("body", ["x" * 3000 + "\n", "y\n" * 80000, "a\0b\n"], ids=["long line", "large", "NUL"])
def test_only_the_header_comes_back(post, body):
    _, (_, _, original) = bounce(post, THREAD + "Subject: s\n\n" + body)
    assert original.get_content_type() == "text/rfc822-headers"
    assert "administrative limits" in original.get_content() and "Subject: s" in original.get_content()


def test_what_the_sender_asked_for(post):
    _, (_, status, original) = bounce(post, "Subject: s\n\nbody\n", "-V", "QQ314", "-R", "hdrs")
    assert status.get_payload()[0]["Original-Envelope-Id"] == "QQ314"
    assert original.get_content_type() == "text/rfc822-headers" and "body" not in original.get_content()


def test_many_lines_and_bytes_of_a_server(post):
    """Its words are in one place, whatever they are."""
    post.rules["rcpt"] = lambda line: "250 ok" if "bad" not in line else (
        "550-5.1.1 \u00fc\x07 one\r\n550-5.1.1 Subject: two\r\n550 5.1.1 " + "w" * 900)
    _, (text, status, _) = bounce(post, "Subject: s\n\nbody\n")
    rcpt = status.get_payload()[1]
    assert rcpt["Status"] == "5.1.1" and len(status.get_payload()) == 2
    assert "Subject: two" in text.get_content() and rcpt["Diagnostic-Code"].isascii()
    assert max(map(len, post.mails[1][2].split("\r\n"))) <= 998


def test_an_address_that_cannot_be_sent(post):
    got = post.sendmail("-f", "me@here.example", "a@far.example", "j\u00f6rg@far.example")
    assert got.returncode == 0
    post.until(lambda: len(post.mails) == 2 and post.input() == [])
    text = post.mails[1][2].encode("latin-1").decode("utf-8")
    assert "Content-type: message/global-delivery-status" in text
    assert "Final-Recipient: utf-8;j\u00f6rg@far.example" in text and "SMTPUTF8" in text
