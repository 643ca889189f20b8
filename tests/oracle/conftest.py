"""The last line of the replay: how many cases are as Exim, how many differ on purpose."""
import sys

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    replay = sys.modules.get("test_oracle")
    if not replay or not any(replay.tally.values()):
        return
    tap = session.config.pluginmanager.get_plugin("tap")
    line = "%(as Exim)d as Exim, %(on purpose)d on purpose, %(other)d other" % replay.tally
    tap.say("# " + line) if tap else print("\n" + line)
