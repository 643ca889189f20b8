"""What several files of tests/cli begin with."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import planted, sandbox  # noqa: E402
from harness.post import Post  # noqa: E402

# What is installed is the same in a build with sanitizers.
collect_ignore = ["test_dist.py"] if sandbox.sanitized() else []


@pytest.fixture
def post(tmp_path):
    """A scripted smarthost, and an onehop with a spool of its own that sends there."""
    p = Post(tmp_path)
    yield p
    p.down()
    planted.look_below(p.directory, "".join(p.said))
