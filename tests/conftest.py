"""Prints TAP for automake's driver when pytest is called with --tap=DESCRIPTOR (see tests/run-pytest)."""

import os

import pytest

REAL = ("/var/spool/onehop", "/var/log/onehop")      # of the machine that the tests run on
TOLD = (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)


def pytest_addoption(parser):
    parser.addoption("--tap", type=int, metavar="DESCRIPTOR", help="print TAP lines there")


def pytest_configure(config):
    descriptor = config.getoption("--tap")
    if descriptor is not None and not hasattr(config, "workerinput"):       # xdist's workers report to the one that prints
        config.pluginmanager.register(Tap(descriptor), "tap")


class Tap:
    def __init__(self, descriptor):
        os.set_inheritable(descriptor, False)
        self.out = os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace")
        self.count = 0

    def say(self, line):
        print(line, file=self.out, flush=True)

    def result(self, word, name, directive="", details=""):
        self.count += 1
        self.say(f"{word} {self.count} - {name.replace('#', '')}{directive}")
        for line in details.splitlines():
            self.say(f"# {line}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report):
        """No dots: TAP lines go to the same log, and each begins a line there."""
        return report.outcome if report.when == "call" or not report.passed else "", "", ""

    def pytest_collectreport(self, report):
        if report.failed:
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
        if exitstatus in TOLD:
            session.exitstatus = pytest.ExitCode.OK


def reason(report):
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longreprtext
    return " ".join(text.removeprefix("Skipped: ").split())


@pytest.fixture(scope="session", autouse=True)
def the_machine_s_own_mail_stays_as_it_is():
    def contents():
        return {path: os.lstat(path).st_mtime_ns for top in REAL for parent, dirs, files in os.walk(top)
                for path in [parent] + [os.path.join(parent, name) for name in files]}
    before = contents()
    yield
    assert contents() == before
