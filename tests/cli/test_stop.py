"""Told to stop (systemctl stop, a shutdown, ^C) at each moment: nothing is lost, nothing goes twice."""
import glob
import os
import re
import signal
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_busy import door, play, subjects  # noqa: E402
from cli.test_doors import SERVER  # noqa: E402
from harness import post as harness, sandbox  # noqa: E402

MOMENTS = ["greeting", "mail", "rcpt", "dot"]
WIRES = {"chunks": harness.EHLO, "dots": ["250-post", "250 SIZE"]}
SOME = {"service": lambda all: all, "front": lambda all: all[:1], "sender": lambda all: all[1:2]}


@pytest.fixture(name="post")
def make_post(tmp_path):
    p = harness.Post(tmp_path)
    p.reached, p.told = threading.Event(), threading.Event()
    yield p
    p.told.set()
    p.down()


def family(pid):
    """The process and all that came of it, the oldest first."""
    found = [pid]
    for parent in found:
        for path in glob.glob("/proc/%d/task/*/children" % parent):
            with open(path, encoding="ascii") as f:
                found += map(int, f.read().split())
    return found


def hold_at(post, moment, nth=1):
    """The server answers the nth time only when the test has done its part, and half a second later."""
    seen = []

    def rule(line):
        seen.append(line)
        if len(seen) == nth:
            post.reached.set()
            assert post.told.wait(20)
            post.pause.wait(0.5)
        return "220 post" if moment == "greeting" else "250 2.0.0 ok"
    post.rules[moment] = rule


def start(post, *words, stdin=b""):
    argv = [sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", *words]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    child.stdin.write(stdin)
    child.stdin.flush()
    return child


def stop(post, child, whom, number=signal.SIGTERM):
    assert post.reached.wait(20), child.communicate(timeout=20)
    for pid in SOME[whom](family(child.pid)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:          # the one before has told it
            pass
    post.told.set()


def end(child):
    out, err = child.communicate(timeout=30)
    return child.returncode, out.decode(), err.decode()


def all_in_the_end(post):
    """What a run of the queue adds, and how often each message came then."""
    post.rules.clear()
    assert post.sendmail("-qff").returncode == 0 and post.input() == [], post.said
    found = [re.search("(?m)^Subject: (.*)\r$", data).group(1) for _, _, data in post.mails]
    return {name: found.count(name) for name in found}


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("whom", SOME)
@pytest.mark.parametrize("moment", MOMENTS)
def test_while_a_message_is_sent(post, moment, whom, wire):
    """The caller hears that it is delivered; before it was taken he asks again, or ends if he was told to."""
    post.ehlo = WIRES[wire]
    hold_at(post, moment)
    child = start(post, "x@far.example", stdin=b"Subject: 1\n\n")
    child.stdin.close()
    child.stdin = None
    stop(post, child, whom)
    rc, _, err = end(child)
    # a message that is a chunk of its envelope's flight may be the server's when it has answered nothing yet
    due = moment == "dot" or (wire == "chunks" and moment != "greeting")
    if not due and whom != "sender":
        assert (rc, err, post.mails, post.input()) == (-signal.SIGTERM, "", [], [])
        return
    assert (rc, err) == (0, ""), (rc, err)
    assert (len(post.mails), post.input()) == (1, []), post.mainlog()
    assert all_in_the_end(post) == {"1": 1}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM], ids=lambda s: s.name)
def test_another_signal(post, number):
    hold_at(post, "dot")
    child = start(post, "x@far.example", stdin=b"Subject: 1\n\n")
    child.stdin.close()
    child.stdin = None
    stop(post, child, "front" if number == signal.SIGALRM else "service", number)    # the others have timers of their own
    assert end(child)[0] == 0 and post.input() == [] and all_in_the_end(post) == {"1": 1}


@pytest.mark.parametrize("whom", SOME)
@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("nth", [1, 2])
def test_while_the_queue_is_run(post, moment, whom, nth):
    """No message is begun after it; those that wait are due as they were."""
    post.down()
    for i in range(3):
        assert post.sendmail("-odq", "x@far.example", stdin="Subject: %d\n\n" % i).returncode == 0
    post.up()
    nth = 1 if moment == "greeting" else nth
    hold_at(post, moment, nth)
    child = start(post, "-q")
    stop(post, child, whom)
    rc, _, err = end(child)
    assert (rc, err) == (0, "")
    gone = nth if moment in ("dot", "mail", "rcpt") else 0      # in chunks: the text is under way
    assert len(post.mails) == gone and post.input() == sorted(["D", "H"] * (3 - gone)), post.mainlog()
    assert "(told to stop)" in post.mainlog()
    assert all_in_the_end(post) == {"0": 1, "1": 1, "2": 1}


def test_a_run_that_is_stopped_before_it_begins(post):
    """What was broken off is no try: it is due at the next run."""
    assert post.sendmail("-odq", "x@far.example").returncode == 0
    hold_at(post, "greeting")
    child = start(post, "-q")
    stop(post, child, "service")
    assert end(child)[0] == 0
    post.rules.clear()
    assert post.sendmail("-q").returncode == 0 and len(post.mails) == 1


def words(path):
    """Of a process that may have ended meanwhile."""
    try:
        with open(path, "rb") as f:
            return f.read()
    except OSError:
        return b""


def test_behind_the_caller_s_back(post):
    """-odb: the message is kept, and what goes on without a caller ends, too."""
    hold_at(post, "dot")
    child = start(post, "-odb", "x@far.example", stdin=b"Subject: 1\n\n")
    child.stdin.close()
    child.stdin = None
    assert post.reached.wait(20)
    own = [int(p.split("/")[2]) for p in glob.glob("/proc/[0-9]*/cmdline")
           if post.directory.encode() in words(p) and b"onehop-send" in words(p)]
    assert end(child)[0] == 0 and own
    for pid in own:
        os.kill(pid, signal.SIGTERM)
    post.told.set()
    post.until(lambda: post.input() == [])
    assert all_in_the_end(post) == {"1": 1}


TALK = b"EHLO x\r\nMAIL FROM:<a@h.example>\r\nRCPT TO:<x@far.example>\r\nDATA\r\nSubject: %d\r\n\r\n.\r\n"


@pytest.mark.parametrize("whom", ["service", "front"])
def test_a_session(post, whom):
    """The client that has said all of two messages hears of the first, and that there is no more."""
    hold_at(post, "dot")
    child = start(post, "-bs", stdin=TALK % 1 + TALK % 2)
    stop(post, child, whom)
    rc, out, _ = end(child)
    assert rc == 0 and re.search(r"\r\n354 [^\n]*\n250 [^\n]*\n421 4\.3\.2 [^\n]*\n$", out), out
    assert len(post.mails) == 1 and all_in_the_end(post) == {"1": 1}


def test_a_session_that_waits(post):
    child = start(post, "-bs", stdin=b"EHLO x\r\n")
    assert child.stdout.readline().startswith(b"220 ")
    while child.stdout.readline()[3:4] != b" ":
        pass
    child.terminate()
    assert end(child)[0] == -signal.SIGTERM


def test_a_caller_who_has_not_said_all(post):
    """Nothing was taken: it ends at once."""
    child = start(post, "x@far.example", stdin=b"Subject: 1\n")
    post.pause.wait(0.3)
    child.terminate()
    assert child.wait(10) == -signal.SIGTERM and not post.mails and post.input() == []


# In a sandbox: every process of these names.
TELL = """tell() {
  for p in /proc/[0-9]*; do
    for name in "$@"; do read comm <$p/comm && test "$comm" = $name && kill ${p#/proc/}; done
  done 2>/dev/null
}
"""


def test_a_local_delivery():
    """A command of a .forward file: it is heard to its end."""
    forward = {"/home/alice/.forward": {"content": '"|/bin/sh -c \'cat >/home/alice/got.$$; touch /home/alice/begun; sleep 1\'"\n',
                                        "owner": "alice", "mode": "600"}}
    told = TELL + "echo 'Subject: 1' | /usr/sbin/sendmail alice & until test -e /home/alice/begun; do :; done; tell onehop-send onehop-local; wait $!; echo $?"
    seen = play({"argv": ["/bin/sh", "-c", told]}, {"argv": ["/usr/sbin/sendmail", "-qff"]}, daemons=[], config={"files": forward})
    assert seen["steps"][0]["stdout"] == "0\n" and len([f for f in seen["files"] if f.startswith("/home/alice/got")]) == 1, seen


@pytest.mark.parametrize("whom", ["onehop-send", "onehop-send sendmail", "sendmail"])
def test_at_the_door(whom):
    told = TELL + "setpriv --reuid=alice --regid=alice --clear-groups -- /bin/sh -c \"echo 'Subject: 1' | exec /usr/sbin/sendmail x@far.example\" & " \
        "sleep 1; tell %s; wait $!; echo $?" % whom
    seen = play({"argv": ["/bin/sh", "-c", told]}, servers=[{**SERVER, "dot": ["SLEEP 3", "250 2.0.0 queued"]}], daemons=[door()])
    assert seen["steps"][0]["stdout"] == "0\n" and subjects(seen) == ["1"], seen["steps"]


# ---------------------------------------------------------------- the caller alone is killed, and not asked
GONE = "the caller was gone before he heard of it, it is his again"


def kill_at(post, moment, words, stdin=b"Subject: 1\n\nbody\n"):
    """The front is killed while the server holds its answer; then the log."""
    hold_at(post, moment)
    child = start(post, *words, stdin=stdin)
    child.stdin.close()
    child.stdin = None
    stop(post, child, "front", signal.SIGKILL)
    assert end(child)[0] == -signal.SIGKILL
    post.rest()
    return post.mainlog()


@pytest.mark.parametrize("moment", ["greeting", "rcpt", "dot"])
@pytest.mark.parametrize("mode", ["-odf", "-oi"])
def test_nothing_stays_of_a_killed_callers_message(post, moment, mode):
    """Two transports: it is in the spool while it is under way, and no longer when he is gone."""
    post.rules["rcpt"] = lambda line: "451 4.2.0 later" if "later@" in line else "250 ok"
    post.ehlo = WIRES["dots"]
    log = kill_at(post, moment, [mode, "x@far.example", "later@far.example"])
    assert post.input() == []
    assert not post.mails or GONE + "; delivered: x@far.example; dropped: later@far.example\n" in log
    post.rules.clear()
    taken = len(post.mails)
    assert post.sendmail("-qff").returncode == 0 and len(post.mails) == taken <= 1


def test_a_verdict_that_was_not_read(post):
    """He stands still when it comes, and is killed then: the queue has nothing."""
    hold_at(post, "dot")
    post.rules["rcpt"] = lambda line: "451 4.2.0 later" if "later@" in line else "250 ok"
    child = start(post, "x@far.example", "later@far.example", stdin=b"Subject: 1\n\nbody\n")
    child.stdin.close()
    child.stdin = None
    assert post.reached.wait(20)
    os.kill(child.pid, signal.SIGSTOP)
    post.told.set()
    post.until(lambda: "== later@far.example" in post.mainlog())
    post.pause.wait(0.5)
    assert post.input() == ["D", "H"]
    child.kill()
    assert end(child)[0] == -signal.SIGKILL
    post.rest()
    assert post.input() == [] and GONE + "; delivered: x@far.example; dropped: later@far.example\n" in post.mainlog()


def test_who_stands_still_is_not_gone(post):
    """^Z and fg: he reads it later."""
    post.down()
    child = start(post, "x@far.example", stdin=b"Subject: 1\n\nbody\n")
    child.stdin.close()
    child.stdin = None
    post.until(lambda: os.path.exists(post.log) and " <= " in post.mainlog())
    try:
        os.kill(child.pid, signal.SIGSTOP)
        post.pause.wait(1)
        os.kill(child.pid, signal.SIGCONT)
    except ProcessLookupError:
        pass
    assert end(child)[:1] == (0,) and post.input() == ["D", "H"] and GONE not in post.mainlog()


def test_a_bounce_of_it_goes_too(post):
    """One is refused, one has it: a bounce would tell of what he asks for again."""
    post.rules["rcpt"] = lambda line: "550 5.1.1 no" if "bad@" in line else "250 ok"
    post.ehlo = WIRES["dots"]
    log = kill_at(post, "dot", ["x@far.example", "bad@far.example"])
    assert post.input() == [] and [r for _, r, _ in post.mails] == [["x@far.example"]], log
    assert GONE + "; delivered: x@far.example; dropped: bad@far.example\n" in log
