"""sendmail -bs and -bS: what a client says, what it is told, and what then is on the wire.  A message that did not come to
its end is never sent, and where it ends is not the sender's to decide."""
import email.message
import os
import re
import smtplib
import socket
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]
from harness import sandbox  # noqa: E402
from test_hostile_input import PROGRAMS, WHY, caller  # noqa: E402, F401 pylint: disable=unused-import

pytestmark = pytest.mark.skipif(bool(WHY), reason=WHY)

HELLO, MAIL, RCPT = "EHLO here\r\n", "MAIL FROM:<me@here.example>\r\n", "RCPT TO:<x@far.example>\r\n"
BEGIN = HELLO + MAIL + RCPT
TEXT = "Subject: s\r\n\r\nbody\r\n"
TAKEN = "EHLO 250 250 354 250 221"
WHOLE = BEGIN + "DATA\r\n" + TEXT + ".\r\nQUIT\r\n"


def replies(out):
    """The codes behind the greeting, as words; EHLO's is EHLO."""
    lines = out.decode().split("\r\n")
    assert lines[0].startswith("220 ") and lines[-1] == "" and all(len(line) <= 510 for line in lines)
    assert all(re.fullmatch(r"[2-5]\d\d[- ][\x20-\x7e]*", line) for line in lines[:-1])
    codes = [line[:3] if "Hello" not in line or line[3] == " " else "EHLO" for line in lines[1:-1] if line[3] == " " or "Hello" in line]
    return " ".join(code for n, code in enumerate(codes) if n == 0 or codes[n - 1] != "EHLO")


def bodies(mails):
    return [text.split(b"\r\n\r\n", 1)[1] for _, text in mails]


def talk(caller, stdin):
    """(exit status, what was said, mails)"""
    return caller.call(["-bs"], stdin.encode("latin-1") if isinstance(stdin, str) else stdin)


# ---------------------------------------------------------------- sessions
SESSIONS = {  # (what the client says, replies, messages)
    "one message": (WHOLE, TAKEN, 1),
    "two messages": (BEGIN + "DATA\r\n" + TEXT + ".\r\n" + MAIL + RCPT + "DATA\r\n" + TEXT + ".\r\nQUIT\r\n",
                     "EHLO 250 250 354 250 250 250 354 250 221", 2),
    "HELO": (WHOLE.replace("EHLO", "HELO"), "250 250 250 354 250 221", 1),
    "lower case, blanks": ("ehlo  here \r\nmail from: <me@here.example>\r\nrcpt to: x@far.example \r\ndata\r\n" + TEXT + ".\r\nquit\r\n", TAKEN, 1),
    "Thunderbird": ("EHLO [127.0.0.1]\r\nMAIL FROM:<me@here.example> BODY=8BITMIME SIZE=412\r\n" + RCPT + "DATA\r\n" + TEXT + ".\r\nQUIT\r\n",
                    TAKEN, 1),
    "bare line feeds": (WHOLE.replace("\r\n", "\n"), TAKEN, 1),
    "no QUIT": (WHOLE.replace("QUIT\r\n", ""), "EHLO 250 250 354 250 421", 1),
    "BDAT": (BEGIN + "BDAT %d\r\n%sBDAT 5 LAST\r\n.\r\n\r\nQUIT\r\n" % (len(TEXT), TEXT), "EHLO 250 250 250 250 221", 1),
    "BDAT 0 LAST": (BEGIN + "BDAT %d\r\n%sBDAT 0 LAST\r\nQUIT\r\n" % (len(TEXT), TEXT), "EHLO 250 250 250 250 221", 1),
    "BDAT without recipient": (HELLO + MAIL + "BDAT 6\r\nRSET\r\n" + RCPT + "BDAT 2 LAST\r\n\r\nQUIT\r\n", "EHLO 250 503 503 503 221", 0),
    "BDAT, then DATA": (BEGIN + "BDAT 2\r\n\r\nDATA\r\nRCPT TO:<y@far.example>\r\nRSET\r\nBDAT 2 LAST\r\n\r\nQUIT\r\n",
                        "EHLO 250 250 250 503 503 250 503 221", 0),
    "BDAT, then EHLO": (BEGIN + "BDAT 2\r\n\r\n" + HELLO + "BDAT 2 LAST\r\n\r\n" + MAIL + RCPT + "DATA\r\n" + TEXT + ".\r\nQUIT\r\n",
                        "EHLO 250 250 250 EHLO 503 250 250 354 250 221", 1),
    "BDAT without size": (BEGIN + "BDAT x\r\nRSET\r\n", "EHLO 250 250 501 421", 0),
    "RSET": (BEGIN + "RSET\r\nDATA\r\nQUIT\r\n", "EHLO 250 250 250 503 221", 0),
    "EHLO again": (BEGIN + HELLO + "DATA\r\nQUIT\r\n", "EHLO 250 250 EHLO 503 221", 0),
    "MAIL twice": (BEGIN + MAIL + "QUIT\r\n", "EHLO 250 250 503 221", 0),
    "DATA x": (BEGIN + "DATA x\r\nQUIT\r\n", "EHLO 250 250 501 221", 0),
    "bad EHLO": ("EHLO\r\nEHLO a b\r\nEHLO a(b\r\nQUIT\r\n", "501 501 501 221", 0),
    "one recipient is bad": (HELLO + MAIL + "RCPT TO:<x@@far>\r\nRCPT TO:<>\r\n" + RCPT + "DATA\r\n" + TEXT + ".\r\nQUIT\r\n",
                             "EHLO 250 501 501 250 354 250 221", 1),
    "parameters": (HELLO + "MAIL FROM:<> X=1\r\nMAIL FROM:<> AUTH=<>\r\nMAIL FROM:<> BODY=BINARYMIME\r\nMAIL FROM:<> SIZE=99999999999\r\n"
                   "MAIL FROM:<>\r\nRCPT TO:<x@y> NOTIFY=NEVER,DELAY\r\nQUIT\r\n", "EHLO 555 555 501 552 250 501 221", 0),
    "8 bits": (HELLO + "MAIL FROM:<\xc3\xa9@b>\r\n" + MAIL + "RCPT TO:<\xc3\xa9@b>\r\nQUIT\r\n", "EHLO 553 250 553 221", 0),
    "others": ("NOOP\r\nNOOP x\r\nVRFY fax\r\nEXPN list\r\nHELP\r\nSTARTTLS\r\nAUTH PLAIN\r\nETRN x\r\nFOO\r\n\r\nQUIT\r\n",
               "250 250 252 550 214 502 502 502 500 500 221", 0),
    "before EHLO": (MAIL + RCPT + "DATA\r\nQUIT\r\n", "503 503 503 221", 0),
    "NUL": ("NOOP \0\r\nEHLO a\0b\r\nQUIT\r\n", "500 500 221", 0),
    "long line": ("NOOP " + "x" * 5000 + "\r\nQUIT\r\n", "500 221", 0),
    "a long line hides nothing": (HELLO + MAIL + "x" * 9000 + "\nRCPT TO:<x@far.example>\r\nQUIT\r\n", "EHLO 250 500 250 221", 0),
}


@pytest.mark.parametrize("name", SESSIONS)
def test_session(caller, name):
    said, heard, messages = SESSIONS[name]
    rc, out, mails = talk(caller, said)
    assert replies(out) == heard, out
    assert len(mails) == messages
    assert rc == (0 if "QUIT" in said.upper() or name == "no QUIT" else 76), out


ONE = (MAIL + RCPT + "DATA\r\n" + TEXT + ".\r\n").replace("\r\n", "\n")
BATCHES = {  # (the batch, exit status, what is said, messages)
    "two messages": (ONE + ONE, 0, "", 2),
    "with all that needs no answer": ("HELO here\nNOOP\nRSET\nVRFY x\nHELP\n" + ONE + "QUIT\nFOO\n", 0, "", 1),
    "CRLF": (ONE.replace("\n", "\r\n"), 0, "", 1),
    "nothing": ("", 0, "", 0),
    "a bad recipient": (ONE + MAIL + "RCPT TO:<x@@y>\n" + RCPT + "DATA\n\nb\n.\n" + ONE, 65, r"501 5\.1\.3 .*malformed\nRCPT TO:<x@@y>\n", 1),
    "no recipient": (MAIL + "DATA\n\nb\n.\n" + ONE, 65, r"503 5\.5\.1 .*\nDATA\n", 0),
    "not a command": ("FOO\n" + ONE, 65, r"500 5\.5\.2 .*\nFOO\n", 0),
    "no end of a command": (ONE + MAIL[:-4], 74, r"421 4\.4\.2 .*\n", 1),
    "no end": (ONE + ONE[:-2], 74, r"421 4\.4\.2 .*\n", 1),
}


@pytest.mark.parametrize("name", BATCHES)
def test_batch(caller, name):
    batch, status, said, messages = BATCHES[name]
    rc, out, mails = caller.call(["-bS"], batch.encode())
    assert rc == status and re.fullmatch(r"(?:onehop: .*\n)?" + said, out.decode()), (rc, out)
    assert len(mails) == messages
    assert all(b" with local-bsmtp (" in text and text.endswith(b"\r\n\r\nbody\r\n") for _, text in mails)


def test_a_batch_that_cannot_be_read(post):
    """An error is no end: who knows what would have come."""
    directory = os.open("/", os.O_RDONLY)
    r = subprocess.run([sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", "-bS"], stdin=directory,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    os.close(directory)
    assert r.returncode == 74 and b"ended before the end of a message, which was not sent" in r.stderr, r


def test_what_is_on_the_wire(caller):
    rc, out, [(commands, text)] = talk(caller, HELLO + "MAIL FROM:<me@here.example> RET=HDRS ENVID=a+2Bb BODY=8BITMIME\r\n"
                                       "RCPT TO:<x@far.example> NOTIFY=NEVER\r\nRCPT TO:<x@far.example> NOTIFY=SUCCESS,DELAY\r\n"
                                       "RCPT TO:<y@far.example> ORCPT=rfc822;Y+2By@here.example\r\nDATA\r\nSubject: s\r\n\r\n..dot\r\n...\r\n\xe9\r\n.\r\nQUIT\r\n")
    assert rc == 0 and re.search(rb"250 2\.0\.0 OK id=(\S+)\r\n", out)
    mail = [c for c in commands if c.startswith(b"MAIL")][0]
    assert mail.startswith(b"MAIL FROM:<me@here.example>") and b" RET=HDRS ENVID=a+2Bb" in mail and b" BODY=8BITMIME" in mail
    first, second = [c for c in commands if c.startswith(b"RCPT")]
    assert first.startswith(b"RCPT TO:<x@far.example> NOTIFY=SUCCESS,DELAY") and b"NOTIFY" not in second
    assert second == b"RCPT TO:<y@far.example> ORCPT=rfc822;Y+2By@here.example\r\n"
    assert re.match(rb"Received: from \S+ \(helo=here\)\r\n\tby debian with local-esmtp \(onehop [^)]*\)\r\n", text)
    assert b"\r\nDate: " in text and b"\r\nMessage-Id: <E" in text and b"\r\nFrom: " in text
    assert text.split(b"\r\n\r\n", 1)[1] == b"..dot\r\n...\r\n\xe9\r\n"


def test_without_a_sender_s_domain(caller):
    rc, _, [(commands, _)] = talk(caller, WHOLE.replace("me@here.example", "me").replace("x@far.example", "x@far.example"))
    assert rc == 0 and any(c.startswith(b"MAIL FROM:<me@debian>") for c in commands)


def test_utf8(caller):
    rc, out, [(commands, _)] = talk(caller, WHOLE.replace("here.example>", "here.example> SMTPUTF8").replace("x@far", "\xc3\xa9@far"))
    assert rc == 0, out
    assert any(c.startswith(b"RCPT TO:<\xc3\xa9@far.example>") for c in commands)


# ---------------------------------------------------------------- where a message ends
INNER = "MAIL FROM:<evil@here.example>{0}RCPT TO:<evil@far.example>{0}DATA{0}evil{0}.{0}"
ENDS = ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r", "\r\n.\r", "\r.\r\n", "\n.\r", "\r\n.\r\r\n", "\r\n\0.\r\n", "\r\n.\0\r\n"]


@pytest.mark.parametrize("end", ENDS, ids=repr)
@pytest.mark.parametrize("inner", ["\r\n", "\n"], ids=repr)
def test_no_smuggling(caller, end, inner):
    """What is not CRLF.CRLF is text to a client that says CRLF, as it is to the program before us that let it pass."""
    rc, out, mails = talk(caller, BEGIN + "DATA\r\n" + "Subject: s\r\n\r\none" + end + INNER.format(inner).replace("\n.", "\n..")
                          + "last\r\n.\r\nQUIT\r\n")
    assert rc == 0 and replies(out) == TAKEN, out
    ((commands, text),) = mails
    assert not any(b"evil" in c for c in commands) and b"RCPT TO:<evil@far.example>" in text and text.endswith(b"last\r\n")


@pytest.mark.parametrize("end", ["\r.\r", "\r.\n", "\n.\r"], ids=repr)
def test_no_smuggling_among_line_feeds(caller, end):
    text = "Subject: s\n\none" + end + INNER.format("\n").replace("\n.", "\n..") + "last\n.\nQUIT\n"
    rc, out, mails = talk(caller, BEGIN.replace("\r\n", "\n") + "DATA\n" + text)
    assert rc == 0 and replies(out) == TAKEN and len(mails) == 1, out


def test_the_end_that_does_not_come(caller):
    rc, out, mails = talk(caller, BEGIN + "DATA\r\nSubject: s\n\nbody\n.\nQUIT\n")
    assert rc == 74 and mails == [] and b"a line with a dot alone, between CRLF and CRLF" in out


def cuts():
    """Everywhere in the dialogue, and some places in the text."""
    for whole in (WHOLE, BEGIN + "BDAT %d LAST\r\n%sQUIT\r\n" % (len(TEXT), TEXT)):
        end = whole.index("QUIT") - 1
        for at in sorted({*range(0, end, 7), *(m.end() for m in re.finditer("\r\n", whole[:end])), end - 1, end - 2, end}):
            yield whole[:at]


def test_nothing_is_sent_when_the_client_goes(caller):
    for said in cuts():
        rc, out, mails = talk(caller, said)
        assert mails == [], said
        assert rc == (74 if "MAIL FROM:<me@here.example>\r\n" in said else 0), said
        assert b"421 4.4.2 debian lost input connection\r\n" in out


def test_nothing_is_sent_when_the_replies_cannot_be_said(caller):
    (reader, writer) = os.pipe()
    os.close(reader)
    r = subprocess.run([caller.program, "-C", str(caller.config), "-bs"], input=WHOLE.encode(), stdout=writer,
                       stderr=subprocess.DEVNULL, timeout=30)
    os.close(writer)
    assert r.returncode != 0 and caller.sink.mails == []


# ---------------------------------------------------------------- limits
def endless(caller, first, again, limit=60):
    """What is said until the program has had enough."""
    p = subprocess.Popen([caller.program, "-C", str(caller.config), "-bs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT)
    pid = os.fork()
    if pid == 0:
        try:
            os.write(p.stdin.fileno(), first)
            while True:
                os.write(p.stdin.fileno(), again)
        finally:
            os._exit(0)
    p.stdin.close()
    out = p.stdout.read()
    rc = p.wait(limit)
    os.waitpid(pid, 0)
    return rc, out


ENDLESS = {
    "NOOP": (b"", b"NOOP\r\n" * 100, b"too many errors"),
    "RSET": (b"", b"RSET\r\n" * 100, b"too many errors"),
    "EHLO": (b"", b"EHLO x\r\n" * 100, b"too many errors"),
    "nonsense": (b"", b"y\n" * 100, b"too many errors"),
    "one line": (b"", b"x" * 65536, b"a line that does not end"),
    "NULs": (b"", b"\0" * 65536, b"a line that does not end"),
    "text": (BEGIN.encode() + b"DATA\r\n", b"y\r\n" * 20000, b"does not end"),
    "header": (BEGIN.encode() + b"DATA\r\nSubject: ", b"y\r\n " * 20000, b"does not end"),
    "chunk": (BEGIN.encode() + b"BDAT 99999999999999999\r\n", b"y" * 65536, b"does not end"),
    "chunk for nobody": (b"BDAT 99999999999999999\r\n", b"y" * 65536, b"does not end"),
    "one recipient": (HELLO.encode() + MAIL.encode(), RCPT.encode() * 100, b"too many errors"),
    "bad recipients": (HELLO.encode() + MAIL.encode(), RCPT.encode().replace(b"x@", b"x@@") * 100, b"too many errors"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_endless(caller, name):
    first, again, words = ENDLESS[name]
    caller.put("onehop.conf", caller.config.read_text() + "message_size_limit = 1M\n")
    rc, out = endless(caller, first, again)
    assert rc == 76 and b"421 " in out and words in out and caller.sink.mails == []


def test_a_message_too_large(caller):
    caller.put("onehop.conf", caller.config.read_text() + "message_size_limit = 100K\n")
    rc, out, mails = talk(caller, BEGIN + "DATA\r\n" + TEXT + "y\r\n" * 60000 + ".\r\n" + MAIL + RCPT + "DATA\r\n" + TEXT + ".\r\nQUIT\r\n")
    assert rc == 0 and replies(out) == "EHLO 250 250 354 552 250 250 354 250 221" and len(mails) == 1
    assert b"message_size_limit" in out
    rc, out, mails = talk(caller, BEGIN + "BDAT 200000\r\n\r\n" + "y" * 199998 + "BDAT 5 LAST\r\nbody\nQUIT\r\n")
    assert rc == 0 and replies(out) == "EHLO 250 250 552 552 221" and mails == []
    rc, out, mails = talk(caller, HELLO + "MAIL FROM:<> SIZE=200000\r\nQUIT\r\n")
    assert rc == 0 and replies(out) == "EHLO 552 221"


def test_a_large_message(caller):
    text = b"Subject: s\r\n\r\n" + b"0123456789\r\n..\r\n" * 200000
    rc, out, mails = talk(caller, BEGIN.encode() + b"DATA\r\n" + text + b".\r\nQUIT\r\n")
    assert rc == 0 and bodies(mails) == [text.split(b"\r\n\r\n", 1)[1]], out


def test_too_many_recipients(caller):
    caller.put("onehop.conf", caller.config.read_text() + "recipients_max = 3\n")
    rc, out, mails = talk(caller, HELLO + MAIL + "".join("RCPT TO:<x%d@far.example>\r\n" % n for n in range(40)) + "DATA\r\n" + TEXT
                          + ".\r\nQUIT\r\n")
    assert rc == 0 and replies(out) == "EHLO 250 250 250 250 " + "452 " * 37 + "354 250 221" and len(mails) == 1


@pytest.mark.parametrize("said", ["", "EHLO here\r\nMAIL", BEGIN + "DATA\r\nSubject: s\r\n", BEGIN + "BDAT 100\r\n"], ids=repr)
def test_a_silent_client(caller, said):
    caller.put("onehop.conf", caller.config.read_text().replace("command_timeout = 10s", "command_timeout = 1s\ndata_timeout = 1s"))
    (reader, writer) = os.pipe()
    os.write(writer, said.encode())
    with os.fdopen(reader, "rb") as stdin:
        rc, out, mails = talk(caller, stdin)
    os.close(writer)
    assert rc == (74 if "MAIL FROM" in said else 76) and mails == [] and b"421 4.4.2 debian timeout exceeded\r\n" in out


@pytest.mark.parametrize("verb", ["GET / HTTP/1.1", "POST / HTTP/1.1", "OPTIONS * HTTP/1.1", "CONNECT far.example:25 HTTP/1.1"])
def test_a_web_page(caller, verb):
    rc, out, mails = talk(caller, verb + "\r\nHost: localhost:25\r\n\r\n" + WHOLE)
    assert rc == 76 and replies(out) == "421" and mails == []


def test_a_broken_configuration(caller):
    caller.put("onehop.conf", "nonsense = 1\n")
    rc, out, mails = talk(caller, WHOLE)
    assert rc == 78 and mails == [] and out.startswith(b"421 4.3.5 ") and b"onehop.conf:1" in out


# ---------------------------------------------------------------- programs
class Pipe(smtplib.SMTP):
    """smtplib with sendmail -bs behind a socket pair."""

    def __init__(self, caller):
        self.argv = [caller.program, "-C", str(caller.config), "-bs"]
        super().__init__("localhost", 25)

    def _get_socket(self, host, port, timeout):
        ours, theirs = socket.socketpair()
        self.process = subprocess.Popen(self.argv, stdin=theirs, stdout=theirs)
        theirs.close()
        return ours


def test_smtplib(caller):
    letter = email.message.EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "me@here.example", "x@far.example, y@far.example", "Größe"
    letter.set_content("Grüße\n.\n..\n", cte="8bit")
    with Pipe(caller) as smtp:
        assert smtp.ehlo()[0] == 250 and {"size", "8bitmime", "smtputf8", "pipelining", "chunking", "dsn"} <= set(smtp.esmtp_features)
        for n in range(3):
            assert smtp.send_message(letter, mail_options=["SMTPUTF8"] if n == 2 else []) == {}
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            smtp.sendmail("me@here.example", ["x@@far.example"], b"Subject: s\r\n\r\nbody\r\n")
        assert smtp.verify("x@far.example")[0] == 252
    assert smtp.process.wait(30) == 0
    assert [text.split(b"\r\n\r\n", 1)[1] for _, text in caller.sink.mails] == ["Grüße\r\n..\r\n...\r\n".encode()] * 3


@pytest.mark.parametrize("words", [["-bs", "-odi", "-oem"], ["-oem", "-bs"], ["-bs", "-i", "-f", "other@here.example", "-t"]])
def test_flags_of_mail_programs(caller, words):
    rc, out, [(commands, _)] = caller.call(words, WHOLE.encode())
    assert rc == 0 and replies(out) == TAKEN and any(c.startswith(b"MAIL FROM:<me@here.example>") for c in commands)


def test_swaks(caller):
    try:
        (package,) = sandbox.packages("swaks")
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    r = subprocess.run([package + "/usr/bin/swaks", "--pipe", "%s -C %s -bs" % (caller.program, caller.config), "--from", "me@here.example", "--to",
                        "x@far.example,y@far.example", "--helo", "here", "--body", "one\n.\ntwo"], stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    assert r.returncode == 0, r.stdout
    ((commands, text),) = caller.sink.mails
    assert sum(c.startswith(b"RCPT") for c in commands) == 2 and b"\r\n..\r\ntwo\r\n" in text


# ---------------------------------------------------------------- in the sandbox: users, the network
INETD = """
import socket, subprocess, sys
server = socket.create_server((sys.argv[1], 0), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
client = socket.create_connection(server.getsockname()[:2])
theirs = server.accept()[0]
p = subprocess.Popen(["/usr/sbin/sendmail", "-bs"], stdin=theirs, stdout=theirs)
theirs.close()
client.sendall(sys.stdin.buffer.read())
client.shutdown(socket.SHUT_WR)
print(client.makefile("rb").read().decode("latin-1"), end="")
sys.exit(p.wait())
"""


def in_sandbox(argv, stdin=WHOLE, profile=None, config=None, user="alice"):
    why = sandbox.unavailable()
    if why:
        pytest.skip(why)
    got = sandbox.run_case({"config": config or {}, "servers": [{"sessions": [profile or {}]}],
                            "steps": [{"argv": argv, "user": user, "stdin": stdin}]})
    return got["steps"][0], [m for c in got["smtp"] for m in c["messages"]], got["files"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "127.0.0.5"])
def test_from_this_host(address):
    step, messages, _ = in_sandbox(["/usr/bin/python3", "-c", INETD, address])
    assert step["rc"] == 0 and replies(step["stdout"].encode()) == TAKEN and len(messages) == 1, step


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1"])
def test_from_the_network(address):
    step, messages, _ = in_sandbox(["/usr/bin/python3", "-c", INETD, address], stdin="")
    assert step["rc"] == 77 and messages == []
    assert step["stdout"].startswith("554 5.7.1 debian takes no mail from the network"), step


def test_the_server_refuses():
    step, messages, files = in_sandbox(["/usr/sbin/sendmail", "-bs"], profile={"rcpt": {"x@": "550 5.1.1 who is that", "default": "250 ok"}})
    assert step["rc"] == 0 and messages == [] and "550 5.1.1 " in step["stdout"] and "who is that" in step["stdout"]
    assert not any("dead.letter" in path for path in files)


@pytest.mark.parametrize("force, sender", [(False, "me@here.example"), (True, "alice@debian")])
def test_whose_sender_it_is(force, sender):
    step, messages, _ = in_sandbox(["/usr/sbin/sendmail", "-bs"], config={"localmacros": "MAIN_FORCE_SENDER = 1\n"} if force else None)
    assert step["rc"] == 0 and messages[0]["mail"].startswith("FROM:<%s>" % sender)
