"""Prints TAP for automake's driver when pytest is called with --tap (see tests/run-pytest)."""

import os

import pytest

TOLD = (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


def pytest_addoption(parser):
    parser.addoption("--tap", action="store_true", help="print TAP lines")


def pytest_configure(config):
    if config.getoption("--tap"):
        config.pluginmanager.register(Tap(), "tap")


class Tap:
    def __init__(self):
        # pytest captures descriptor 1 while tests run; the driver reads this one.
        self.out = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="backslashreplace")
        self.count = 0
        self.collect_failed = False

    def say(self, line):
        print(line, file=self.out, flush=True)

    def result(self, word, name, directive="", details=""):
        self.count += 1
        self.say(f"{word} {self.count} - {name.replace('#', '')}{directive}")
        for line in details.splitlines():
            self.say(f"# {line}")

    def pytest_collectreport(self, report):
        if report.failed:
            self.collect_failed = True
            self.result("not ok", f"collect {report.nodeid}", details=report.longreprtext)
        elif report.skipped and report.nodeid.endswith(".py"):
            self.result("ok", report.nodeid, f" # SKIP {reason(report)}")

    def pytest_runtest_logreport(self, report):
        if report.skipped and hasattr(report, "wasxfail"):
            self.result("not ok", report.nodeid, f" # TODO {report.wasxfail}")
        elif report.skipped:
            self.result("ok", report.nodeid, f" # SKIP {reason(report)}")
        elif report.failed:
            shown = "\n".join([report.longreprtext, *(f"{t}\n{c}" for t, c in report.sections)])
            self.result("not ok", f"{report.nodeid} ({report.when})" if report.when != "call" else report.nodeid,
                        details=shown)
        elif report.when == "call":
            self.result("ok", report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session, exitstatus):
        self.say(f"1..{self.count}" if self.count else "1..0 # SKIP no tests were found")
        # The lines above are the verdict; a status says only that pytest itself broke.
        if exitstatus in TOLD or (exitstatus == pytest.ExitCode.INTERRUPTED and self.collect_failed):
            session.exitstatus = pytest.ExitCode.OK


def reason(report):
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    return " ".join(text.removeprefix("Skipped: ").split())
