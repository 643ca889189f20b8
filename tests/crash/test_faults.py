"""One system call goes wrong: the program is killed there, or all of it is, or the call fails (SECURITY 4: I1-I5, I8).

The scenarios and what must hold are in walk.py.  Plain `make check` tries every n-th of the points of each scenario;
ONEHOP_CRASH=all tries all, ONEHOP_CRASH=N every N-th.
"""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import fault, walk  # noqa: E402
from harness import sandbox  # noqa: E402

STRIDE = {"all": 1, None: 23}.get(os.environ.get("ONEHOP_CRASH"), 0) or int(os.environ["ONEHOP_CRASH"])


def unavailable():
    if sandbox.sanitized():
        return "the calls of a sanitizer are not the program's"
    return sandbox.unavailable()


pytestmark = pytest.mark.skipif(bool(unavailable()), reason=str(unavailable()))


@pytest.mark.parametrize("name", walk.SCENARIOS)
def test_every_call_may_fail(name, request):
    job = {"scenario": name, "programs": sandbox.programs(), "numbers": fault.syscall_numbers(), "stride": STRIDE}
    r = subprocess.run(sandbox.UNSHARE + [sys.executable, "-B", walk.__file__], input=json.dumps(job).encode(),
                       stdout=subprocess.PIPE, timeout=3600)
    assert r.stdout, "walk.py has failed"
    got = json.loads(r.stdout)
    if "skipped" in got:
        pytest.skip(got["skipped"])
    tap = request.config.pluginmanager.get_plugin("tap")
    if tap:
        tap.say("# %s: %d points (%d not met), duplicates: %s" % (name, got["points"], got["unmet"], got["duplicates"] or "none"))
    assert got["points"] > 10
    if got["wrong"]:
        pytest.fail("%d points are wrong\n" % len(got["wrong"]) + "\n".join("; ".join(w) for w in got["wrong"][:25]), pytrace=False)
