"""fold_duplicates: of equal messages that wait one is kept, and counts the others."""
import os
import re

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")

MAIL = "From: root\nTo: far@far.example\nSubject: cron\n%s\ncannot open the file\n"
TIMES = "Date: Mon, 23 Nov 2026 10:00:%02d +0000\nMessage-ID: <n%d@here.example>\nReceived: from x; Mon, 23 Nov 2026 10:00:%02d +0000\n"


def send(post, mail=MAIL % "", to="far@far.example", words=("-odq",)):
    assert post.sendmail("-i", *words, to, stdin=mail).returncode == 0


def waiting(post):
    return len(post.input()) // 2


def folded(post):
    """The number in the only message's X-Folded."""
    (name,) = [n for n in os.listdir(post.spool + "/input") if n.endswith("-H")]
    with open("%s/input/%s" % (post.spool, name), encoding="latin-1") as f:
        return [int(n) for n in re.findall(r"^\d+[ *] X-Folded: (\d+)$", f.read(), re.M)]


def test_the_first_counts_the_others(post):
    post.configure(fold_duplicates="yes")
    for i in range(5):
        send(post, MAIL % (TIMES % (i, i, i)))
    assert waiting(post) == 1 and folded(post) == [4]
    log = post.mainlog()
    assert [log.count(s) for s in (" <= ", " folded into ", "X-Folded: 4 (fold_duplicates)", " Completed")] == [5, 4, 1, 4]
    assert post.sendmail("-q", stdin="").returncode == 0
    (text,) = [data for _, _, data in post.mails]
    assert "X-Folded: 4\r\n" in text and text.count("X-Folded") == 1 and "<n0@here.example>" in text and waiting(post) == 0


def test_also_when_the_smarthost_does_not_take_it(post):
    post.configure(fold_duplicates="yes")
    post.rules["mail"] = lambda line: "451 4.3.0 later"
    for _ in range(3):
        send(post, words=())
    assert waiting(post) == 1 and folded(post) == [2]


def test_not_unless_asked_for(post):
    for _ in range(2):
        send(post)
    assert waiting(post) == 2 and not [n for n in os.listdir(post.spool + "/db") if n.startswith("same.")]


@pytest.mark.parametrize("other", [
    {"mail": MAIL % "" + "\n"}, {"mail": (MAIL % "").replace("cron", "Cron")}, {"mail": MAIL % "X-Update: b\n"}, {"to": "further@far.example"},
    {"words": ("-odq", "-f", "other@here.example")}], ids=["body", "subject", "field", "recipient", "sender"])
def test_what_differs_is_kept(post, other):
    post.configure(fold_duplicates="yes")
    send(post)
    send(post, **other)
    assert waiting(post) == 2


def test_not_into_what_somebody_has(post):
    post.configure(fold_duplicates="yes")
    two = {"words": ("-odq", "b@far.example")}
    post.rules["rcpt"] = lambda line: "450 4.2.1 later" if "b@" in line else "250 ok"
    send(post, **two)
    send(post, **two)
    assert waiting(post) == 1 and post.sendmail("-qf", stdin="").returncode == 0
    send(post, **two)
    assert waiting(post) == 2


def test_not_into_what_is_gone(post):
    post.configure(fold_duplicates="yes")
    post.rules["mail"] = lambda line: "451 4.3.0 later"
    send(post, words=())
    del post.rules["mail"]
    assert post.sendmail("-qf", stdin="").returncode == 0 and waiting(post) == 0 and len(post.mails) == 1
    send(post)
    assert waiting(post) == 1 and folded(post) == []
    assert post.sendmail("-q", stdin="").returncode == 0 and len(post.mails) == 2
    assert post.sendmail("-q", stdin="").returncode == 0
    assert not [n for n in os.listdir(post.spool + "/db") if n.startswith("same.")], "the notes go, too"
