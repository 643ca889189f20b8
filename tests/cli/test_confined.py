"""The process that talks to the network: what the kernel says of it while a server holds it, and that neither its end nor a
kernel that cannot confine it costs a mail."""
import ctypes
import glob
import os
import re
import shutil
import signal
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import sandbox  # noqa: E402

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a -C file that names a spool must be root's")


@pytest.fixture(name="filtered")
def a_build_with_a_filter():
    if sandbox.sanitized():
        pytest.skip("a build with sanitizers has no filter")


def text(path):
    try:
        with open(path, encoding="latin-1") as f:
            return f.read()
    except OSError:
        return ""


def status(pid):
    return dict(re.findall(r"(?m)^(\w+):\t(.*)$", text("/proc/%d/status" % pid)))


def senders(post):
    """The numbers of onehop-send and, with it as its parent, of the network's process."""
    pids = [int(p.split("/")[2]) for p in glob.glob("/proc/[0-9]*/cmdline")
            if "onehop-send\0-C\0" + post.directory in text(p)]
    child = [p for p in pids if int(status(p)["PPid"]) in pids]
    return [p for p in pids if p not in child], child


def while_held(post, step, act):
    """A rule that does act(parents, children) at this step, once."""
    begun, seen = [], []

    def rule(_line):
        if not begun:
            begun.append(step)          # before it, for what it ends is started again at once
            seen.append(act(*senders(post)))
        return "220 post" if step == "greeting" else "250 2.0.0 ok"
    post.rules[step] = rule
    return seen


def look(_parents, children):
    (child,) = children
    held = sorted(os.readlink(fd).split(":")[0] for fd in glob.glob("/proc/%d/fd/*" % child))
    return status(child), held, text("/proc/%d/limits" % child)


@pytest.mark.usefixtures("filtered")
@pytest.mark.parametrize("lines", [1, 1500])
def test_what_the_kernel_says(post, lines):
    seen = while_held(post, "dot", look)
    assert post.sendmail("a@far.example", stdin="Subject: s\n\n" + ("x" * 900 + "\n") * lines).returncode == 0
    ((found, held, limits),) = seen
    assert (found["Seccomp"], found["NoNewPrivs"]) == ("2", "1")
    # nothing of the spool, the log or the caller: three times nothing, the parent, the server, a large message's text
    text_held = [fd for fd in held if fd not in ("/dev/null", "socket")]
    assert held.count("/dev/null") == 3 and held.count("socket") == 2
    assert len(text_held) == (lines > 1) and all("deleted" in fd or "/input/" in fd for fd in text_held)
    for limit in ("core file size", "file size"):
        assert re.search(r"Max %s +0 +0 " % limit, limits)


@pytest.mark.parametrize("step", ["greeting", "mail", "dot"])
@pytest.mark.parametrize("how", [signal.SIGSYS, signal.SIGKILL])
def test_its_end_keeps_the_mail(post, step, how):
    while_held(post, step, lambda _, children: os.kill(children[0], how))
    assert post.sendmail("a@far.example").returncode == 0
    # what ends before the message is there is started again with it
    if step == "greeting":
        assert len(post.mails) == 1 and post.input() == []
    else:
        assert post.input() == ["D", "H"]
    assert ("its filter forbids" if how == signal.SIGSYS else "killed by signal 9") in post.mainlog()
    if step != "greeting":
        assert post.sendmail("-qf", stdin="").returncode == 0
        assert post.input() == [] and post.mails


def test_it_ends_with_its_parent(post):
    children = []

    def end_parent(parents, found):
        children.extend(found)
        os.kill(parents[0], signal.SIGKILL)
    while_held(post, "greeting", end_parent)
    got = post.sendmail("a@far.example")
    post.until(lambda: not any(status(p).get("State", "Z")[0] != "Z" for p in children))
    assert len(children) == 1 and len(post.mails) == (got.returncode == 0)      # onehop may have asked once more


@pytest.mark.usefixtures("filtered")
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("error", ["ENOSYS", "EPERM"])
def test_a_kernel_without(post, error):
    calls = ["seccomp", "landlock_create_ruleset", "prctl"]
    trace = ["strace", "-f", "-qq", "-o", post.directory + "/calls", "-e", "trace=" + ",".join(calls)]
    for call in calls[:2]:
        trace += ["-e", "inject=%s:error=%s" % (call, error)]
    got = subprocess.run([*trace, sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", "-d", "a@far.example"],
                         input=b"Subject: s\n\nbody\n", stderr=subprocess.PIPE, check=False, timeout=60)
    assert got.returncode == 0 and len(post.mails) == 1
    said = got.stderr.decode()
    assert "confinement: no Landlock here: " in said and "confinement: no system call filter here: " in said
    assert text(post.directory + "/calls").count("(INJECTED)") == 2


@pytest.mark.usefixtures("filtered")
@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
@pytest.mark.parametrize("call, said", [
    (None, None), ("seccomp", "no system call filter here"), ("landlock_create_ruleset", "no Landlock here"),
    ("landlock_restrict_self", "no Landlock here")])
def test_what_a_machine_has(post, call, said):
    """-bV says which parts there are, each in a line, and it is no fault of the configuration when one is not."""
    trace = ["strace", "-f", "-qq", "-o", "/dev/null", *(["-e", "inject=%s:error=ENOSYS" % call] if call else [])]
    got = subprocess.run([*trace, sandbox.programs()["onehop"], "-C", post.directory + "/onehop.conf", "-bV"],
                         capture_output=True, check=False, timeout=60)
    lines = re.findall(r"(?m)^confinement: (.*)$", got.stdout.decode())
    has_landlock = ctypes.CDLL(None).syscall(444, None, 0, 1) > 0         # landlock_create_ruleset: its version
    assert (got.returncode, got.stderr) == (0, b"") and lines[0] == "no_new_privs"
    for part, at in (("Landlock", 1), ("system call filter", 2)):
        missing = said is not None and part in said or part == "Landlock" and not has_landlock
        assert lines[at].startswith("no %s here: " % part if missing else part), lines
