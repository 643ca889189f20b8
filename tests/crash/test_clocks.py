"""I12: a clock jump loses or bounces nothing.  The trials are in clocks.py."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from crash import clocks, outside  # noqa: E402
from harness import world  # noqa: E402

pytestmark = outside.needs_namespaces
CLOCK = world.read(os.path.join(os.path.dirname(os.path.abspath(__file__)), "clock.c"))


@pytest.mark.parametrize("name", clocks.TRIALS)
def test_whatever_the_clocks_say(name):
    outside.fail_if(outside.play(clocks, name, limit=300, clock=CLOCK)["wrong"])
