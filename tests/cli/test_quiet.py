"""Mail that goes at once does not look at each message that waits when none of them can be due, and takes along what is."""
import glob
import os
import re
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import backlog, sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")
MANY, FEW = 300, 3
MORE = 100                 # calls more than with an empty queue, where each message would be 13; how often one waits varies


def later(line):
    return "451 4.2.0 later" if "later" in line else "250 ok"


def waits(post, n=FEW):
    """n messages wait, for a reason of their own, and somebody has looked at all of them."""
    post.configure(retry="F,2h,15m")
    post.rules["rcpt"] = later
    assert post.sendmail("later@far.example").returncode == 0
    backlog.grow(post.spool, n)
    now(post)
    assert os.path.exists(post.spool + "/db/quiet") and post.input().count("H") == n


def now(post, to="now@far.example"):
    before = len(post.mails)
    assert post.sendmail(to).returncode == 0
    assert len(post.mails) > before
    post.rest()


def calls(post):
    trace = ["strace", "-f", "-qq", "-o", post.directory + "/calls"]
    subprocess.run([*trace, sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", "now@far.example"],
                   input=b"Subject: s\n\nbody\n", check=True, timeout=120)
    post.rest()
    with open(post.directory + "/calls", encoding="latin-1") as f:
        return len([line for line in f if "+++" not in line and "---" not in line])


def ids(post):
    return sorted(os.path.basename(p)[:-2] for p in glob.glob(post.spool + "/input/*-H"))


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.skipif(sandbox.sanitized(), reason="the sanitizer makes calls of its own")
def test_the_calls_do_not_grow_with_the_queue(post):
    now(post)
    empty = calls(post)
    waits(post, MANY)
    assert calls(post) < empty + MORE, empty
    post.sendmail("-odq", "-f", "<>", "later2@far.example")
    now(post)                                                  # one more is tried,
    now(post)                                                  # and looked at; then it is known too
    assert calls(post) < empty + MORE, empty
    assert post.input().count("H") == MANY + 1


def test_a_host_list_that_rests(post, tmp_path):
    """Nobody asks what waits for it; once a server of it takes mail, all goes."""
    post.configure("[sender boss@here.example]\nsmarthost = 127.0.0.1::1\n", retry="F,2h,15m")
    for n in range(FEW):
        assert post.sendmail("-f", "boss@here.example", "far%d@far.example" % n).returncode == 0
    now(post)
    assert "hosts 127.0.0.1::1\n" in (tmp_path / "spool/db/quiet").read_text()
    before = post.mainlog()
    now(post)
    assert "boss@" not in post.mainlog()[len(before):] and post.input().count("H") == FEW
    os.unlink(glob.glob(post.spool + "/db/host.*1%3A%3A1")[0])  # it is not known to rest any more
    post.configure()
    now(post)
    assert post.input() == [] and len(post.mails) == 3 + FEW


def test_the_smarthost_comes_back(post):
    post.configure(retry="F,2h,15m")
    post.rules["greeting"] = "421 busy"
    for n in range(FEW):
        assert post.sendmail("far%d@far.example" % n).returncode == 0
    post.sendmail("-q")                                         # nothing is due, and that is known
    assert os.path.exists(post.spool + "/db/quiet") and post.input().count("H") == FEW
    post.rules.clear()
    now(post)
    assert post.input() == [] and len(post.mails) == 1 + FEW


def put_in(post):
    assert post.sendmail("-odq", "x@far.example").returncode == 0
    return 1


def thaw(post):
    one = ids(post)[0]
    assert post.sendmail("-Mf", one).returncode == 0
    now(post)
    assert post.input().count("H") == FEW
    assert post.sendmail("-Mt", one).returncode == 0
    return 0                                                   # it has a time of its own still


def lose(post):
    os.unlink(post.spool + "/db/quiet")
    return put_in(post)


def damage(post):
    with open(post.spool + "/db/quiet", "r+b") as f:
        f.seek(30)
        f.write(b"9")
    return put_in(post)


def other_rule(post):
    """A longest interval of a minute: what lies further ahead was set by another clock."""
    post.configure(retry="F,2h,1m")
    return 0


@pytest.mark.parametrize("change", [put_in, thaw, lose, damage, other_rule])
def test_what_becomes_due_goes_along(post, change):
    waits(post)
    n = change(post)
    now(post)
    assert post.input().count("H") == FEW and len(post.mails) == 2 + n + (change is thaw), post.mainlog()


def test_time_passes(post):
    post.configure(retry="F,2h,1s")
    post.rules["rcpt"] = later
    assert post.sendmail("later@far.example").returncode == 0
    post.rules.clear()

    def gone():
        now(post)
        return post.input() == []
    post.until(gone)


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_who_is_killed_after_he_put_it_in(post):
    """The id is in the record before the message is in the queue."""
    waits(post)
    trace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:signal=KILL:when=3"]
    subprocess.run([*trace, sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", "-odq", "x@far.example"],
                   input=b"Subject: s\n\nbody\n", stderr=subprocess.DEVNULL, check=False, timeout=60)
    assert post.input().count("H") == FEW + 1
    now(post)
    assert post.input().count("H") == FEW and [m[1] for m in post.mails[-2:]] == [["now@far.example"], ["x@far.example"]]


def test_a_bounce_that_is_frozen_is_no_reason_to_look(post):
    post.rules["rcpt"] = lambda line: "550 no" if "gone@" in line else "250 ok"
    assert post.sendmail("-odq", "-f", "<>", "gone@far.example").returncode == 0
    now(post)
    assert b"*** frozen ***" in post.sendmail("-bp").stdout
    now(post)                                                  # it was tried, and is looked at once more
    with open(post.spool + "/db/quiet", encoding="ascii") as f:
        said = f.read()
    assert not re.search("id |-", said[17:]), said
