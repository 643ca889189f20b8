"""Every recorded run of the real Exim, played with onehop.

A case is as Exim, or purpose.py says why not and what is expected instead; that is checked just as exactly.
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
from purpose import NO_DOOR, OTHERS, PURPOSE, TO_THE_CALLER  # noqa: E402

CASES = play.recorded()
WORKERS = 2
LACKS = {OTHERS: "only root or", NO_DOOR: "only root or|cannot be kept"}
tally = {"as Exim": 0, "on purpose": 0, "other": 0}


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


def run_denied(name):
    case = play.prepared(CASES[name])
    case["steps"] = [s for s in case["steps"] if play.submits(s) and "-odq" not in s["argv"]][-1:]
    return facts.facts(sandbox.run_case(case))


def neutral(found):
    """Without what a bounce of ours has on purpose: RFC 3464's order, a status of its own, since when, why, that it is 8bit."""
    for item, key in [(f, "content") for f in found["files"]] + [(w, "data") for w in found["wire"]]:
        text = re.sub(r"Arrival-Date: .*\n|Diagnostic-Code: X-onehop; .*\n|Content-Transfer-Encoding: 8bit\r?\n", "", item[key] or "")
        text = text.replace("X-Onehop-DSN-", "X-Exim-DSN-")
        text = re.sub(r"(Final-Recipient: .*\n)(Action: .*\n)", r"\2\1", text)
        item[key] = re.sub(r"(?m)^Status: .*", "Status: <STATUS>", text)
    for item in found["tried"]:
        item["mail"] = item["mail"].replace(" BODY=8BITMIME", "")
    return found


def run_queued(name):
    """Differences from Exim when nobody waits for the answer: then what is refused bounces."""
    case, expected = play.prepared(CASES[name]), play.expectation(CASES[name])
    play.as_root(case, expected)
    case["steps"][0]["argv"] = [w if w != "-odi" else "-odq" for w in case["steps"][0]["argv"]]
    case["steps"][0]["argv"].insert(1, "-odq")
    case["steps"].append({"argv": ["/usr/sbin/sendmail", "-q"]})
    expected["steps"] = [dict(expected["steps"][0], rc=0, routers=None)] * 2
    expected["log"] = sorted(expected["log"] + ["%s queue run: pid=<PID>" % word for word in ("Start", "End")])
    return facts.differences(neutral(expected), neutral(facts.facts(sandbox.run_case(case))))


@pytest.fixture(scope="session")
def replay(request):
    why = sandbox.unavailable()
    if why:
        pytest.skip(why)
    jobs = {test_case: run, test_without_the_right: run_denied, test_bounce: run_queued}
    asked = [(item.function, item.callspec.params["name"]) for item in request.session.items
             if getattr(item, "callspec", None) and item.function in jobs]
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        yield {(test, name): pool.submit(jobs[test], name) for test, name in asked}
        pool.shutdown(cancel_futures=True)


def test_table_names_cases():
    assert sorted(set(PURPOSE) - set(CASES)) == []


@pytest.mark.parametrize("name", CASES)
def test_case(replay, name):
    from_exim, from_table = replay[test_case, name].result()
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


@pytest.mark.parametrize("name", [name for name in PURPOSE if PURPOSE[name].reason in LACKS])
def test_without_the_right(replay, name):
    """The same as the user who submits it in the recording: refused with the reason, and nobody has got anything."""
    got = replay[test_without_the_right, name].result()
    for step in got["steps"]:
        assert step["rc"] == 75, step["stderr"]
        assert re.search(LACKS[PURPOSE[name].reason], step["stderr"])
    assert not got["wire"] and not got["files"] and not got["waiting"]


@pytest.mark.parametrize("name", [name for name in PURPOSE if PURPOSE[name].reason == TO_THE_CALLER])
def test_bounce(replay, name):
    """What the caller is told when he waits bounces as Exim's when he does not."""
    differences = replay[test_bounce, name].result()
    assert not differences, "\n".join(differences)
