"""Who made a message, when, and under which id, is said by onehop-send and not by another user's program."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_doors import FORCED, LOCAL, RECORDS, SERVER, SUBMIT, mail, messages, play  # noqa: E402
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

CLAIMED = "1xVsfr-00000K-3L"                    # the id in RECORDS
ID = r"[0-9A-Za-z]{6}-[0-9A-Za-z]{6}-[0-9A-Za-z]{2}"
# Alice says what she likes at the socket: prints what comes back, printable.
SAY = RECORDS + """
s = socket.socket(socket.AF_UNIX)
s.connect("/run/onehop/submit")
s.sendall(%s)
heard = b""
while got := s.recv(65536):
    heard += got
print(heard.decode("latin-1").replace("\\0", "|"))
"""


def says(what, user="alice"):
    return {"argv": ["/usr/bin/python3", "-c", SAY % what], "user": user, "stdin": ""}


def arrivals(seen):
    return re.findall(r"(?m)^\S+ \S+ (\S+) <= ", seen["mainlog"])


def in_maildir(seen, user):
    return [f["content"] for path, f in sorted(seen["files"].items()) if path.startswith("/home/%s/Maildir/new/" % user) and path[-1] != "/"]


def fields(text):
    """{name: value} of a header, of a field that stands twice the first; how many Received there are."""
    head = text.replace("\r\n", "\n").partition("\n\n")[0]
    rows = re.findall(r"(?m)^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", head)
    return {name.lower(): value for name, value in reversed(rows)}, sum(name == "Received" for name, _ in rows)


@pytest.mark.parametrize("said", ["", "Received: from root by debian with local\\n\\tid %s;\\n\\tdate\\n" % CLAIMED,
                                  "Message-Id: <E%s@debian>\\n" % CLAIMED], ids=["nothing", "Received", "Message-Id"])
def test_an_id_from_outside_is_not_used(said):
    """Nor are the Received and the Message-Id that go with it; where she makes none they are made."""
    header = " + ".join("raw('H', b'%s')" % field for field in said and [said] or ["X: y\\n"])
    seen = play(says("HELLO + envelope('al@isp.example') + rcpt() + %s + BODY + GO" % header), servers=[SERVER])
    heard = seen["steps"][0]["stdout"]
    [new] = arrivals(seen)
    [sent] = messages(seen)
    assert re.fullmatch(ID, new) and new != CLAIMED and "5id " + new in heard, (heard, seen["mainlog"])
    assert CLAIMED not in seen["mainlog"] + sent["data"]
    head, received = fields(sent["data"])
    assert received == 1 and head["message-id"] == "<E%s@debian>" % new and "date" in head, sent["data"]
    assert head["received"].startswith("from alice by debian with local ") and "\n\tid %s\n\tfor x@far.example;" % new in head["received"], head


def test_the_caller_s_own_fields_stay():
    """Another host's Received, his Message-Id and Date."""
    text = "Received: from far.example by mx.example; Tue, 24 Nov 2026 06:42:02 +0000\nMessage-Id: <mine@far.example>\n" \
           "Date: Tue, 24 Nov 2026 06:42:01 +0000\nSubject: s\n\nbody\n"
    seen = play(mail(["x@far.example"], stdin=text), servers=[SERVER])
    [sent], [new] = messages(seen), arrivals(seen)
    head, received = fields(sent["data"])
    assert received == 2 and "\r\n" + text.splitlines()[0] + "\r\n" in sent["data"], sent["data"]
    assert "id " + new in head["received"] and head["message-id"] == "<mine@far.example>" and head["date"].startswith("Tue, 24 Nov 2026 06:42:01")


def test_the_front_hears_the_id():
    """-bs says it, and Received, Message-Id and the log have it; the name that EHLO gave goes along."""
    session = "EHLO me.example\r\nMAIL FROM:<a@isp.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\nSubject: s\r\n\r\n.\r\nQUIT\r\n"
    seen = play(mail(["-bs"], stdin=session), mail(["-v", "y@far.example"], "bob"), servers=[SERVER])
    assert [s["rc"] for s in seen["steps"]] == [0, 0], seen["steps"]
    ids = arrivals(seen)
    for sent, new in zip(messages(seen), ids):
        head, received = fields(sent["data"])
        assert received == 1 and "\n\tid %s\n" % new in head["received"] and head["message-id"] == "<E%s@debian>" % new
    assert len(set(ids)) == 2 and "250 2.0.0 OK id=%s\r\n" % ids[0] in seen["steps"][0]["stdout"], (ids, seen["steps"][0])
    assert "(helo=me.example)" in messages(seen)[0]["data"] and "delivering " + ids[1] in seen["steps"][1]["stderr"]


def test_nobody_takes_the_place_of_another_s_message():
    """Twice the same id, to the same recipient, of the same size: both are there, and the log tells them apart."""
    def one(body):
        return says("HELLO + envelope() + rcpt('bob@debian') + HEAD + raw('B', b'%s\\n') + GO" % body)
    seen = play(one("true"), one("fals"), daemons=[SUBMIT, LOCAL])
    assert sorted(text.rpartition("\n\n")[2] for text in in_maildir(seen, "bob")) == ["fals\n", "true\n"], seen["files"]
    assert len(set(arrivals(seen))) == 2 and CLAIMED not in seen["mainlog"] and seen["mainlog"].count("Completed") == 2


@pytest.mark.parametrize("bad", ["zz0", "1xVsfr-00000K3-3L", "../../input/x", "", "1xVsfr-00000K-3L-H"])
def test_what_is_no_id_is_refused(bad):
    """Nothing is kept under a name that the queue does not list."""
    seen = play(says("HELLO + record('E', %r, 'a@b.example', 'alice', '', '0', '1', '7', 'local') + rcpt() + HEAD + BODY + GO" % bad), servers=[])
    assert "bad message id" in seen["steps"][0]["stdout"] and not arrivals(seen), seen["steps"]
    assert not [path for path in seen["files"] if "/input/" in path and path[-1] != "/"]


@pytest.mark.parametrize("words", ["x@far.example => root@debian R=system", "x@@y", "", "a b@c.example"])
def test_what_was_submitted_is_an_address(words):
    """It stands in log lines."""
    seen = play(says("HELLO + envelope() + record('R', 'x@far.example', %r, '0', '0', '') + HEAD + BODY + GO" % words), servers=[SERVER])
    assert not messages(seen) and not arrivals(seen), seen["mainlog"]


def test_of_root_and_of_a_setup_of_one_s_own_the_front_s_id_stays():
    seen = play(mail(["x@far.example"], "root"), servers=[SERVER])
    [sent], [new] = messages(seen), arrivals(seen)
    assert fields(sent["data"])[1] == 1 and "id " + new in sent["data"]


# ---------------------------------------------------------------- force_sender
BOSS, SELF = "From: Boss <ceo@isp.example>\n", "From: Alice <al@isp.example>\n"
AUTHORS = {"his own": (SELF, True), "another's, and his own Sender": (BOSS + "Sender: al@isp.example\n", True), "another's": (BOSS, False),
           "two From": (SELF + BOSS, False), "two From, the other first": (BOSS + SELF, False), "two From and his own Sender": (SELF + BOSS + "Sender: al@isp.example\n", False),
           "two authors, and which of them sends": ("From: al@isp.example, ceo@isp.example\nSender: al@isp.example\n", True),
           "two authors in one": ("From: al@isp.example, ceo@isp.example\n", False), "a group": ("From: us: al@isp.example, ceo@isp.example;\n", False),
           "another's Sender": (SELF + "Sender: ceo@isp.example\n", False), "two Sender": (BOSS + "Sender: al@isp.example\nSender: ceo@isp.example\n", False),
           "two in one Sender": (BOSS + "Sender: al@isp.example, ceo@isp.example\n", False), "none": ("", False),
           "in odd letters": (SELF + BOSS.replace("From:", "fROM :"), False),
           "sent again by him": (BOSS + SELF.replace("From", "Resent-From"), True), "sent again by another": (SELF + BOSS.replace("From", "Resent-From"), False),
           "sent again by two": (SELF.replace("From", "Resent-From") + BOSS.replace("From", "Resent-From") + BOSS, False)}


@pytest.mark.parametrize("name", AUTHORS)
def test_force_sender_knows_one_author(name):
    """Whatever program speaks: which of two a reader shows is not for the writer to choose."""
    header, good = AUTHORS[name]
    said = "".join(" + raw('H', %r)" % (line + "\n").encode() for line in header.splitlines())
    seen = play(says("HELLO + envelope('al@isp.example') + rcpt()%s + HEAD + BODY + GO" % said), servers=[SERVER], config=FORCED)
    assert len(messages(seen)) == len(arrivals(seen)) == good, (seen["steps"], seen["mainlog"])
    assert good or "force_sender" in seen["steps"][0]["stdout"]


def test_force_sender_says_what_is_wrong():
    seen = play(mail(["x@far.example"], stdin=SELF + BOSS + "Subject: s\n\nbody\n"), mail(["x@far.example"], stdin=SELF + "Subject: s\n\nbody\n"),
                servers=[SERVER], config=FORCED)
    assert [s["rc"] for s in seen["steps"]] == [65, 0] and "one From, at most one Sender" in seen["steps"][0]["stderr"], seen["steps"]
    assert len(messages(seen)) == 1
