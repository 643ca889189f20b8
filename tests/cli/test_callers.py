"""What programs really write to sendmail's standard input, and what must be on the wire: headers with line ends of every
mixture, and names that are not quite legal."""
import os
import subprocess

import pytest

from harness import sandbox

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))


def fields(text):
    """[(name, body)] of the header section, unfolded."""
    head = text.split("\r\n\r\n", 1)[0].replace("\r\n ", " ").replace("\r\n\t", " ")
    return [tuple(part.strip() for part in line.split(":", 1)) for line in head.split("\r\n")]


def sent(post, *words, stdin):
    r = post.sendmail(*words, stdin=stdin)
    assert r.returncode == 0, r.stderr
    (_, rcpts, text), = post.mails
    return rcpts, fields(text), text.split("\r\n\r\n", 1)[1]


# ---------------------------------------------------------------- line ends
@pytest.mark.parametrize("stdin, rcpts, names", [
    # PHP 8's mail() ends its own fields with CRLF, the application ends its own with LF
    ("To: x@far.example\r\nSubject: s\r\nX-PHP: 1\nFrom: alice\nReply-To: root\nMIME-Version: 1.0\n"
     "Content-Type: text/html; charset=UTF-8\n\n<p>\r\n", {"x@far.example"},
     ["To", "Subject", "X-PHP", "From", "Reply-To", "MIME-Version", "Content-Type"]),
    ("To: x@far.example\r\nSubject: s\nBcc: secret@far.example\r\n\r\nb\r\n", {"x@far.example", "secret@far.example"},
     ["To", "Subject"]),
    ("To: x@far.example\r\nX-A: 1\nTo: y@far.example\n\nb\n", {"x@far.example", "y@far.example"}, ["To", "X-A", "To"]),
    ("To: x@far.example\r\nFrom: alice\nX-App: 1\r\n\r\nb\r\n", {"x@far.example"}, ["To", "From", "X-App"]),
    ("To: x@far.example\r\nCc: y@far.example\nFrom: alice\r\n\r\nb\r\n", {"x@far.example", "y@far.example"}, ["To", "Cc", "From"]),
    ("To: x@far.example,\r\n y@far.example,\n\tz@far.example\r\nX-A: 1\n\r\nb\n",
     {"x@far.example", "y@far.example", "z@far.example"}, ["To", "X-A"]),
    ("To: x@far.example\nSubject: s\r\nX-A: 1\n\r\nb\n", {"x@far.example"}, ["To", "Subject", "X-A"]),
    ("To: x@far.example\r\r\nSubject: s\nX-A: 1\r\n\nb\n", {"x@far.example"}, ["To", "Subject", "X-A"]),
])
def test_lf_and_crlf_end_a_line_in_any_mixture(post, stdin, rcpts, names):
    got, header, _ = sent(post, "-t", "-i", stdin=stdin)
    assert set(got) == rcpts
    mine = [name for name, _ in header if name not in ("Received", "Message-Id", "Date")]
    assert mine[:len(names)] == names
    assert "secret" not in str(header)


def test_smtp_on_standard_input_is_strict(post):
    """Where the first line ends in CRLF nothing else ends one: no field comes out of a bare line feed."""
    r = post.sendmail("-bs", stdin="EHLO c\r\nMAIL FROM:<a@host.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\n"
                                   "To: x@far.example\r\nSubject: s\nX-A: 1\r\n\r\nb\r\n.\r\nQUIT\r\n")
    assert b"250 2.0.0 OK id=" in r.stdout
    (_, _, text), = post.mails
    assert ("Subject", "s X-A: 1") in fields(text)


# ---------------------------------------------------------------- names and senders
@pytest.mark.parametrize("to, rcpts, field", [
    ("x@far.example <x@far.example>", ["x@far.example"], '"x@far.example" <x@far.example>'),
    ("Ops [oncall] <x@far.example>", ["x@far.example"], '"Ops [oncall]" <x@far.example>'),
    ("Night; shift <x@far.example>, y@far.example", ["x@far.example", "y@far.example"],
     '"Night; shift" <x@far.example>, y@far.example'),
])
def test_one_address_in_angle_brackets_is_a_recipient_s_whatever_stands_before_it(post, to, rcpts, field):
    got, header, _ = sent(post, "-t", "-i", stdin="From: a@host.example\nTo: %s\nSubject: s\n\nb\n" % to)
    assert sorted(got) == rcpts and ("To", field) in header


@pytest.mark.parametrize("to", ["x@far.example y@far.example", "[a] <x@far.example> <y@far.example>", "a [b] <x@@far.example>"])
def test_two_addresses_are_not_guessed_at(post, to):
    r = post.sendmail("-t", "-i", stdin="To: %s\nSubject: s\n\nb\n" % to)
    assert r.returncode == 65 and post.mails == [] and b"the To field" in r.stderr


@pytest.mark.parametrize("words", [["-f", ""], ["-f", "<>"], ["-f<>", "-F", "Robot"]])
def test_a_message_of_nobody_has_an_author(post, words):
    """A provider refuses mail without From (RFC 5322 3.6)."""
    _, header, _ = sent(post, *words, "x@far.example", stdin="Subject: s\n\nb\n")
    (author,) = [body for name, body in header if name == "From"]
    assert author == ("Robot" if "-F" in words else "root") + " <root@host.example>"
    assert post.mails[0][0] == ""


# ---------------------------------------------------------------- what ends a message
DOTTED = "Subject: s\n\none\n.\n\ntwo\n.\n\n"


@pytest.mark.parametrize("stdin, body", [
    (DOTTED, "one\r\n.\r\n\r\ntwo\r\n"), ("Subject: s\n\none\n.\n", "one\r\n"),
    ("Subject: s\r\n\r\none\r\n.\r\n\r\n", "one\r\n"), ("Subject: s\n\n.\n.x\n", ".\r\n.x\r\n"),
])
def test_a_lone_dot_with_text_behind_it_is_text(post, stdin, body):
    """From a pipe, without -i; the log says so."""
    _, _, got = sent(post, "x@far.example", stdin=stdin)
    assert got == body
    assert ("only a dot was taken for text" in post.mainlog()) == (".\r\n" in body)


def test_a_lone_dot_at_a_terminal_ends_the_message(post):
    ours, theirs = os.openpty()
    os.write(ours, DOTTED.encode())
    with subprocess.Popen([sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", "x@far.example"],
                          stdin=theirs) as child:
        assert child.wait(60) == 0
    os.close(ours)
    os.close(theirs)
    (_, _, text), = post.mails
    assert text.endswith("\r\n\r\none\r\n")


def test_a_large_message_where_no_file_can_be_made(post):
    """A read-only root without /tmp: from memory."""
    post.configure(spool_directory="/mnt/spool", log_file="/mnt/mainlog")
    closed = ("mount --bind '%s' /mnt && mount -o remount,bind,ro /mnt && mount -t tmpfs -o ro t /tmp && "
              "mount -t tmpfs -o ro t /var/tmp && exec '%s' -C /mnt/onehop.conf -i x@far.example"
              % (post.directory, sandbox.programs()["onehop"]))
    text = "x" * 70 + "\n"
    r = subprocess.run(["unshare", "-m", "sh", "-c", closed], input="Subject: s\n\n" + text * 60000, text=True, timeout=120,
                       stderr=subprocess.PIPE, check=False)
    assert r.returncode == 0, r.stderr
    (_, _, got), = post.mails
    assert got.split("\r\n\r\n", 1)[1] == text.replace("\n", "\r\n") * 60000


# ---------------------------------------------------------------- what the wire cannot carry
def test_nul_is_encoded(post):
    """Servers take it with 250 and cut the line there."""
    _, header, body = sent(post, "-i", "x@far.example", stdin="Subject: s\n\none\0two\n")
    assert body == "one=00two\r\n" and ("Content-Transfer-Encoding", "quoted-printable") in header


@pytest.mark.parametrize("header", ["DKIM-Signature: v=1; a=b\n", "Content-Type: message/rfc822\n"])
def test_nul_in_what_may_not_be_changed_is_refused(post, header):
    r = post.sendmail("-i", "x@far.example", stdin=header + "Subject: s\n\nA: b\n\none\0two\n")
    assert r.returncode == 65 and b"NUL" in r.stderr and post.mails == [] and post.input() == []


def test_eight_bit_text_is_encoded_for_a_server_without_8bitmime(post):
    post.ehlo = ["250-post", "250 SIZE"]
    _, header, body = sent(post, "-i", "x@far.example", stdin="Subject: s\n\nGr\u00fc\u00dfe an alle, die lesen\n")
    assert body == "Gr=C3=BC=C3=9Fe an alle, die lesen\r\n" and ("Content-Type", "text/plain; charset=utf-8") in header
