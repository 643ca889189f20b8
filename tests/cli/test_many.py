"""As many recipients as one message may have: what they cost in memory, and in lines of the log."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

MANY, LINES, KIB = 10000, 100, 64 * 1024
RUN = """
import resource, subprocess, sys
got = subprocess.run(sys.argv[2:], stdin=open(sys.argv[1], "rb"), stderr=subprocess.DEVNULL, check=False)
print(got.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
ANSWERS = {"taken": "250 2.1.5 ok", "refused": "550 5.1.1 there is nobody here who is called ", "later": "450 4.2.0 the mailbox is full of "}


def send(post):
    """The exit status, and the most that one of all its processes has had, in KiB."""
    text = post.directory + "/text"
    with open(text, "w", encoding="ascii") as f:
        f.write("To: " + ",\n ".join("somebody.with.a.long.name.%d@mail.some-department.far.example" % i for i in range(MANY)) + "\n\nbody\n")
    got = subprocess.run([sys.executable, "-c", RUN, text, sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", "-t"],
                         stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    post.rest()
    return [int(n) for n in got.stdout.split()]


@pytest.mark.parametrize("kind, status, arrow", [("taken", 0, "> "), ("refused", 69, "** "), ("later", 0, "== ")])
def test_ten_thousand(post, kind, status, arrow):
    """Each recipient's answer is another one; no process has more than 64 MiB, and who waits is not named again at each try."""
    post.rules["rcpt"] = lambda line: ANSWERS[kind] + (line.split(":")[1] if kind != "taken" else "")
    rc, most = send(post)
    assert rc == status and (most < KIB or sandbox.sanitized()), (rc, most)
    lines = [line for line in post.mainlog().splitlines() if arrow in line]
    assert len(lines) == (LINES + 1 if kind == "later" else MANY)
    if kind == "later":
        assert "== %d more recipients wait" % (MANY - LINES) in lines[-1]
        assert post.sendmail("-qf").returncode == 0
        assert sum("== " in line for line in post.mainlog().splitlines()) == 2 * (LINES + 1)
        assert post.sendmail("-bp").stdout.count(b"far.example\n") == MANY


def test_one_too_many(post):
    assert post.sendmail(*("x%d@far.example" % i for i in range(MANY + 1))).returncode == 64 and post.connections == 0
