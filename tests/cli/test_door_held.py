"""Who holds the door: idle connections, descriptors whose end is waited for; another user's mail goes meanwhile."""
import os
import re
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from cli.test_busy import door, play, subjects  # noqa: E402
from cli.test_doors import RECORDS, SERVER  # noqa: E402
from harness import sandbox  # noqa: E402

# Alice: N connections that say so much and no more, each made again when it is hung up on, until she is killed.
IDLE = RECORDS + """
import select
def connect():
    s = socket.socket(socket.AF_UNIX)
    s.connect("/run/onehop/submit")
    s.sendall(%(said)s)
    return s
held = [connect() for _ in range(%(n)d)]
while True:
    for s in select.select(held, [], [], 1)[0]:
        try:
            more = s.recv(65536)
        except ConnectionError:
            more = b""
        if not more:
            held.remove(s)
            s.close()
            held.append(connect())
"""
SAID = {"nothing": "b''", "a part of the hello": "HELLO[:3]", "the hello": "HELLO", "all but the end": "HELLO + envelope() + rcpt() + HEAD"}
BESIDE = """
setpriv --reuid=alice --regid=alice --clear-groups -- /usr/bin/python3 -c "$1" & alice=$!
sleep 2
for i in 1 2 3; do
  date +%s.%N
  echo "Subject: $i" | setpriv --reuid=bob --regid=bob --clear-groups -- /usr/sbin/sendmail b@far.example || echo refused
done
date +%s.%N
kill $alice
"""


@pytest.mark.parametrize("said", SAID)
def test_another_s_mail_beside_64_idle_connections(said):
    text = IDLE % {"said": SAID[said], "n": 64}
    seen = play({"argv": ["/bin/sh", "-c", BESIDE, "sh", text], "limit": 60, "settle": 1}, daemons=[door(most=64, source=1000)], servers=[SERVER])
    times = [float(t) for t in re.findall(r"\d+\.\d+", seen["steps"][0]["stdout"])]
    # without the mending it is 300 seconds, or refused; a loaded machine is slow
    assert len(times) == 4 and max(b - a for a, b in zip(times, times[1:])) < 25, seen["steps"][0]
    assert subjects(seen) == ["1", "2", "3"] and "refused" not in seen["steps"][0]["stdout"], seen["steps"][0]


PASS = RECORDS + """
import array, os, time
kept = []

def full(linger):
    '''A connection that cannot be written to any more, and what its end is to wait for.'''
    listener = socket.create_server(("127.0.0.1", 0))
    s = socket.create_connection(listener.getsockname())
    kept.extend([listener, listener.accept()[0]])
    s.setblocking(False)
    try:
        while True:
            s.send(bytes(65536))
    except BlockingIOError:
        pass
    s.setblocking(True)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, linger))
    return s.detach()

def memory():
    fd = os.memfd_create("body")
    os.write(fd, b"body\\n")
    return fd

def fifo():
    os.mkfifo("/home/alice/fifo")
    return os.open("/home/alice/fifo", os.O_RDWR)

def send(s, data, fds):
    s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
    for fd in fds:
        os.close(fd)

s = socket.socket(socket.AF_UNIX)
s.connect("/run/onehop/submit")
begun = time.monotonic()
got = b""
s.settimeout(20)
try:
    %s
except ConnectionError:
    pass
try:
    while True:
        more = s.recv(65536)
        if not more:
            break
        got += more
except ConnectionError:
    pass
print("END" if time.monotonic() - begun < 5 else "LATE", b"body is not a file" in got)
"""
BEFORE, BEHIND = "s.sendall(HELLO + envelope() + rcpt() + HEAD); ", "; s.sendall(record('G', '5', '1', '4', '0', '0', '0'))"
PASSED = {
    "a file": BEFORE + "send(s, raw('F', b''), [memory()])" + BEHIND,
    "a connection that lingers": BEFORE + "send(s, raw('F', b''), [full(100000)])" + BEHIND,
    "the same behind a file": BEFORE + "send(s, raw('F', b''), [memory(), full(100000)])" + BEHIND,
    "many": BEFORE + "send(s, raw('F', b''), [full(100000) for _ in range(20)])" + BEHIND,
    "with the hello": "send(s, HELLO, [full(100000)]); s.sendall(envelope() + rcpt() + HEAD + BODY + GO)",
    "with no record of its own": BEFORE + "send(s, BODY, [full(100000)]); s.sendall(GO)",
    "behind the end": BEFORE + "s.sendall(BODY + GO); send(s, b'x', [full(100000)])",
    "a pipe": BEFORE + "send(s, raw('F', b''), list(os.pipe()))" + BEHIND,
    "a FIFO": BEFORE + "send(s, raw('F', b''), [fifo()])" + BEHIND,
}


@pytest.mark.parametrize("what", PASSED)
def test_a_descriptor_holds_nothing_up(what):
    seen = play({"argv": ["/usr/bin/python3", "-c", PASS % PASSED[what]], "user": "alice", "limit": 60, "settle": 1}, servers=[SERVER])
    word, _, refused = seen["steps"][0]["stdout"].partition(" ")
    assert word == "END", seen["steps"][0]
    taken = what in ("a file", "with the hello", "with no record of its own", "behind the end")
    assert taken or refused == "True\n" and not subjects(seen), seen["steps"][0]
    assert what != "a file" or subjects(seen) == ["s"], seen["steps"][0]


# Timers go 3600 times as fast.
SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int
timer_settime(timer_t t, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	int (*real)(timer_t, int, const struct itimerspec *, struct itimerspec *) = dlsym(RTLD_NEXT, "timer_settime");
	struct itimerspec soon = *new;

	soon.it_value.tv_sec /= 3600;
	return real(t, flags, &soon, old);
}
"""
WAIT = RECORDS + """
import time
begun = time.monotonic()
s = socket.socket(socket.AF_UNIX)
s.connect("/run/onehop/submit")
s.settimeout(8)
try:
    while s.recv(100):
        pass
    print("ended", 1 < time.monotonic() - begun < 5)
except TimeoutError:
    print("is there")
"""


@pytest.mark.skipif(sandbox.sanitized(), reason="the sanitizer's library has to be the first")
@pytest.mark.parametrize("user, word", [("alice", "ended True\n"), ("bob", "ended True\n"), ("root", "is there\n")])
def test_each_ends_some_day(tmp_path, user, word):
    """Whatever holds a user's onehop-send up: two hours are its life (here two seconds); root's own is nobody's."""
    if not shutil.which("cc"):
        pytest.skip("there is no cc")
    subprocess.run(["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(tmp_path / "shim.so"), "-ldl"], input=SHIM.encode(), check=True)
    usual = door()
    fast = {**usual, "argv": [*usual["argv"][:-1], "/usr/bin/env", "LD_PRELOAD=/opt/shim.so", usual["argv"][-1]]}
    seen = play({"argv": ["/usr/bin/python3", "-c", WAIT], "user": user, "settle": 1}, daemons=[fast], servers=[SERVER],
                config={"files": {"/opt/shim.so": {"content": (tmp_path / "shim.so").read_bytes().decode("latin-1"), "mode": "755"}}})
    assert seen["steps"][0]["stdout"] == word, seen["steps"][0]
