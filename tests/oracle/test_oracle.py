"""Every recorded run of the real Exim, played with onehop.

A case is as Exim, or purpose.py says why not and what is expected instead; that is checked just as exactly.
"""
import concurrent.futures
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE]
from harness import sandbox  # noqa: E402
import facts  # noqa: E402
import play  # noqa: E402
from purpose import PURPOSE  # noqa: E402

CASES = play.recorded()
WORKERS = 2
PLAYED_AS_ROOT = [name for name in PURPOSE if play.as_root in PURPOSE[name].edits and name[:4] != "del-" and name != "sub-bs"]
# Recorded before there was a spool here: purpose.py still says what came of them then.  Each is to be compared with Exim anew.
UNSETTLED = ("adm-empty-queue adm-qopts del-freeze-thaw del-m-actions del-mvh-mvb del-queue-many del-rcpt-452 del-retry-local del-split-spool "
             "del-spool-partial del-timeout-frozen loc-alias-syntax loc-fwd-fail loc-fwd-filter loc-fwd-groupwritable loc-hubbed "
             "loc-spool-symlink loc-sysuser seed-v-remote-nomacro sub-opt-o sub-opt-odq").split()
tally = {"as Exim": 0, "on purpose": 0, "other": 0}


def settled_or_not(names):
    mark = pytest.mark.xfail(strict=True, reason="not compared with Exim since there is a spool")
    return [pytest.param(name, marks=mark) if name in UNSETTLED else name for name in names]


def run(name):
    """(differences from Exim, differences from what the table expects or None)"""
    case = CASES[name]
    if name not in PURPOSE:
        got = facts.facts(sandbox.run_case(play.prepared(case)))
        return facts.differences(play.expectation(case), got), None
    played, expected = PURPOSE[name].apply(case)
    got = facts.facts(sandbox.run_case(played))
    same_play = played["steps"] == case["steps"]
    return (facts.differences(play.expectation(case), got) if same_play else ["played in another way"],
            facts.differences(expected, got))


@pytest.fixture(scope="session")
def replay(request):
    why = sandbox.unavailable()
    if why:
        pytest.skip(why)
    names = [item.callspec.params["name"] for item in request.session.items
             if getattr(item, "callspec", None) and item.function is test_case]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        yield {name: pool.submit(run, name) for name in names}
        pool.shutdown(cancel_futures=True)


def test_table_names_cases():
    assert sorted(set(PURPOSE) - set(CASES)) == []


@pytest.mark.parametrize("name", settled_or_not(CASES))
def test_case(replay, name):
    from_exim, from_table = replay[name].result()
    tally["other"] += 1
    if from_table is None:
        assert not from_exim, "not as Exim (%s):\n%s" % (CASES[name]["doc"], "\n".join(from_exim))
        kind = "as Exim"
    else:
        assert not from_table, "on purpose (%s), but not as purpose.py says:\n%s" % (
            PURPOSE[name].reason, "\n".join(from_table))
        assert from_exim, "purpose.py has a reason for this, but it is as Exim: take the entry out"
        kind = "on purpose"
    tally["other"] -= 1
    tally[kind] += 1


@pytest.mark.parametrize("name", [name for name in PLAYED_AS_ROOT if name not in UNSETTLED])
def test_without_the_right(name):
    """The same as the user who submits it in the recording: refused with the reason, and nobody has got anything."""
    why = sandbox.unavailable()
    if why:
        pytest.skip(why)
    case = play.prepared(CASES[name])
    case["steps"] = [s for s in case["steps"] if s["argv"][0] in play.SENDMAIL or s["argv"][0].startswith("/bin/")]
    got = facts.facts(sandbox.run_case(case))
    for step in got["steps"][-1:]:
        assert step["rc"] == 75, step["stderr"]
        assert "only root or" in step["stderr"]
    assert not got["wire"] and not got["files"]
