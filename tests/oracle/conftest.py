"""The last line of the replay: how many cases are as Exim, how many differ on purpose."""
import pytest

tally = {"as Exim": 0, "on purpose": 0, "other": 0}


def pytest_runtest_logreport(report):
    """Where the lines are printed, which with xdist is not where the tests run."""
    kind = dict(report.user_properties).get("oracle")
    if kind and report.when == "call":
        tally[kind if report.passed else "other"] += 1


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if not any(tally.values()) or hasattr(session.config, "workerinput"):
        return
    tap = session.config.pluginmanager.get_plugin("tap")
    line = "%(as Exim)d as Exim, %(on purpose)d on purpose, %(other)d other" % tally
    tap.say("# " + line) if tap else print("\n" + line)
