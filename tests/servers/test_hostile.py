"""Servers that mean harm, or break, at every step (harness/scenarios.py): what the caller is told, and what the server is given.

0 and gone only when the server said 2xx to the dot; 0 and in the spool when it is for later; 69 for never.  In every scenario the programs
return within their deadlines and their memory, and the password goes over TLS to a verified server only, and nowhere else."""
import ctypes
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox, scenarios, villain  # noqa: E402

CLONE_NEWNET = 0x40000000
HOST = "192.0.2.25"  # not loopback: a link on which others listen
pytestmark = pytest.mark.skipif(bool(sandbox.unavailable()), reason=str(sandbox.unavailable()))

LIMIT = 8  # seconds; what is waited for in vain ends after 1
WORKERS = 24  # they wait most of the time
ALL = scenarios.scenarios()


def namespace():
    """A network of this thread alone."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "addr", "add", HOST + "/32", "dev", "lo"], check=True)


CONF = """configtype = smarthost
smarthost = %s
primary_hostname = debian
qualify_domain = debian
dead_letter = no
passwd_client = %s
email_addresses = /dev/null/none
spool_directory = %s/spool
log_file = %s/mainlog
tls_trust_file = %s/ca.crt
connect_timeout = %ds
command_timeout = %ds
data_timeout = %ds
final_timeout = %ds
total_timeout = %ds
"""


def play(scenario, directory):
    """Runs in the network: (servers, exit status, what was said, seconds)."""
    os.mkdir(directory)
    certs = sandbox.certificates()
    servers = [villain.serve(HOST, certs, script) for script in (scenario.script, *scenario.then)]
    for server in servers:
        server.start()
    passwd, conf = directory / "passwd.client", directory / "onehop.conf"
    passwd.write_bytes(b"%s:user:%s\n" % (HOST.encode(), villain.PASSWORD) if scenario.login else b"")
    passwd.chmod(0o600)
    hosts = ";".join("%s::%d" % (HOST, server.port) for server in servers)
    conf.write_text(CONF % (hosts, passwd, directory, directory, certs, *[scenario.wait or LIMIT] * 4, 3 if scenario.wait else LIMIT))
    memory = [] if sandbox.sanitized() else ["prlimit", "--data=%d" % (32 << 20)]
    argv = memory + [sandbox.programs()["onehop"], "-C", str(conf), "-f", "me@here.example", *scenario.to]
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
    with ThreadPoolExecutor(WORKERS, initializer=namespace) as pool:
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
