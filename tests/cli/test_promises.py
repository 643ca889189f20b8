"""Servers that promise and do not keep: limits of a connection, refusals that are not meant."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import planted  # noqa: E402
from harness.played import Played  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")
PIPELINING = ["250-hi", "250 PIPELINING"]
CHUNKING = ["250-hi", "250-PIPELINING", "250 CHUNKING"]


@pytest.fixture
def make(tmp_path):
    made = []

    def one(*sessions, more="", unix=False, **options):
        post = Played(tmp_path, *sessions, unix=unix)
        made.append(post)
        post.configure(more, **options)
        return post
    yield one
    for post in made:
        post.down()
        planted.look_below(post.directory, "".join(post.said))


# ---------------------------------------------------------------- it refuses the sender, and goes on
@pytest.mark.parametrize("reply, status", [("550 5.7.1 not you", 69), ("451 4.7.1 later", 0), ("552 5.2.2 full", 69)])
def test_a_sender_refused_and_354(make, reply, status):
    """S14: such a server would deliver an empty message; it gets not even a dot."""
    post = make({"ehlo": PIPELINING, "mail": reply})
    r = post.send()
    assert r.returncode == status and post.messages() == []
    assert post.heard(0)[-1] == "DATA" and len(post.records) == 1
    assert post.input() == (["D", "H"] if status == 0 else [])


@pytest.mark.parametrize("reply", ["550 5.7.1 not you", "451 4.7.1 later"])
def test_a_sender_refused_and_the_text_taken(make, reply):
    """It is in the same flight (BDAT), and the server's last word is that it has the message: so that it is not sent again."""
    post = make({"ehlo": CHUNKING, "mail": reply})
    r = post.send("-odi")
    assert r.returncode == 0 and len(post.messages()) == 1 and post.input() == []
    post.send("-qff", to=None)
    assert len(post.messages()) == 1 and "=> x@far.example" in post.mainlog()


def test_a_sender_refused_and_gone(make):
    """What it said counts, not that it hung up before the rest was answered."""
    post = make({"ehlo": CHUNKING, "mail": ["450 4.7.1 later", "DROP"]})
    post.send("-odi")
    assert "450 4.7.1 later" in post.sendmail("-bp").stdout.decode() and "may arrive twice" not in post.mainlog()


# ---------------------------------------------------------------- a connection's limit
def at_most(n, reply, drop=False):
    """A server that takes n messages over a connection."""
    def session():
        left = [n]

        def mail(line):
            left[0] -= 1
            return "250 ok" if left[0] >= 0 else [reply, "DROP"] if drop else reply
        return {"ehlo": PIPELINING, "mail": mail}
    return session


def queue(post, n):
    """n messages, and a server that is there now."""
    for i in range(n):
        assert post.send("-odq", stdin="Subject: %d\n\nbody\n" % i).returncode == 0


def subjects(post):
    return sorted(int(m["data"].split("Subject: ")[1].split()[0]) for m in post.messages())


@pytest.mark.parametrize("reply, drop", [("452 4.3.1 Too many messages sent", False), ("421 4.7.0 too many messages in this connection", True),
                                         ("451 4.7.1 slow down", False), ("450 no more", True)])
def test_a_limit_of_a_connection(make, reply, drop):
    """S7: the rest of the run goes over new connections."""
    post = make(at_most(3, reply, drop))
    queue(post, 10)
    post.send("-q", to=None)
    assert subjects(post) == list(range(10)) and post.input() == [] and len(post.records) == 4
    assert reply in post.mainlog()


@pytest.mark.parametrize("reply, drop", [("452 4.3.1 Too many messages sent", False), ("421 4.7.0 enough for today", True)])
def test_a_limit_of_the_host(make, reply, drop):
    """Refused as the first of a fresh connection as well: the host backs off, the rest is not tried."""
    post = make(at_most(3, reply, drop), at_most(0, reply, drop))
    queue(post, 10)
    post.send("-q", to=None)
    assert len(post.messages()) == 3 and len(post.records) == 2 and len(post.input()) == 14
    assert [c.split(":")[0] for c in post.heard(1)].count("MAIL FROM") == 1
    post.send("-q", to=None)                    # it is not due
    assert len(post.records) == 2
    post.sessions[:] = [at_most(100, reply)]
    post.send("-qf", to=None)
    assert subjects(post) == list(range(10)) and post.input() == []


def test_it_is_the_sender_s(make):
    """Of one message: 4.1.X is about the sender's address; the others go on."""
    post = make({"ehlo": PIPELINING, "mail": {"bad@": "450 4.1.8 Sender address rejected: Domain not found", "default": "250 ok"}})
    queue(post, 2)
    post.send("-odq", "-f", "bad@b.example", stdin="Subject: 9\n\nbody\n")
    queue(post, 2)
    post.send("-q", to=None)
    assert subjects(post) == [0, 0, 1, 1] and len(post.input()) == 2
