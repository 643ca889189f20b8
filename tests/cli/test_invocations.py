"""The ways in which programs call /usr/sbin/sendmail: each delivers to the right recipients or refuses with a status
that is not 0; none exits 0 and loses the mail, as several sendmails do (an option's value taken for a recipient, -N for
"do not deliver", a stray option for a request to show the version)."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

X = ["x@far.example"]
ALICE = "alice@debian"
# (words, recipients, sender)
SUBMISSIONS = [
    ("-t", ["t@far.example", "c@far.example", "b@far.example"], ALICE),
    ("-t x@far.example", ["t@far.example", "c@far.example", "b@far.example", "x@far.example"], ALICE),
    ("-i x@far.example", X, ALICE), ("-oi x@far.example", X, ALICE),
    ("-f a@b.example x@far.example", X, "a@b.example"), ("-fa@b.example x@far.example", X, "a@b.example"),
    ("-f <> x@far.example", X, ""),
    ("-r a@b.example x@far.example", X, "a@b.example"), ("-ra@b.example x@far.example", X, "a@b.example"),
    ("-F Name x@far.example", X, ALICE), ("-FName x@far.example", X, ALICE),
    ("-bm x@far.example", X, ALICE),
    ("-N never x@far.example", X, ALICE), ("-N failure,delay x@far.example", X, ALICE),
    ("-R hdrs x@far.example", X, ALICE), ("-V envid x@far.example", X, ALICE),
    ("-O Timeout.queuereturn=1d x@far.example", X, ALICE),
    ("-odi x@far.example", X, ALICE),
    ("-oem x@far.example", X, ALICE), ("-oep x@far.example", X, ALICE), ("-oee x@far.example", X, ALICE),
    ("-oeq x@far.example", X, ALICE), ("-em x@far.example", X, ALICE), ("-ep x@far.example", X, ALICE),
    ("-oo x@far.example", X, ALICE), ("-oMr local x@far.example", X, ALICE), ("-o7 x@far.example", X, ALICE),
    ("-B8BITMIME x@far.example", X, ALICE), ("-B 8BITMIME x@far.example", X, ALICE),
    ("-L tag x@far.example", X, ALICE), ("-G x@far.example", X, ALICE), ("-U x@far.example", X, ALICE),
    ("-v x@far.example", X, ALICE), ("-X /tmp/traffic x@far.example", X, ALICE),
    ("-d x@far.example", X, ALICE), ("-d0 x@far.example", X, ALICE),
    ("-h 5 x@far.example", X, ALICE), ("-m x@far.example", X, ALICE), ("-n x@far.example", X, ALICE),
    ("-Ac x@far.example", X, ALICE), ("-Am x@far.example", X, ALICE), ("-p esmtp x@far.example", X, ALICE),
    ("-i -- x@far.example", X, ALICE), ("x@far.example,y@far.example", ["x@far.example", "y@far.example"], ALICE),
    ("-FCronDaemon -i -B8BITMIME -oem x@far.example", X, ALICE),
    ("-i -t -oem -oi", ["t@far.example", "c@far.example", "b@far.example"], ALICE),
    ("-ti", ["t@far.example", "c@far.example", "b@far.example"], ALICE),
    ("-oi -f a@b.example -F Name -- x@far.example", X, "a@b.example"),
]
SHOWS = [  # (words, status, what stdout or stderr says): nothing is sent by any
    ("-bv fax x@far.example", 0, r"fax@debian verified\n.*x@far\.example verified"),
    ("-bv nosuch", 2, r"nosuch@debian failed to verify: Unrouteable address"),
    ("-bt x@far.example", 0, r"router = smarthost"),
    ("-bi", 0, ""), ("-bV", 0, r"^onehop version"), ("--version", 0, r"^onehop version"),
    ("-bs", 0, r"^220 debian ESMTP onehop"), ("-bd", 69, "daemon"), ("-bz x@far.example", 64, "-bz"),
    ("", 64, "recipient"), ("-i", 64, "recipient"), ("-f", 64, "-f"), ("-t -f a@@b", 65, "-f"),
]


def stdin(n):
    return ("From: alice@debian\nTo: t@far.example\nCc: c@far.example\nBcc: b@far.example\nSubject: call %d\n\n"
            "one\n.\ntwo\n" % n)


@pytest.fixture(scope="module")
def observed():
    words = [w for w, *_ in SUBMISSIONS] + [w for w, *_ in SHOWS]
    steps = [{"argv": ["/usr/sbin/sendmail", *w.split()], "user": "alice", "stdin": stdin(n)} for n, w in enumerate(words)]
    return sandbox.run_case({"steps": steps, "servers": [{}]})


def taken(observed, n):
    return [m for c in observed["smtp"] for m in c["messages"] if "\r\nSubject: call %d\r\n" % n in m["data"]]


def test_there_are_48():
    assert len(SUBMISSIONS) == 48


@pytest.mark.parametrize("n", range(len(SUBMISSIONS)), ids=[w for w, *_ in SUBMISSIONS])
def test_delivers(observed, n):
    words, recipients, sender = SUBMISSIONS[n]
    step, messages = observed["steps"][n], taken(observed, n)
    assert step["rc"] == 0, step["stderr"]
    (message,) = messages
    assert sorted(r[0] for r in message["rcpt"]) == sorted("TO:<%s>" % r for r in recipients)
    assert re.match(r"FROM:<%s>" % re.escape(sender), message["mail"])
    assert "\r\nBcc:" not in message["data"]
    assert message["data"].endswith("one\r\n..\r\ntwo\r\n")
    assert "/tmp/traffic" not in observed["files"]


@pytest.mark.parametrize("n", range(len(SHOWS)), ids=[w or "no arguments" for w, *_ in SHOWS])
def test_sends_nothing(observed, n):
    _, status, says = SHOWS[n]
    step = observed["steps"][len(SUBMISSIONS) + n]
    assert step["rc"] == status, step["stdout"] + step["stderr"]
    assert re.search(says, step["stdout"] + step["stderr"])
    assert not taken(observed, len(SUBMISSIONS) + n)


def test_other_names(observed):
    steps = [{"argv": ["/usr/bin/newaliases"]}, {"argv": ["/usr/bin/mailq"]}, {"argv": ["/usr/sbin/runq"]}]
    rcs = [s["rc"] for s in sandbox.run_case({"steps": steps})["steps"]]
    assert rcs == [0, 0, 0]
