"""What a user has at home holds up his own mail and nobody else's: programs that stop, wait or do not read, FIFOs."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))
BIG = "Subject: big\n\n" + "0123456789\n" * 100000


def at_home(program=None, forward=None, before=""):
    """How alice's home comes to be: her program, her .forward, and what is made by hand."""
    files = {"/home/alice/.forward": {"content": forward or "|/home/alice/program\n", "owner": "alice", "mode": "644"}}
    if program:
        files["/home/alice/program"] = {"content": "#!/bin/sh\n" + program, "owner": "alice", "mode": "755"}
    return [{"write": files}, {"argv": ["/bin/sh", "-ec", before or ":"], "user": "alice"}]


KINDS = {
    "reads": (at_home("cat >/home/alice/got\n"), "got"),
    "stops its parent": (at_home("kill -STOP $PPID; sleep 1000\n"), ""),
    "stops all that it can": (at_home("kill -STOP -1\n"), ""),
    "stops itself": (at_home("cat >/dev/null; kill -STOP $$\n"), ""),
    "waits": (at_home("cat >/dev/null; exec sleep 1000\n"), ""),
    "does not read": (at_home("exec sleep 1000\n"), ""),
    "a FIFO for .forward": (at_home(before="rm .forward; mkfifo .forward"), ""),
    "a FIFO as mailbox": (at_home(forward="/home/alice/fifo\n", before="mkfifo fifo"), ""),
    "a FIFO as a Maildir": (at_home(forward="/home/alice/dir/\n", before="mkdir dir; mkfifo dir/tmp"), ""),
    "a FIFO as a Maildir's new": (at_home(forward="/home/alice/dir/\n", before="mkdir dir dir/tmp; mkfifo dir/new"), ""),
}


def root(*words, stdin="", **more):
    return {"argv": ["/usr/sbin/sendmail", *words], "stdin": stdin, "settle": 1, **more}


def play(*steps, **case):
    try:
        return sandbox.run_case({"config": {}, "steps": list(steps), "servers": [{"sessions": [{}]}], "daemons": [], "snap": ["/var/log", "/home"], **case})
    except sandbox.Unavailable as e:
        pytest.skip(str(e))


def names(seen, place):
    return [name for name in seen["files"] if name.startswith(place) and name[-1] != "/"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_queue_run(kind):
    """Alice's first; bob's and the smarthost's behind it go in seconds, and the next run finds no lock."""
    home, got = KINDS[kind]
    seen = play(*home, root("-odq", "alice", stdin=BIG), root("-odq", "bob", stdin="Subject: b\n\n"), root("-odq", "x@far.example", stdin="Subject: x\n\n"),
                root("-q"), root("-odq", "bob", stdin="Subject: c\n\n"), root("-q"))
    first, second = seen["steps"][-3], seen["steps"][-1]
    assert (first["rc"], second["rc"]) == (0, 0) and first["secs"] < 15 and second["secs"] < 15, seen["steps"]
    assert len(names(seen, "/home/bob/Maildir/new/")) == 2 and len(seen["smtp"]) == 1, seen["mainlog"]
    assert seen["mainlog"].count("End queue run") == 2, seen["mainlog"]
    assert bool(names(seen, "/home/alice/got")) == bool(got) and ("=> |/home/alice/program" in seen["mainlog"]) == bool(got), seen["mainlog"]


def test_two_at_a_time():
    """Of five messages to a program that takes two seconds no three are there at once, and all go."""
    count = "mkdir /home/alice/run.$$; ls -d /home/alice/run.* | wc -l >>/home/alice/most; sleep 7; rmdir /home/alice/run.$$; cat >>/home/alice/got\n"
    seen = play(*at_home(count), *[root("-odq", "alice", stdin="Subject: %d\n\n" % i) for i in range(5)], root("-q", limit=120),
                {"sleep": 8}, {"argv": ["/bin/cat", "/home/alice/most"]})
    assert set(seen["steps"][-1]["stdout"].split()) <= {"1", "2"}, seen["steps"][-1]
    assert seen["mainlog"].count("=> |/home/alice/program") == 5 and seen["mainlog"].count("Completed") == 5, seen["mainlog"]


def test_who_is_stopped_is_said():
    seen = play(*KINDS["stops its parent"][0], root("alice", stdin="Subject: a\n\n"), root("-bp"))
    assert seen["steps"][-2]["rc"] == 0 and seen["steps"][-2]["secs"] < 15, seen["steps"]
    assert "the delivery to alice was stopped by a signal, and was killed" in seen["steps"][-1]["stdout"] + seen["mainlog"], seen


INHERITED = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(250, 1, None)                                    # keyctl: a session keyring of root's own,
key = libc.syscall(248, b"user", b"planted", b"of root", 7, -3)  # add_key: with a key,
libc.syscall(250, 5, key, 0x3f3f3f3f)                         # which whoever has the keyring may read
os.umask(0)
os.setgroups([0, 4, 42])
os.execv("/usr/sbin/sendmail", ["sendmail", %r])
"""
WHAT = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
key = libc.syscall(249, b"user", b"planted", None, 0)         # request_key
text = ctypes.create_string_buffer(16)
got = libc.syscall(250, 11, key, text, 16) if key > 0 else -1
print("key", text.value.decode() if got > 0 else "none")
print("umask %%o" %% os.umask(0))
print("groups", *sorted(os.getgroups()))
print("ids", *os.getresuid(), *os.getresgid())

"""


def says(to):
    """What a process of alice's finds, which root's sendmail has started: her own program, and whether root has what he planted."""
    program = "cat >/dev/null; exec /usr/bin/python3 /home/alice/what.py >/home/alice/got 2>&1\n"
    home = at_home(program)
    home[0]["write"]["/home/alice/what.py"] = {"content": WHAT.replace("%%", "%"), "mode": "644"}
    seen = play(*home, {"argv": ["/usr/bin/python3", "-c", INHERITED % to], "stdin": "Subject: a\n\n"},
                {"argv": ["/usr/bin/python3", "-c", INHERITED.split("os.umask")[0] + WHAT.replace("%%", "%")]})
    return seen["files"]["/home/alice/got"]["content"].split("\n"), seen["steps"][-1]["stdout"].split("\n")


def test_nothing_of_root_s_is_inherited():
    """Groups and umask, and the keys where this kernel has keyrings: there root himself has the key."""
    hers, roots = says("alice")
    assert roots[0] in ("key of root", "key none"), roots
    assert hers[:4] == ["key none", "umask 22", "groups 1001", "ids 1001 1001 1001 1001 1001 1001"], hers
