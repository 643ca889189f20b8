"""One system call goes wrong: the program is killed there, or all of it is, or the call fails (doc/SECURITY 4: I1-I5, I8).

The scenarios and what must hold are in walk.py.  Plain `make check` tries some points of each scenario, evenly spread;
ONEHOP_CRASH=N tries about N of each, ONEHOP_CRASH=all tries all.
"""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import outside, walk  # noqa: E402

pytestmark = outside.needs_namespaces
POINTS = int(os.environ.get("ONEHOP_CRASH", "10").replace("all", "1000000"))


@pytest.mark.parametrize("name", walk.SCENARIOS)
def test_every_call_may_fail(name, request):
    judge(name, request, points=POINTS)


@pytest.mark.parametrize("name", walk.SCENARIOS)
def test_the_caller_is_killed_at_every_call(name, request):
    """onehop gets SIGTERM, INT, HUP, ALRM, QUIT, KILL at each call that it or what it has started makes; not 0, and
    the queue has nothing of it (but for a kill between the verdict and exit())."""
    judge(name, request, points=POINTS, caller=True)


def judge(name, request, **job):
    got = outside.play(walk, name, **job)
    tap = request.config.pluginmanager.get_plugin("tap")
    if tap:
        tap.say("# %s: %d points (%d not met), duplicates: %s" % (name, got["points"], got["unmet"], got["duplicates"] or "none"))
    assert got["points"] >= 10
    outside.fail_if(["; ".join(w) for w in got["wrong"]])
