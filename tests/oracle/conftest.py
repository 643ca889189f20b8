"""The last line of the replay."""
import sys


def pytest_terminal_summary(terminalreporter):
    replay = sys.modules.get("test_oracle")
    if replay and any(replay.tally.values()):
        t = replay.tally
        terminalreporter.write_line("# %d as Exim, %d on purpose, %d other" % (t["as Exim"], t["on purpose"], t["other"]))
