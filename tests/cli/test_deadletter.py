"""~/dead.letter when others want it at the same time: a lock that is held for moments is waited for."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

AT_ONCE = 12
CROWD = """
n=$1; shift
for i in $(seq $n); do (echo "Subject: $i\n\nthe text of $i" | /usr/sbin/sendmail "$@"; echo $?) & done 2>&1
wait
"""
# Somebody who has it open, a mail reader say, locks it: for a second, or until he is killed.
READER = """
import fcntl, os, signal, sys
fd = os.open("/root/dead.letter", os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(fd, fcntl.LOCK_EX)
print("locked", flush=True)
signal.alarm(int(sys.argv[1]))
signal.pause()
"""
HELD = "(/usr/bin/python3 -c '%s' $1; :) >/tmp/locked & until test -s /tmp/locked; do :; done; echo 'Subject: 1\n\nthe text of 1' | " \
    "/usr/sbin/sendmail x@far.example 2>&1; echo $?; wait" % READER


def play(step):
    try:
        return sandbox.run_case({"config": {"passwd_client": None}, "servers": [{"sessions": [{"mail": "550 5.7.1 not from you"}]}], "steps": [step]})
    except sandbox.Unavailable as e:
        pytest.skip(str(e))
    return None


def copies(seen):
    return sorted(map(int, re.findall(r"(?m)^the text of (\d+)\n\n(?=From |\Z)", seen["files"].get("/root/dead.letter", {}).get("content", ""))))


@pytest.mark.parametrize("words", [["x@far.example"], ["-C", "/nonexistent", "x@far.example"]], ids=["refused", "no configuration"])
def test_a_copy_of_each(words):
    seen = play({"argv": ["/bin/sh", "-c", CROWD, "sh", str(AT_ONCE), *words]})
    said = seen["steps"][0]["stdout"]
    assert said.count("the message is in /root/dead.letter") == AT_ONCE and "no copy" not in said, said
    assert copies(seen) == list(range(1, AT_ONCE + 1))


@pytest.mark.parametrize("seconds", [1, 30])
def test_somebody_else_has_it(seconds):
    seen = play({"argv": ["/bin/sh", "-c", HELD, "sh", str(seconds)], "limit": 60})
    said = seen["steps"][0]["stdout"]
    assert ("the message is in" in said, copies(seen)) == ((True, [1]) if seconds == 1 else (False, [])), said
    if seconds != 1:
        assert "there is no copy of the message: cannot lock /root/dead.letter: " in said, said
