"""An upgrade from 17329d6, in either order of front and sender: nothing is lost, nothing goes twice.

The old programs are built from the repository's history; without it (a tarball) this skips.
"""
import contextlib
import os
import shutil
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli import test_busy as busy  # noqa: E402
from cli.test_doors import CONFIG  # noqa: E402
from harness import post as harness, sandbox  # noqa: E402

OLD = "17329d6"
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = "mkdir tree && git -C '%s' archive %s | tar -x -C tree && cd tree && ./bootstrap && mkdir b && cd b && ../configure --prefix=/usr && make -s -j2"


@pytest.fixture(name="old", scope="module")
def make_old(tmp_path_factory):
    """{name: path} of the old programs."""
    there = os.environ.get("ONEHOP_OLD_BUILD")
    if not there:
        if not shutil.which("git"):
            pytest.skip("git is not installed")
        if subprocess.run(["git", "-C", TOP, "cat-file", "-e", OLD + "^{commit}"], stderr=subprocess.DEVNULL, check=False).returncode:
            pytest.skip("the history does not have %s" % OLD)
        where = tmp_path_factory.mktemp("old")
        r = subprocess.run(["/bin/sh", "-ec", BUILD % (TOP, OLD)], cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=900)
        if r.returncode:
            pytest.skip("%s cannot be built here: %s" % (OLD, r.stdout.decode(errors="replace")[-300:]))
        there = str(where / "tree/b")
    return {name: os.path.join(there, name) for name in sandbox.programs()}


@pytest.fixture(name="post")
def make_post(tmp_path):
    p = harness.Post(tmp_path)
    yield p
    p.down()


def put(directory, programs, *names):
    """As make install does: a new file under the old name."""
    os.makedirs(directory, exist_ok=True)
    for name in names or programs:
        shutil.copy(programs[name], directory + "/.new")
        os.rename(directory + "/.new", directory + "/" + name)


class Mixed:
    """Programs side by side, which find each other there."""

    def __init__(self, post, front, sender):
        self.post, self.where = post, post.directory + "/programs"
        put(self.where, sender)
        put(self.where, front, "onehop")

    def start(self, *words, stdin="Subject: s\n\nbody\n"):
        child = subprocess.Popen([self.where + "/onehop", "-C", self.post.directory + "/onehop.conf", *words],
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        with contextlib.suppress(BrokenPipeError):              # -bp does not read it
            child.stdin.write(stdin.encode())
            child.stdin.flush()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.close()
        child.stdin = None
        return child

    def run(self, *words, **how):
        child = self.start(*words, **how)
        out, err = child.communicate(timeout=60)
        return child.returncode, out.decode(), err.decode()


ORDERS = ["old front", "new front"]


def mixed(post, old, order):
    new = sandbox.programs()
    return Mixed(post, old, new) if order == "old front" else Mixed(post, new, old)


@pytest.mark.parametrize("order", ORDERS)
def test_one_is_new(post, old, order):
    """What is sent, refused, kept, listed, run and said over SMTP, with one of the two exchanged."""
    both = mixed(post, old, order)
    assert both.run("x@far.example") == (0, "", "") and len(post.mails) == 1
    rc, _, err = both.run("-v", "x@far.example")
    assert rc == 0 and "=> x@far.example" in err and "serving" not in err, err
    post.rules["rcpt"] = "550 5.1.1 who is that"
    rc, _, err = both.run("x@far.example")
    assert rc == 69 and "who is that" in err
    post.rules["rcpt"] = "451 4.2.0 later"
    assert both.run("x@far.example") == (0, "", "") and post.input() == ["D", "H"]
    rc, out, _ = both.run("-bp")
    assert rc == 0 and "x@far.example" in out and both.run("-bpc")[1] == "1\n"
    post.rules.clear()
    assert both.run("-qff")[0] == 0 and post.input() == [] and len(post.mails) == 3
    rc, out, _ = both.run("-bs", stdin="EHLO x\r\nMAIL FROM:<a@h.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\nSubject: s\r\n\r\n.\r\nQUIT\r\n")
    assert rc == 0 and len(post.mails) == 4 and "\r\n250 2.0.0 OK id=" in out


@pytest.mark.parametrize("order", ORDERS)
def test_mail_that_waits(post, old, order):
    """The spool of the one is the other's."""
    new = sandbox.programs()
    one, other = (Mixed(post, old, old), new) if order == "old front" else (Mixed(post, new, new), old)
    post.rules["rcpt"] = "451 4.2.0 later"
    for i in range(3):
        assert one.run("x@far.example", "y@far.example", stdin="Subject: %d\n\nbody\n" % i)[0] == 0
    put(one.where, other)
    assert one.run("-bpc")[1] == "3\n"
    post.rules.clear()
    assert one.run("-qff")[0] == 0 and post.input() == []
    assert sorted(m[2].split("Subject: ")[1][0] for m in post.mails) == ["0", "1", "2"]


@pytest.mark.parametrize("moment", ["greeting", "mail", "dot"])
def test_in_flight(post, old, moment):
    """Every file is exchanged while the old programs send; what they load then is new."""
    reached, go_on = threading.Event(), threading.Event()

    def rule(_):
        reached.set()
        go_on.wait(20)
        return "220 post" if moment == "greeting" else "250 2.0.0 ok"
    post.rules[moment] = rule
    both = Mixed(post, old, old)
    child = both.start("x@far.example")
    assert reached.wait(20)
    put(both.where, sandbox.programs())
    go_on.set()
    assert child.wait(30) == 0
    post.rules.clear()
    assert both.run("-qff")[0] == 0 and post.input() == [] and len(post.mails) == 1


def test_the_front_is_old_and_its_sender_comes_later(post, old):
    """onehop was started before the exchange and executes onehop-send after it: a session of -bs."""
    both = Mixed(post, old, old)
    child = subprocess.Popen([both.where + "/onehop", "-C", post.directory + "/onehop.conf", "-bs"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline().startswith(b"220 ")
    put(both.where, sandbox.programs())
    out, _ = child.communicate(b"EHLO x\r\nMAIL FROM:<a@h.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\nSubject: s\r\n\r\n.\r\nQUIT\r\n", timeout=60)
    assert child.returncode == 0 and b"\r\n250 2.0.0 OK id=" in out and len(post.mails) == 1 and post.input() == []


@pytest.mark.parametrize("order", ORDERS)
def test_through_the_socket(old, order):
    """Twelve at once; an old onehop-send says no word, and a connection that is dropped is known by its end."""
    limits = {} if order == "old front" else {"source": 3}
    daemon = busy.door(**limits)
    front = "/usr/sbin/sendmail"
    if order == "old front":
        front = "/opt/old/onehop"
    else:
        daemon = {**daemon, "argv": [*daemon["argv"][:-1], "/opt/old/onehop-send"]}
    wait = {"argv": ["/bin/sh", "-c", "until test -S /run/onehop/submit; do :; done"]}
    crowd = busy.crowd(12, "x@far.example")
    crowd["argv"][2] = crowd["argv"][2].replace("/usr/sbin/sendmail", front)
    try:
        seen = sandbox.run_case({"config": CONFIG, "steps": [wait, crowd], "daemons": [daemon], "servers": [{"sessions": [busy.SLOW]}]},
                                binds={busy.HARNESS: "/opt/harness", os.path.dirname(old["onehop"]): "/opt/old"})
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    assert busy.statuses(seen["steps"][1]) == {0: 12}, (seen["steps"][1], seen["daemons"])
    assert busy.subjects(seen) == sorted(str(i + 1) for i in range(12))
    assert ("dropped" in seen["daemons"]) == (order == "new front")
