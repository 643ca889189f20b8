"""Servers that mean harm, or break, at every step (harness/scenarios.py): what the caller is told, and what the server is given.

0 and gone only when the server said 2xx to the dot; 0 and in the spool when it is for later; 69 for never.  In every scenario the programs
return within their deadlines and their memory, and the password goes over TLS to a verified server only, and nowhere else."""
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox, scenarios, villain  # noqa: E402
from harness.villain import HOST  # noqa: E402

pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

LIMIT = villain.PATIENCE  # seconds; what is waited for in vain ends after 1
WORKERS = 24  # they wait most of the time
ALL = scenarios.scenarios()


def play(scenario, directory):
    """Runs in the network: (servers, exit status, what was said, seconds)."""
    os.mkdir(directory)
    certs = sandbox.certificates()
    servers = [villain.serve(certs, script) for script in (scenario.script, *scenario.then)]
    for server in servers:
        server.start()
    conf = scenarios.configure(directory, ["%s::%d" % (HOST, server.port) for server in servers], certs, scenario)
    memory = [] if sandbox.sanitized() else ["prlimit", "--data=%d" % (32 << 20)]
    argv = memory + [sandbox.programs()["onehop"], "-C", conf, "-f", "me@here.example", *scenario.to]
    start = time.monotonic()
    try:
        r = subprocess.run(argv, input=b"Subject: s\n\n" + scenario.body, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           timeout=3 * LIMIT, check=False)
        took = time.monotonic() - start
    finally:
        for server in servers:
            server.finish()
    return servers, r.returncode, r.stdout, took, len(list(directory.glob("spool/input/*-H"))), \
        villain.contents(directory / "mainlog") + villain.below(directory / "spool")


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """All at once, because most of the time is waiting."""
    top = tmp_path_factory.mktemp("hostile")
    with ThreadPoolExecutor(WORKERS, initializer=villain.namespace) as pool:
        return {name: pool.submit(play, s, top / str(n)) for n, (name, s) in enumerate(ALL.items())}


@pytest.mark.parametrize("name", ALL)
def test_hostile(played, name):
    expected = ALL[name]
    servers, rc, words, seconds, waiting, written = played[name].result()
    assert (rc, sum(s.acked for s in servers), waiting) == (expected.rc, expected.acks, expected.waiting), words
    assert sum(s.taken for s in servers) <= expected.texts
    assert seconds < LIMIT
    assert b"out of memory" not in words and b"Sanitizer" not in words and b"runtime error" not in words
    assert not villain.planted(words, written, *[s.clear for s in servers])
    assert expected.verified or not villain.planted(*[s.secret for s in servers])
    if rc:
        assert words.startswith(b"onehop: ") and words.endswith(b"\n")
        assert not any(c < 32 or c == 127 for c in words.replace(b"\n", b""))
    else:
        assert words == b""
