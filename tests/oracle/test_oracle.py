"""Every recorded run of the real Exim, played with onehop: root's as root, the users' through the doors.

A case is as Exim, or purpose.py says why not and what is expected instead; that is checked just as exactly, and that nothing
which it says is superfluous.
"""
import concurrent.futures
import os
import re
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]
from harness import sandbox  # noqa: E402
import facts  # noqa: E402
import play  # noqa: E402
from purpose import BOUNCES, PURPOSE  # noqa: E402

CASES = play.recorded()
WORKERS = 2


def judged(purpose, case):
    """What is wrong, in lines."""
    if purpose is None:
        return facts.differences(play.expectation(case), facts.facts(sandbox.run_case(play.prepared(case))))
    return play.judge(purpose, case, facts.facts(sandbox.run_case(purpose.played(case))))


@pytest.fixture(scope="session")
def replay(request):
    why = sandbox.unavailable() or play.unavailable()
    if why:
        pytest.skip(why)
    jobs = {test_case: lambda name: judged(PURPOSE.get(name), CASES[name]),
            test_bounce: lambda name: judged(BOUNCES[name], play.queued(CASES[name]))}
    asked = [(item.function, item.callspec.params["name"]) for item in request.session.items
             if getattr(item, "callspec", None) and item.function in jobs]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        yield {(test, name): pool.submit(jobs[test], name) for test, name in asked}
        pool.shutdown(cancel_futures=True)


def test_tables_name_cases():
    assert sorted({*PURPOSE, *BOUNCES} - set(CASES)) == []


@pytest.mark.parametrize("name", CASES)
def test_case(replay, record_property, name):
    kind = "on purpose" if name in PURPOSE else "as Exim"
    record_property("oracle", kind)
    wrong = replay[test_case, name].result()
    assert not wrong, "%s (%s)\n%s" % (kind, PURPOSE[name].reason if name in PURPOSE else CASES[name]["doc"], "\n".join(wrong))


@pytest.mark.parametrize("name", BOUNCES)
def test_bounce(replay, name):
    """What the caller is told when he waits bounces as Exim's when he does not."""
    wrong = replay[test_bounce, name].result()
    assert not wrong, "%s\n%s" % (BOUNCES[name].reason, "\n".join(wrong))


# ---------------------------------------------------------------- the judge is judged
def observed(rc=0, stdout="", mainlog=""):
    return {"steps": [{"argv": ["/usr/sbin/sendmail", "x"], "rc": rc, "stdout": stdout, "stderr": "words"}], "smtp": [], "files": {},
            "mainlog": mainlog}


EXIM = {"steps": [{"argv": ["/usr/sbin/sendmail", "x"], "stdin": "", "user": "alice"}], "config": {},
        "observed": observed(1, "out\n", "<TIME> a\n<TIME> b\n")}
OURS = {"rc": 64, "stdout": "ours\n", "mainlog": "2026-01-01 00:00:00 b\n"}
ALL = [play.exits(64, "words"), play.shows("ours\n"), play.logged(("a", ""))]


@pytest.mark.parametrize("says, seen, complaint", [
    (ALL, {}, None),
    ([*ALL[:2], play.logged(("[a]", ""))], {}, None),
    ([ALL[0], play.shows(re.compile("o.*\n")), ALL[2]], {}, None),
    (ALL, {"rc": 65}, "not as purpose.py says"),
    (ALL, {"rc": 0}, "not as purpose.py says"),
    (ALL[:2], {}, "not as purpose.py says"),
    ([play.exits(64, "other"), *ALL[1:]], {}, "not as purpose.py says"),
    ([*ALL[:2], play.clean("log")], {}, "not as purpose.py says"),
    ([*ALL[:2], play.logged(("a", ""), more=["c"])], {}, "not as purpose.py says"),
    (ALL, {"mainlog": OURS["mainlog"] * 2}, "not as purpose.py says"),
    ([*ALL, play.clean("wire")], {}, "edit 4 (clean)"),
    ([*ALL, play.clean("dead", "tried")], {}, "edit 5 (clean)"),
    ([*ALL, play.logged(("c", ""))], {}, "edit 4 (logged)"),
    ([*ALL, play.shows("ours\n")], {}, "edit 4 (shows)"),
    ([*ALL[:2], play.logged(("a", ""), ("b", re.compile("b")))], {}, "edit 4 (logged)"),
    ([ALL[0], play.shows(re.compile("o.*\n")), ALL[2]], {"stdout": "out\n"}, "edit 2 (shows)"),
    ([play.refused(64, "words", kept=False), ALL[1]], {"mainlog": ""}, None),
    ([play.refused(64, "words", kept=False), ALL[1]], {"mainlog": "", "stdout": "out\n"}, "not as purpose.py says"),
    ([lambda e, case: e["steps"][0].update(rc=64, stdout=re.compile("[ou].*\n")), ALL[2]], {"stdout": "out\n"}, "step 1's stdout is as Exim's"),
    ([lambda e, case: e.update(log=[re.compile(".*")] * 2), *ALL[:2]], {"mainlog": EXIM["observed"]["mainlog"]}, "log is as Exim's"),
    ([], {"rc": 1, "stdout": "out\n", "mainlog": EXIM["observed"]["mainlog"]}, "it is as Exim"),
    ([ALL[0]], {"rc": 64, "stdout": "out\n", "mainlog": EXIM["observed"]["mainlog"]}, "it is as Exim"),
])
def test_judge(says, seen, complaint):
    """One who says more than what was seen, less, or something else."""
    wrong = play.judge(play.on_purpose("why", *says), EXIM, facts.facts(observed(**{**OURS, **seen})))
    assert any(complaint in line for line in wrong) if complaint else not wrong, wrong


def test_what_is_played_is_changed():
    with pytest.raises(AssertionError, match="not changed"):
        play.on_purpose("why", play.Played(lambda case: None)).played(EXIM)
