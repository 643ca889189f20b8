"""I7: at exit 0 the files' data and their names are on the disk; and what happens when there is no room.  Trials: ext4.py."""
import json
import os
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import ext4, fault  # noqa: E402
from harness import sandbox  # noqa: E402


def unavailable():
    if not shutil.which("mkfs.ext4"):
        return "mkfs.ext4 is not installed"
    if sandbox.sanitized():
        return "the calls of a sanitizer are not the program's"
    return sandbox.unavailable()


pytestmark = pytest.mark.skipif(bool(unavailable()), reason=str(unavailable()))


@pytest.mark.parametrize("name", ext4.TRIALS)
def test_ext4(name):
    job = {"programs": sandbox.programs(), "numbers": fault.syscall_numbers()}
    r = subprocess.run(sandbox.UNSHARE + [sys.executable, "-B", ext4.__file__, name], input=json.dumps(job).encode(),
                       stdout=subprocess.PIPE, timeout=120)
    assert r.stdout, "ext4.py has failed"
    got = json.loads(r.stdout)
    if "skipped" in got:
        pytest.skip(got["skipped"])
    assert not got["wrong"], "; ".join(got["wrong"])
