"""One system call goes wrong: the program is killed there, or all of it is, or the call fails (SECURITY 4: I1-I5, I8).

The scenarios and what must hold are in walk.py.  Plain `make check` tries every n-th of the points of each scenario;
ONEHOP_CRASH=all tries all, ONEHOP_CRASH=N every N-th.
"""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import outside, walk  # noqa: E402

pytestmark = outside.needs_namespaces
STRIDE = int(os.environ.get("ONEHOP_CRASH", "23").replace("all", "1"))


@pytest.mark.parametrize("name", walk.SCENARIOS)
def test_every_call_may_fail(name, request):
    got = outside.play(walk, name, stride=STRIDE)
    tap = request.config.pluginmanager.get_plugin("tap")
    if tap:
        tap.say("# %s: %d points (%d not met), duplicates: %s" % (name, got["points"], got["unmet"], got["duplicates"] or "none"))
    assert got["points"] > 10
    outside.fail_if(["; ".join(w) for w in got["wrong"]])
