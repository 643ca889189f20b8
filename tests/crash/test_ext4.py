"""I7: at exit 0 the files' data and their names are on the disk; and what happens when there is no room.  Trials: ext4.py."""
import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import ext4, outside  # noqa: E402

pytestmark = [outside.needs_namespaces, pytest.mark.skipif(not shutil.which("mkfs.ext4"), reason="mkfs.ext4 is not installed")]


@pytest.mark.parametrize("name", ext4.TRIALS)
def test_on_ext4(name):
    outside.fail_if(outside.play(ext4, name, limit=120)["wrong"])
